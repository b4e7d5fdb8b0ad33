"""Who may do what: tokens and their roles, tickets, and how much of it."""

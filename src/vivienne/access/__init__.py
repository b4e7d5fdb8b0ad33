"""Access: tokens and their roles, tickets, and limits."""

"""Ways in for a change. They translate; they have no rules of their own."""

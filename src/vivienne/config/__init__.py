"""Configuration: what can be tuned, what is in force, and the only door through which it changes."""

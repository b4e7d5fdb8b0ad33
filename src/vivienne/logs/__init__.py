"""The log: how records are written, and where to."""

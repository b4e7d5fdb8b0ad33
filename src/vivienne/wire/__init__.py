"""Types of everything that goes out."""

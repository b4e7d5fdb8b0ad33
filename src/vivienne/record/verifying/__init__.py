"""Verification: every recorded decision is decided anew, and compared to the last bit."""

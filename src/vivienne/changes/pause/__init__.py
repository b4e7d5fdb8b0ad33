"""Pausing and resuming."""

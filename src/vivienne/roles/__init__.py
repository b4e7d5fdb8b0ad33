"""Composition of a process by its role."""

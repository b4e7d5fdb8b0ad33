"""Streams of states and log records to all connected clients."""

"""Feeds: sources of market data behind one protocol."""

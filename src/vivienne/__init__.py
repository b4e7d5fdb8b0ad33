"""Vivienne: a trading-signal agent that can be retuned while it runs."""

"""Vivienne: a trading-signal agent that can be retuned while it runs."""

__version__ = "0.1.0"

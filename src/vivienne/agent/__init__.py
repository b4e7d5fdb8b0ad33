"""Decisions: pure functions over arrays of bars. No clock, no network, no storage in here."""

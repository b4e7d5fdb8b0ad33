"""Decisions: pure functions over arrays of bars. This package uses no clock, no network and no storage."""

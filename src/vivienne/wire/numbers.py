"""Whole numbers on the wire."""

from __future__ import annotations

HIGHEST = 2**53 - 1
"""Up to this one every client has whole numbers exactly; versions and numbers of states do not get there."""

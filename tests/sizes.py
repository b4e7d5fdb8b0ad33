"""Sizes of tests: `make test` runs them small, `make torture ARGS=properties` at their full sizes."""

from __future__ import annotations

import os

from hypothesis import settings

FULL = os.environ.get("VIVIENNE_TEST_SIZE") == "full"
USUAL = 100
"""Examples at full size, where a test says nothing else."""


def examples(full: int = USUAL, short: int | None = None) -> settings:
    """Settings with so many examples at full size, and a tenth of them otherwise, or fewer where each takes long."""
    # A busy machine is no failure.
    return settings(deadline=None, max_examples=full if FULL else short or max(3, full // 10))


def rounds(full: int, short: int = 1) -> int:
    """How often a test repeats what it does. Mark the test with `sized`, so that its full size is run too."""
    return full if FULL else short

"""Sizes of property tests: `make test` tries a few examples, `make torture ARGS=properties` all of them."""

from __future__ import annotations

import os

from hypothesis import settings

FULL = os.environ.get("VIVIENNE_TEST_SIZE") == "full"
USUAL = 100
"""Examples at full size, where a test says nothing else."""


def examples(full: int = USUAL) -> settings:
    """Settings with so many examples at full size, and a fifth of them otherwise."""
    # A busy machine is no failure.
    return settings(deadline=None, max_examples=full if FULL else max(5, full // 5))

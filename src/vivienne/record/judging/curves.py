"""Curves with a limited number of points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vivienne.market.types import IntArray

MOST_POINTS = 500
"""Largest number of points of a curve that goes out."""


def points(count: int, most: int) -> IntArray:
    """Rows of a curve with so many values to show: all of them, or every n-th one counted back from the last."""
    if not most:
        return np.arange(0)
    step = -(-count // most) if count else 1
    return np.arange(count - 1, -1, -step)[::-1]

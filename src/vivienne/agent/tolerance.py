"""Comparisons that never hang on the last bits.

Prices are decimal numbers that binary floating point cannot hold exactly, and what is derived from them carries the
rounding of every step. Two figures that are equal on paper may therefore differ by some 1e-16 of their size, in either
direction. Wherever a decision compares, figures that are nearer to each other than `EQUAL` count as equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vivienne.market.types import BoolArray, FloatArray

EQUAL = 1e-9
"""Relative. Rounding stays orders of magnitude below it; the ticks of real markets stay above it."""


def settled(difference: FloatArray, scale: FloatArray | float) -> FloatArray:
    """Set differences that are only rounding to 0.

    Args:
        difference: of two figures.
        scale: size of the figures that were subtracted, above 0.
    """
    return difference * (np.abs(difference) > EQUAL * scale)


def above(one: FloatArray, other: FloatArray | float) -> BoolArray:
    """Where `one` is clearly above `other`; False where either is NaN."""
    return one - other > EQUAL * np.abs(other)


def holds(value: FloatArray, threshold: FloatArray, signs: FloatArray, strict: BoolArray) -> BoolArray:
    """Where relations hold, all checks at once; False where a value is NaN.

    Args:
        value: per check and row.
        threshold: per check and row.
        signs: +1 for a relation that asks for less, -1 for one that asks for more.
        strict: whether equality does not suffice.
    """
    short = (threshold - value) * signs
    margin = EQUAL * np.abs(threshold)
    return np.where(strict, short > margin, short >= -margin)

"""Comparisons that do not depend on rounding.

Binary floating point cannot hold most decimal prices exactly, and every computation adds rounding. Two values that are
equal on paper may therefore differ by about 1e-16 of their size, in either direction. In all comparisons of a decision,
values that differ by less than `EQUAL` count as equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vivienne.agent.arithmetic import Conditions, Values
    from vivienne.market.types import BoolArray, FloatArray

EQUAL = 1e-9
"""Relative tolerance. Rounding errors are orders of magnitude smaller; the ticks of real markets are larger."""


def settled(difference: Values, scale: Values) -> Values:
    """Set differences that are only rounding to 0.

    Args:
        difference: difference of two values.
        scale: size of these values, above 0.
    """
    return difference * (abs(difference) > EQUAL * scale)


def above(one: Values, other: Values) -> Conditions:
    """True where `one` is above `other` by more than the tolerance; False where either is NaN."""
    return one - other > EQUAL * abs(other)


def least_excess(threshold: FloatArray, strict: BoolArray) -> FloatArray:
    """The bound that the excess over a threshold must be above for a relation to hold.

    A strict relation holds from clearly beyond the threshold on, any other down to values that count as equal to it.
    """
    margin = EQUAL * np.abs(threshold)
    return np.where(strict, margin, np.nextafter(-margin, -np.inf))

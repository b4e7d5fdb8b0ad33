"""Comparisons in which figures that differ by rounding only are equal."""

from __future__ import annotations

from math import isnan

EQUAL = 1e-9
"""Figures nearer to each other than this, relative, are equal."""


def is_known(number: float) -> bool:
    return not isnan(number)


def is_same(one: float, other: float) -> bool:
    return abs(one - other) <= EQUAL * max(abs(one), abs(other))


def is_above(one: float, other: float) -> bool:
    return one > other and not is_same(one, other)


def is_below(one: float, other: float) -> bool:
    return is_above(other, one)


def sign(number: float) -> int:
    return (number > 0) - (number < 0)


def difference(one: float, other: float, close: float) -> float:
    """A difference of prices; 0 if it is smaller than a billionth of the close."""
    return 0.0 if abs(one - other) < EQUAL * close else one - other

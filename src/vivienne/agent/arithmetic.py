"""Arithmetic over a whole column, or over the value of a single bar.

Signals and filters are written once, and compute with columns of many bars or with plain floats. NumPy takes a hundred
nanoseconds to a microsecond for each operation, however short the column is; Python takes a tenth of that for a float.
Both give the same result to the last bit, NaN and the sign of 0 included. Operators and `abs` need no function here.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Values: TypeAlias = Any
"""A `FloatArray` with a value for each row, or the float of a single bar. What is computed from it is of its kind."""
Conditions: TypeAlias = Any
"""A `BoolArray`, or the bool of a single bar."""


def sign(values: Values) -> Values:
    """+1, -1 or 0; NaN for NaN."""
    if isinstance(values, float):
        return 1.0 if values > 0.0 else -1.0 if values < 0.0 else 0.0 if values == 0.0 else values
    return np.sign(values)


def least(values: Values, other: Values) -> Values:
    """The smaller of two values; NaN if either is NaN. A plain `other` is not NaN unless `values` is."""
    return min(values, other) if isinstance(values, float) else np.minimum(values, other)


def greatest(values: Values, other: Values) -> Values:
    """The larger of two values; otherwise like `least`."""
    return max(values, other) if isinstance(values, float) else np.maximum(values, other)


def share(values: Values) -> Values:
    """Limit values to 0..1; NaN stays."""
    if isinstance(values, float):
        return 0.0 if values <= 0.0 else min(values, 1.0)
    return np.clip(values, 0.0, 1.0)


def where(condition: Conditions, one: Any, other: Any) -> Any:
    """One value where the condition holds, the other elsewhere."""
    if isinstance(condition, bool):
        return one if condition else other
    return np.where(condition, one, other)


def any_row(condition: Conditions) -> bool:
    """True if the condition holds on any row. On a few rows this is faster than NumPy's `any`."""
    return condition if isinstance(condition, bool) else True in condition.tolist()


def zeros(like: Values) -> Values:
    """0 on every row."""
    return 0.0 if isinstance(like, float) else np.zeros(len(like))


def bounds(values: Values) -> tuple[float, float]:
    """The smallest and the largest value."""
    if isinstance(values, float):
        return values, values
    found: list[float] = values.tolist()
    return min(found), max(found)


def interpolated(values: Values, points: Sequence[float], results: Sequence[float]) -> Values:
    """Values between those at some ascending points, in a straight line, as `np.interp` has them."""
    if not isinstance(values, float):
        return np.interp(values, points, results)
    after = bisect_right(points, values)
    if after == 0:
        return results[0]
    if after == len(points):
        return results[-1] if values >= points[-1] else values  # NaN stays
    begin, of_begin = points[after - 1], results[after - 1]
    return (results[after] - of_begin) / (points[after] - begin) * (values - begin) + of_begin

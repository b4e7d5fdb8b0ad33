"""Support and resistance from fractal pivots."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import numpy as np
import talib

from vivienne.agent.tolerance import EQUAL, above

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.market.types import Bars, BoolArray, FloatArray

LEVEL_BARS = 1_000
"""Number of bars that levels are made from, including the row's own."""


def pivots(values: FloatArray, side_bars: int) -> BoolArray:
    """Mark each value that is above all its `side_bars` neighbours on both sides (pass ``-low`` for low pivots).

    A pivot is known only `side_bars` bars later: a decision on row i may use marks up to row ``i - side_bars``.
    """
    marks = np.zeros(len(values), dtype=np.bool_)
    inner = len(values) - 2 * side_bars
    if inner > 0:
        # TA-Lib's rolling maximum needs at least two values; a span of one is the column itself.
        highest = values if side_bars == 1 else talib.MAX(values, side_bars)
        middle = values[side_bars : side_bars + inner]
        before = highest[side_bars - 1 : side_bars - 1 + inner]
        after = highest[2 * side_bars :]
        marks[side_bars : side_bars + inner] = above(middle, np.maximum(before, after))
    return marks


def merged(prices: list[float], buffer: float) -> Iterator[float]:
    """Merge prices into levels, lowest first: each level is the mean of prices at most `buffer` above its lowest.

    Args:
        prices: in ascending order.
        buffer: fraction of price.
    """
    total, count, limit = 0.0, 0, -math.inf
    reach = (1.0 + buffer) * (1.0 + EQUAL)
    for price in prices:
        if price > limit:
            if count:
                yield total / count
            total, count, limit = 0.0, 0, price * reach
        total += price
        count += 1
    if count:
        yield total / count


def _nearest(column: FloatArray, close: FloatArray, side_bars: int, buffer: float, *, upwards: bool) -> FloatArray:
    """The nearest level above or below the close, for each of the last ``len(close)`` rows; NaN if none exists."""
    rows = len(close)
    column = column[-(LEVEL_BARS - 1 + rows) :]
    nearest = np.full(rows, np.nan)
    at = pivots(column if upwards else -column, side_bars).nonzero()[0]
    places, known, prices = at.tolist(), (-1, -1), [0.0]
    for row, price in enumerate(close.tolist()):
        # A pivot is usable only if all bars that make it one are among the last LEVEL_BARS.
        newest = len(column) - rows + row
        usable = (
            bisect_left(places, newest - (LEVEL_BARS - 1) + side_bars),
            bisect_right(places, newest - side_bars),
        )
        if usable != known:
            known, prices = usable, sorted(column[at[slice(*usable)]].tolist())
        # A level equal to the close is neither above nor below it.
        if upwards:
            beyond = price * (1.0 + EQUAL)
            nearest[row] = next((level for level in merged(prices, buffer) if level > beyond), math.nan)
        else:
            beyond = price * (1.0 - EQUAL)
            for level in merged(prices, buffer):
                if level >= beyond:
                    break
                nearest[row] = level
    return nearest


def nearest_levels(bars: Bars, side_bars: int, buffer: float, rows: int) -> tuple[FloatArray, FloatArray]:
    """Nearest confirmed support below and resistance above the close, for the last `rows` bars.

    Args:
        bars: closed bars; each row uses the last `LEVEL_BARS` of them, up to and including itself.
        side_bars: number of bars on each side of a pivot.
        buffer: fraction of price within which pivots merge into one level.
        rows: number of bars; at most ``len(bars)``.

    Returns:
        Two columns of `rows` prices, support and resistance; NaN if none exists.
    """
    close = bars.close[len(bars) - rows :]
    support = _nearest(bars.low, close, side_bars, buffer, upwards=False)
    resistance = _nearest(bars.high, close, side_bars, buffer, upwards=True)
    return support, resistance

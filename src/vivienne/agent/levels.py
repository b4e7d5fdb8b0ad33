"""Support and resistance from fractal pivots."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import numpy as np
import talib

if TYPE_CHECKING:
    from vivienne.market.types import Bars, BoolArray, FloatArray


def pivots(values: FloatArray, side_bars: int) -> BoolArray:
    """Mark each value above all its `side_bars` neighbours on either side (pass ``-low`` for low pivots).

    A pivot is known only `side_bars` bars later: whoever reads row i may use marks up to row ``i - side_bars``.
    """
    marks = np.zeros(len(values), dtype=np.bool_)
    inner = len(values) - 2 * side_bars
    if inner > 0:
        # TA-Lib's rolling maximum needs at least two values; a span of one is the column itself.
        highest = values if side_bars == 1 else talib.MAX(values, side_bars)
        middle = values[side_bars : side_bars + inner]
        before = highest[side_bars - 1 : side_bars - 1 + inner]
        after = highest[2 * side_bars :]
        marks[side_bars : side_bars + inner] = (middle > before) & (middle > after)
    return marks


def merge(prices: FloatArray, buffer: float) -> list[float]:
    """Merge prices into levels, lowest first: each level is the mean of prices at most `buffer` above its lowest."""
    levels: list[float] = []
    total, count, limit = 0.0, 0, -np.inf
    for price in sorted(prices.tolist()):
        if price > limit:
            if count:
                levels.append(total / count)
            total, count, limit = 0.0, 0, price * (1.0 + buffer)
        total += price
        count += 1
    if count:
        levels.append(total / count)
    return levels


def _nearest(column: FloatArray, close: FloatArray, side_bars: int, buffer: float, *, above: bool) -> FloatArray:
    """For each of the last ``len(close)`` rows, the nearest level above (or below) its close; NaN without one."""
    rows, total = len(close), len(column)
    nearest = np.full(rows, np.nan)
    at = np.flatnonzero(pivots(column if above else -column, side_bars))
    places, known, levels = at.tolist(), -1, [0.0]
    for row, price in enumerate(close.tolist()):
        usable = bisect_right(places, total - rows + row - side_bars)
        if usable != known:
            known, levels = usable, merge(column[at[:usable]], buffer)
        if above:
            place = bisect_right(levels, price)
            if place < len(levels):
                nearest[row] = levels[place]
        else:
            place = bisect_left(levels, price)
            if place > 0:
                nearest[row] = levels[place - 1]
    return nearest


def nearest_levels(bars: Bars, side_bars: int, buffer: float, rows: int) -> tuple[FloatArray, FloatArray]:
    """Nearest confirmed support below and resistance above the close, for the last `rows` bars.

    Args:
        bars: closed bars.
        side_bars: bars on each side of a pivot.
        buffer: fraction of price within which pivots are one level.
        rows: how many bars are wanted; at most ``len(bars)``.

    Returns:
        Two columns of `rows` prices, support and resistance; NaN where there is none.
    """
    close = bars.close[len(bars) - rows :]
    support = _nearest(bars.low, close, side_bars, buffer, above=False)
    resistance = _nearest(bars.high, close, side_bars, buffer, above=True)
    return support, resistance

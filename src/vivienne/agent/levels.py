"""Support and resistance from fractal pivots."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from vivienne.agent.tolerance import EQUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vivienne.market.types import Bars, FloatArray, IntArray

LEVEL_BARS = 1_000
"""Number of bars that levels are made from, including the row's own."""


def peaks(high: FloatArray, side_bars: int) -> IntArray:
    """Places of the values that are above all their `side_bars` neighbours on both sides.

    A peak is known only `side_bars` bars later: a decision on row i may use places up to ``i - side_bars``.

    Args:
        high: values of 0 or more.
        side_bars: at least 1.
    """
    middle, around = _neighbours(high, side_bars, np.maximum)
    return (middle > around * (1.0 + EQUAL)).nonzero()[0] + side_bars


def troughs(low: FloatArray, side_bars: int) -> IntArray:
    """Places of the values that are below all their neighbours; otherwise like `peaks`."""
    middle, around = _neighbours(low, side_bars, np.minimum)
    return (middle < around * (1.0 - EQUAL)).nonzero()[0] + side_bars


def _neighbours(values: FloatArray, side_bars: int, extreme: np.ufunc) -> tuple[FloatArray, FloatArray]:
    """The values that have `side_bars` neighbours on both sides, and the extreme of these neighbours."""
    if len(values) <= 2 * side_bars:
        return values[:0], values[:0]
    # The extreme of a span is made from those of two spans that cover it.
    spans, length = values, 1
    while length < side_bars:
        step = min(length, side_bars - length)
        spans, length = extreme(spans[:-step], spans[step:]), length + step
    return values[side_bars:-side_bars], extreme(spans[: -side_bars - 1], spans[side_bars + 1 :])


def merged(prices: list[float], buffer: float) -> Iterator[float]:
    """Merge prices into levels, lowest first: each level is the mean of prices at most `buffer` above its lowest.

    Args:
        prices: in ascending order.
        buffer: fraction of price.
    """
    return (_mean(prices[begin:end]) for begin, end in _groups(prices, buffer))


def _groups(prices: list[float], buffer: float) -> Iterator[tuple[int, int]]:
    """Begin and end of each group of prices that merge into one level, lowest first.

    Every group has a price, whatever the prices are: a price of 0 or less, or NaN, reaches no price at all.
    """
    reach = (1.0 + buffer) * (1.0 + EQUAL)
    begin, count = 0, len(prices)
    while begin < count:
        end = max(begin + 1, bisect_right(prices, prices[begin] * reach, begin))
        yield begin, end
        begin = end


def _mean(prices: list[float]) -> float:
    return math.fsum(prices) / len(prices)


# Most groups lie on one side of the close as a whole; only the mean of those that do not is needed. A level equal to
# the close is neither above nor below it.


def _above(buffer: float, prices: list[float], close: float) -> float:
    """The lowest level above the close; NaN if none exists."""
    beyond = close * (1.0 + EQUAL)
    for begin, end in _groups(prices, buffer):
        if prices[end - 1] > beyond and (level := _mean(prices[begin:end])) > beyond:
            return level
    return math.nan


def _below(buffer: float, prices: list[float], close: float) -> float:
    """The highest level below the close; NaN if none exists."""
    beyond = close * (1.0 - EQUAL)
    before = last = (0, 0)
    for group in _groups(prices, buffer):
        if prices[group[0]] >= beyond:
            break
        before, last = last, group
    # Only the mean of the last group can lie beyond.
    for begin, end in (last, before):
        if begin < end and (level := _mean(prices[begin:end])) < beyond:
            return level
    return math.nan


def newest_levels(bars: Bars, side_bars: int, buffer: float) -> tuple[float, float]:
    """Support and resistance of `nearest_levels` for the last bar."""
    low, high, close = bars.low[-LEVEL_BARS:], bars.high[-LEVEL_BARS:], bars.close.item(-1)
    # Only pivots that it may use are among the bars.
    support = _below(buffer, sorted(low[troughs(low, side_bars)].tolist()), close)
    return support, _above(buffer, sorted(high[peaks(high, side_bars)].tolist()), close)


def _nearest(
    column: FloatArray, at: IntArray, close: FloatArray, side_bars: int, search: Callable[[list[float], float], float]
) -> FloatArray:
    """The nearest level of each of the last ``len(close)`` rows, from the pivots of a column.

    Args:
        column: highs or lows.
        at: places of the pivots.
        close: of the rows.
        side_bars: number of bars on each side of a pivot.
        search: finds the nearest level among pivots in ascending order.
    """
    places, usable = at.tolist(), slice(-1, -1)
    prices: list[float] = []
    nearest: list[float] = []
    for last, price in enumerate(close.tolist(), len(column) - len(close)):
        # A pivot is usable only if all bars that make it one are among the last LEVEL_BARS.
        first = bisect_left(places, last - (LEVEL_BARS - 1) + side_bars)
        known, usable = usable, slice(first, bisect_right(places, last - side_bars))
        if usable != known:
            prices = sorted(column[at[usable]].tolist())
        nearest.append(search(prices, price))
    return np.array(nearest)


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
    used = slice(-(LEVEL_BARS - 1 + rows), None)
    low, high, close = bars.low[used], bars.high[used], bars.close[len(bars) - rows :]
    support = _nearest(low, troughs(low, side_bars), close, side_bars, partial(_below, buffer))
    resistance = _nearest(high, peaks(high, side_bars), close, side_bars, partial(_above, buffer))
    return support, resistance

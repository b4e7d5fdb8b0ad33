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

    from vivienne.market.types import Bars, BoolArray, FloatArray, IntArray

LEVEL_BARS = 1_000
"""Number of bars that levels are made from, including the row's own."""


def peaks(high: FloatArray, side_bars: int) -> IntArray:
    """Places of the values that are above all their `side_bars` neighbours on both sides.

    A peak is known only `side_bars` bars later: a decision on row i may use places up to ``i - side_bars``.

    Args:
        high: values of 0 or more.
        side_bars: at least 1.
    """
    return _are_peaks(high, side_bars).nonzero()[0] + side_bars


def troughs(low: FloatArray, side_bars: int) -> IntArray:
    """Places of the values that are below all their neighbours; otherwise like `peaks`."""
    return _are_troughs(low, side_bars).nonzero()[0] + side_bars


def _are_peaks(high: FloatArray, side_bars: int) -> BoolArray:
    """For each value with `side_bars` neighbours on both sides, whether it is a peak."""
    around = _around(high, side_bars, np.maximum)
    around *= 1.0 + EQUAL
    return high[side_bars : side_bars + len(around)] > around


def _are_troughs(low: FloatArray, side_bars: int) -> BoolArray:
    """For each value with `side_bars` neighbours on both sides, whether it is a trough."""
    around = _around(low, side_bars, np.minimum)
    around *= 1.0 - EQUAL
    return low[side_bars : side_bars + len(around)] < around


def _around(values: FloatArray, side_bars: int, extreme: np.ufunc) -> FloatArray:
    """The extreme of the neighbours of each value that has `side_bars` of them on both sides; a new array."""
    if len(values) <= 2 * side_bars:
        return np.empty(0)
    # The extreme of a span is made from those of two spans that cover it.
    spans, length = values, 1
    while length < side_bars:
        step = min(length, side_bars - length)
        spans, length = extreme(spans[:-step], spans[step:]), length + step
    around: FloatArray = extreme(spans[: -side_bars - 1], spans[side_bars + 1 :])
    return around


def merged(prices: list[float], buffer: float) -> Iterator[float]:
    """Merge prices into levels, lowest first: each level is the mean of prices at most `buffer` above its lowest.

    Args:
        prices: in ascending order.
        buffer: fraction of price.
    """
    reach, begin = _reach(buffer), 0
    while begin < len(prices):
        end = _end_of_group(prices, begin, reach)
        yield _mean(prices[begin:end])
        begin = end


def _reach(buffer: float) -> float:
    """The factor by which the prices that merge into one level may exceed the lowest of them."""
    return (1.0 + buffer) * (1.0 + EQUAL)


def _end_of_group(prices: list[float], begin: int, reach: float) -> int:
    """End of the group of prices that merge into one level with the price at `begin`.

    Every group has a price, whatever the prices are: a price of 0 or less, or NaN, reaches no price at all.
    """
    end = bisect_right(prices, prices[begin] * reach, begin)
    return end if end > begin else begin + 1


def _mean(prices: list[float]) -> float:
    return math.fsum(prices) / len(prices)


# Most groups lie on one side of the close as a whole; only the mean of those that do not is needed. A level equal to
# the close is neither above nor below it.


def _above(buffer: float, prices: list[float], close: float) -> float:
    """The lowest level above the close; NaN if none exists."""
    beyond, reach = close * (1.0 + EQUAL), _reach(buffer)
    begin, count = 0, len(prices)
    while begin < count:
        end = _end_of_group(prices, begin, reach)
        if prices[end - 1] > beyond and (level := _mean(prices[begin:end])) > beyond:
            return level
        begin = end
    return math.nan


def _below(buffer: float, prices: list[float], close: float) -> float:
    """The highest level below the close; NaN if none exists."""
    beyond, reach = close * (1.0 - EQUAL), _reach(buffer)
    before = begin = end = 0
    count = len(prices)
    while end < count and prices[end] < beyond:
        before, begin = begin, end
        end = _end_of_group(prices, begin, reach)
    # Only the mean of the last group can lie beyond.
    for group in (prices[begin:end], prices[before:begin]):
        if group and (level := _mean(group)) < beyond:
            return level
    return math.nan


def newest_levels(bars: Bars, side_bars: int, buffer: float) -> tuple[float, float]:
    """Support and resistance of `nearest_levels` for the last bar."""
    low, high, close = bars.low[-LEVEL_BARS:], bars.high[-LEVEL_BARS:], bars.close.item(-1)
    # Only pivots that it may use are among the bars.
    is_trough, is_peak = _are_troughs(low, side_bars), _are_peaks(high, side_bars)
    lows = low[side_bars : side_bars + len(is_trough)][is_trough].tolist()
    highs = high[side_bars : side_bars + len(is_peak)][is_peak].tolist()
    lows.sort()
    highs.sort()
    return _below(buffer, lows, close), _above(buffer, highs, close)


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

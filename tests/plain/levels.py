"""Pivots, and the support and resistance made of them."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from plain.equality import is_above, is_below

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vivienne.market.types import Candle


class Pivots(NamedTuple):
    """True for each bar whose high is a peak, or whose low is a trough."""

    peaks: list[bool]
    troughs: list[bool]


def pivots(bars: Sequence[Candle], side: int) -> Pivots:
    highs, lows = [bar.high for bar in bars], [bar.low for bar in bars]
    return Pivots(extremes(highs, side, is_above), extremes(lows, side, is_below))


def extremes(prices: Sequence[float], side: int, is_beyond: Callable[[float, float], bool]) -> list[bool]:
    """True for prices beyond all of the `side` prices before and after them."""
    found = []
    for place, price in enumerate(prices):
        around = [*prices[max(0, place - side) : place], *prices[place + 1 : place + side + 1]]
        found.append(len(around) == 2 * side and all(is_beyond(price, other) for other in around))
    return found


def merged_levels(prices: Sequence[float], buffer: float) -> list[float]:
    """The means of prices that are at most `buffer` above the lowest one of their group."""
    groups: list[list[float]] = []
    for price in sorted(prices):
        if groups and not is_above(price, groups[-1][0] * (1 + buffer)):
            groups[-1].append(price)
        else:
            groups.append([price])
    return [fsum(group) / len(group) for group in groups]


def nearest_levels(
    bars: Sequence[Candle], known: Pivots, at: int, side: int, buffer: float
) -> tuple[float | None, float | None]:
    """Support and resistance of the bar at this place, from the last 1,000 bars."""
    places = range(max(0, at - 999) + side, at - side + 1)
    close = bars[at].close
    lows = merged_levels([bars[place].low for place in places if known.troughs[place]], buffer)
    highs = merged_levels([bars[place].high for place in places if known.peaks[place]], buffer)
    return (
        max((level for level in lows if is_below(level, close)), default=None),
        min((level for level in highs if is_above(level, close)), default=None),
    )

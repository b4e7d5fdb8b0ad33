"""Pushed candles that are longer than a minute: bars of the history, as far as they are whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.market.bars import joined
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.market.unbroken import unbroken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.feeds.pushed.minutes import Outcome
    from vivienne.market.feeds.pushed.rows import PushedCandle
    from vivienne.market.timeframe import Timeframe
    from vivienne.market.types import Candle
    from vivienne.slices import Pieces


_PIECE = 500
"""Candles that are taken up until others may have a turn."""
MOST_HISTORY = 40_000
"""Candles of a length that are kept of the history of an asset; older history is better pushed in longer ones."""


class LongCandles:
    """Longer candles of one asset.

    Args:
        timeframe: of the bars.
        bars: number of bars that candles of each length are kept for.
        most: number of candles that are kept of all lengths together; of the longest ones first.
    """

    def __init__(self, timeframe: Timeframe, bars: int, most: int) -> None:
        self._timeframe = timeframe
        self._most = most
        self._whole = bars * timeframe.minutes
        self._candles: dict[int, dict[int, PushedCandle]] = {}
        """By their length, by their open time."""

    def take(self, pushed: PushedCandle) -> Outcome:
        """Take a candle."""
        kept = self._candles.setdefault(pushed.minutes, {})
        before = kept.get(pushed.time)
        if before is not None and before.candle == pushed.candle and before.is_closed == pushed.is_closed:
            return "doubled"
        kept[pushed.time] = pushed
        return "accepted"

    def forget(self) -> int:
        """Forget the oldest candles beyond the number that is kept; give how many."""
        forgotten, room = 0, self._most
        for minutes, kept in sorted(self._candles.items(), reverse=True):
            most = min(MOST_HISTORY, self._whole // minutes, room)
            room -= min(len(kept), most)
            if len(kept) <= most:
                continue
            oldest = sorted(kept)[: len(kept) - most]
            forgotten += len(oldest)
            for time in oldest:
                del kept[time]
        return forgotten

    def bars(self, end: int) -> Pieces[Bars | None]:
        """The bars that are whole and ended by a time, after the last long gap; None without any."""
        found: dict[int, Candle] = {}
        for minutes in sorted(self._candles):
            over = [each.candle for each in self._candles[minutes].values() if each.end <= end and _may_be_over(each)]
            found |= yield from self._in_bars(over, self._timeframe.minutes // minutes)
        if not found:
            return None
        length = self._timeframe.milliseconds
        oldest = max(found) - self._whole * MINUTE_MS  # older ones may be far apart, and are not kept
        bars = [found[time] for time in sorted(found) if time > oldest]
        return Bars.from_candles(
            unbroken(bars, length, self._timeframe.longest_filled_gap, bars[-1].open_time + length)
        )

    def _in_bars(self, candles: Sequence[Candle], parts: int) -> Pieces[dict[int, Candle]]:
        """By their open time, the bars of which all parts are there."""
        found: dict[int, list[Candle]] = {}
        for place, candle in enumerate(candles):
            found.setdefault(candle.open_time - candle.open_time % self._timeframe.milliseconds, []).append(candle)
            if place % _PIECE == 0:
                yield
        bars: dict[int, Candle] = {}
        for begin, each in found.items():
            if len(each) == parts:
                bars[begin] = _joined(sorted(each))
                yield
        return bars


def _may_be_over(pushed: PushedCandle) -> bool:
    """Whether nothing says that it is open. It is called for those that end before the first live row."""
    return pushed.is_closed is not False


def _joined(parts: Sequence[Candle]) -> Candle:
    bar = parts[0]
    for part in parts[1:]:
        bar = joined(bar, part)
    return bar


def end_of(bars: Bars | None, minutes: Sequence[Candle], timeframe: Timeframe) -> tuple[int, float] | None:
    """Where a history ends, in ms, and its last price; None for an empty one."""
    if minutes:
        return minutes[-1].open_time + MINUTE_MS, minutes[-1].close
    if bars is not None and len(bars):
        return int(bars.open_time[-1]) + timeframe.milliseconds, float(bars.close[-1])
    return None

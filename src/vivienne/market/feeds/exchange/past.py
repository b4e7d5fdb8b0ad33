"""The history of an instrument, asked for in bars of the timeframe and in minutes only for the bar that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.market.bars import joined
from vivienne.market.feeds.base import History
from vivienne.market.feeds.exchange.asking import candles_between
from vivienne.market.feeds.exchange.rest import answer_of
from vivienne.market.feeds.exchange.splicing import is_closed
from vivienne.market.types import MINUTE_MS, Bars, Candle
from vivienne.market.unbroken import unbroken, with_quiet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vivienne.market.feeds.exchange.adapter import Adapter, HistoryRow, Instrument
    from vivienne.market.feeds.exchange.rest import Rest
    from vivienne.market.timeframe import Timeframe


async def past(rest: Rest, adapter: Adapter, instrument: Instrument, timeframe: Timeframe, bars: int) -> History:
    """Closed bars, and the closed minutes of the bar that is open, by the exchange's own clock.

    Args:
        rest: to ask.
        adapter: of the exchange.
        instrument: whose.
        timeframe: of the bars.
        bars: how many of them; there are fewer where the exchange has no more.

    Raises:
        Refused: there is no answer, or none that can be read.
    """
    now = answer_of(adapter.time, await rest.get(adapter.time_request()))
    length = timeframe.milliseconds
    open_bar = now - now % length
    step = interval(adapter, timeframe.minutes)
    count = bars if adapter.history_depth is None else min(bars, adapter.history_depth * step // timeframe.minutes)
    rows = await candles_between(rest, adapter, instrument, step, open_bar - count * length, open_bar)
    closed = in_bars(_closed(rows, step, now), step, timeframe)
    closed = unbroken(closed, length, timeframe.longest_filled_gap, open_bar)
    minutes: list[Candle] = []
    if timeframe.minutes > 1:
        found = await candles_between(rest, adapter, instrument, 1, open_bar, now - now % MINUTE_MS)
        close = closed[-1].close if closed else None
        minutes = with_quiet([row.candle for row in found if is_closed(row, now)], close, open_bar, MINUTE_MS)
    # With fewer than were asked for, the exchange has no more: for whoever decides the market began there.
    return History(Bars.from_candles(minutes), is_whole=len(closed) < bars, bars=Bars.from_candles(closed))


def interval(adapter: Adapter, minutes: int) -> int:
    """The longest interval the exchange has of which whole ones make a bar of so many minutes."""
    return max(each for each in adapter.intervals if minutes % each == 0)


def _closed(rows: Iterable[HistoryRow], step: int, now: int) -> list[Candle]:
    length = step * MINUTE_MS
    return [
        row.candle for row in rows if (row.candle.open_time + length <= now if row.is_closed is None else row.is_closed)
    ]


def in_bars(candles: Sequence[Candle], step: int, timeframe: Timeframe) -> list[Candle]:
    """Bars of the timeframe from candles of `step` minutes. A bar that lacks some has had no trades there.

    The first bar is left out unless its first candle is there: what it lacks may be older than what was asked for.
    """
    if step == timeframe.minutes or not candles:
        return list(candles)
    found: dict[int, list[Candle]] = {}
    for candle in candles:
        found.setdefault(candle.open_time - candle.open_time % timeframe.milliseconds, []).append(candle)
    first = min(found)
    return [
        _joined(begin, parts) for begin, parts in sorted(found.items()) if begin != first or parts[0].open_time == begin
    ]


def _joined(begin: int, parts: Sequence[Candle]) -> Candle:
    """Several candles as one; sums are made in order, as those of minutes are."""
    bar = parts[0]
    for part in parts[1:]:
        bar = joined(bar, part)
    return bar._replace(open_time=begin)

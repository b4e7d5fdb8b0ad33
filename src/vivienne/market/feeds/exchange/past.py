"""The history of an instrument, asked for in bars of the timeframe and in minutes only for the bar that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.market.bars import joined
from vivienne.market.feeds.base import History
from vivienne.market.feeds.exchange.adapter import Advice
from vivienne.market.feeds.exchange.asking import candles_between
from vivienne.market.feeds.exchange.rest import Refused
from vivienne.market.feeds.exchange.splicing import closed_rows
from vivienne.market.types import MINUTE_MS, Bars, Candle
from vivienne.market.unbroken import unbroken, with_quiet
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.feeds.exchange.adapter import Adapter, HistoryRow, Instrument
    from vivienne.market.feeds.exchange.rest import Rest
    from vivienne.market.timeframe import Timeframe
    from vivienne.slices import Pieces

_SURELY_OVER_MS = 12 * 60 * MINUTE_MS
"""What ended so long ago is over, however wrong the exchange's clock is: with nothing traded since, nothing says so."""
_SPARE_ROWS = 10
"""Of the newest rows there may be so many fewer than the exchange has, because time goes on while it is asked."""


async def past(
    rest: Rest, adapter: Adapter, instrument: Instrument, timeframe: Timeframe, bars: int, now: int
) -> History:
    """Closed bars, and the closed minutes of the bar that is open.

    A candle is closed where the exchange says so, or where the same answer has a later one: what answers may be behind
    the clock, so that another answer, or its clock, tells nothing, except of what is twelve hours old. Minutes are
    asked for from the last bar on that is not known to be closed.

    Args:
        rest: to ask.
        adapter: of the exchange.
        instrument: whose.
        timeframe: of the bars.
        bars: how many of them; there are fewer where the exchange has no more.
        now: the exchange's time, in ms since the epoch.

    Raises:
        Refused: there is no answer, or none that can be read.
    """
    length, step = timeframe.milliseconds, interval(adapter, timeframe.minutes)
    open_bar, end = now - now % length, now - now % MINUTE_MS + MINUTE_MS
    # The open one counts too.
    count = bars if adapter.history_depth is None else min(bars, adapter.history_depth * step // timeframe.minutes - 1)
    begin = open_bar - count * length
    rows = await candles_between(rest, adapter, instrument, step, begin, open_bar + length)
    over = now - _SURELY_OVER_MS
    if rows:
        open_bar = _end(rows, step * MINUTE_MS, length, over)
    known = [row.candle for row in rows if row.candle.open_time < open_bar]
    longest_gap = timeframe.longest_filled_gap if adapter.lists_quiet else count * timeframe.minutes
    closed = unbroken(await rest.turns.done(_in_bars(known, step, timeframe)), length, longest_gap, open_bar)
    if known and not closed:
        raise Refused(Advice("retry", _said_of_gap(adapter, instrument, known, length)))
    found: list[Candle] = []
    if timeframe.minutes > 1 and closed:
        minutes = await _minutes(rest, adapter, instrument, open_bar, end)
        found = with_quiet(minutes, closed[-1].close, open_bar, MINUTE_MS, max(over - over % MINUTE_MS, open_bar))
    # With fewer than were asked for, the exchange has no more: for whoever decides the market began there.
    is_whole = count < bars or not closed or closed[0].open_time > begin
    return History(Bars.from_candles(found), is_whole=is_whole, bars=Bars.from_candles(closed))


def _said_of_gap(adapter: Adapter, instrument: Instrument, known: Sequence[Candle], length: int) -> str:
    """The reason why the bars end, as after a long halt: a gap that long is not filled."""
    last = iso(known[-1].open_time + length)
    return (
        f"{adapter.title} has no candles of {instrument.symbol} since {last}, longer than a gap that is filled; its "
        "bars begin anew with the first one that closes from now on"
    )


def interval(adapter: Adapter, minutes: int) -> int:
    """The longest interval the exchange has of which whole ones make a bar of so many minutes."""
    return max(each for each in adapter.intervals if minutes % each == 0)


async def _minutes(rest: Rest, adapter: Adapter, instrument: Instrument, begin: int, end: int) -> list[Candle]:
    """The closed minutes of the bar that is open.

    Where the exchange has no minutes as old as its begin, there are candles of several minutes in the place of the
    first ones: the bar that they make is the same.

    Args:
        rest: to ask.
        adapter: of the exchange.
        instrument: whose.
        begin: of the bar, in ms.
        end: of the last minute, in ms.

    Raises:
        Refused: the exchange does not answer, or its answer cannot be read.
    """
    since = begin
    older: list[HistoryRow] = []
    if adapter.history_depth is not None and (end - begin) // MINUTE_MS > adapter.history_depth - _SPARE_ROWS:
        most = (adapter.history_depth - _SPARE_ROWS) * MINUTE_MS
        enough = (each for each in sorted(adapter.intervals) if each > 1 and end - begin <= each * most)
        step = next(enough, max(adapter.intervals))
        since = max(begin, -(-(end - most) // (step * MINUTE_MS)) * step * MINUTE_MS)
        older = await candles_between(rest, adapter, instrument, step, begin, since)  # all of them half a day ago
    newer = closed_rows(await candles_between(rest, adapter, instrument, 1, since, end))
    return [row.candle for row in (*older, *newer)]


def _end(rows: Sequence[HistoryRow], step: int, length: int, over: int) -> int:
    """Where the bars end that are closed, in ms: at the bar of the first candle that is not, or after the last one.

    Args:
        rows: oldest first.
        step: length of a candle, in ms.
        length: of a bar, in ms.
        over: what ends by then is closed, in ms.
    """
    closed = {row.candle.open_time for row in closed_rows(rows, over, step)}
    first_open = (row.candle.open_time for row in rows if row.candle.open_time not in closed)
    end = next(first_open, max(over, rows[-1].candle.open_time + step))
    return end - end % length


def _in_bars(candles: Sequence[Candle], step: int, timeframe: Timeframe) -> Pieces[list[Candle]]:
    """Bars of the timeframe from candles of `step` minutes. A bar that lacks some has had no trades there.

    The first bar is left out unless its first candle is there: what it lacks may be older than what was asked for.
    """
    if step == timeframe.minutes or not candles:
        return list(candles)
    found: dict[int, list[Candle]] = {}
    for candle in candles:
        found.setdefault(candle.open_time - candle.open_time % timeframe.milliseconds, []).append(candle)
    first = min(found)
    bars: list[Candle] = []
    close: float | None = None
    for begin, parts in sorted(found.items()):
        if begin != first or parts[0].open_time == begin:
            bars.append(_joined(begin, with_quiet(parts, close, begin, step * MINUTE_MS)))
            yield
        close = parts[-1].close
    return bars


def _joined(begin: int, parts: Sequence[Candle]) -> Candle:
    """Several candles as one; sums are made in order, as those of minutes are."""
    bar = parts[0]
    for part in parts[1:]:
        bar = joined(bar, part)
    return bar._replace(open_time=begin)

"""Asks an exchange for the candles of a download, a portion at a time, oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vivienne.market.bars import BarBuilder
from vivienne.market.feeds.exchange.adapter import Advice
from vivienne.market.feeds.exchange.asking import candles_between
from vivienne.market.feeds.exchange.minutes import MinuteBuilder
from vivienne.market.feeds.exchange.rest import Refused, answer_of
from vivienne.market.feeds.exchange.splicing import SETTLED_MS, closed_rows
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import DAY_MS, MINUTE_MS
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence

    from vivienne.market.download.order import Order
    from vivienne.market.feeds.exchange.adapter import NumberedTrade
    from vivienne.market.feeds.exchange.rest import Rest
    from vivienne.market.types import Candle


class Portion(NamedTuple):
    """Some candles.

    Attributes:
        candles: closed, oldest first.
        until: what opens before this time has been asked for, ms.
    """

    candles: list[Candle]
    until: int


async def portions(rest: Rest, order: Order, begin: int, close: float | None) -> AsyncGenerator[Portion]:
    """The candles of a download from a time on.

    Args:
        rest: to ask.
        order: the download.
        begin: open time of the first candle, ms.
        close: the last price before it; None if none is known.

    Raises:
        Refused: there is no answer, or none that can be right.
    """
    found = _from_trades(rest, order, begin, close) if order.from_trades else _from_candles(rest, order, begin)
    async for portion in found:
        _check(order, portion.candles, begin)
        begin = portion.candles[-1].open_time + order.interval.milliseconds if portion.candles else begin
        yield portion


async def _from_candles(rest: Rest, order: Order, begin: int) -> AsyncGenerator[Portion]:
    minutes, length = order.interval.minutes, order.interval.milliseconds
    step = order.adapter.history_rows * length
    since, is_first = begin, True
    while since < order.end:
        until = min(order.end, since + step)
        # One more than are wanted: one that ended just now is whole if the same answer has a later one.
        end = until + length if until == order.end else until
        rows = await candles_between(rest, order.adapter, order.instrument, minutes, since, end)
        closed = (row.candle for row in closed_rows(rows, order.asked - SETTLED_MS, length))
        yield Portion([candle for candle in closed if candle.open_time < until], until)
        since = await _begin_of_market(rest, order, until) if is_first and not rows else until
        is_first = False


async def _begin_of_market(rest: Rest, order: Order, begin: int) -> int:
    """Where to go on if there are no candles at first: at the first day that has one."""
    day = begin - begin % DAY_MS
    days = await candles_between(rest, order.adapter, order.instrument, Timeframe.D1.minutes, day, order.end)
    return max(begin, days[0].candle.open_time) if days else begin


async def _from_trades(rest: Rest, order: Order, begin: int, close: float | None) -> AsyncGenerator[Portion]:
    """Minutes as the feed makes them; their numbers say that no trade is missing."""
    builder, bars = MinuteBuilder(begin, close), BarBuilder(order.interval)
    after: NumberedTrade | None = None
    is_last = False
    while not is_last:
        page = await _trades(rest, order, after, begin)
        new = builder.add(page)
        is_last = len(page) < order.adapter.trades_rows or page[-1].trade.time >= order.end
        if is_last:
            builder.end(_known_to(order, page) - MINUTE_MS)
        elif not new and after is not None:
            raise _refused(order, f"has too many trades at {iso(page[-1].trade.time)} to give those after them")
        if builder.hole() is not None:
            raise _refused(order, f"left out trades after {iso(builder.begin)}")
        minutes = (each for each in _made(builder) if each.open_time < order.end)
        yield Portion(list(_in_bars(bars, minutes)), min(builder.begin, order.end))
        after = page[-1] if page else None


def _known_to(order: Order, page: Sequence[NumberedTrade]) -> int:
    """Up to when all trades are known, ms: an answer may lack those of just now."""
    if order.end + SETTLED_MS <= order.asked:
        return order.end
    newest = page[-1].trade.time if page else 0
    return min(order.end, newest - newest % MINUTE_MS)


async def _trades(rest: Rest, order: Order, after: NumberedTrade | None, begin: int) -> list[NumberedTrade]:
    request = order.adapter.trades_request(order.instrument, after, begin)
    if request is None:
        raise _refused(order, "has no past trades")
    page: list[NumberedTrade] = answer_of(_read_trades, order, await rest.get(request))
    return page


def _read_trades(order: Order, answer: Any) -> list[NumberedTrade]:
    """All at once: a download has nobody else to give way to."""
    return [*order.adapter.trades(order.instrument, answer)]


def _made(builder: MinuteBuilder) -> Iterator[Candle]:
    """All minutes that can be made. The builder makes some at a time."""
    yield from builder.made()
    while builder.is_behind:
        yield from builder.made()


def _in_bars(bars: BarBuilder, minutes: Iterable[Candle]) -> Iterator[Candle]:
    return (bar for minute in minutes if (bar := bars.add(minute)) is not None)


def _check(order: Order, candles: list[Candle], begin: int) -> None:
    """Check that candles are in order, and begin where candles of this length do.

    Raises:
        Refused: they are not.
    """
    for candle in candles:
        if candle.open_time < begin or candle.open_time % order.interval.milliseconds:
            raise _refused(order, f"sent a candle of {iso(candle.open_time)} where none can be")
        begin = candle.open_time + order.interval.milliseconds


def _refused(order: Order, what: str) -> Refused:
    reason = f"{order.adapter.title} {what} ({order.instrument.symbol})"
    return Refused(Advice("give_up", reason, concerns="instrument"))

"""Asks an exchange for what does not fit one answer."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from vivienne.market.feeds.exchange.adapter import Advice, UnknownMessage
from vivienne.market.feeds.exchange.fields import check_size
from vivienne.market.feeds.exchange.market_list import MOST_BRACKETS, MOST_MARKETS
from vivienne.market.feeds.exchange.plausible import check_row, check_time, check_trade
from vivienne.market.feeds.exchange.rest import MOST_LISTED_BYTES, Refused, answer_of
from vivienne.market.feeds.exchange.room import MOST_TRADES
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from vivienne.market.feeds.exchange.adapter import Adapter, HistoryRow, Instrument, NumberedTrade, Request
    from vivienne.market.feeds.exchange.market_list import MarketList
    from vivienne.market.feeds.exchange.rest import Rest

MOST_PAGES = 100
"""Largest number of answers in a row."""
_BESIDE = 100
"""Parts of an answer that may be there beside the rows that were asked for; some exchanges give a few more rows."""
_READ_AT_ONCE = 100
"""Rows of an answer that are read until others may have a turn."""
_Row = TypeVar("_Row")


async def instruments_of(rest: Rest, adapter: Adapter) -> list[Instrument]:
    """All instruments of an exchange.

    Raises:
        Refused: there is no answer, or none that can be read.
    """
    found: list[Instrument] = []
    request, read, brackets = adapter.instruments_request(), 0, 0
    for _ in range(MOST_PAGES):
        listed = await rest.markets(request, MOST_LISTED_BYTES - read)
        found += await _read_markets(rest, adapter, listed)
        read, brackets = read + listed.bytes, brackets + listed.brackets
        if len(found) > MOST_MARKETS or brackets > 2 * MOST_BRACKETS:
            raise Refused(Advice("give_up", f"{adapter.title} lists more than {MOST_MARKETS:,} markets"))
        more: Request | None = answer_of(adapter.more_instruments, listed.around)
        if more is None:
            return found
        request = more
    raise Refused(Advice("retry", f"{adapter.title} lists its markets on more than {MOST_PAGES} pages"))


async def _read_markets(rest: Rest, adapter: Adapter, listed: MarketList) -> list[Instrument]:
    """The markets of an answer. Those that cannot be read do not take the others with them.

    Raises:
        Refused: none can be read.
    """
    found: list[Instrument] = []
    wrong: Advice | None = None  # an error that is kept would keep the list
    for portion in listed.portions():
        try:
            found += answer_of(adapter.instruments, portion)
        except Refused as error:
            wrong = error.advice
        await rest.turns.rest()
    if wrong is not None and not found:
        raise Refused(wrong)
    return found


async def candles_between(
    rest: Rest, adapter: Adapter, instrument: Instrument, minutes: int, begin: int, end: int
) -> list[HistoryRow]:
    """The exchange's candles of so many minutes that open from `begin` on and before `end`, in ms; oldest first.

    Of each answer only the candles that it was asked for are taken, so that no more come than there can be. Each has
    the last candle of the one before once more: it may have been open there.

    Raises:
        Refused: there is no answer, or none that can be read.
    """
    found: dict[int, HistoryRow] = {}
    length = minutes * MINUTE_MS
    step = (adapter.history_rows - 1) * length
    for _, since in zip(range(MOST_PAGES), range(begin, max(begin + 1, end - length), step), strict=False):
        until = min(end, since + step + length)
        answer = await rest.get(adapter.history_request(instrument, minutes, since, until))
        rows = answer_of(_rows, adapter, instrument, minutes, answer)
        async for part in _parts(rest, rows, lambda row: _check_candle(row, minutes)):
            found |= {row.candle.open_time: row for row in part if since <= row.candle.open_time < until}
    return [found[time] for time in sorted(found)]


async def trades_since(
    rest: Rest,
    adapter: Adapter,
    instrument: Instrument,
    after: NumberedTrade | None,
    begin: int,
    latest: float = math.inf,
) -> tuple[list[NumberedTrade], bool]:
    """The trades after one, or from a time on where none is known; and whether they reach back to it.

    None can be later than `latest`, in ms since the epoch.

    Raises:
        Refused: there is no answer, or none that can be read.
    """
    found: dict[str, NumberedTrade] = {}
    known, before = after, None
    for _ in range(MOST_PAGES):
        request = adapter.trades_request(instrument, known, begin, before)
        if request is None:
            return [], False
        trades = answer_of(_trades, adapter, instrument, await rest.get(request))
        parts = _parts(rest, trades, lambda each: _check_numbered(each, latest))
        page = [trade async for part in parts for trade in part]
        new = [trade for trade in page if trade.key not in found]
        found |= {trade.key: trade for trade in new}
        if len(page) < adapter.trades_rows:
            return list(found.values()), True
        if adapter.trades_newest_first and any(_is_known(trade, after, begin) for trade in page):
            return list(found.values()), True
        if not new or len(found) > MOST_TRADES:  # it has no older ones to give, or too many
            return list(found.values()), False
        known, before = (after, page[0]) if adapter.trades_newest_first else (page[-1], None)
    return list(found.values()), False


def _rows(adapter: Adapter, instrument: Instrument, minutes: int, answer: Any) -> Iterator[HistoryRow]:
    check_size(answer, adapter.history_rows + _BESIDE)
    return iter(adapter.history(instrument, minutes, answer))


def _trades(adapter: Adapter, instrument: Instrument, answer: Any) -> Iterator[NumberedTrade]:
    check_size(answer, adapter.trades_rows + _BESIDE)
    return iter(adapter.trades(instrument, answer))


async def _parts(rest: Rest, rows: Iterator[_Row], check: Callable[[_Row], None]) -> AsyncIterator[list[_Row]]:
    """The rows of an answer, some at a time; others have their turn between.

    Raises:
        Refused: one cannot be read, or cannot be true.
    """
    while part := answer_of(_read, rows, check):
        yield part
        await rest.turns.rest()


def _read(rows: Iterator[_Row], check: Callable[[_Row], None]) -> list[_Row]:
    part = [*islice(rows, _READ_AT_ONCE)]
    for row in part:
        check(row)
    return part


def _check_candle(row: HistoryRow, minutes: int) -> None:
    check_row(row.candle)
    if row.candle.open_time % (minutes * MINUTE_MS):
        raise UnknownMessage(f"a candle of {minutes} minutes opens at {row.candle.open_time}, between two of them")


def _check_numbered(each: NumberedTrade, latest: float) -> None:
    check_trade(each.trade)
    check_time(each.trade.time, latest)


def _is_known(trade: NumberedTrade, after: NumberedTrade | None, begin: int) -> bool:
    """Whether a trade is as old as the last that is known, or older than the time."""
    if after is None:
        return trade.trade.time < begin
    if trade.number is not None and after.number is not None:
        return trade.number <= after.number
    return trade.key == after.key

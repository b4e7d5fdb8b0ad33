"""Plans a download with the exchange, and carries it out."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.errors import SettingsError
from vivienne.market.download.finishing import finish
from vivienne.market.download.order import Hole, Order, lacks_candles
from vivienne.market.download.source import portions
from vivienne.market.feeds.exchange.asking import instruments_of
from vivienne.market.feeds.exchange.choosing import UnknownInstrument, chosen
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vivienne.market.download.partial import Partial
    from vivienne.market.feeds.exchange.adapter import Adapter
    from vivienne.market.feeds.exchange.rest import Rest
    from vivienne.market.timeframe import Timeframe

_NOT_YET = 2
"""The newest candles may come a moment late: so many of them are no hole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to download.

    Attributes:
        asset: name of the asset.
        symbol: its name at the exchange; None for asset and quote.
        quote: currency it is paid in.
        interval: length of the candles.
        begin: from this time on, ms.
        end: up to this time, ms; None for now.
    """

    asset: str
    symbol: str | None
    quote: str
    interval: Timeframe
    begin: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A finished download.

    Attributes:
        order: what was downloaded.
        rows: number of candles in the file.
        continued: number of them that an earlier try had brought.
        first, last: open times of the first and the last candle, ms.
        unknown: columns that are empty, or in part.
        holes: candles that the exchange does not have.
    """

    order: Order
    rows: int
    continued: int
    first: int
    last: int
    unknown: list[str]
    holes: list[Hole]


async def planned(rest: Rest, adapter: Adapter, wish: Wish) -> Order:
    """The download that somebody wants, by the clock and the markets of the exchange.

    Raises:
        SettingsError: there is no such market, interval or time.
        Refused: there is no answer, or none that can be read.
    """
    if wish.interval.minutes not in adapter.intervals:
        known = ", ".join(each.value for each in type(wish.interval) if each.minutes in adapter.intervals)
        raise SettingsError(f"{adapter.title} has no candles of {wish.interval.value}; choose from {known}")
    try:
        instrument = chosen(await instruments_of(rest, adapter), wish.asset, quote=wish.quote, symbol=wish.symbol)
    except UnknownInstrument as error:
        raise SettingsError(f"{adapter.title}: {error}; vivienne markets lists what there is") from error
    length = wish.interval.milliseconds
    now = await rest.time()
    closed = now - now % length
    is_to_now = wish.end is None or wish.end > closed
    begin = -(-wish.begin // length) * length
    end = closed if wish.end is None or is_to_now else wish.end - wish.end % length
    if begin >= end:
        raise SettingsError(
            f"There is no whole candle of {wish.interval.value} from {iso(wish.begin)} to {iso(wish.end or now)}; "
            f"it is {iso(now)} at {adapter.title}"
        )
    from_trades = lacks_candles(adapter, wish.interval, begin, now)
    return Order(adapter, instrument, wish.interval, begin, end, is_to_now, from_trades, now)


async def download(rest: Rest, order: Order, partial: Partial, target: Path, came: Callable[[int], None]) -> Downloaded:
    """Download what the partial file lacks, and finish the file.

    Args:
        rest: to ask.
        order: the download.
        partial: what has come already.
        target: the file.
        came: is told up to which time, in ms, candles have come.

    Raises:
        Refused: there is no answer, or none that can be right; what has come stays in the partial file.
        SettingsError: the exchange has no candle of that time.
        FileUnreadable: a file cannot be written.
        NotNow: the disk is full.
    """
    continued = partial.count
    close = None if partial.last is None else partial.last.close
    async with aclosing(portions(rest, order, partial.begin, close)) as found:
        async for portion in found:
            partial.append(portion.candles)
            came(portion.until)
    first, last = partial.first, partial.last
    if first is None or last is None:
        partial.remove()
        raise SettingsError(
            f"{order.adapter.title} has no candles of {order.instrument.symbol} from {iso(order.begin)} "
            f"to {iso(order.end)}"
        )
    missing = (order.end - partial.begin) // order.interval.milliseconds
    if not order.is_to_now or missing > _NOT_YET:
        partial.holes.close(order.end)
    finish(partial, target)
    return Downloaded(
        order, partial.count, continued, first, last.open_time, sorted(partial.unknown), partial.holes.found
    )

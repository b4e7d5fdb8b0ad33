"""One closed minute of an exchange's stream, made as the feed makes it, and compared with REST."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from vivienne.market.feeds.base import FeedTrouble, MinuteClosed, PriceMoved
from vivienne.market.feeds.exchange.asking import candles_between
from vivienne.market.feeds.exchange.feed import ExchangeFeed
from vivienne.market.feeds.exchange.splicing import is_closed
from vivienne.market.feeds.exchange.unconfirmed import differing
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Candle
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.commands.diagnosis import Diagnosis, Level
    from vivienne.commands.exchange import Place
    from vivienne.commands.exchange_diagnosis import Wanted
    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument
    from vivienne.market.feeds.exchange.patience import Patience
    from vivienne.market.feeds.exchange.rest import Rest

STEP = "The stream"
_BARS = 5
_MOST_DELAYS = 10_000
_LONG_DELAY_SECONDS = 5.0
_TRIES = 6
_MOST_REASONS = 3


class Looking(Protocol):
    """The look of which this is a part.

    Attributes:
        step: what it is at.
        ahead: how far the exchange's clock is ahead of this machine's, ms.
    """

    step: str
    ahead: int


async def watch(found: Diagnosis, place: Place, instrument: Instrument, wanted: Wanted, looking: Looking) -> Candle:
    """Follow a market as `serve` does, until one minute came over the stream.

    Args:
        found: takes what is seen.
        place: the exchange.
        instrument: its market.
        wanted: how to look.
        looking: has the exchange's clock, and is told what is waited for.
    """
    feed = ExchangeFeed(
        place.adapter, (wanted.asset,), timeframe=Timeframe.M1, bars=_BARS, symbols={wanted.asset: instrument.symbol},
        quote=instrument.quote, url=place.url, patience=wanted.patience,
    )  # fmt: skip
    watching = _Watching(found, feed, wanted, looking)
    running = [asyncio.create_task(feed.run()), asyncio.create_task(watching.tick())]
    try:
        async for event in feed.follow(wanted.asset):
            minute = watching.take(event)
            if minute is not None:
                return minute
    finally:
        watching.summarize()  # while the feed has its streams
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    raise AssertionError("unreachable: the events of an exchange do not end")


class _Watching:
    """Notes what a feed says."""

    def __init__(self, found: Diagnosis, feed: ExchangeFeed, wanted: Wanted, looking: Looking) -> None:
        self._found = found
        self._feed = feed
        self._wanted = wanted
        self._looking = looking
        self._began = monotonic()
        self._delays: deque[float] = deque(maxlen=_MOST_DELAYS)
        self._told: set[str] = set()

    @property
    def _messages(self) -> int:
        return sum(stream.counts.messages for stream in self._feed.streams)

    async def tick(self) -> None:
        """Say once a second what is waited for."""
        while self._wanted.waiting is not None:
            seconds = monotonic() - self._began
            self._wanted.waiting(f"waiting for a minute to close: {seconds:.0f} s, {self._messages:,} messages")
            await asyncio.sleep(1.0)

    def take(self, event: FeedEvent) -> Candle | None:
        """Take an event; give the minute that came over the stream."""
        match event:
            case FeedTrouble(reason) if reason is not None:
                self._warn_once(f"Stream: {reason}")
            case PriceMoved(price, moment):
                self._delays.append((self._wanted.clock() + self._looking.ahead - moment) / 1_000)
                self._looking.step = STEP
                if len(self._delays) == 1:
                    seconds = monotonic() - self._began
                    self._found.add("ok", f"Stream: the first price, {price:g}, came after {seconds:.1f} s")
            case MinuteClosed(candle, "streamed"):
                return candle
            case MinuteClosed(candle, "incomplete"):
                self._found.add("warning", f"Minute {iso(candle.open_time)}: trades of it are missing, also by REST")
            case _:
                pass
        return None

    def _warn_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._found.add("warning", text)
        self._looking.step = text

    def summarize(self) -> None:
        """Say how much came, how late, and what was left out."""
        seconds = max(monotonic() - self._began, 1e-3)
        counts = [stream.counts for stream in self._feed.streams]
        if self._messages:
            late = median(self._delays) if self._delays else None
            behind = "" if late is None else f", {max(late, 0.0):.1f} s behind the exchange's clock"
            self._found.add(
                "ok" if late is None or late < _LONG_DELAY_SECONDS else "warning",
                f"Stream: {self._messages / seconds:,.1f} messages a second{behind}",
            )
        breaks = sum(each.breaks for each in counts)
        if breaks:
            self._found.add("warning", f"Stream: the connection broke off {breaks} times in {seconds:.0f} s")
        reasons = [reason for each in counts for reason in each.left_out]
        if reasons:
            shown = "; ".join(reasons[:_MOST_REASONS])
            number = sum(each.left_out.total() for each in counts)
            self._found.add(
                "warning", f"Stream: {number:,} messages could not be read and were left out: {shown}. Please report it"
            )


async def compare(
    found: Diagnosis, rest: Rest, adapter: Adapter, instrument: Instrument, minute: Candle, patience: Patience
) -> None:
    """Compare a minute of the stream with the exchange's own candle, in every column.

    Raises:
        Refused: there is no answer, or none that can be read.
    """
    theirs: Candle | None = None
    different: list[str] = []
    for number in range(_TRIES):
        # A candle comes a moment after its end, and a late trade may still change it.
        await asyncio.sleep(patience.retry / 2 * 2**number)
        theirs = await _candle(rest, adapter, instrument, minute.open_time)
        if theirs is None:
            continue
        different = differing(minute, theirs, tick_size=instrument.tick_size, unknown=adapter.history_estimates)
        if not different:
            break
    found.keep("minute.json", {"stream": document(minute), "rest": None if theirs is None else document(theirs)})
    level, text = _judged(adapter, minute, theirs, different)
    found.add(level, f"Minute {iso(minute.open_time)}: {text}")


async def _candle(rest: Rest, adapter: Adapter, instrument: Instrument, minute: int) -> Candle | None:
    """The exchange's candle of a minute that is over."""
    rows = await candles_between(rest, adapter, instrument, 1, minute, minute + MINUTE_MS)
    return next((row.candle for row in rows if is_closed(row, minute + MINUTE_MS)), None)


def _judged(adapter: Adapter, minute: Candle, theirs: Candle | None, different: list[str]) -> tuple[Level, str]:
    """What the comparison says."""
    if theirs is None and minute.volume == 0:
        return "ok", "nobody traded, and REST has no candle"
    if theirs is None:
        return "warning", "REST does not have its candle yet; run this again"
    if different:
        values = "; ".join(
            f"{name} is {getattr(minute, name):.12g} by the stream and {getattr(theirs, name):.12g} by REST"
            for name in different
        )
        return "problem", (
            f"{values}. Run this again: if it happens again, report it with --bundle, and do not rely on "
            f"{adapter.title} until it is answered"
        )
    unknown = [*unknown_of(minute), *unknown_of(theirs), *adapter.history_estimates]
    same = [name for name in Candle._fields[1:] if name not in unknown]
    rest = [name for name in Candle._fields[1:] if name in unknown]
    less = f"; REST does not tell {' and '.join(rest)}" if rest else ""
    return "ok", f"the stream and REST agree in {', '.join(same)}{less}"


def unknown_of(candle: Candle) -> list[str]:
    """The columns that a candle does not know."""
    return [name for name, value in zip(Candle._fields, candle, strict=True) if math.isnan(value)]


def document(candle: Candle) -> dict[str, float | None]:
    """A candle for a bundle; what is unknown is null."""
    unknown = unknown_of(candle)
    return {name: None if name in unknown else value for name, value in candle._asdict().items()}

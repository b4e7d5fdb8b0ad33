"""Watches a feed of an exchange, for tests over real sockets."""

from __future__ import annotations

import asyncio
import copy
import math
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from fake_exchange import FakeExchange, FakeMarket, same
from vivienne.market.feeds.base import FeedTrouble, HistoryRead, MinuteClosed, MinuteCorrected
from vivienne.market.feeds.exchange.feed import ExchangeFeed
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.feeds.exchange.adapter import Adapter
    from vivienne.market.types import Candle

SECONDS = 60.0
IMPATIENT = Patience(quiet=0.2, first=0.5, answer=0.02, slow=0.1, late=0.4, settled=0.01, pace=2_000.0, retry=0.02)

QUIETLY = replace(IMPATIENT, quiet=5.0, first=5.0)
"""Patience for tests in which no connection may be given up."""
CLOCK_CLOSES = ("kraken", "coinbase")
"""Exchanges of which nothing but their clock says that a minute is over."""


class Watching:
    """Keeps what a feed says of an asset."""

    def __init__(self, feed: ExchangeFeed, asset: str) -> None:
        self._feed = feed
        self._asset = asset
        self.events: list[FeedEvent] = []
        self._new = asyncio.Event()

    async def run(self) -> None:
        async for event in self._feed.follow(self._asset):
            self.events.append(event)
            self._new.set()

    @property
    def minutes(self) -> list[MinuteClosed]:
        return [event for event in self.events if isinstance(event, MinuteClosed)]

    @property
    def corrections(self) -> list[MinuteCorrected]:
        return [event for event in self.events if isinstance(event, MinuteCorrected)]

    @property
    def history(self) -> HistoryRead:
        return next(event for event in self.events if isinstance(event, HistoryRead))

    @property
    def histories(self) -> list[HistoryRead]:
        return [event for event in self.events if isinstance(event, HistoryRead)]

    @property
    def troubles(self) -> list[str | None]:
        return [event.reason for event in self.events if isinstance(event, FeedTrouble)]

    async def wait(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, which can change with every event."""
        async with asyncio.timeout(SECONDS):
            while not is_so():
                self._new.clear()
                await self._new.wait()

    async def until(self, count: int) -> list[MinuteClosed]:
        """Wait for so many minutes."""
        async with asyncio.timeout(SECONDS):
            while len(self.minutes) < count:
                self._new.clear()
                await self._new.wait()
        return self.minutes

    async def until_trouble(self, words: str) -> str:
        """Wait until it says why there is no data."""
        async with asyncio.timeout(SECONDS):
            while not (found := [each for each in self.troubles if each and words in each]):
                self._new.clear()
                await self._new.wait()
        return found[0]


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so that has no event."""
    async with asyncio.timeout(SECONDS):
        while not is_so():  # noqa: ASYNC110  # see above
            await asyncio.sleep(0.005)


def generous(name: str) -> Adapter:
    """An exchange that allows any number of requests: its minutes take less time than real ones."""
    adapter = copy.copy(EXCHANGES[name])
    adapter.limits = adapter.limits._replace(weight_per_minute=600_000, connects_per_minute=6_000, burst=None)
    return adapter


@asynccontextmanager
async def followed(
    exchange: FakeExchange,
    name: str,
    *assets: str,
    timeframe: Timeframe = Timeframe.M1,
    bars: int = 60,
    adapter: Adapter | None = None,
    patience: Patience = IMPATIENT,
    url: str | None = None,
    symbols: Mapping[str, str] | None = None,
) -> AsyncIterator[tuple[ExchangeFeed, list[Watching]]]:
    """A feed of some assets."""
    feed = ExchangeFeed(
        adapter or generous(name), assets or ("BTC",), timeframe=timeframe, bars=bars, url=url or exchange.url,
        patience=patience, symbols=symbols,
    )  # fmt: skip
    watching = [Watching(feed, asset) for asset in feed.assets]
    tasks = [asyncio.create_task(each) for each in (feed.run(), *(each.run() for each in watching))]
    try:
        yield feed, watching
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each for each in ended if not isinstance(each, asyncio.CancelledError)] == []


def check(watching: Watching, market: FakeMarket, base: str = "BTC", *, known_counts: bool = True) -> None:
    """All minutes follow the history without a gap and are those of the exchange, in every field that can be known."""
    history = watching.history.history
    assert history.bars is not None
    first = int(history.bars.open_time[-1]) + MINUTE_MS
    minutes = watching.minutes
    assert [each.candle.open_time for each in minutes] == [first + place * MINUTE_MS for place in range(len(minutes))]
    expected = market.minutes(base, first, first + len(minutes) * MINUTE_MS)
    for mine, theirs in zip(minutes, expected, strict=True):
        assert is_like(mine, theirs, known_counts=known_counts), mine


def is_like(mine: MinuteClosed, theirs: Candle, *, known_counts: bool = True) -> bool:
    """Whether a minute is that of the exchange, in every field that can be known."""
    if known_counts or mine.source == "streamed":
        return same(mine.candle, theirs)
    return mine.candle[:5] == theirs[:5] and math.isclose(mine.candle.volume, theirs.volume, rel_tol=1e-6)

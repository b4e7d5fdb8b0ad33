"""A feed follows an exchange over real sockets: cuts, silence, refusals and lies change no minute, or are said."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from fake_exchange import BEGIN, DIALECTS, FakeExchange, FakeMarket, same
from sizes import rounds
from vivienne.market.feeds.base import FeedTrouble, HistoryRead, MinuteClosed, PriceMoved
from vivienne.market.feeds.exchange.feed import ExchangeFeed
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vivienne.market.feeds.base import FeedEvent

SECONDS = 60.0
IMPATIENT = Patience(quiet=0.2, first=0.5, slow=0.1, late=0.4, settled=0.01, pace=2_000.0, retry=0.02)
HAS_PAST_TRADES = ("okx", "kraken", "coinbase")


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
    def history(self) -> HistoryRead:
        return next(event for event in self.events if isinstance(event, HistoryRead))

    @property
    def troubles(self) -> list[str | None]:
        return [event.reason for event in self.events if isinstance(event, FeedTrouble)]

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


@asynccontextmanager
async def followed(
    exchange: FakeExchange, name: str, *assets: str, timeframe: Timeframe = Timeframe.M1, bars: int = 60
) -> AsyncIterator[tuple[ExchangeFeed, list[Watching]]]:
    """A feed of some assets."""
    feed = ExchangeFeed(
        EXCHANGES[name], assets or ("BTC",), timeframe=timeframe, bars=bars, url=exchange.url, patience=IMPATIENT
    )
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
        if known_counts or mine.source == "streamed":
            assert same(mine.candle, theirs), mine
        else:
            assert mine.candle[:5] == theirs[:5]
            assert mine.candle.volume == pytest.approx(theirs.volume)


@pytest.mark.sized
@pytest.mark.parametrize("name", DIALECTS)
async def test_minutes_are_those_of_the_exchange_however_often_it_is_cut(name: str) -> None:
    market = FakeMarket(ahead=300)
    rng = random.Random(name)  # noqa: S311
    async with FakeExchange(name, market) as exchange, followed(exchange, name) as (_, (watching,)):
        cuts = rounds(100, 5)
        for count in range(cuts):
            await watching.until(count // 2 + 1)
            exchange.cut()
            await asyncio.sleep(rng.random() * 0.05)
        await watching.until(cuts + 4)
        check(watching, market, known_counts=name != "bybit")
        assert {each.source for each in watching.minutes} <= {"streamed", "filled"}
        assert any(isinstance(event, PriceMoved) for event in watching.events)
        if name in HAS_PAST_TRADES:
            assert {each.source for each in watching.minutes} == {"streamed"}


@pytest.mark.parametrize("name", DIALECTS)
async def test_history_comes_in_bars_of_the_timeframe_and_minutes_of_the_open_one(name: str) -> None:
    market = FakeMarket(past=1_000, ahead=20, pace=1.0)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, timeframe=Timeframe.M15, bars=40) as (_, (watching,)),
    ):
        async with asyncio.timeout(SECONDS):
            while not any(isinstance(event, HistoryRead) for event in watching.events):  # noqa: ASYNC110  # as below
                await asyncio.sleep(0.01)
        bars = watching.history.history.bars
        assert bars is not None
        assert bars.open_time.tolist() == [BEGIN - (40 - place) * 15 * MINUTE_MS for place in range(40)]
        expected = market.candles("BTC", 15, BEGIN - 600 * MINUTE_MS, BEGIN)
        assert bars.close.tolist() == [candle.close for candle in expected]
        assert len([path for path in exchange.requests if "time" not in path.lower()]) <= 3


@pytest.mark.parametrize("name", DIALECTS)
async def test_doubles_order_and_nonsense_change_no_minute(name: str) -> None:
    market = FakeMarket(("BTC", "ETH"))
    async with FakeExchange(name, market) as exchange, followed(exchange, name, "BTC", "ETH") as (feed, watching):
        exchange.faults.doubles = exchange.faults.shuffles = True
        exchange.faults.garbage = ['{"channel": "what"}', "not JSON", "[]", '{"e": "kline"}', "{" * 50]
        for each in watching:
            await each.until(6)
        for each, base in zip(watching, ("BTC", "ETH"), strict=True):
            check(each, market, base, known_counts=name != "bybit")
        left_out = feed.streams[0].counts.left_out
        assert sum(left_out.values()) > 10
        assert len(left_out) < 10


@pytest.mark.parametrize("name", HAS_PAST_TRADES)
async def test_trades_that_the_stream_left_out_are_asked_for(name: str) -> None:
    market = FakeMarket()
    async with FakeExchange(name, market) as exchange, followed(exchange, name) as (_, (watching,)):
        await watching.until(2)
        exchange.faults.lose = 7
        await watching.until(6)
        assert exchange.faults.lose == 0
        check(watching, market)


@pytest.mark.parametrize("fault", ["is_silent", "repeats"])
@pytest.mark.parametrize("name", DIALECTS)
async def test_a_connection_that_says_nothing_new_is_given_up(name: str, fault: str) -> None:
    market = FakeMarket()
    async with FakeExchange(name, market) as exchange, followed(exchange, name) as (_, (watching,)):
        await watching.until(2)
        before = exchange.handshakes
        setattr(exchange.faults, fault, True)
        async with asyncio.timeout(SECONDS):
            while exchange.handshakes == before:  # noqa: ASYNC110  # the exchange has no event for it
                await asyncio.sleep(0.01)
        setattr(exchange.faults, fault, False)
        await watching.until(6)
        check(watching, market, known_counts=name != "bybit")


@pytest.mark.parametrize("name", DIALECTS)
async def test_an_exchange_that_was_gone_is_followed_again(name: str) -> None:
    market = FakeMarket()
    async with FakeExchange(name, market) as exchange, followed(exchange, name) as (_, (watching,)):
        await watching.until(2)
        await exchange.stop()
        await asyncio.sleep(0.1)
        await exchange.start()
        await watching.until(6)
        check(watching, market, known_counts=name != "bybit")


@pytest.mark.parametrize("name", DIALECTS)
async def test_an_unknown_symbol_is_said_and_others_are_followed(name: str) -> None:
    market = FakeMarket(("BTC",))
    async with FakeExchange(name, market) as exchange, followed(exchange, name, "NOPE", "BTC") as (_, (nope, watching)):
        await watching.until(3)
        said = await nope.until_trouble("no market")
        assert "NOPE" in said
        check(watching, market)


async def test_a_block_by_country_is_said_and_not_hammered() -> None:
    market = FakeMarket()
    async with FakeExchange("binance", market) as exchange:
        exchange.faults.status = 451
        async with followed(exchange, "binance") as (_, (watching,)):
            said = await watching.until_trouble("country")
            assert "--exchange-url" in said
            await asyncio.sleep(0.2)
            assert exchange.handshakes == 0
            exchange.faults.status = 0
            await watching.until(2)

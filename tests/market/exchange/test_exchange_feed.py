"""A feed follows an exchange over real sockets: cuts, silence, refusals and lies change no minute, or are said."""

from __future__ import annotations

import asyncio
import random

import pytest

from exchange_watching import SECONDS, check, followed
from fake_exchange import BEGIN, DIALECTS, FakeExchange, FakeMarket
from sizes import rounds
from vivienne.market.feeds.base import HistoryRead, PriceMoved
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS

HAS_PAST_TRADES = ("okx", "kraken", "coinbase")


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

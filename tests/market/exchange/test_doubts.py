"""Data that one subscription lacks, though its connection is there: it is noticed, said, and subscribed anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchange_watching import IMPATIENT, SECONDS, check, followed, until
from fake_exchange import BEGIN, FakeExchange, FakeMarket
from vivienne.market.feeds.exchange.adapter import CandleSeen, NumberedTrade, Traded
from vivienne.market.feeds.exchange.channels import Channels
from vivienne.market.types import MINUTE_MS, Candle, Trade

PATIENT = replace(IMPATIENT, quiet=1.0, first=5.0, slow=10 * SECONDS)


@pytest.mark.parametrize("name", ["coinbase", "kraken"])
async def test_a_doubt_reaches_every_connection_that_is_open(name: str) -> None:
    assets = ("BTC", "ETH", "SOL")
    market = FakeMarket(assets, ahead=2_000)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, *assets, patience=PATIENT) as (_, all_watching),
    ):
        for watching in all_watching:
            await watching.until(2)
        exchange.faults.mute = set(assets)
        for watching in all_watching:
            await watching.until_trouble("lacks trades")
        doubted = market.now()
        await until(lambda: market.now() > doubted + MINUTE_MS)
        closed = [len(watching.minutes) for watching in all_watching]
        await until(lambda: market.now() > doubted + 5 * MINUTE_MS)
        assert [len(watching.minutes) for watching in all_watching] == closed, "minutes without their trades"
        exchange.faults.mute = set()
        for watching, count in zip(all_watching, closed, strict=True):
            await watching.until(count + 2)
            assert watching.troubles[-1] is None


WITH_CANDLES = ("binance", "bybit", "okx", "kraken")
"""Exchanges of which trades and candles are subscribed."""


@pytest.mark.parametrize("from_the_start", [True, False])
@pytest.mark.parametrize("channel", ["trades", "candles"])
@pytest.mark.parametrize("name", WITH_CANDLES)
async def test_an_asset_is_not_ready_with_one_of_its_two_subscriptions_dead(
    name: str, channel: str, from_the_start: bool
) -> None:
    market = FakeMarket(("BTC", "ETH"), ahead=1_500)
    async with FakeExchange(name, market) as exchange:
        if from_the_start:
            setattr(exchange.faults, f"no_{channel}", {"ETH"})
        async with followed(exchange, name, "BTC", "ETH", patience=replace(IMPATIENT, first=0.3)) as (
            feed,
            (btc, eth),
        ):
            await btc.until(1)
            if not from_the_start:
                await eth.until(1)
            setattr(exchange.faults, f"no_{channel}", {"ETH"})
            said = await eth.until_trouble(f"sends no {channel}")
            assert feed.contact("ETH").state == "blocked"
            noticed = market.now()
            await until(lambda: exchange.handshakes >= 2 and market.now() > noticed + 3 * MINUTE_MS)
            assert None not in eth.troubles[eth.troubles.index(said) :]
            setattr(exchange.faults, f"no_{channel}", set())
            await eth.wait(lambda: eth.troubles[-1] is None)
            await eth.until(len(eth.minutes) + 2)
            await btc.until(len(btc.minutes) + 1)
            check(btc, market, known_counts=name != "bybit")
            assert "sends no " not in str(btc.troubles)


@pytest.mark.parametrize("name", [*WITH_CANDLES, "coinbase"])
async def test_a_quiet_market_is_ready_though_it_has_no_trades(name: str) -> None:
    market = FakeMarket(("BTC", "ETH"), ahead=3_000)
    market.trades["ETH"] = [each for each in market.trades["ETH"] if each.trade.time < BEGIN]
    market._times["ETH"] = [each.trade.time for each in market.trades["ETH"]]
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, "BTC", "ETH", patience=replace(IMPATIENT, first=30.0)) as (feed, (_btc, eth)),
    ):
        if name == "coinbase":  # its newest trades of before are all there is
            await until(lambda: feed.contact("ETH").state == "connected")
            return
        await eth.until(20)  # longer than it takes to notice a dead subscription
        assert (feed.contact("ETH").state, [each for each in eth.troubles if each]) == ("connected", [])


def candle(minute: int, volume: float) -> CandleSeen:
    return CandleSeen("A", Candle(minute * MINUTE_MS, 1.0, 1.0, 1.0, 1.0, volume, volume, 1.0, 0.0), is_closed=None)


def traded(minute: int) -> Traded:
    trade = Trade(minute * MINUTE_MS + 1, 1.0, 1.0, buyer_is_maker=False)
    return Traded("A", (NumberedTrade(str(minute), minute, 1, trade),))


def test_candles_tell_of_trades_that_do_not_come_and_trades_of_candles() -> None:
    channels = Channels(has_candles=True)
    steps: list[tuple[Traded | CandleSeen, str | None]] = [
        (candle(1, 5.0), None),  # its trades may be older than the subscription
        (candle(2, 0.0), None),
        (candle(3, 5.0), "trades"),
        (candle(4, 0.0), "trades"),
        (traded(3), None),
        (traded(5), "candles"),
        (candle(4, 6.0), "candles"),
        (candle(5, 1.0), None),
    ]
    for now, (event, behind) in enumerate(steps):
        channels.take(event, float(now))
        assert channels.behind("A") == behind, now
        assert channels.behind_since(now) == (["A"] if now in (3, 6) else []), now
    assert Channels(has_candles=False).are_there("A")

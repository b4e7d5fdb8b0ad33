"""Of several reasons why there is no data, the most telling one is said; and a connection is tried soon."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import pytest

from exchange_watching import IMPATIENT, QUIETLY, followed, until
from fake_exchange import FakeExchange, FakeMarket
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.feeds.exchange.standing import Standing
from vivienne.market.feeds.exchange.troubles import TroubleKind, Troubles

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator

    from fake_exchange import Dialect
    from vivienne.market.feeds.exchange.adapter import NumberedTrade
    from vivienne.market.feeds.exchange.feed import ExchangeFeed


def test_the_most_telling_reason_counts_whichever_was_said_first() -> None:
    kinds: tuple[TroubleKind, ...] = get_args(TroubleKind)
    for in_order in (kinds, kinds[::-1]):
        troubles = Troubles()
        for kind in in_order:
            troubles.say(kind, f"of {kind}")
        for kind in ("refusal", "block", "outage", "market", "subscription", "stream", "minutes", "answer"):
            assert troubles.reason == f"of {kind}"
            troubles.say(kind, None)
        assert troubles.reason is None
    assert not troubles.is_blocked
    assert troubles.say("minutes", "they are missing")
    assert not troubles.is_blocked
    assert troubles.say("market", "A is delisted")
    assert (troubles.is_blocked, troubles.say("answer", "no answer")) == (True, False)


async def test_maintenance_is_the_reason_though_the_stream_is_refused_otherwise() -> None:
    market = FakeMarket(ahead=600)
    async with FakeExchange("bybit", market) as exchange, followed(exchange, "bybit") as (feed, (watching,)):
        await watching.until(1)
        market.maintenance_until = 1_760_002_200_000
        exchange.faults.stream_status = 503
        exchange.cut()
        await watching.until_trouble("is in maintenance until")
        contact = feed.contact("BTC")
        assert (contact.state, "maintenance" in (contact.reason or "")) == ("blocked", True)
        exchange.faults.status = 503  # that the exchange says nothing of it any longer does not end it
        asked = exchange.asked
        await until(lambda: exchange.asked > asked + 5)
        assert "maintenance" in (feed.contact("BTC").reason or "")
        exchange.faults.status = exchange.faults.stream_status = 0
        market.maintenance_until = None
        await watching.wait(lambda: watching.troubles[-1] is None)


@pytest.mark.parametrize("status", [400, 404])
async def test_a_host_that_has_no_stream_is_said_to_be_wrong_and_not_the_market(status: int) -> None:
    async with FakeExchange("okx", FakeMarket(ahead=600)) as exchange:
        exchange.faults.stream_status = status
        async with followed(exchange, "okx") as (_, (watching,)):
            told = await watching.until_trouble("has no stream at")
            assert exchange.url.replace("http", "ws") in told
            assert told.endswith(f"(HTTP {status}); is the host right (--exchange-url)?")


async def test_answers_that_are_refused_are_a_block_though_the_stream_is_alive() -> None:
    patience = replace(IMPATIENT, retry=0.002, late=30.0)
    async with (
        FakeExchange("bybit", FakeMarket(ahead=600)) as exchange,
        followed(exchange, "bybit", patience=patience) as (feed, (watching,)),
    ):
        await watching.until(1)
        exchange.faults.rest_status = 403
        exchange.cut()
        await watching.until_trouble("does not serve this address (HTTP 403)")
        assert feed.contact("BTC").state == "blocked"
        asked = exchange.asked
        await until(lambda: exchange.asked > asked + 8)
        assert feed.contact("BTC").state == "blocked"
        assert {"403" in each for each in watching.troubles if each} == {True}
        exchange.faults.rest_status = 0
        await watching.wait(lambda: watching.troubles[-1] is None)


class _KeepingBack(FakeExchange):
    """Keeps a trade back for as long as it is told to."""

    keeps = False
    kept: NumberedTrade | None = None

    def _traded(
        self, dialect: Dialect, base: str, trades: list[NumberedTrade], now: int, rng: random.Random
    ) -> list[Any]:
        if self.keeps and self.kept is None and trades:
            self.kept, *trades = trades
        elif not self.keeps and self.kept is not None:
            trades, self.kept = [self.kept, *trades], None
        return super()._traded(dialect, base, trades, now, rng)


@pytest.mark.parametrize("name", ["okx", "kraken", "coinbase"])
async def test_an_answer_that_is_not_needed_any_longer_is_no_trouble(name: str) -> None:
    """A trade that seemed to be missing came late, and the market was stale until something else was asked for."""
    market = FakeMarket(ahead=600)
    async with _KeepingBack(name, market) as exchange, followed(exchange, name) as (_, (watching,)):
        await watching.until(1)
        exchange.faults.rest_status = 503
        exchange.keeps = True
        await watching.until_trouble("answers 503")
        exchange.keeps = False
        await watching.wait(lambda: watching.troubles[-1] is None)


async def test_an_exchange_that_sends_nothing_at_all_is_connected_anew_and_does_not_block() -> None:
    async with FakeExchange("bybit", FakeMarket(("BTC", "ETH"), ahead=600)) as exchange:
        exchange.faults.mute = {"BTC", "ETH"}
        patience = replace(IMPATIENT, quiet=5.0)
        async with followed(exchange, "bybit", "BTC", "ETH", patience=patience) as (feed, (btc, eth)):
            await until(lambda: exchange.handshakes >= 3)
            contact = feed.contact("BTC")
            assert (contact.state, "sends nothing" in (contact.reason or "")) == ("reconnecting", True)
            exchange.faults.mute = set()
            await btc.until(1)
            await eth.until(1)


def test_a_stream_is_tried_again_soon_at_first_and_slowly_after_a_long_outage() -> None:
    patience, tries = Patience(), 30
    for seconds, bound in ((0.0, 1.5), (119.0, 1.5), (180.0, 30.0), (3_600.0, 60.0)):
        waits = [patience.pause_of_stream(tries, seconds) for _ in range(1_000)]
        assert bound * 0.9 < max(waits) <= bound
    assert max(patience.pause_of_stream(0, 0.0) for _ in range(1_000)) <= patience.retry
    assert pytest.approx(60.0, rel=0.1) == max(patience.pause(tries) for _ in range(1_000))


async def test_a_break_that_lasts_is_said_however_often_it_is_tried() -> None:
    said = list[None]()
    standing = Standing(0.1, lambda: said.append(None))
    standing.resumed()
    for place in range(1_000_000):
        standing.interrupted(f"try {place} failed")
        if standing.trouble is not None:
            break
        await asyncio.sleep(0.001)
    assert "failed" in (standing.trouble or "")
    standing.interrupted("it is refused")
    assert standing.trouble == "it is refused"
    standing.resumed()
    assert standing.trouble is None


@asynccontextmanager
async def unblocked(name: str) -> AsyncIterator[tuple[FakeMarket, FakeExchange, ExchangeFeed]]:
    """A market whose minutes go on, and that is connected all the time, whatever the exchange says of it."""
    market = FakeMarket(ahead=600, a_minute=60)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, patience=QUIETLY) as (feed, (watching,)),
    ):
        await watching.until(1)
        yield market, exchange, feed
        await watching.until(len(watching.minutes) + 3)
        assert feed.contact("BTC").state == "connected"
        # Its time jumps by minutes between two looks at it where the machine is busy, which is told by itself.
        assert [each for each in watching.troubles if each is not None and "than its clock" not in each] == []


@pytest.mark.parametrize("name", ["bybit", "okx", "kraken"])
async def test_an_outage_that_is_announced_while_trades_go_on_blocks_nothing(name: str) -> None:
    """It may be of another kind of market, or of trading alone."""
    async with unblocked(name) as (market, _, feed):
        market.maintenance_until = 1_760_002_200_000
        feed.look()
        await until(lambda: "maintenance" in (feed.contact("BTC").reason or ""))


@pytest.mark.parametrize("name", ["binance", "kraken"])
async def test_one_list_of_markets_that_lacks_a_market_blocks_nothing(name: str) -> None:
    async with unblocked(name) as (market, exchange, feed):

        def lists() -> int:
            return sum("exchangeInfo" in path or "AssetPairs" in path for path in exchange.requests)

        listed, market.bases = lists(), ()
        feed.look()
        await until(lambda: lists() > listed)
        market.bases = ("BTC",)


async def test_a_long_wait_that_the_exchange_wants_is_the_reason_while_it_lasts() -> None:
    async with FakeExchange("kraken", FakeMarket(ahead=600)) as exchange:
        exchange.faults.status, exchange.faults.headers = 429, {"Retry-After": "600"}
        async with followed(exchange, "kraken") as (feed, _):
            await until(lambda: "the next request waits 600 s" in (feed.contact("BTC").reason or ""))
            assert feed.contact("BTC").state == "connecting"

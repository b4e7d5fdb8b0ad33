"""One market that the exchange does not serve any longer takes no other with it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from exchange_watching import QUIETLY, check, followed, until
from fake_exchange import DIALECTS, FakeExchange, FakeMarket
from vivienne.market.feeds.exchange.stream import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from exchange_watching import Watching
    from vivienne.market.feeds.exchange.feed import ExchangeFeed

ASSETS = ("AAA", "BTC", "CCC", "DDD")
REFUSE_WHOLE = [name for name, dialect in DIALECTS.items() if dialect.refuses_whole]


@asynccontextmanager
async def without_ccc(
    name: str, market: FakeMarket
) -> AsyncIterator[tuple[FakeExchange, ExchangeFeed, list[Watching]]]:
    """An exchange that does not know one of the markets, and a feed that follows all of them."""
    async with FakeExchange(name, market) as exchange:
        exchange.faults.gone = {"CCC"}
        async with followed(exchange, name, *ASSETS, patience=QUIETLY) as (feed, watching):
            yield exchange, feed, watching


@pytest.mark.parametrize("name", REFUSE_WHOLE)
async def test_a_market_that_is_refused_with_others_is_refused_alone(name: str) -> None:
    market = FakeMarket(ASSETS, ahead=900)
    async with without_ccc(name, market) as (exchange, feed, (aaa, btc, ccc, ddd)):
        assert "CCC" in await ccc.until_trouble("CCC")
        for watching, asset in ((aaa, "AAA"), (btc, "BTC"), (ddd, "DDD")):
            await watching.until(2)
            check(watching, market, asset, known_counts=name != "bybit")
            assert watching.troubles[-1] is None
        assert (feed.contact("CCC").state, ccc.minutes) == ("blocked", [])
        assert exchange.handshakes == 1


@pytest.mark.parametrize("name", REFUSE_WHOLE)
async def test_it_is_subscribed_apart_from_others_on_the_next_connection(name: str) -> None:
    market = FakeMarket(ASSETS, ahead=900)
    async with without_ccc(name, market) as (exchange, _, (_aaa, btc, ccc, _ddd)):
        await ccc.until_trouble("CCC")
        await btc.until(1)
        exchange.cut()
        await until(lambda: exchange.handshakes == 2)
        await btc.until(len(btc.minutes) + 2)
        exchange.faults.gone = set()
        exchange.cut()
        await ccc.until(2)
        check(ccc, market, "CCC", known_counts=name != "bybit")
        assert ccc.troubles[-1] is None


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_market_that_is_not_traded_is_not_subscribed_until_it_is(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribed = list[set[str]]()
    opened = Stream._opened

    def seen(stream: Stream) -> Any:
        found = opened(stream)
        subscribed.append({symbol[:3] for symbol in found[0].symbols})
        return found

    monkeypatch.setattr(Stream, "_opened", seen)
    market = FakeMarket(("BTC", "ETH"), ahead=900)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, "BTC", "ETH", patience=QUIETLY) as (feed, (btc, eth)),
    ):
        await eth.until(1)
        market.states["ETH"] = "delisted"
        await eth.until_trouble("is delisted")
        exchange.faults.gone = {"ETH"}
        exchange.cut()
        await until(lambda: len(subscribed) == 2)
        await btc.until(len(btc.minutes) + 2)
        assert subscribed == [{"BTC", "ETH"}, {"BTC"}]
        assert btc.troubles[-1] is None
        breaks = feed.streams[0].counts.breaks
        market.states.clear()
        exchange.faults.gone.clear()
        await eth.wait(lambda: eth.troubles[-1] is None)
        await eth.until(len(eth.minutes) + 3)
        assert subscribed[2] == {"BTC", "ETH"}
        assert feed.streams[0].counts.breaks == breaks, "the market that went on kept its connection"
        check(btc, market, known_counts=name != "bybit")
        check(eth, market, "ETH", known_counts=name != "bybit")

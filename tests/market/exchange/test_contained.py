"""A defect in the minutes of one market concerns that market only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange_watching import followed
from fake_exchange import FakeExchange, FakeMarket
from vivienne.market.feeds.base import HistoryRead
from vivienne.market.feeds.exchange.splicing import FromCandles

if TYPE_CHECKING:
    import pytest

    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.feeds.exchange.adapter import StreamEvent


async def test_a_defect_in_one_market_reads_its_history_again_and_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take, defects = FromCandles.take, [RuntimeError("defect")]

    def failing(splice: FromCandles, event: StreamEvent) -> list[FeedEvent]:
        if getattr(event, "symbol", "").upper() == "ETHUSDT" and len(eth.minutes) >= 2 and defects:
            raise defects.pop()
        return take(splice, event)

    monkeypatch.setattr(FromCandles, "take", failing)
    async with (
        FakeExchange("binance", FakeMarket(("BTC", "ETH"), ahead=600)) as exchange,
        followed(exchange, "binance", "BTC", "ETH") as (feed, (btc, eth)),
    ):
        assert "defect" in await eth.until_trouble("failed")
        await eth.until(len(eth.minutes) + 3)
        await btc.until(len(btc.minutes) + 1)
        assert sum(isinstance(each, HistoryRead) for each in eth.events) == 2
        assert sum(isinstance(each, HistoryRead) for each in btc.events) == 1
        assert not [each for each in btc.troubles if each is not None]
        assert (feed.followings["ETH"].failures, feed.followings["BTC"].failures) == (1, 0)
    assert "its minutes failed; its history is read again" in caplog.text

"""A defect in the minutes of one market concerns that market only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from exchange_watching import IMPATIENT, followed
from fake_exchange import FakeExchange, FakeMarket
from vivienne.market.feeds.base import HistoryRead
from vivienne.market.feeds.exchange import following
from vivienne.market.feeds.exchange.from_candles import FromCandles
from vivienne.market.feeds.exchange.patience import Patience

if TYPE_CHECKING:
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
        followed(exchange, "binance", "BTC", "ETH", patience=replace(IMPATIENT, quiet=5.0, first=5.0)) as (
            feed,
            (btc, eth),
        ),
    ):
        assert "defect" in await eth.until_trouble("failed")
        await eth.until(len(eth.minutes) + 3)
        await btc.until(len(btc.minutes) + 1)
        assert sum(isinstance(each, HistoryRead) for each in eth.events) == 2
        assert sum(isinstance(each, HistoryRead) for each in btc.events) == 1
        assert not [each for each in btc.troubles if each is not None]
        assert (feed.followings["ETH"].failures, feed.followings["BTC"].failures) == (1, 0)
    assert "its minutes failed; its history is read again" in caplog.text


@pytest.mark.parametrize("what", ["interrupt", "need"])
async def test_a_defect_when_the_stream_breaks_off_leaves_the_connection_and_the_other_markets(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    async with (
        FakeExchange("binance", FakeMarket(("BTC", "ETH"), ahead=600)) as exchange,
        followed(exchange, "binance", "BTC", "ETH", patience=replace(IMPATIENT, quiet=5.0, first=5.0)) as (
            feed,
            (btc, eth),
        ),
    ):
        await eth.until(2)

        def failing() -> None:
            raise RuntimeError("defect")

        monkeypatch.setattr(feed.followings["ETH"]._splice, what, failing)
        exchange.cut()
        assert "defect" in await eth.until_trouble("failed")
        await eth.wait(lambda: eth.troubles[-1] is None)
        await eth.until(len(eth.minutes) + 2)
        await btc.until(len(btc.minutes) + 2)
        assert (len(eth.histories), len(btc.histories)) == (2, 1)
        assert not [each for each in btc.troubles if each is not None]


async def test_the_pause_after_a_defect_is_short_again_once_there_was_none_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, tries = [1_000.0], list[int]()

    def pause(patience: Patience, number: int, longest: float = 0.0) -> float:
        del patience, longest
        tries.append(number)
        return 0.0

    async with (
        FakeExchange("binance", FakeMarket(ahead=600)) as exchange,
        followed(exchange, "binance") as (feed, (watching,)),
    ):
        await watching.until(1)
        monkeypatch.setattr(following, "monotonic", lambda: now[0])
        monkeypatch.setattr(Patience, "pause", pause)
        for count, passed in enumerate((0.0, 1.0, 1.0, 100.0), start=2):
            now[0] += passed
            feed.followings["BTC"]._fail(RuntimeError("defect"))
            await watching.wait(lambda count=count: len(watching.histories) == count)  # type: ignore[misc]
        assert tries[:4] == [0, 1, 2, 0]

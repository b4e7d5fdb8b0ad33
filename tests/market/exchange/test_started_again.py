"""A feed that fails is started again: its minutes follow a new history, and nobody has to restart the process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exchange_watching import IMPATIENT, Watching
from fake_exchange import FakeExchange, FakeMarket
from vivienne.live import restarting
from vivienne.live.restarting import kept_up
from vivienne.market.feeds.base import HistoryRead, MinuteClosed
from vivienne.market.feeds.exchange.feed import ExchangeFeed
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.stream import Stream
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    import pytest


async def test_a_feed_that_fails_is_begun_again_with_a_new_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarting, "FIRST_WAIT_SECONDS", 0.0)
    adapter, troubles = EXCHANGES["binance"], list[str]()
    run, defects = Stream.run, [RuntimeError("defect")]

    async def failing(stream: Stream) -> None:
        if not defects:
            return await run(stream)
        running = asyncio.create_task(run(stream))
        await watching.until(2)
        running.cancel()
        await asyncio.wait([running])
        raise defects.pop()

    monkeypatch.setattr(Stream, "run", failing)
    market = FakeMarket()
    async with FakeExchange("binance", market) as exchange:
        feed = ExchangeFeed(
            adapter, ("BTC",), timeframe=Timeframe.M1, bars=60, url=exchange.url, patience=IMPATIENT
        )  # fmt: skip
        watching = Watching(feed, "BTC")

        def failed(reason: str) -> bool:
            troubles.append(f"{reason}, {feed.contact('BTC').state}")
            return True

        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(each) for each in (kept_up("The feed", feed.run, failed), watching.run())
            ]  # fmt: skip
            await watching.until(8)
            for each in running:
                each.cancel()

    assert troubles == ["the feed failed: RuntimeError('defect'), reconnecting"]
    first, second = [place for place, each in enumerate(watching.events) if isinstance(each, HistoryRead)]
    after = [each for each in watching.events[second:] if isinstance(each, MinuteClosed)]
    again = watching.events[second]
    assert isinstance(again, HistoryRead)
    assert again.history.bars is not None
    end = int(again.history.bars.open_time[-1]) + MINUTE_MS
    assert [each.candle.open_time for each in after] == [end + place * MINUTE_MS for place in range(len(after))]
    assert len(watching.minutes) - len(after) >= 2
    assert first == 0

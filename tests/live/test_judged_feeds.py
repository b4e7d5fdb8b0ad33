"""What every feed delivers is judged by when it came, but what has no such time: files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exchange_watching import followed
from fake_exchange import FakeExchange, FakeMarket
from making import minute, minutes
from vivienne.changes.service import ConfigService
from vivienne.live.asset import LiveAsset
from vivienne.live.freshness import Freshness
from vivienne.market.feeds.base import HistoryRead, MinuteClosed
from vivienne.market.feeds.exchange.feed import ExchangeFeed
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.pushed.feed import PushedFeed
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.feeds.simulated import SimulatedFeed
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.market.feeds.base import Feed, FeedEvent

EXCHANGE = ExchangeFeed(EXCHANGES["kraken"], ("BTC",), timeframe=Timeframe.M1, bars=60)
PUSHED = PushedFeed(("BTC",), timeframe=Timeframe.M1, bars=60)


class Judged:
    """An asset of a feed, with a clock of the test's."""

    def __init__(self, service: ConfigService, feed: Feed) -> None:
        self.now = 0.0
        freshness = Freshness(feed.longest_silence, feed.pace, lambda: self.now, catches_up=feed.catches_up)
        self.asset = LiveAsset(
            "BTC", feed=feed.name, timeframe=Timeframe.M1, window=2_500, active=lambda: service.active("BTC"),
            freshness=freshness,
        )  # fmt: skip

    def take(self, *events: FeedEvent, seconds: float = 0.0) -> str | None:
        """Events come after so many seconds; which trouble there is then."""
        self.now += seconds
        self.asset.freshness.look()
        for event in events:
            if isinstance(event, HistoryRead):
                history = event.history
                self.asset.load(history.minutes, bars=history.bars, is_whole=history.is_whole, source=history.source)
            elif isinstance(event, MinuteClosed):
                self.asset.take(event.candle, event.source)
        trouble = self.asset.trouble
        return None if trouble is None else trouble.id


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    made = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    yield made
    await made.close()


def test_every_feed_but_a_replay_has_a_pace_and_only_files_and_pushes_may_jump_ahead() -> None:
    simulated = SimulatedFeed(("BTC",), seed=1, speed=60.0, timeframe_minutes=1)

    assert [each.pace for each in (EXCHANGE, PUSHED, simulated)] == [1.0, 1.0, 60.0]
    assert [each.catches_up for each in (EXCHANGE, simulated)] == [False, False]
    assert ReplayFeed.pace is None


@pytest.mark.parametrize("name", ["binance", "kraken"])
async def test_the_stream_of_an_exchange_that_was_held_back_is_behind_until_it_has_caught_up(
    service: ConfigService, name: str
) -> None:
    async with FakeExchange(name, FakeMarket()) as exchange, followed(exchange, name) as (_, (watching,)):
        closed = list(await watching.until(34))
        history = watching.history
    judged = Judged(service, EXCHANGE)

    on_time = [judged.take(history), *(judged.take(each, seconds=60.0) for each in closed[:3])]
    silent = judged.take(seconds=1_800.0)
    late = judged.take(*closed[3:6])
    caught_up = judged.take(*closed[6:33])

    assert on_time == [None] * 4
    assert [silent, late, caught_up] == ["no_data", "behind", None]


async def test_what_an_exchange_gives_after_a_break_and_a_history_read_again_is_taken(service: ConfigService) -> None:
    known = minutes(400)
    filled = [MinuteClosed(each, "filled") for each in known[200:260]]
    judged = Judged(service, EXCHANGE)
    judged.asset.load(Bars.from_candles([]), bars=Bars.from_candles(known[:200]))

    after_break = judged.take(*filled, seconds=3_600.0)
    judged.asset.load(Bars.from_candles(known[390:400]), bars=Bars.from_candles(known[100:390]))
    read_again = judged.take()

    assert (after_break, read_again) == (None, None)
    assert judged.asset.data()["price"] == known[399].close


async def test_minutes_of_an_exchange_that_are_hours_ahead_are_a_slip_of_its_clock(service: ConfigService) -> None:
    judged = Judged(service, EXCHANGE)
    judged.asset.load(Bars.from_candles([]), bars=Bars.from_candles(minutes(200)))

    slipped = judged.take(MinuteClosed(minute(380), "streamed"), seconds=60.0)
    judged.take(MinuteClosed(minute(201), "streamed"), seconds=60.0)

    assert (slipped, len(judged.asset.closes(1_000))) == ("clock_jumped", 202)


async def test_pushes_of_the_past_may_have_gaps_and_old_ones_at_the_pace_of_new_ones_are_behind(
    service: ConfigService,
) -> None:
    judged = Judged(service, PUSHED)
    judged.asset.load(Bars.from_candles([*minutes(50), minute(60)]))

    gaps = [judged.take(MinuteClosed(minute(number), "pushed")) for number in (61, 70, 71)]
    judged.take(seconds=1_800.0)
    late = judged.take(MinuteClosed(minute(72), "pushed"))

    assert gaps == [None, None, None]
    assert len(judged.asset.closes(1_000)) == 73
    assert late == "behind"

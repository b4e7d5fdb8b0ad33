"""The market with feeds in memory: who is told what, and that no asset takes another one down."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import pytest

from making import MIDNIGHT, minute, minutes
from vivienne.agent.newest import evaluate_newest
from vivienne.changes import telling
from vivienne.changes.requests import ChangeRequest, SwitchRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.errors import MarketDataError
from vivienne.live import deciding, market, moved, restarting
from vivienne.live.asset import LiveAsset
from vivienne.live.market import Market
from vivienne.live.view import LocalView
from vivienne.market.feeds.base import (
    DataRefused,
    FeedEnded,
    FeedTrouble,
    History,
    HistoryRead,
    MinuteClosed,
    PriceMoved,
)
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.rates import MOST_OF_AN_ASSET
from vivienne.server.factory import web_application
from vivienne.slices import SharedSlices, whole
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.logs import LogStream
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vivienne.agent.decided import Decided
    from vivienne.market.feeds.base import FeedEvent

ENOUGH = 200
NEXT = MIDNIGHT + ENOUGH * MINUTE_MS + 1
"""A moment in the minute after the history."""
SECONDS = 5.0


class MemoryFeed:
    """A feed that delivers what a test puts in: events, or an exception to break off with; None ends it wordlessly."""

    name = "memory"
    longest_silence = 3600.0
    pace: float | None = None
    catches_up = False
    follows_again = False

    def __init__(self, *assets: str, history: int = ENOUGH) -> None:
        self.assets = assets
        self._history = history
        self._events: dict[str, asyncio.Queue[FeedEvent | Exception | None]] = {
            asset: asyncio.Queue() for asset in assets
        }

    def listing(self, asset: str) -> None:
        del asset

    def contact(self, asset: str) -> None:
        del asset

    async def run(self) -> None:
        pass

    def history(self, asset: str, *, least: int, most: int) -> History:
        assert 0 < least <= most
        return History(Bars.from_candles(minutes(self._history, seed=self.assets.index(asset))), is_whole=True)

    async def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        while (event := await self._events[asset].get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    def put(self, asset: str, *events: FeedEvent | Exception | None) -> None:
        for event in events:
            self._events[asset].put_nowait(event)

    def close_minute(self, asset: str, number: int, close: float = 100.0) -> None:
        self.put(asset, MinuteClosed(minute(ENOUGH + number, close)))


class RecordingBoard(StateBoard):
    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.states: dict[str, list[dict[str, Any]]] = {}

    def publish(self, asset: str, *, data: Any, config: Any, config_version: int) -> None:
        self.states.setdefault(asset, []).append({"data": data, "config": config, "version": config_version})
        super().publish(asset, data=data, config=config, config_version=config_version)

    def last(self, asset: str) -> dict[str, Any]:
        found: dict[str, Any] = self.states[asset][-1]["data"]
        return found


class Running:
    """A market that runs, and what it published."""

    def __init__(self, feed: MemoryFeed, service: ConfigService, price_interval: float) -> None:
        self.feed = feed
        self.service = service
        self.hub = Hub()
        self.board = RecordingBoard(self.hub)
        self.market = Market(
            feed, service, self.board, timeframe=Timeframe.M1, window=2500, price_interval=price_interval
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110  # what a test waits for has no event
                await asyncio.sleep(0.001)

    async def ready(self) -> httpx.Response:
        app = web_application(self.service, LocalView(self.market), self.hub, self.board, LogStream())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get("/ready")

    def status(self, asset: str) -> str:
        return str(self.board.last(asset)["status"])

    def bar_times(self, asset: str) -> list[str]:
        return [state["data"]["bar_time"] for state in self.board.states[asset]]


@asynccontextmanager
async def running(
    tmp_path: Path, *assets: str, history: int = ENOUGH, price_interval: float = 0.01
) -> AsyncIterator[Running]:
    names = assets or ("BTC", "ETH")
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), names)
    try:
        made = Running(MemoryFeed(*names, history=history), service, price_interval)
        task = asyncio.create_task(made.market.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    finally:
        await service.close()


async def goes_on(made: Running, asset: str, number: int = 0) -> None:
    """A minute more is decided for this asset, and live."""
    made.feed.close_minute(asset, number)
    wanted = f"2025-01-01T{(ENOUGH + number) // 60:02}:{(ENOUGH + number) % 60:02}:00.000Z"
    await made.until(lambda: made.board.last(asset)["bar_time"] == wanted)
    assert made.status(asset) == "live"


async def test_every_asset_has_a_state_before_the_first_event(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        assert [made.status(asset) for asset in ("BTC", "ETH")] == ["live", "live"]
        assert (await made.ready()).status_code == 200


async def test_too_little_history_is_warming_up_with_a_reason(tmp_path: Path) -> None:
    async with running(tmp_path, history=10) as made:
        last = made.board.last("BTC")

        assert last["status"] == "warming_up"
        assert last["status_reason"].startswith("10 of ")
        assert (last["clarity_level"], last["position_size"]) == ("idle", 0.0)


async def test_each_closed_minute_is_decided_and_published_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        for number in range(5):
            await goes_on(made, "BTC", number)

        assert made.bar_times("BTC")[-5:] == [f"2025-01-01T03:{20 + number}:00.000Z" for number in range(5)]


async def test_a_price_is_published_and_moves_nothing_else(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        before = made.board.last("BTC")
        made.feed.put("BTC", PriceMoved(4321.5, NEXT))

        await made.until(lambda: made.board.last("BTC")["price"] == 4321.5)

        after = made.board.last("BTC")
        different = {name for name in after if after[name] != before[name]}
        assert different - {"data_age"} == {"price", "price_time"}  # a busy machine makes the data older


async def test_a_change_for_all_is_decided_for_every_asset_before_it_is_answered_and_others_have_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "SLICE_SECONDS", 0.0)
    names = [f"A{number}" for number in range(20)]
    async with running(tmp_path, *names) as made:
        versions: list[set[int]] = []

        async def look() -> None:
            while True:
                versions.append({made.board.states[asset][-1]["version"] for asset in names})
                await asyncio.sleep(0)

        looking = asyncio.create_task(look())
        change = ChangeRequest(Update({"settings": {"state_threshold_bang": 91}}, partial=True), channel="test")
        version = (await made.service.change(change))["version"]
        looking.cancel()

        assert {version} == {made.board.states[asset][-1]["version"] for asset in names}
        assert {91} == {made.board.states[asset][-1]["config"]["settings"]["state_threshold_bang"] for asset in names}
        assert sum(len(each) > 1 for each in versions) >= len(names) - 1


async def test_data_that_is_wrong_and_right_in_turn_does_not_fill_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vivienne.live")
    async with running(tmp_path) as made:
        caplog.clear()
        for number in range(100):
            made.feed.put("BTC", DataRefused("minute", NEXT + number * MINUTE_MS, "high is below low"))
            await goes_on(made, "BTC", number)
        told = [each.getMessage() for each in caplog.records if each.getMessage().startswith("BTC: ")]
        assert any("minute refused" in each for each in told)
        assert any("reliable again" in each for each in told)
        assert len(told) <= MOST_OF_AN_ASSET


async def test_what_concerns_a_whole_exchange_is_logged_once_and_not_for_each_asset(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, "BTC", "ETH", "SOL") as made:
        for asset in ("BTC", "ETH"):
            made.feed.put(asset, FeedTrouble("it is in maintenance"))
            await made.until(lambda asset=asset: made.status(asset) == "stale")  # type: ignore[misc]
        made.feed.put("SOL", FeedTrouble("it is delisted"))
        await made.until(lambda: made.status("SOL") == "stale")
        said = [each.getMessage() for each in caplog.records if " it is " in each.getMessage()]
        assert said == ["BTC: it is in maintenance", "SOL: it is delisted"]


async def test_a_pause_and_its_end_are_shown_without_deciding_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as made:
        before = made.board.last("ETH")
        monkeypatch.setattr(deciding, "evaluate_newest", None)

        paused = await made.service.switch(SwitchRequest(switch="pause", channel="test"))
        assert ["paused", "paused"] == [made.status(asset) for asset in ("BTC", "ETH")]
        assert paused["version"] == made.board.states["ETH"][-1]["version"]

        await made.service.switch(SwitchRequest(switch="resume", channel="test"))
        assert before == made.board.last("ETH") | {"data_age": before["data_age"]}


async def test_many_prices_within_an_interval_are_published_as_one_with_the_newest(tmp_path: Path) -> None:
    async with running(tmp_path, price_interval=0.05) as made:
        count = len(made.board.states["BTC"])
        made.feed.put("BTC", *(PriceMoved(float(price), NEXT) for price in range(1, 1001)))

        await made.until(lambda: made.board.last("BTC")["price"] == 1000.0)

        assert len(made.board.states["BTC"]) - count < 100


async def test_a_price_after_a_quiet_interval_is_published_at_once_and_the_next_one_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, price_interval=3_600.0) as made:
        monkeypatch.setattr(moved, "monotonic", lambda: monotonic() + 3_600.0)
        made.feed.put("BTC", PriceMoved(7.0, NEXT))
        await made.until(lambda: made.board.last("BTC")["price"] == 7.0)

        made.feed.put("BTC", PriceMoved(8.0, NEXT))
        made.feed.put("ETH", PriceMoved(9.0, NEXT))
        await made.until(lambda: made.board.last("ETH")["price"] == 9.0)

        assert made.board.last("BTC")["price"] == 7.0


async def test_a_feed_at_its_end_keeps_the_last_decision_and_is_ready(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        before = made.board.last("BTC")
        made.feed.put("BTC", FeedEnded())

        await made.until(lambda: made.status("BTC") == "ended")

        after = made.board.last("BTC")
        assert {name for name in after if after[name] != before[name]} == {
            "status",
            "status_reason",
            "status_reason_id",
            "data_age",
        }
        assert (await made.ready()).status_code == 200
        await goes_on(made, "ETH")


@pytest.mark.parametrize("error", [MarketDataError("candles.csv", "bad", line=7), RuntimeError("defect"), KeyError(1)])
async def test_a_broken_feed_is_stale_and_idle_and_no_other_asset_notices(tmp_path: Path, error: Exception) -> None:
    async with running(tmp_path) as made:
        made.feed.put("BTC", error)

        await made.until(lambda: made.status("BTC") == "stale")

        broken = made.board.last("BTC")
        assert (broken["clarity_level"], broken["position_size"], broken["side"]) == ("idle", 0.0, "none")
        assert str(error) in broken["status_reason"] or repr(error) in broken["status_reason"]
        await goes_on(made, "ETH")


async def test_a_broken_feed_shows_in_readiness_by_asset_with_the_reason(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        made.feed.put("BTC", MarketDataError("candles.csv", "this is no number", line=7))
        await made.until(lambda: bool(whole(LocalView(made.market).troubles())))

        response = await made.ready()

        assert response.status_code == 503
        assert response.json()["status"] == "unavailable"
        feeds = response.json()["feeds"]
        assert feeds == {"BTC": "the feed failed: candles.csv, line 7: this is no number", "ETH": "ok"}


async def test_a_feed_that_stops_without_a_word_is_not_live_any_more(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        made.feed.put("BTC", None)

        await made.until(lambda: made.status("BTC") != "live")

        assert made.status("BTC") == "stale"
        assert (await made.ready()).status_code == 503


@pytest.mark.parametrize("failure", [RuntimeError("defect"), None])
async def test_a_feed_that_can_be_followed_again_is_and_until_then_the_asset_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    monkeypatch.setattr(restarting, "FIRST_WAIT_SECONDS", 0.0)
    async with running(tmp_path) as made:
        made.feed.follows_again = True
        made.feed.put("BTC", failure)
        await made.until(lambda: made.status("BTC") == "stale")

        broken = made.board.last("BTC")
        assert (broken["status_reason_id"], broken["position_size"]) == ("feed_failed", 0.0)
        assert broken["status_reason"].endswith("it is started again")
        assert whole(LocalView(made.market).troubles()) == {"BTC": broken["status_reason"]}
        counted = made.service.metrics.registry.get_sample_value
        restarts = [counted("vivienne_feed_restarts_total", {"asset": asset}) for asset in ("BTC", "ETH")]
        assert restarts == [1.0, 0.0]
        await goes_on(made, "ETH")
        await goes_on(made, "BTC")
        assert whole(LocalView(made.market).troubles()) == {}


async def test_bars_that_a_history_says_otherwise_stay_and_are_counted(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        read = minutes(ENOUGH)
        read[7] = read[7]._replace(volume=read[7].volume + 1.0)
        history = History(Bars.from_candles([]), is_whole=True, bars=Bars.from_candles(read), source="filled")
        made.feed.put("BTC", HistoryRead(history))
        await goes_on(made, "BTC")
        assert made.market.chart("BTC", ENOUGH)["bars"][6]["volume"] == minutes(ENOUGH)[7].volume
        counted = made.service.metrics.registry.get_sample_value
        assert counted("vivienne_history_differences_total", {"asset": "BTC"}) == 1.0


async def test_a_price_that_cannot_be_shown_stops_no_other_asset(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        made.feed.put("BTC", PriceMoved(1.0, 10**18))
        await asyncio.sleep(0.05)  # several price intervals

        made.feed.put("ETH", PriceMoved(4321.5, NEXT))
        await made.until(lambda: made.board.last("ETH")["price"] == 4321.5)
        await goes_on(made, "ETH")


async def test_a_failing_decision_stops_neither_its_asset_nor_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = minutes(1, seed=0)[0].close

    def failing(bars: Bars, *others: Any, **named: Any) -> Decided:
        if bars.close[0] == first:
            raise ZeroDivisionError("a defect")
        return evaluate_newest(bars, *others, **named)

    async with running(tmp_path) as made:
        with monkeypatch.context() as patched:
            patched.setattr(deciding, "evaluate_newest", failing)
            made.feed.close_minute("BTC", 0)
            await made.until(lambda: made.status("BTC") == "stale")
            assert "a defect" in made.board.last("BTC")["status_reason"]
            assert made.board.last("BTC")["position_size"] == 0.0
            assert (await made.ready()).status_code == 503
            await goes_on(made, "ETH")

        await goes_on(made, "BTC", 1)
        assert (await made.ready()).status_code == 200


async def test_a_change_whose_decision_fails_is_still_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_bars: Any, **_named: Any) -> Decided:
        raise ZeroDivisionError("a defect")

    async with running(tmp_path) as made:
        monkeypatch.setattr(deciding, "evaluate_newest", failing)

        answer = await made.service.change(ChangeRequest(Update({"bang_threshold": 90}, partial=True), channel="test"))

        assert answer["status"] == "success"
        assert made.status("BTC") == "stale"


async def test_a_hole_of_more_than_an_hour_is_shown_as_warming_up(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        made.feed.close_minute("BTC", 61)

        await made.until(lambda: made.status("BTC") == "warming_up")

        assert made.board.last("BTC")["position_size"] == 0.0
        assert made.status("ETH") == "live"


async def test_a_change_is_decided_and_published_before_it_is_acknowledged(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        count = len(made.board.states["ETH"])

        answer = await made.service.change(
            ChangeRequest(Update({"bang_threshold": 90}, partial=True), channel="test", asset="BTC")
        )

        newest = made.board.states["BTC"][-1]
        assert newest["version"] == answer["version"]
        assert newest["config"]["settings"]["state_threshold_bang"] == 90
        assert len(made.board.states["ETH"]) == count


async def test_a_change_for_all_is_decided_for_all(tmp_path: Path) -> None:
    async with running(tmp_path, "BTC", "ETH", "SOL") as made:
        answer = await made.service.change(ChangeRequest(Update({"bang_threshold": 90}, partial=True), channel="test"))

        versions = [made.board.states[asset][-1]["version"] for asset in ("BTC", "ETH", "SOL")]
        assert versions == [answer["version"]] * 3


async def test_a_change_alters_the_decision_of_the_bar_on_show(tmp_path: Path) -> None:
    """With every threshold at 0 whatever has a side is at the highest level, at once and without a new bar."""
    async with running(tmp_path) as made:
        before = made.board.last("BTC")
        assert before["side"] != "none"
        zero = dict.fromkeys(("bang_threshold", "aim_threshold", "loaded_threshold"), 0)

        await made.service.change(ChangeRequest(Update(zero, partial=True), channel="test"))

        after = made.board.last("BTC")
        assert after["raw_clarity_level"] == "bang"
        assert (after["bar_time"], after["signal_confidence"]) == (before["bar_time"], before["signal_confidence"])


async def test_a_change_is_taken_after_the_feeds_have_ended(tmp_path: Path) -> None:
    async with running(tmp_path) as made:
        made.feed.put("BTC", FeedEnded())
        await made.until(lambda: made.status("BTC") == "ended")

        answer = await made.service.change(ChangeRequest(Update({"bang_threshold": 90}, partial=True), channel="test"))

        assert made.board.states["BTC"][-1]["version"] == answer["version"]
        assert made.status("BTC") == "ended"


async def test_a_market_that_fails_as_a_whole_shows_in_every_asset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_market: Market) -> None:
        raise RuntimeError("the clock stopped")

    monkeypatch.setattr(Market, "_publish_prices", fail)
    async with running(tmp_path) as made:
        await made.until(lambda: {made.status("BTC"), made.status("ETH")} == {"stale"})
        assert "the clock stopped" in str(made.board.last("ETH")["status_reason"])


async def test_a_state_that_cannot_be_shown_silences_no_other_asset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = LiveAsset.data

    def data(self: LiveAsset) -> Any:
        if self.asset == "BTC":
            raise RuntimeError("unshowable")
        return shown(self)

    async with running(tmp_path) as made:
        monkeypatch.setattr(LiveAsset, "data", data)
        for asset in ("BTC", "ETH"):
            made.feed.put(asset, PriceMoved(43.0, NEXT))
        await made.until(lambda: made.board.last("ETH")["price"] == 43.0)
        await goes_on(made, "ETH")


async def test_a_feed_that_hangs_is_stale_and_idle_until_something_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryFeed, "longest_silence", 0.2)
    async with running(tmp_path) as made:
        await made.until(lambda: made.status("BTC") == "stale")
        state = made.board.last("BTC")
        assert (state["clarity_level"], state["position_size"]) == ("idle", 0.0)
        assert "no data received for more than" in str(state["status_reason"])
        assert (await made.ready()).status_code == 503

        made.feed.put("BTC", PriceMoved(43.0, NEXT))
        await made.until(lambda: made.status("BTC") == "live")


async def test_while_nothing_comes_the_state_tells_how_old_its_data_becomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market, "AGEING_SECONDS", 0.1)
    monkeypatch.setattr(MemoryFeed, "longest_silence", 0.3)
    async with running(tmp_path) as made:
        await made.until(lambda: made.status("BTC") == "stale")
        age = made.board.last("BTC")["data_age"]
        await made.until(lambda: made.board.last("BTC")["data_age"] >= age + 0.2)
        assert made.status("BTC") == "stale"


async def test_a_replay_at_its_end_is_silent_and_not_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryFeed, "longest_silence", 0.05)
    async with running(tmp_path, "BTC") as made:
        made.feed.put("BTC", FeedEnded())
        await asyncio.sleep(0.3)
        assert made.status("BTC") == "ended"


class HeldUp(SharedSlices):
    """Slices in which work rests until a test lets it go on."""

    waits: ClassVar[asyncio.Event]
    go_on: ClassVar[asyncio.Event]

    async def rest(self) -> None:
        self.waits.set()
        await self.go_on.wait()


async def test_a_pause_waits_for_no_bars_that_are_still_undecided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a gap each asset may have an hour of them, and after a change of all assets each is undecided."""
    HeldUp.waits, HeldUp.go_on = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr("vivienne.live.market.SharedSlices", HeldUp)
    async with running(tmp_path) as made:
        made.feed.close_minute("BTC", 40)
        async with asyncio.timeout(SECONDS):
            await HeldUp.waits.wait()
        states = len(made.board.states["BTC"])
        answer = await made.service.switch(SwitchRequest("pause", channel="rest"))
        assert answer["paused"] == ["BTC", "ETH"]
        assert made.status("BTC") == "paused"
        assert len(made.board.states["BTC"]) == states + 1
        HeldUp.go_on.set()
        await made.until(lambda: made.board.last("BTC")["bar_time"] == "2025-01-01T04:00:00.000Z")
        assert made.status("BTC") == "paused"

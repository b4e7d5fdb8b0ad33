"""The decision that was made live is that of the chart, of a preview, of a restart and of a replay at any speed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from making import MIDNIGHT, candles_in, minute, minutes, resampled, write_minutes
from sizes import rounds
from vivienne.agent.evaluate import anchor, evaluate
from vivienne.changes.service import ConfigService
from vivienne.live.asset import LiveAsset
from vivienne.live.market import Market
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.agent.decision import Decision
    from vivienne.live.asset import DecisionMade
    from vivienne.market.types import Candle

WINDOW = 2_500
SECONDS = 120.0


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    made = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    yield made
    await made.close()


def live_asset(service: ConfigService, timeframe: Timeframe, window: int = WINDOW) -> LiveAsset:
    return LiveAsset("BTC", feed="by hand", timeframe=timeframe, window=window, active=lambda: service.active("BTC"))


def decided_live(asset: LiveAsset, candles: list[Candle]) -> list[DecisionMade]:
    """The decisions on all bars, as they are made while the minutes come."""
    made: list[DecisionMade] = []
    for candle in candles:
        if asset.take(candle):
            made.extend(asset.decide_closed())
    return made


async def replayed(service: ConfigService, path: Path, timeframe: Timeframe, speed: float | None) -> list[DecisionMade]:
    """The decisions of a replay."""
    market = Market(
        ReplayFeed({"BTC": [path]}, speed), service, StateBoard(Hub()), timeframe=timeframe, window=WINDOW,
        price_interval=0.01,
    )  # fmt: skip
    made: list[DecisionMade] = []
    market.listen(made.append)
    running = asyncio.create_task(market.run())
    async with asyncio.timeout(SECONDS):
        while not market.ended():  # noqa: ASYNC110  # the end of a replay has no event
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return made


def fields(bar: dict[str, Any] | Any) -> dict[str, Any]:
    """A bar of a chart without the fields that say when it was decided."""
    return {name: value for name, value in bar.items() if name not in {"config_version", "recomputed"}}


@pytest.mark.sized
def test_chart_preview_and_restart_show_what_was_decided_live(service: ConfigService, marketdata: Path) -> None:
    timeframe = Timeframe.M15
    candles = candles_in(marketdata / "klines" / "BTCUSDT-1m-2025-10-06_2025-11-02.csv.gz")
    asset = live_asset(service, timeframe)
    made = decided_live(asset, candles)
    decisions = {each.decision.open_time: repr(each.decision) for each in made}
    assert len(made) == len(candles) // timeframe.minutes

    # A function of the bars.
    bars, config = resampled(candles, timeframe), service.active("BTC").configuration
    for decision in evaluate(bars, config, timeframe.minutes, len(bars)).decisions():
        assert decisions[decision.open_time] == repr(decision)

    # A process that begins later, with other bars before the first one.
    for begin in (333, 100, 0)[: rounds(3)]:
        again = live_asset(service, timeframe)
        kept = candles[-(WINDOW - begin) * timeframe.minutes :]
        again.load(Bars.from_candles(kept), is_whole=len(kept) == len(candles))
        chart = again.chart(1_000)["bars"]
        unknown = sum(bar["status"] == "undecidable" for bar in chart)
        assert ["undecidable"] * unknown + ["live"] * (1_000 - unknown) == [bar["status"] for bar in chart]
        assert unknown <= begin
        known = 1_000 - unknown
        assert [fields(bar) for bar in asset.chart(known)["bars"]] == [fields(bar) for bar in chart[unknown:]]
        assert [fields(each.bar) for each in made[-known:]] == [fields(bar) for bar in chart[unknown:]]
        preview = again.compare(config, 1_000)
        assert (1_000, unknown, 0) == (preview["bars"], preview["now"]["undecided"], preview["different_bars"])
        levels = [each.decision.level.word for each in made[-known:]]
        assert [levels.count(level) for level in ("idle", "loaded", "aim", "bang")] == [
            preview["then"]["idle"], preview["then"]["loaded"], preview["then"]["aim"], preview["then"]["bang"],
        ]  # fmt: skip
        for rows in (1, 7, 500):
            assert chart[-rows:] == again.chart(rows)["bars"]


@pytest.mark.sized
async def test_replays_at_any_speed_decide_the_same(service: ConfigService, tmp_path: Path) -> None:
    count = rounds(1_400, 500)
    path = write_minutes(tmp_path / "minutes.csv", minutes(count, seed=4))
    slow, fast, at_once = [await replayed(service, path, Timeframe.M1, speed) for speed in (20_000, 1e6, None)]
    assert len(at_once) > count - 200
    assert [repr(each.decision) for each in at_once] == [repr(each.decision) for each in fast]
    assert [repr(each.decision) for each in at_once] == [repr(each.decision) for each in slow]
    assert [each.bar for each in at_once] == [each.bar for each in slow]


def test_bars_whose_history_is_not_kept_are_counted_as_undecided(service: ConfigService) -> None:
    asset = live_asset(service, Timeframe.M1, window=1_500)
    asset.load(Bars.from_candles(minutes(4_000, seed=1)))
    counts = asset.compare(service.active("BTC").configuration, 1_000)["now"]
    assert sum(counts[level] for level in ("idle", "loaded", "aim", "bang", "undecided")) == 1_000
    first = MIDNIGHT // MINUTE_MS + 2_500
    unknown = sum(anchor(first + row) < first for row in range(500, 1_500))
    assert unknown == counts["undecided"] > 0
    statuses = [bar["status"] for bar in asset.chart(1_000)["bars"]]
    assert ["undecidable"] * unknown + ["live"] * (1_000 - unknown) == statuses


def test_bars_of_the_warm_up_are_not_counted_as_idle(service: ConfigService) -> None:
    asset = live_asset(service, Timeframe.M1)
    asset.load(Bars.from_candles(minutes(200, seed=1)))
    counts = asset.compare(service.active("BTC").configuration, 1_000)["now"]
    assert counts["undecided"] == 153
    assert ["warming_up"] * 153 + ["live"] * 47 == [bar["status"] for bar in asset.chart(1_000)["bars"]]


def gapped(gap: int) -> list[Candle]:
    """Minutes with a hole of so many."""
    candles = minutes(500, seed=2)
    return [*candles[:400], *candles[400 + gap :]]


def test_every_bar_that_one_minute_closes_is_decided(service: ConfigService) -> None:
    made = decided_live(live_asset(service, Timeframe.M3), gapped(20))
    times = [each.decision.open_time for each in made]
    assert [MIDNIGHT + 3 * number * MINUTE_MS for number in range(500 // 3)] == times

    bars, config = resampled(gapped(20), Timeframe.M3), service.active("BTC").configuration
    assert [repr(each) for each in evaluate(bars, config, 3, len(bars)).decisions()] == [
        repr(each.decision) for each in made
    ]


async def test_every_bar_that_one_minute_closes_is_streamed_and_kept(service: ConfigService, tmp_path: Path) -> None:
    hub = Hub()
    board, mailbox = StateBoard(hub), hub.join()
    path = write_minutes(tmp_path / "minutes.csv", gapped(20))
    market = Market(
        ReplayFeed({"BTC": [path]}, None), service, board, timeframe=Timeframe.M1, window=WINDOW, price_interval=10.0
    )
    kept: list[Decision] = []
    market.listen(lambda made: kept.append(made.decision))
    seen: list[dict[str, Any]] = []

    async def read() -> None:
        while True:
            seen.append(json.loads(await mailbox.take()))

    tasks = [asyncio.create_task(read()), asyncio.create_task(market.run())]
    async with asyncio.timeout(SECONDS):
        while not seen or seen[-1]["agents"]["VivienneAgent"]["data"]["status"] != "ended":  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    first = 155  # as many minutes are history; the last row of a file may be of an open minute
    bars = [state["agents"]["VivienneAgent"]["data"]["bar"] for state in seen]
    streamed = [bar["time"] for bar in bars if bar is not None]
    assert [iso(MIDNIGHT + number * MINUTE_MS) for number in range(first, 499)] == streamed
    assert streamed == [iso(decision.open_time) for decision in kept]
    assert list(range(seen[0]["seq"], seen[0]["seq"] + len(seen))) == [state["seq"] for state in seen]
    charted = {bar["time"]: bar for bar in market.chart("BTC", 1_000)["bars"]}
    assert all(charted[bar["time"]] == bar for bar in bars if bar is not None)


@pytest.mark.parametrize(("timeframe", "hole", "restarts"), [
    (Timeframe.M15, 60, False), (Timeframe.M15, 61, True), (Timeframe.H1, 61, True), (Timeframe.D1, 79, False),
    (Timeframe.D1, 1_440, False), (Timeframe.D1, 1_441, True), (Timeframe.H4, 240, False), (Timeframe.H4, 241, True),
])  # fmt: skip
def test_the_longest_hole_that_is_filled_follows_the_timeframe(
    service: ConfigService, timeframe: Timeframe, hole: int, restarts: bool
) -> None:
    asset = live_asset(service, timeframe)
    length = timeframe.minutes
    asset.load(Bars.from_candles(minute(number) for number in range(3 * length)))
    assert len(asset.closes(100)) == 3

    asset.take(minute(3 * length + hole))

    assert (0 if restarts else 3 + (hole + 1) // length) == len(asset.closes(100))


def test_until_the_full_history_is_there_the_state_says_so(service: ConfigService) -> None:
    asset = live_asset(service, Timeframe.M1)
    decided_live(asset, minutes(312))
    state = asset.data()
    assert ("live", "short_history", 312, 1_000) == (
        state["status"], state["status_reason_id"], state["history"]["bars"], state["history"]["of"],
    )  # fmt: skip
    assert "history: 312 of 1000" in str(state["status_reason"])
    assert 64 <= state["history"]["needed"] <= 312

    decided_live(asset, minutes(688, first=312, seed=1))
    state = asset.data()
    assert ("live", None, 1_000, 1_000) == (
        state["status"], state["status_reason_id"], state["history"]["bars"], state["history"]["of"],
    )  # fmt: skip


def test_a_full_history_can_be_required(service: ConfigService) -> None:
    asset = LiveAsset(
        "BTC", feed="by hand", timeframe=Timeframe.M1, window=WINDOW, active=lambda: service.active("BTC"),
        require_full_history=True,
    )  # fmt: skip
    decided_live(asset, minutes(999))
    state = asset.data()
    assert ("warming_up", "idle", 0.0) == (state["status"], state["clarity_level"], state["position_size"])
    assert "999 of 1000" in str(state["status_reason"])

    decided_live(asset, [minute(999)])
    assert asset.data()["status"] == "live"

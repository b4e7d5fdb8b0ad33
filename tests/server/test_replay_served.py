"""Recorded markets served from file to wire, and what a restart keeps."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from making import minutes, write_minutes
from running import RunningServer, State, config, data
from sizes import FULL
from vivienne.changes.service import ConfigService
from vivienne.live.market import Market
from vivienne.live.view import LocalView
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.timeframe import Timeframe
from vivienne.slices import whole
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SECONDS = 60.0


class RecordingBoard(StateBoard):
    """A board that keeps the decision of every state, by asset."""

    def __init__(self) -> None:
        super().__init__(Hub())
        self.decisions: dict[str, list[dict[str, Any]]] = {}

    def publish(self, asset: str, *, data: Any, config: Any, config_version: int) -> None:
        super().publish(asset, data=data, config=config, config_version=config_version)
        self.decisions.setdefault(asset, []).append(data)

    def by_bar(self) -> dict[str, list[dict[str, Any]]]:
        """One decision per bar: the first shown, without the price, which moves on, and the age of the data."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for asset, decisions in self.decisions.items():
            bars = found.setdefault(asset, {})
            for decision in decisions:
                if decision["bar_time"] is not None:
                    kept = {
                        name: value for name, value in decision.items() if not name.startswith(("price", "data_age"))
                    }
                    bars.setdefault(f"{decision['bar_time']} {decision['status']}", kept)
        return {asset: list(bars.values()) for asset, bars in found.items()}


async def replayed(folder: Path, files: dict[str, list[Path]], timeframe: Timeframe = Timeframe.M15) -> RecordingBoard:
    """Replay files to their end, as fast as it goes, and give all that was published."""
    service = ConfigService(SqliteRevisionStore(folder / "v.db"), list(files))
    board = RecordingBoard()
    try:
        market = Market(ReplayFeed(files, None), service, board, timeframe=timeframe, window=2500, price_interval=0.01)
        following = asyncio.create_task(market.run())
        try:
            async with asyncio.timeout(SECONDS):
                while not (market.ended() or whole(LocalView(market).troubles())):  # noqa: ASYNC110  # the end of a replay has no event
                    await asyncio.sleep(0.01)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        assert whole(LocalView(market).troubles()) == {}
    finally:
        await service.close()
    return board


MAY_BE_NULL = {
    *("value", "reading", "path", "nearest_change", "bar_time", "status_reason", "explanation"),
    *("size_cap", "data_age", "data_age_limit", "status_reason_id", "pause", "trouble", "bar", "switch"),
    *("exchange", "symbol", "quote_currency", "tick_size", "feed_status", "feed_status_reason", "data_delay", "source"),
    "config_version",
    *("ema_fast", "ema_slow", "bollinger_upper", "bollinger_middle", "bollinger_lower"),
    *("rsi", "macd_atr", "macd_histogram_atr"),
    *("vwap", "support", "resistance"),
}
"""Figures that do not exist (no trades, no level, no cap, no age of what is over), what no tunable stands behind, what
a warm-up lacks, and what only some states have.
"""


def check_numbers(node: Any, name: str = "") -> None:
    """No NaN or infinity anywhere, and no null but for a figure that does not exist and texts."""
    if isinstance(node, dict):
        for key, value in node.items():
            check_numbers(value, key)
    elif isinstance(node, list):
        for item in node:
            check_numbers(item, name)
    elif isinstance(node, float):
        assert math.isfinite(node), name
    elif node is None:
        assert name in MAY_BE_NULL, name


def check_decision(decision: dict[str, Any]) -> None:
    check_numbers(decision)
    for name in ("signal_confidence", "position_size", "price"):
        assert isinstance(decision[name], (int, float))
    assert 0.0 <= decision["signal_confidence"] <= 1.0
    assert 0.0 <= decision["position_size"] <= 100.0
    assert decision["price"] > 0
    if decision["status"] in {"live", "ended"}:
        assert decision["explanation"]["summary"]
        assert decision["bar_time"]
    if decision["status"] != "live":
        assert decision["status_reason"]
    if decision["blocked_by"]:
        assert decision["position_size"] == 0.0
        assert decision["clarity_level"] in {"idle", "loaded"}
    json.dumps(decision, allow_nan=False)


CRASH = "BTCUSDT-1m-2025-10-06_2025-11-02.csv.gz"
KLINES = {
    "an outage": ("BTCUSDT-1m-2023-03-24.csv.gz", "3m"),
    "a thin market": ("BTCUSDT-1m-2017-08-17_2017-08-23.csv.gz", "15m"),
    "milliseconds to microseconds": ("BTCUSDT-1m-2024-12-31_2025-01-01.csv.gz", "5m"),
    "a crash": (CRASH, "15m"),
    "a download with an open candle at its end": ("BTCUSDT_1m_2025-10-29_2025-11-01.karasik.csv.gz", "15m"),
}


def days_of(file: Path, folder: Path, first: str, end: str) -> Path:
    """The rows from the beginning of a day on and before that of another, in a file of their own."""
    begins, ends = (datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1e6 for day in (first, end))
    with gzip.open(file, "rt") as rows:
        found = [row for row in rows if begins <= int(row.partition(",")[0]) < ends]
    taken = folder / f"{first}.csv"
    taken.write_text("".join(found))
    return taken


@pytest.mark.sized
@pytest.mark.parametrize(("name", "timeframe"), KLINES.values(), ids=KLINES.keys())
async def test_a_recorded_market_is_decided_to_its_end_without_a_hole_in_the_numbers(
    marketdata: Path, tmp_path: Path, name: str, timeframe: str
) -> None:
    file = marketdata / "klines" / name
    if not FULL and name == CRASH:
        file = days_of(file, tmp_path, "2025-10-08", "2025-10-12")
    board = await replayed(tmp_path, {"BTC": [file]}, Timeframe(timeframe))

    decisions = board.decisions["BTC"]
    assert decisions[-1]["status"] == "ended"
    assert len(decisions) > 50
    for before, decision in pairwise(decisions):
        # Between two decisions only the price moves.
        if (before["bar_time"], before["status"]) != (decision["bar_time"], decision["status"]):
            check_decision(decision)


async def test_the_outage_is_shown_as_a_warm_up_in_the_middle(marketdata: Path, tmp_path: Path) -> None:
    files = {"BTC": [marketdata / "klines" / "BTCUSDT-1m-2023-03-24.csv.gz"]}

    board = await replayed(tmp_path, files, Timeframe.M3)

    statuses = [decision["status"] for decision in board.decisions["BTC"]]
    runs = [status for number, status in enumerate(statuses) if number == 0 or statuses[number - 1] != status]
    assert runs == ["live", "warming_up", "live", "ended"]


async def test_time_goes_on_in_even_steps_where_milliseconds_become_microseconds(
    marketdata: Path, tmp_path: Path
) -> None:
    files = {"BTC": [marketdata / "klines" / "BTCUSDT-1m-2024-12-31_2025-01-01.csv.gz"]}

    board = await replayed(tmp_path, files, Timeframe.M5)

    bars = sorted({decision["bar_time"] for decision in board.decisions["BTC"]})
    assert "2024-12-31T23:55:00.000Z" in bars
    assert "2025-01-01T00:00:00.000Z" in bars
    assert bars[-1] == "2025-01-01T23:55:00.000Z"
    assert {decision["status"] for decision in board.decisions["BTC"]} == {"live", "ended"}


async def test_replaying_twice_decides_the_same(marketdata: Path, tmp_path: Path) -> None:
    folder = marketdata / "klines"
    files = {
        "BTC": [folder / "BTCUSDT-1m-2022-08-14_2022-08-15.csv.gz"],
        "ETH": [folder / "ETHUSDT-1m-2022-08-14.zip", folder / "ETHUSDT-1m-2022-08-15.zip"],
    }

    first = (await replayed(tmp_path / "first", files, Timeframe.M5)).by_bar()
    second = (await replayed(tmp_path / "second", files, Timeframe.M5)).by_bar()

    assert {asset: len(decisions) for asset, decisions in first.items()}.keys() == {"BTC", "ETH"}
    assert min(len(decisions) for decisions in first.values()) > 100
    assert second == first


async def test_trades_are_decided_as_well(marketdata: Path, tmp_path: Path) -> None:
    """Eleven minutes of trades are too few to decide; that is said, not guessed."""
    folder = marketdata / "trades"
    files = {
        asset: [folder / f"{asset}USDT-spot-trades-2024-08-08T2354_2024-08-09T0005.csv.gz"] for asset in ("BTC", "ETH")
    }

    board = await replayed(tmp_path, files, Timeframe.M1)

    for decisions in board.decisions.values():
        assert decisions[-1]["status"] == "warming_up"
        assert decisions[-1]["status_reason"].startswith("10 of ")
        assert decisions[-1]["bar_time"] == "2024-08-09T00:04:00.000Z"


def until_ended(server: RunningServer) -> dict[str, State]:
    """Wait until the replay of every asset is over; give the last states."""
    deadline = time.monotonic() + SECONDS
    with server.client() as client:
        first = server.get("/ready").json()["feeds"]
        while time.monotonic() < deadline:
            if client.states.keys() == first.keys() and all(
                data(state)["status"] == "ended" for state in client.states.values()
            ):
                return client.states
            client.receive()
    raise AssertionError("the replay did not end")


@pytest.fixture(scope="module")
def pair(marketdata: Path) -> list[str]:
    """Flags for the real files of two assets."""
    folder = marketdata / "klines"
    files = [f"{asset}={folder}/{asset}USDT_1m_2025-10-29_2025-11-01.karasik.csv.gz" for asset in ("BTC", "ETH")]
    return ["--feed", "replay", "--speed", "max", "--data", files[0], "--data", files[1]]


@pytest.fixture(scope="module")
def running(pair: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(*pair, db=tmp_path_factory.mktemp("replay") / "v.db") as server:
        yield server


class TestServed:
    def test_a_replay_ends_with_its_last_decisions_on_show(self, running: RunningServer) -> None:
        ended = until_ended(running)

        assert set(ended) == {"BTC", "ETH"}
        for state in ended.values():
            check_decision(data(state))
            assert data(state)["bar_time"] == "2025-11-01T04:00:00.000Z"
            assert data(state)["feed"] == "replay"
        # The close of 04:20: the last row of these files is a candle that was still open.
        assert {asset: data(state)["price"] for asset, state in ended.items()} == {"BTC": 110226.64, "ETH": 3860.68}

    def test_after_its_end_it_still_takes_changes_and_decides_with_them(self, running: RunningServer) -> None:
        before = until_ended(running)["BTC"]
        zero = dict.fromkeys(("bang_threshold", "aim_threshold", "loaded_threshold"), 0)
        with running.client() as client:
            answer = client.ask({"type": "config_update", "asset": "BTC", "config": zero})

            after = client.state("BTC", version=answer["version"])

        assert data(after)["status"] == "ended"
        assert data(after)["bar_time"] == data(before)["bar_time"]
        level = "bang" if data(after)["side"] != "none" else "idle"
        assert data(after)["raw_clarity_level"] == level
        running.reset("BTC")

    def test_after_its_end_it_is_healthy(self, running: RunningServer) -> None:
        until_ended(running)

        assert (running.get("/health").status_code, running.get("/ready").status_code) == (200, 200)

    def test_another_run_ends_with_the_same_decisions(
        self, running: RunningServer, pair: list[str], tmp_path: Path
    ) -> None:
        ended = until_ended(running)
        with RunningServer(*pair, db=tmp_path / "again.db") as again:
            same = until_ended(again)

        assert {asset: data(state) for asset, state in same.items()} == {
            asset: data(state) for asset, state in ended.items()
        }


def test_a_file_that_breaks_in_the_middle_stops_its_asset_only_and_says_where(tmp_path: Path) -> None:
    good, bad = (
        write_minutes(tmp_path / "good.csv", minutes(600)),
        write_minutes(tmp_path / "bad.csv", minutes(600, seed=1)),
    )
    lines = bad.read_text().splitlines()
    lines[500] = lines[500].replace(",", ",oops", 1)
    bad.write_text("\n".join(lines) + "\n")
    flags = ["--feed", "replay", "--speed", "max", "--timeframe", "1m"]
    with RunningServer(*flags, "--data", f"BTC={bad}", "--data", f"ETH={good}", db=tmp_path / "v.db") as server:
        with server.client() as client:
            for _ in range(2_000):
                if {asset: data(state)["status"] for asset, state in client.states.items()} == {
                    "BTC": "stale", "ETH": "ended",
                }:  # fmt: skip
                    break
                client.receive()
            broken = data(client.states["BTC"])

        assert broken["status"] == "stale"
        assert (broken["clarity_level"], broken["position_size"]) == ("idle", 0.0)
        assert f"{bad}, line 501" in broken["status_reason"]
        ready = server.get("/ready")
        assert ready.status_code == 503
        assert "line 501" in ready.json()["feeds"]["BTC"]
        assert ready.json()["feeds"]["ETH"] == "ok"
        assert server.post("partial-update", {"bang_threshold": 90}).status_code == 200
        assert server.get("/health").status_code == 200


def test_a_restart_keeps_every_setting(tmp_path: Path) -> None:
    with RunningServer("--assets", "BTC,ETH", db=tmp_path / "v.db") as server:
        server.post("partial-update", {"bang_threshold": 90, "description": "everyone's", "author": "ada"})
        deleted = server.post("partial-update", {"asset_symbol": "BTC", "aim_threshold": 75}).json()
        server.post("partial-update", {"asset_symbol": "BTC", "filters": {"levels": {"levels_buffer_percent": 0.004}}})
        server.post("update", {"asset_symbol": "ETH", "signal_weights": {"rsi": 0.25}})
        server.post("reset", {"asset_symbol": "ETH", "paths": ["signal_weights.rsi"]})
        server.post("partial-update", {"asset_symbol": "ETH", "enable_trend_filter_for_entry": False})
        server.delete(deleted["config_id"])
        before = [server.active(asset) for asset in (None, "BTC", "ETH")], server.history()
        assert server.stop() == 0

        server.start()

        assert ([server.active(asset) for asset in (None, "BTC", "ETH")], server.history()) == before
        with server.client() as client:
            for asset in ("BTC", "ETH"):
                state = client.state(asset)
                active = server.active(asset)
                assert (config(state), state["config_version"]) == (active["config"], active["version"])

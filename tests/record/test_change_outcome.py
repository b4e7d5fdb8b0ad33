"""What came of a change for all assets, as one equity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from making import random_bars
from record_client import client, get
from recording import RUN, Ordered, Recording
from vivienne.record.judging.confidence import ERROR_RATE, log_capital
from vivienne.record.judging.together import TOGETHER_BARS, common_begin
from vivienne.record.reading import changed
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.version_spans import predecessor
from vivienne.record.reading.view import LocalRecord
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from vivienne.record.judging.version_outcome import Predecessor
    from vivienne.record.reader import RecordReader, Series

ALL = random_bars(3, 420)
LOW = {"settings": {"state_threshold_loaded": 5, "state_threshold_aim": 30}}
"""So that there are entries."""
BEGINS = {"BTC": 350, "ETH": 353, "SOL": 380}
"""The row of the first bar that version 7 decided."""


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("change")
    recording = Recording(folder / "record.db")
    for seed, (asset, row) in enumerate(BEGINS.items(), 3):
        recording.add(asset, random_bars(seed, 420), 300, {0: Ordered(4, LOW), row: Ordered(7, {})})
    recording.close()
    with client(folder, LocalRecord(ReadingThread(folder / "record.db"), Scope(RUN, "15m"))) as found:
        yield found


def test_a_change_of_all_assets_is_judged_as_one_equity(judging: TestClient) -> None:
    together, eth = get(judging, "versions/7"), get(judging, "assets/ETH/versions/7")["comparison"]
    assert [(each["asset"], each["before"], each["left_out"]) for each in together["assets"]] == [
        ("BTC", 4, None),
        ("ETH", 4, None),
        ("SOL", 4, "later"),
    ]
    found = together["comparison"]
    # ETH begins three bars after BTC, and both are judged from there on.
    times = [iso(time) for time in ALL.open_time.tolist()]
    assert (found["assets"], found["begins"], found["ends"]) == (["BTC", "ETH"], times[353], times[417])
    btc = get(judging, "assets/BTC/versions/7")["comparison"]
    # Each bar is one observation, the sum of both: what BTC made of the bars before the common beginning is not in it.
    rows = [btc["curve"]["times"].index(time) for time in found["curve"]["times"]]
    alone = np.array(btc["curve"]["now"])
    sums = alone[rows] - alone[rows[0] - 1] + np.array(eth["curve"]["now"])
    assert found["curve"]["now"] == pytest.approx(sums.tolist())
    assert (found["bars"], len(eth["curve"]["times"])) == (65, 65)
    assert eth["bound"] < found["bound"]
    assert found["verdict"] == "not enough to tell"


def test_costs_points_and_assets_are_as_asked(judging: TestClient) -> None:
    dear = get(judging, "versions/7", fee=200, slippage=0, points=0)["comparison"]
    free = get(judging, "versions/7", fee=0, slippage=0, points=10)["comparison"]
    assert (dear["fee"], dear["curve"]["times"], len(free["curve"]["times"])) == (200, [], 10)
    assert dear["mean"] != free["mean"]
    alone = get(judging, "versions/7", asset="sol")
    assert [each["asset"] for each in alone["assets"]] == ["SOL"]
    assert alone["comparison"] == get(judging, "assets/SOL/versions/7")["comparison"]


def test_without_a_version_before_nothing_is_compared(judging: TestClient) -> None:
    first = get(judging, "versions/4")
    assert first["comparison"] is None
    assert {each["left_out"] for each in first["assets"]} == {"nothing_before"}
    assert get(judging, "versions/5") == {"version": 5, "timeframe": "15m", "assets": [], "comparison": None}


def test_what_is_known_is_not_judged_again_until_a_bar_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.db"
    recording = Recording(path)
    orders = {0: Ordered(4, LOW), 350: Ordered(7, {})}
    recording.add("BTC", ALL[:400], 300, orders)
    asked: list[str] = []

    def judge(reader: RecordReader, series: Series, *rest: Any) -> Predecessor:
        asked.append(series.asset)
        return predecessor(reader, series, *rest)

    monkeypatch.setattr("vivienne.record.reading.changed.predecessor", judge)
    with client(tmp_path, LocalRecord(ReadingThread(path), Scope(RUN, "15m"))) as judging:
        before = get(judging, "versions/7")
        assert get(judging, "versions/7") == before
        assert asked == ["BTC"]
        recording.add("ETH", ALL, 300, orders)
        after = get(judging, "versions/7")
    recording.close()
    assert asked == ["BTC", "BTC", "ETH"]
    assert after["comparison"]["assets"] == ["BTC", "ETH"]


def test_of_very_many_bars_the_first_are_judged(judging: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed, "MOST_BARS_OF_ALL", 60)
    found = get(judging, "versions/7", fee=3)["comparison"]
    assert (found["bars"], found["begins"]) == (20, iso(ALL.open_time.item(353)))


def test_assets_that_begin_a_little_later_begin_together() -> None:
    assert common_begin([], 10) is None
    assert common_begin([50, 70], 10) == 70
    assert common_begin([50 + 10 * TOGETHER_BARS, 50, 60 + 10 * TOGETHER_BARS], 10) == 50 + 10 * TOGETHER_BARS


def test_no_verdict_is_possible_before_the_common_beginning_is_known() -> None:
    growth = [log_capital(TOGETHER_BARS * each, TOGETHER_BARS * each**2) for each in np.linspace(0, 1, 201).tolist()]
    assert max(growth) < np.log(2 / ERROR_RATE)

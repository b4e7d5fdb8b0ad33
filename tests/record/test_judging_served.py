"""What came of decisions, over REST."""

from __future__ import annotations

import weakref
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from making import configured, random_bars
from record_client import client, get
from recording import RUN, Ordered, Recording
from vivienne.market.timeframe import Timeframe
from vivienne.record.database import open_record
from vivienne.record.judging.account import account
from vivienne.record.judging.account_entry import account_entry
from vivienne.record.judging.anew import Deciding, decided_anew, usual_size
from vivienne.record.judging.costs import Costs
from vivienne.record.judging.outcomes import outcomes
from vivienne.record.judging.summary import outcome_entry
from vivienne.record.judging.version_outcome import Predecessor, version_outcome
from vivienne.record.reader import RecordReader
from vivienne.record.reading.changed import Answers
from vivienne.record.reading.judged import judged
from vivienne.record.reading.judging_query import JudgingQuery
from vivienne.record.reading.pace import Pace
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import LocalRecord
from vivienne.slices import whole
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from vivienne.record.columns import DecidedBars
    from vivienne.record.reading.judging_query import About

BARS = random_bars(3, 420)
LOW = {"settings": {"state_threshold_loaded": 5, "state_threshold_aim": 30}}
"""So that there are entries."""
COSTS = Costs(fee=4, slippage=1)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("judged") / "record.db"
    recording = Recording(path)
    recording.add("BTC", BARS, 300, {0: Ordered(4, LOW), 350: Ordered(7, {})})
    recording.add("ETH", random_bars(4, 420), 300, {0: Ordered(4, LOW)})
    recording.close()
    return path


@pytest.fixture(scope="module")
def recorded(path: Path) -> Iterator[DecidedBars]:
    reader = RecordReader(open_record(path, "to read"))
    yield reader.decided_bars(next(each for each in reader.series(1) if each.asset == "BTC"))
    reader.close()


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory, path: Path) -> Iterator[TestClient]:
    with client(tmp_path_factory.mktemp("judging"), LocalRecord(ReadingThread(path), Scope(RUN, "15m"))) as found:
        yield found


def test_versions_are_listed_with_the_bars_that_they_decided(judging: TestClient) -> None:
    times = [iso(time) for time in BARS.open_time.tolist()]
    page = get(judging, "assets/btc/versions", limit=1)
    assert page["versions"] == [{"version": 7, "begins": times[350], "ends": times[419], "bars": 70}]
    older = get(judging, "assets/BTC/versions", before=page["next"])
    assert older["versions"] == [{"version": 4, "begins": times[300], "ends": times[349], "bars": 50}]
    assert older["next"] is None
    assert get(judging, "assets/SOL/versions")["versions"] == []


def test_a_version_is_judged_beside_the_one_before_on_the_same_bars(judging: TestClient, recorded: DecidedBars) -> None:
    found = get(judging, "assets/BTC/versions/7", fee=COSTS.fee, slippage=COSTS.slippage)
    before = Deciding(configured(LOW), 4, 100.0, Timeframe.M15)
    sizes = usual_size(before), usual_size(before._replace(config=configured()))
    then = Predecessor(4, whole(decided_anew(recorded, before, is_cut=False)), max(sizes))
    assert found == whole(version_outcome("BTC", Timeframe.M15, 7, recorded, then, COSTS))
    assert found["comparison"] is not None
    assert (found["before"], found["bars"], found["comparison"]["fee"]) == (4, 70, COSTS.fee)
    fewer = get(judging, "assets/BTC/versions/7", points=0)["comparison"]
    assert (fewer["bars"], fewer["curve"]["times"]) == (found["comparison"]["bars"], [])


def test_a_market_that_began_in_the_record_is_judged_from_the_first_bar_of_a_version(tmp_path: Path) -> None:
    path, bars = tmp_path / "record.db", random_bars(5, 1_505)
    recording = Recording(path)
    recording.add("BTC", bars, 990, {0: Ordered(4, LOW), 995: Ordered(7, {})})
    recording.close()
    with client(tmp_path, LocalRecord(ReadingThread(path), Scope(RUN, "15m"))) as judging:
        found = get(judging, "assets/BTC/versions/7")["comparison"]
    assert (found["begins"], found["bars"]) == (iso(bars.open_time.item(995)), 508)


def test_the_first_version_has_nothing_to_be_compared_with(judging: TestClient) -> None:
    found = get(judging, "assets/BTC/versions/4")
    assert (found["before"], found["then"], found["comparison"], found["bars"]) == (None, None, None, 50)


def test_a_decision_has_what_came_of_it(judging: TestClient, recorded: DecidedBars) -> None:
    found = whole(outcomes(recorded, Timeframe.M15.milliseconds))
    for row in (310, 400, 419):
        told = get(judging, f"assets/BTC/decisions/{iso(BARS.open_time.item(row))}")["outcome"]
        assert told == outcome_entry(found, row)
    assert told["return_1"] is None  # no bar has followed


@pytest.mark.parametrize("where", ["assets/BTC/versions/5", "assets/SOL/versions/4"])
def test_a_version_that_decided_nothing_is_unknown(judging: TestClient, where: str) -> None:
    answer = judging.get(where)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_decision")


def test_the_account_is_that_of_the_decisions(judging: TestClient, recorded: DecidedBars) -> None:
    found = get(judging, "account", asset="btc", fee=4, slippage=1)
    length = Timeframe.M15.milliseconds
    assert found == account_entry(whole(account({"BTC": recorded}, length, COSTS)), ["BTC"], COSTS)
    assert found["trades"] > 0
    both = get(judging, "account")
    assert both["assets"] == ["BTC", "ETH"]
    assert both["fee"] > 0


@pytest.mark.parametrize("about", ["account", "setups", "filters"])
def test_the_bars_of_one_asset_after_the_other_are_held(recorded: DecidedBars, about: About) -> None:
    class Reader:
        most, given = 0, list[Any]()

        def decided_bars(self, _of: object, _wanted: object) -> DecidedBars:
            self.most = max(self.most, sum(each() is not None for each in self.given))
            found = recorded[:]
            self.given.append(weakref.ref(found.bars.volume))
            return found

    reader: Any = Reader()
    series = [SimpleNamespace(asset=asset) for asset in "ABCD"]
    scope: Any = SimpleNamespace(timeframe="15m", series=lambda _reader, _assets: series)
    judged(reader, Pace(60.0), scope=scope, query=JudgingQuery(about=about), answers=Answers())
    assert (len(reader.given), reader.most) == (4, 1)


def test_setups_and_filters_are_of_the_span_that_is_asked_for(judging: TestClient) -> None:
    whole_span, later = get(judging, "setups"), get(judging, "setups", **{"from": iso(BARS.open_time.item(400))})
    entries = [sum(each["outcomes"]["entries"] for each in found["by_level"]) for found in (whole_span, later)]
    assert entries[0] > entries[1]
    heat = get(judging, "filters", asset="BTC", unit="hour")
    assert sum(heat["bars"]) == 120
    assert {each["filter"] for each in heat["filters"]} <= {
        "volatility", "trend", "levels", "underused_alpha", "combined_vwap",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "problem"),
    [("account?fee=-1", "fee"), ("filters?unit=week", "unit"), ("setups?fee=1", "fee"), ("account?asset=XRP", "XRP")],
)
def test_what_cannot_be_is_refused_with_its_name(judging: TestClient, where: str, problem: str) -> None:
    answer = judging.get(where)
    assert answer.status_code in (400, 404, 422)
    assert problem in answer.text

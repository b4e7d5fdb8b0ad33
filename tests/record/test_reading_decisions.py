"""Recorded decisions over REST: pages, filters and explanations are those of what was recorded."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from making import random_bars
from record_client import client
from recording import BAR, RUN, Ordered, Recording
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.selecting import MOST_SEARCHED
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import LocalRecord
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient


BARS = random_bars(3, 420)
FIRST = 300
LOW = {"settings": {"state_threshold_loaded": 5, "state_threshold_aim": 30}}
"""So that there are entries."""
NO_CONFIGURATION = "its configuration is not in the record"
ORDERS = {0: Ordered(4, LOW), 340: Ordered(5, LOW, "paused"), 350: Ordered(6, {})}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "record.db"
    recording = Recording(path)
    recording.add("BTC", BARS, FIRST, ORDERS)
    recording.add("ETH", random_bars(4, 420), FIRST, ORDERS)
    recording.close()
    return path


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory, path: Path) -> Iterator[TestClient]:
    with client(tmp_path_factory.mktemp("reading"), LocalRecord(ReadingThread(path), Scope(RUN, "15m"))) as found:
        yield found


def get(reading: TestClient, where: str, **query: Any) -> dict[str, Any]:
    answer = reading.get(where, params={"from" if name == "begin" else name: each for name, each in query.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def all_of(reading: TestClient, where: str, **query: Any) -> list[dict[str, Any]]:
    """All pages, one after the other."""
    page = get(reading, where, **query)
    found = page["decisions"]
    while page["next"]:
        page = get(reading, where, **query, before=page["next"])
        found += page["decisions"]
    return cast("list[dict[str, Any]]", found)


def test_a_page_lists_what_was_decided_newest_first(reading: TestClient) -> None:
    page = get(reading, "assets/btc/decisions", limit=7)
    assert (page["asset"], page["timeframe"]) == ("BTC", "15m")
    assert [each["time"] for each in page["decisions"]] == [iso(BARS.open_time.item(-1 - row)) for row in range(7)]
    newest = page["decisions"][0]
    assert (newest["price"], newest["config_version"], newest["status"]) == (BARS.close.item(-1), 6, "live")

    found = all_of(reading, "assets/BTC/decisions", limit=7)
    assert [each["time"] for each in found] == [iso(time) for time in BARS.open_time[: FIRST - 1 : -1].tolist()]


def test_a_decision_without_an_effect_has_no_size(reading: TestClient) -> None:
    found = all_of(reading, "assets/BTC/decisions", level=["loaded", "aim", "bang"])
    paused = [each for each in found if each["status"] == "paused"]
    assert paused
    assert {each["position_size"] for each in paused} == {0}
    assert any(each["position_size"] > 0 for each in found)


@pytest.mark.parametrize(
    ("query", "meets"),
    [
        ({"level": "aim"}, lambda each: each["clarity_level"] == "aim"),
        ({"raw_level": ["loaded", "bang"]}, lambda each: each["raw_clarity_level"] in ("loaded", "bang")),
        ({"side": "short"}, lambda each: each["side"] == "short"),
        ({"blocked_by": ["volatility", "levels"]}, lambda each: {"volatility", "levels"} & {*each["blocked_by"]}),
        ({"held": True}, lambda each: each["held"]),
        ({"held": False}, lambda each: not each["held"] and each["status"] in ("live", "ended")),
        ({"version": 5}, lambda each: each["config_version"] == 5),
        (
            {"begin": iso(BARS.open_time.item(310)), "to": iso(BARS.open_time.item(330))},
            lambda each: iso(BARS.open_time.item(310)) <= each["time"] < iso(BARS.open_time.item(330)),
        ),
    ],
)
def test_a_filter_gives_those_that_meet_it_and_no_others(
    reading: TestClient, query: dict[str, Any], meets: Any
) -> None:
    everything = all_of(reading, "assets/BTC/decisions", limit=1000)
    found = all_of(reading, "assets/BTC/decisions", limit=4, **query)
    assert found == [each for each in everything if meets(each)]
    assert 0 < len(found) < len(everything)


def test_signals_are_the_entries_of_all_assets(reading: TestClient) -> None:
    both = [each for asset in ("BTC", "ETH") for each in all_of(reading, f"assets/{asset}/decisions", limit=1000)]
    newest_first = sorted(
        sorted(both, key=lambda each: str(each["asset"])), key=lambda each: str(each["time"]), reverse=True
    )

    found = all_of(reading, "decisions", limit=7)
    assert found == [each for each in newest_first if each["raw_clarity_level"] != "idle"]
    assert all_of(reading, "decisions", level=["idle", "loaded", "aim", "bang"], limit=9) == newest_first
    assert all_of(reading, "decisions", asset="eth") == [each for each in found if each["asset"] == "ETH"]


def test_a_long_search_goes_on_with_the_next_page(reading: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    found = all_of(reading, "assets/BTC/decisions", version=4)
    assert MOST_SEARCHED > 1000
    monkeypatch.setattr("vivienne.record.reading.selecting.MOST_SEARCHED", 1)
    monkeypatch.setattr("vivienne.record.reading.selecting._FIRST_SPAN", 16)
    first = get(reading, "assets/BTC/decisions", version=4)
    assert first["decisions"] == []
    assert first["next"] is not None
    assert all_of(reading, "assets/BTC/decisions", version=4) == found


def test_years_without_bars_cost_no_pages(tmp_path: Path) -> None:
    bars = random_bars(3, 330)
    times = bars.open_time.copy()
    times[320:] += 20 * 365 * 96 * BAR
    recording = Recording(tmp_path / "record.db")
    recording.add("BTC", replace(bars, open_time=times), 310)
    recording.close()
    with client(tmp_path, LocalRecord(ReadingThread(tmp_path / "record.db"), Scope(RUN, "15m"))) as reading:
        page = get(reading, "assets/BTC/decisions", limit=15)
        assert [each["time"] for each in page["decisions"]] == [iso(time) for time in times[:314:-1].tolist()]
        rows = reading.get("assets/BTC/decisions?format=ndjson").text.splitlines()
        assert len(rows) == 20


def test_an_asset_without_decisions_has_an_empty_page(reading: TestClient) -> None:
    assert get(reading, "assets/SOL/decisions") == {
        "asset": "SOL",
        "timeframe": "15m",
        "decisions": [],
        "gaps": [],
        "next": None,
    }


def test_a_decision_is_explained_as_it_was_with_the_configuration_of_that_time(
    reading: TestClient,
) -> None:
    listed = next(each for each in all_of(reading, "assets/BTC/decisions", version=4) if each["held"])
    found = get(reading, f"assets/BTC/decisions/{listed['time']}")
    assert found["config"]["settings"]["state_threshold_loaded"] == 5
    assert found["config"]["settings"]["state_threshold_bang"] == 80
    assert found["is_reproduced"] is True
    assert found["unexplained"] is None
    decision = found["decision"]
    assert {**listed, "price": decision["close"]} == {name: decision.get(name, decision["close"]) for name in listed}
    assert decision["program_version"] == "1.2.3"
    blocking = [each["id"] for each in found["explanation"]["filters"] if each["state"] == "blocked"]
    assert blocking == listed["blocked_by"]
    assert found["nearest_changes"][0] == found["explanation"]["nearest_change"]
    assert len(found["nearest_changes"]) > 1
    # Any time within the bar will do.
    assert found == get(reading, f"assets/BTC/decisions/{listed['time'].replace('00.000', '59')}")


def test_a_bar_that_nobody_decided_or_recorded_has_no_explanation(reading: TestClient) -> None:
    history, later = (iso(time) for time in (BARS.open_time.item(10), BARS.open_time.item(-1) + BAR))
    answer = reading.get(f"assets/BTC/decisions/{history}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_decision")
    assert "before the program started" in answer.json()["detail"]
    assert reading.get("assets/BTC/decisions/9999-12-31T23:59:59.999999Z").status_code == 404
    answer = reading.get(f"assets/BTC/decisions/{later}")
    assert answer.status_code == 404
    assert f"its newest one is at {iso(BARS.open_time.item(-1))}" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM record_bars WHERE open_time = ?", "1 of the 316 bars that it was made from are no longer kept"),
        ("DELETE FROM record_configurations WHERE id = 1 OR id = ?", NO_CONFIGURATION),
        ("UPDATE record_configurations SET document = CAST(x'00' || ? AS BLOB)", NO_CONFIGURATION),
    ],
)
def test_a_decision_that_cannot_be_decided_anew_is_shown_with_the_reason(
    path: Path, tmp_path: Path, statement: str, words: str
) -> None:
    (tmp_path / "record.db").write_bytes(path.read_bytes())
    with closing(sqlite3.connect(tmp_path / "record.db")) as record, record:
        assert record.execute(statement, (BARS.open_time.item(100),)).rowcount > 0
    with client(tmp_path, LocalRecord(ReadingThread(tmp_path / "record.db"), Scope(RUN, "15m"))) as reading:
        found = get(reading, f"assets/BTC/decisions/{iso(BARS.open_time.item(315))}")
    assert (found["unexplained"], found["explanation"], found["is_reproduced"]) == (words, None, None)
    assert found["decision"]["close"] == BARS.close.item(315)


def test_a_gap_is_on_the_page_of_its_time_and_the_reason_why_a_bar_is_missing(path: Path, tmp_path: Path) -> None:
    (tmp_path / "record.db").write_bytes(path.read_bytes())
    lost, last = BARS.open_time.item(320), BARS.open_time.item(324)
    with closing(sqlite3.connect(tmp_path / "record.db")) as record, record:
        record.execute("DELETE FROM record_bars WHERE open_time BETWEEN ? AND ?", (lost, last))
        columns = "(run_id, series_id, from_time, to_time, reason, decisions)"
        gap = f"INSERT INTO record_gaps {columns} VALUES (1, ?, ?, ?, ?, ?)"  # noqa: S608
        record.execute(gap, (1, lost, last, "lost", 5))
        record.execute(gap, (None, last + 1, last + 2, "killed", None))
    with client(tmp_path, LocalRecord(ReadingThread(tmp_path / "record.db"), Scope(RUN, "15m"))) as reading:
        mine = {"begin": iso(lost), "end": iso(last), "reason": "lost", "decisions": 5}
        of_all = {"begin": iso(last + 1), "end": iso(last + 2), "reason": "killed", "decisions": None}
        assert get(reading, "assets/BTC/decisions", limit=1000)["gaps"] == [mine, of_all]
        assert get(reading, "assets/ETH/decisions", limit=1000)["gaps"] == [of_all]
        assert get(reading, "assets/BTC/decisions", limit=5)["gaps"] == []
        assert get(reading, "assets/BTC/decisions", before=iso(lost))["gaps"] == [mine]
        answer = reading.get(f"assets/BTC/decisions/{iso(lost)}")
        assert answer.status_code == 404
        hole = reading.get(f"assets/ETH/decisions/{iso(lost)}").json()["detail"]
        assert f"it has none between {iso(lost - BAR)} and {iso(last + BAR)}" in hole
        assert f"the record could not be written, from {iso(lost)} to {iso(last)}" in answer.json()["detail"]


def row(number: int) -> str:
    return iso(BARS.open_time.item(number))


@pytest.mark.parametrize(
    ("kept", "asked", "words"),
    [
        # Rows whose decisions are still there.
        (range(310, 420), 305, f"is no longer kept .--keep.: the oldest one is on the bar at {row(310)}"),
        (
            range(310, 420),
            200,
            f"before the program started, and is part of the history that .* on the bar at {row(300)}",
        ),
        ([*range(300, 350), *range(353, 420)], 351, f"the program did not run.* bars at {row(349)} and {row(353)}"),
        (range(300, 415), 416, f"nor later: the newest one is on the bar at {row(414)}"),
        ([], 351, "is kept, nor any other on BTC"),
    ],
)
def test_a_bar_without_a_decision_says_why(
    path: Path, tmp_path: Path, kept: Collection[int], asked: int, words: str
) -> None:
    (tmp_path / "record.db").write_bytes(path.read_bytes())
    with closing(sqlite3.connect(tmp_path / "record.db")) as record, record:
        gone = [(time,) for number, time in enumerate(BARS.open_time.tolist()) if number not in kept]
        record.executemany("UPDATE record_bars SET config_version = NULL WHERE open_time = ?", gone)
    with client(tmp_path, LocalRecord(ReadingThread(tmp_path / "record.db"), Scope(RUN, "15m"))) as reading:
        answer = reading.get(f"assets/BTC/decisions/{row(asked)}")
    assert answer.status_code == 404
    assert f"on the bar of BTC at {row(asked)}" in answer.json()["detail"]
    assert re.search(words, answer.json()["detail"])


def test_an_answer_that_the_client_has_already_is_not_sent_again(reading: TestClient) -> None:
    first = reading.get("assets/BTC/decisions")
    again = reading.get("assets/BTC/decisions", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("assets/BTC/decisions?level=high", "'idle', 'loaded', 'aim' or 'bang'"),
        ("assets/BTC/decisions?side=up", "'long', 'short' or 'none'"),
        ("assets/BTC/decisions?blocked_by=mood", "'mood' is not a filter; there are "),
        ("assets/BTC/decisions?from=yesterday", "from: Input should be a valid datetime"),
        ("assets/BTC/decisions?before=next", "before: It should be the `next` of a page, or a time such as"),
        ("assets/BTC/decisions?before=0001-01-01T00:00:00%2B14:00", "before: It should be"),
        ("assets/BTC/decisions?to=9999-12-31T23:59:59-14:00", "to: It is before the year 1 or after 9999 in UTC"),
        ("assets/BTC/decisions?limit=1001", "A page has at most 1,000 decisions"),
        ("assets/BTC/decisions/noon", "time: It should be"),
        ("assets/DOGE/decisions", "DOGE"),
        ("decisions?asset=DOGE", "DOGE"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(reading: TestClient, where: str, words: str) -> None:
    answer = reading.get(where)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_the_document_of_the_api_has_files_and_answers_without_a_body(reading: TestClient) -> None:
    paths = reading.get("http://here/openapi.json").json()["paths"]
    for path in ("/phoenix/decisions", "/phoenix/assets/{asset}/decisions"):
        responses = paths[path]["get"]["responses"]
        assert {"application/json", "text/csv", "application/x-ndjson"} < responses["200"]["content"].keys()
        assert "304" in responses


def test_a_misspelt_parameter_is_refused(reading: TestClient) -> None:
    answer = reading.get("decisions?levels=aim")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert "'level'" in answer.json()["detail"]


def test_without_a_record_the_answer_says_so(tmp_path: Path) -> None:
    with client(tmp_path, LocalRecord(None, Scope(RUN, "15m"))) as reading:
        answer = reading.get("decisions")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_recorded")
    assert "--record off" in answer.json()["detail"]


def test_a_record_that_is_there_later_is_read_then(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    with client(tmp_path, LocalRecord(ReadingThread(path), Scope(RUN, "15m"))) as reading:
        answer = reading.get("decisions")
        assert (answer.status_code, answer.json()["code"]) == (503, "record_unavailable")
        recording = Recording(path)
        recording.add("BTC", BARS, 415)
        recording.close()
        assert len((get(reading, "assets/BTC/decisions"))["decisions"]) == 5

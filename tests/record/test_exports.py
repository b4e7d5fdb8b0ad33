"""Exports have every decision, oldest first, with the columns of docs/record.md and their types."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from making import random_bars
from record_client import client
from recording import RUN, Ordered, Recording
from vivienne.errors import RecordUnavailable
from vivienne.record.reading.exporting import COLUMNS, write_export
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import LocalRecord
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.testclient import TestClient

BARS = random_bars(3, 360)
FIRST = 300
ORDERS = {0: Ordered(4, {"settings": {"state_threshold_loaded": 5}}), 340: Ordered(5, {}, "paused")}
NAMES = [each.name for each in COLUMNS]


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("exported")
    recording = Recording(folder / "record.db")
    recording.add("BTC", BARS, FIRST, ORDERS)
    recording.add("ETH", random_bars(4, 360), 350, ORDERS)
    recording.close()
    with client(folder, LocalRecord(ReadingThread(folder / "record.db"), Scope(RUN, "15m"))) as found:
        yield found


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivienne.record.reading.selecting.PIECE", 16)


def exported(reading: TestClient, where: str) -> bytes:
    answer = reading.get(where)
    assert answer.status_code == 200, answer.text
    return answer.content


def rows_of(reading: TestClient, where: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(reading, where).splitlines()]


def test_every_decision_is_a_line_of_json_oldest_first(reading: TestClient) -> None:
    rows = rows_of(reading, "assets/BTC/decisions?format=ndjson")
    assert [row["time"] for row in rows] == [iso(time) for time in BARS.open_time[FIRST:].tolist()]
    assert {tuple(row) for row in rows} == {tuple(NAMES)}
    listed = reading.get("assets/BTC/decisions?limit=1000").json()["decisions"]
    for row, decision in zip(rows, reversed(listed), strict=True):
        assert decision | {"price": row["close"]} == {name: row.get(name, row["close"]) for name in decision}
    paused = [row for row in rows if row["status"] == "paused"]
    assert {row["position_size"] for row in paused} == {0}


def test_a_table_has_the_same_to_the_last_bit(reading: TestClient) -> None:
    rows = rows_of(reading, "assets/BTC/decisions?format=ndjson")
    answer = reading.get("assets/BTC/decisions?format=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="BTC-decisions.csv"'
    table = [*csv.DictReader(io.StringIO(answer.text))]
    read: dict[str, Any] = {
        "number": lambda text: float(text) if text else None,
        "whole": lambda text: int(text) if text else None,
        "flag": {"true": True, "false": False}.__getitem__,
        "words": str.split,
    }
    assert rows == [
        {name: read[kind](line[name]) if kind in read else line[name] or None for name, kind in COLUMNS}
        for line in table
    ]


def test_parquet_has_the_types_and_the_values(reading: TestClient) -> None:
    arrow = pytest.importorskip("arro3.io")
    rows = rows_of(reading, "assets/BTC/decisions?format=ndjson")
    table = arrow.read_parquet(io.BytesIO(exported(reading, "assets/BTC/decisions?format=parquet"))).read_all()
    kinds = {
        "time": 'Timestamp(ms, "UTC")', "text": "Utf8", "words": "Utf8", "number": "Float64", "whole": "Int64",
        "flag": "Boolean",
    }  # fmt: skip
    assert [f"{column.name}: {kinds[column.kind]}" for column in COLUMNS] == [
        line for line in str(table.schema).splitlines() if ": " in line
    ]
    for name, kind in COLUMNS:
        values = table.column(name).to_pylist()
        if kind == "time":
            values = [iso(round(value.timestamp() * 1000)) for value in values]
        assert values == [" ".join(row[name]) if kind == "words" else row[name] for row in rows], name


@pytest.mark.parametrize("place", ["its client", "the record"])
def test_a_parquet_export_that_cannot_go_on_says_why_and_has_no_end(
    reading: TestClient, place: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library writes to standard error if an error of Python's passes through it."""
    pytest.importorskip("arro3.io")
    monkeypatch.setattr("vivienne.record.reading.exporting._ROW_GROUP", 16)
    rows: Any = rows_of(reading, "assets/BTC/decisions?format=ndjson")
    written, read = [b""], [0]

    def write(part: bytes) -> None:
        if read[0] > 1 and place == "its client":
            raise RecordUnavailable("the export", "is left")
        written.append(part)

    def pieces() -> Iterator[Any]:
        for read[0] in range(1, 5):
            yield rows[:20]
            if read[0] > 1 and place == "the record":
                raise RecordUnavailable("the record", "is gone")

    with pytest.raises(RecordUnavailable, match=r"is left|is gone"):
        write_export("parquet", pieces(), write)
    assert capfd.readouterr().err == ""
    assert not b"".join(written).endswith(b"PAR1")
    assert read[0] < 4


def test_an_export_of_all_assets_has_their_entries_by_time(reading: TestClient) -> None:
    rows = rows_of(reading, "decisions?format=ndjson")
    assert {row["asset"] for row in rows} == {"BTC", "ETH"}
    assert "idle" not in {row["raw_clarity_level"] for row in rows}
    assert sorted(rows, key=lambda row: (row["time"], row["asset"])) == rows
    assert rows_of(reading, "decisions?format=ndjson&limit=20") == rows[:20]
    held = rows_of(reading, "decisions?format=ndjson&held=true&asset=ETH")
    assert held == [row for row in rows if row["held"] and row["asset"] == "ETH"]


def test_an_export_without_decisions_has_its_columns(reading: TestClient) -> None:
    assert exported(reading, "assets/SOL/decisions?format=csv").decode() == ",".join(NAMES) + "\n"


def test_what_an_export_cannot_do_is_refused(reading: TestClient) -> None:
    answer = reading.get("assets/BTC/decisions?format=csv&before=2026-01-01")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert reading.get("assets/BTC/decisions?format=xlsx").status_code == 422


def test_the_documentation_has_every_column() -> None:
    text = (Path(__file__).parents[2] / "docs/record.md").read_text(encoding="utf-8")
    table = text[text.index("| column |") :].split("\n\n", 1)[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == NAMES

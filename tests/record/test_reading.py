"""What was recorded is read back as it was, to the last bit."""

from __future__ import annotations

import math
import sqlite3
import tracemalloc
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from vivienne.agent.decision import Block, Clarity, Decision
from vivienne.errors import RecordUnavailable
from vivienne.live.entries import Readings
from vivienne.market.types import Candle
from vivienne.record.database import open_record
from vivienne.record.reader import ALL, Range, RecordReader, Segment, Series
from vivienne.record.rows import RecordedBar, RecordedDecision, written_bar, written_blocks
from vivienne.record.tables import bars, blocks, configurations, runs, series

if TYPE_CHECKING:
    from pathlib import Path

BAR = 900_000
BLOCKS = (Block("volatility", "squeeze"), Block("levels", "near_resistance"))


def a_bar(number: int, *, made: bool = True, close: float = 0.1) -> RecordedBar:
    """A bar whose numbers have no short decimal form, with a decision that a filter blocks."""
    time = number * BAR
    candle = Candle(time, 1 / 3, 0.7, 0.1 + 0.2, close + number / 7, math.nan, 1e9 / 3, 12.0, math.nan)
    decision = Decision(
        time, True, 1000, False, Clarity.LOADED, Clarity.BANG, "short", 1 / 7, 0.0, 0.0, BLOCKS, "bearish", "squeeze",
        "blocking", math.nan, 2 / 3,
    )  # fmt: skip
    of = RecordedDecision(decision, 7, 1, "live", False, 1400, 25.0, Readings(50 / 3, -0.1, math.nan), 1 / 9)
    return RecordedBar(candle, "streamed", 1, of if made else None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.db"


def write(path: Path, segments: dict[tuple[int, int], list[RecordedBar]]) -> None:
    """Make a record of one asset. Segments are named by their number and the open time of their first decision."""
    database = open_record(path, "to write")
    with database.transaction() as connection:
        connection.execute(runs.insert(), {"id": 1, "key": "push", "feed": "push", "begun_at": 0, "is_real": True})
        connection.execute(blocks.insert(), {"id": 3, "text": written_blocks(BLOCKS)})
        for (number, begins_at), rows in segments.items():
            of = {"run_id": 1, "asset": "BTC", "timeframe": "15m", "market": "", "segment": number}
            connection.execute(series.insert(), {"id": number + 1, "begins_at": begins_at, **of})
            for row in rows:
                connection.execute(bars.insert(), written_bar(row, number + 1, 3 if row.made else None))
    database.close()


def read(path: Path) -> tuple[RecordReader, Series]:
    reader = RecordReader(open_record(path, "to read"))
    of = reader.one_series(1, "BTC", "15m")
    assert of is not None
    return reader, of


def test_bars_and_decisions_come_back_to_the_last_bit(path: Path) -> None:
    rows = [a_bar(1, made=False), a_bar(2), a_bar(3)]
    write(path, {(0, 2 * BAR): rows})

    reader, of = read(path)

    assert repr(reader.bars(of)) == repr(rows)  # the text shows every bit, and NaN equals itself there
    columns = reader.decided_bars(of)
    assert columns.is_decided.tolist() == [False, True, True]
    assert columns.level.tolist() == [0, 1, 1]
    assert columns.side.tolist() == [0, -1, -1]
    assert columns.size.tolist() == [0, 0, 0]
    assert columns.has_effect.tolist() == [False, True, True]
    assert [columns.blocked_by[each] for each in columns.blocks] == [
        (),
        ("volatility", "levels"),
        ("volatility", "levels"),
    ]
    assert columns.bars.close.tolist() == [row.bar.close for row in rows]
    assert math.isnan(columns.confidence[0])
    assert columns.version.tolist() == [0, 7, 7]


def test_a_page_has_the_newest_bars_before_a_time(path: Path) -> None:
    write(path, {(0, BAR): [a_bar(number) for number in range(1, 11)]})

    reader, of = read(path)

    def times(wanted: Range) -> list[int]:
        return [each.bar.open_time // BAR for each in reader.bars(of, wanted)]

    assert times(Range(limit=3)) == [8, 9, 10]
    assert times(Range(before=8 * BAR, limit=3)) == [5, 6, 7]
    assert times(Range(first=2 * BAR, last=4 * BAR)) == [2, 3, 4]
    assert times(Range(before=BAR)) == []
    assert len(reader.decided_bars(of, Range(before=BAR))) == 0


def test_a_segment_counts_from_its_first_decision(path: Path) -> None:
    older = [a_bar(number) for number in range(1, 7)]
    newer = [
        *(a_bar(number, made=False, close=0.2) for number in range(3, 5)),
        a_bar(5, close=0.2),
        a_bar(7, close=0.2),
    ]
    write(path, {(0, BAR): older, (1, 5 * BAR): newer})

    reader, of = read(path)

    assert of.segments == (Segment(1, BAR, 5 * BAR), Segment(2, 5 * BAR, None))
    assert repr(reader.bars(of)) == repr([*older[:4], *newer[2:]])
    assert repr(reader.bars(of, Range(limit=3))) == repr([older[3], *newer[2:]])
    assert repr(reader.segment(of.segments[1], 0, 9 * BAR)) == repr(newer)
    assert reader.decided_bars(of, ALL).bars.close.tolist() == [each.bar.close for each in [*older[:4], *newer[2:]]]


def test_a_configuration_that_unpacks_to_more_than_any_has_is_damaged(path: Path) -> None:
    write(path, {(0, BAR): [a_bar(1)]})
    database = open_record(path, "to write")
    with database.transaction() as connection:
        packed = zlib.compress(b'"' + bytes(30_000_000).replace(b"\0", b"a") + b'"')
        connection.execute(configurations.insert(), {"id": 1, "digest": "x", "document": packed})
        connection.execute(configurations.insert(), {"id": 2, "digest": "y", "document": zlib.compress(b"{}")})
    database.close()
    reader, _ = read(path)

    tracemalloc.start()
    try:
        with pytest.raises(LookupError, match="is damaged"):
            reader.configuration(1)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert reader.configuration(2) == {}


def test_many_bars_are_read_a_few_at_a_time(path: Path) -> None:
    older = [a_bar(number) for number in range(1, 7)]
    write(path, {(0, BAR): older, (1, 5 * BAR): [a_bar(5, close=0.2), a_bar(7, close=0.2)]})
    names = ", ".join(each.name for each in bars.columns if each.name != "open_time")
    with closing(sqlite3.connect(path)) as record, record:
        record.execute(
            f"WITH RECURSIVE n(k) AS (SELECT 8 UNION ALL SELECT k + 1 FROM n WHERE k < 8000) "  # noqa: S608  # names
            f"INSERT INTO record_bars (open_time, {names}) SELECT k * {BAR}, {names} FROM n, record_bars "
            f"WHERE series_id = 2 AND open_time = {7 * BAR}"
        )
    reader, of = read(path)
    reader.decided_bars(of, Range(limit=10))  # what is read once, as the blocks

    tracemalloc.start()
    try:
        columns = reader.decided_bars(of)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert columns.bars.open_time.tolist() == [number * BAR for number in (1, 2, 3, 4, 5, *range(7, 8001))]
    assert {columns.blocked_by[each] for each in columns.blocks} == {("volatility", "levels")}
    assert reader.decided_bars(of, Range(limit=7_997)).bars.open_time[0] == 3 * BAR
    assert most < 4_000_000  # rows of the database alone have 6 MB


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        (b"no database at all, but a text" * 100, "is not a SQLite database"),
    ],
)
def test_a_file_that_is_no_record_is_not_read(path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RecordUnavailable, match=said):
        open_record(path, "to read")
    assert (path.read_bytes() if path.exists() else None) == content

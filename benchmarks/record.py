"""The record: what a decision costs the event loop, how fast decisions are written and read, and how large it grows."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
import zlib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Double

from measuring import Figure, percentile, spread
from vivienne.changes.in_force import LayersInForce
from vivienne.live.asset import LiveAsset
from vivienne.market.feeds.simulated import simulated_minutes
from vivienne.market.timeframe import Timeframe
from vivienne.metrics.registry import Metrics
from vivienne.record.database import open_record
from vivienne.record.reader import Range, RecordReader
from vivienne.record.recalling import Recalling
from vivienne.record.recorder import Recorder, Recording
from vivienne.record.sessions import Process, RunKey
from vivienne.record.tables import bars
from vivienne.record.writing import Markets

if TYPE_CHECKING:
    from sqlalchemy import Column

    from vivienne.live.asset import DecisionMade

_TIMEFRAME = Timeframe.M15
_LENGTH = _TIMEFRAME.milliseconds
_BEGIN = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
_MANY, _CLOSES = 1_000, 12
_PAGE = 500
_ROUNDS = 60
_TOGETHER = 500
"""Bar closes that are filled in at a time."""
_YEAR_BARS = 365 * 96
_RUN = RunKey("push", "push", None, is_real=True)


def measure(years: float = 2.0, assets: float = 50) -> list[Figure]:
    """Measure writing into a new record and into a large one, and reading from that."""
    with tempfile.TemporaryDirectory() as folder:
        new, large = Path(folder) / "new.db", Path(folder) / "large.db"
        made = _decisions()
        loop = _loop_cost(made)
        at_first = _written(new, made)
        rows = _fill(large, int(assets), int(years * _YEAR_BARS))
        size = large.stat().st_size / rows
        pages = _pages(large, int(assets), int(years * _YEAR_BARS))
        recalled = _recalled(large, int(assets))
        later = _written(large, made)
    year = size * 50 * _YEAR_BARS / 1e6
    return [
        Figure("event loop, for each recorded decision", spread(loop, "us", 1), "<= 100 us",
               percentile(loop, 50) <= 100),
        Figure(f"{_MANY:,} assets on one bar close, written into a new record", spread(at_first, "s"), "<= 1 s",
               percentile(at_first, 50) <= 1),
        Figure(f"the same, with {rows:,} rows in it", spread(later, "s"), "<= 1 s", percentile(later, 50) <= 1),
        Figure(f"size of a row, {rows:,} of them", f"{size:.0f} bytes"),
        Figure("a year of 50 assets at 15m", f"{year:.0f} MB", "<= 400 MB", year <= 400),
        Figure(f"page of {_PAGE} old bars with decisions, p50", f"{percentile(pages, 50):.1f} ms", "<= 30 ms",
               percentile(pages, 50) <= 30),
        Figure("the same, p99", f"{percentile(pages, 99):.1f} ms"),
        Figure(f"start: the last 2,500 bars of {assets:.0f} assets, with decisions", f"{recalled:.2f} s"),
    ]  # fmt: skip


def _decisions() -> list[list[DecisionMade]]:
    """Decisions of many assets on some bars, one list for each bar close."""
    active = LayersInForce(("BTC",), [], {}).active("BTC")
    asset = LiveAsset("BTC", feed="push", timeframe=_TIMEFRAME, window=2_500, active=lambda: active)
    minutes = simulated_minutes("BTC", 1)
    closed: list[DecisionMade] = []
    while len(closed) < _CLOSES:
        if asset.take(next(minutes), "pushed"):
            closed += asset.decide_closed()
    return [[made._replace(asset=_name(number)) for number in range(_MANY)] for made in closed]


def _name(number: int) -> str:
    return f"A{number}"


def _recorder(path: Path) -> Recorder:
    process = Process("benchmark", "1", require_full_history=False, started_at=0)
    return Recorder(Recording(path, _RUN, process, Markets(_TIMEFRAME, {})), Metrics())


def _loop_cost(made: list[list[DecisionMade]]) -> list[float]:
    """Microseconds for which the event loop is busy with recording a decision."""
    with tempfile.TemporaryDirectory() as folder:
        to, costs = _recorder(Path(folder) / "r.db"), []
        for each in made:
            begin = time.perf_counter()
            for one in each:
                to.take(one)
            costs.append((time.perf_counter() - begin) / len(each) * 1e6)
    return costs


def _written(path: Path, made: list[list[DecisionMade]]) -> list[float]:
    """Seconds until the decisions of all assets on a bar are written; not the first ones, which begin the series."""
    to, seconds = _recorder(path), []
    for each in made:
        for one in each:
            to.take(one)
        begin = time.perf_counter()
        to.write_all()
        seconds.append(time.perf_counter() - begin)
    to.let_go()
    return seconds[1:]


def _fill(path: Path, assets: int, count: int) -> int:
    """Fill a new record with decisions, in the order in which they would have come."""
    to = _recorder(path)
    to.write_all()
    to.let_go()
    numbers = "WITH RECURSIVE bar(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM bar WHERE n + 1 < ?), "
    numbers += "asset(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM asset WHERE k < ?) "
    names = ", ".join(column.name for column in bars.columns)
    values = ", ".join(_value(column) for column in bars.columns)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("INSERT INTO record_blocks VALUES (1, 'volatility/squeeze')")
        database.execute("INSERT INTO record_configurations VALUES (1, 'x', ?)", [zlib.compress(b"{}")])
        database.executemany(
            "INSERT INTO record_series (id, run_id, asset, timeframe, market, segment, begins_at) "
            "VALUES (?, 1, ?, '15m', '', 0, ?)",
            [(number + 1, _name(number), _BEGIN) for number in range(assets)],
        )
        for first in range(0, count, _TOGETHER):
            last = min(count, first + _TOGETHER)
            database.execute(
                f"INSERT INTO record_bars ({names}) {numbers}SELECT {values} FROM bar CROSS JOIN asset",  # noqa: S608  # names of columns
                (first, last, assets),
            )
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return assets * count


def _value(column: Column[Any]) -> str:
    """A value as it might be, in SQL. Prices have all the digits that they can have, so they take most space."""
    if column.name in ("series_id", "open_time"):
        return "k" if column.name == "series_id" else f"{_BEGIN} + n * {_LENGTH}"
    if column.name in ("trade_count", "size", "wanted"):
        return "abs(random() % 20000) * 1.0"
    if column.name == "cap":
        return "100.0"
    if isinstance(column.type, Double):
        return {"high": "300", "low": "100"}.get(column.name, "200") + " + random() / 3e17"
    others = {"config_version": "1234", "history": "1000", "used": "1400", "number": "n + 1"}
    others |= dict.fromkeys(("bar_seal", "decision_seal"), "abs(random() % 281474976710656)")
    return others.get(column.name, "1")


def _pages(path: Path, assets: int, count: int) -> list[float]:
    """Milliseconds for a page of old bars, at random times of random assets."""
    chance = random.Random(1)  # noqa: S311  # the same pages each time
    reader, found = RecordReader(open_record(path, "to read")), []
    for _ in range(_ROUNDS):
        asset, before = chance.randrange(assets), chance.randrange(_PAGE, count)
        begin = time.perf_counter()
        series = reader.one_series(1, _name(asset), _TIMEFRAME.value)
        if series is None or len(reader.bars(series, Range(before=_BEGIN + before * _LENGTH, limit=_PAGE))) < _PAGE:
            raise ValueError("a page is missing")
        found.append((time.perf_counter() - begin) * 1e3)
    reader.close()
    return found


def _recalled(path: Path, assets: int) -> float:
    """Seconds in which a process that starts reads the last bars of all assets."""
    begin = time.perf_counter()
    memory = Recalling(_recorder(path).recording)
    for number in range(assets):
        memory.recall(_name(number), 2_500)
    memory.close()
    return time.perf_counter() - begin

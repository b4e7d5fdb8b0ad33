"""Reading a large record: pages of decisions, charts of old bars, explanations, and the verification."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
import zlib
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from measuring import Figure, percentile
from vivienne.agent.decision import NO_CAP
from vivienne.agent.evaluate import bars_used, evaluate
from vivienne.agent.schema import Configuration
from vivienne.config.tunables import DEFAULTS
from vivienne.live.entries import readings
from vivienne.market.bars import BarBuilder
from vivienne.market.feeds.simulated import simulated_minutes
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars
from vivienne.record.database import open_record
from vivienne.record.interning import digest_of
from vivienne.record.numbering import number
from vivienne.record.reader import RecordReader
from vivienne.record.reading import answers
from vivienne.record.reading.older_bars import InForce
from vivienne.record.reading.query import DecisionQuery
from vivienne.record.reading.scope import newest_scope
from vivienne.record.rows import RecordedBar, RecordedDecision, written_bar, written_blocks
from vivienne.record.seals import bar_seal
from vivienne.record.tables import bars as table
from vivienne.record.tables import blocks, configurations, runs, series, sessions
from vivienne.record.verifying.running import Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vivienne.record.database import RecordDatabase

_TIMEFRAME = Timeframe.M15
_YEAR_BARS = 365 * 96
_TOGETHER = 5_000
_ROUNDS = 40
_PAGE = 500
_VERIFIED = 3
"""Assets that are verified. The others are copies, whose seals do not fit."""


def measure(years: float = 2.0, assets: float = 50) -> list[Figure]:
    """Measure reading from a record of some years of assets that all have the same bars and decisions."""
    count, many = int(years * _YEAR_BARS), int(assets)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.db"
        closed = _fill(path, count, many)
        reader = RecordReader(open_record(path, "to read"))
        chance = random.Random(1)  # noqa: S311  # the same pages each time
        times = [closed.open_time.item(chance.randrange(3 * _PAGE, count)) for _ in range(_ROUNDS)]
        scope, now = newest_scope(reader, None), InForce(Configuration(), NO_CAP)
        calls: dict[str, tuple[Callable[[int], object], float | None]] = {
            f"chart of {_PAGE} old bars with decisions": (
                lambda time: answers.bars(reader, scope, "A1", time, _PAGE, now), 30,
            ),
            "page of 100 decisions on one asset": (
                lambda time: answers.decisions(reader, scope, "A1", DecisionQuery(end=time, limit=100)), None,
            ),
            "page of 100 entries of all assets": (
                lambda time: answers.signals(reader, scope, DecisionQuery(end=time, limit=100)), None,
            ),
            "the same, of a rare kind (bang, not held)": (
                lambda time: answers.signals(
                    reader, scope, DecisionQuery(end=time, levels=("bang",), held=False, limit=100)
                ), None,
            ),
            "one decision, explained": (lambda time: answers.explanation(reader, scope, "A1", time), None),
        }  # fmt: skip
        figures = [_figure(name, call, times, wanted) for name, (call, wanted) in calls.items()]
        figures += [_export(reader, scope), *_verified(reader)]
        reader.close()
    return [Figure("rows of the record", f"{count * many:,}"), *figures]


def _figure(name: str, call: Callable[[int], object], times: list[int], wanted: float | None) -> Figure:
    """Milliseconds of a call for pages at some times, and those of the processor: others may use it too."""
    found, used = [], []
    for each in times:
        begin, cpu = time.perf_counter(), time.thread_time()
        call(each)
        found.append((time.perf_counter() - begin) * 1e3)
        used.append((time.thread_time() - cpu) * 1e3)
    typical = percentile(found, 50)
    text = f"{typical:.1f} ms, p99 {percentile(found, 99):.1f} ms; processor {percentile(used, 50):.1f} ms"
    return Figure(name, text) if wanted is None else Figure(name, text, f"<= {wanted:g} ms", typical <= wanted)


def _export(reader: RecordReader, scope: Any) -> Figure:
    begin, cpu, rows = 0, time.process_time(), 0
    for _ in range(10):
        piece = answers.rows(reader, scope, DecisionQuery(assets=("A1",), begin=begin))
        rows, begin = rows + len(piece["rows"]), piece["next"] or 0
    return Figure("rows of an export", f"{rows / (time.process_time() - cpu):,.0f} a second and core")


def _verified(reader: RecordReader) -> Iterator[Figure]:
    """Decisions a second and core of a verification, and its longest step."""
    verification, longest, cpu, begin = Verification(reader), 0.0, time.process_time(), time.perf_counter()
    for each in (reader.one_series(1, f"A{place + 1}", "15m") for place in range(_VERIFIED)):
        if each is None:
            break
        for _ in verification.steps(each):
            longest, begin = max(longest, time.perf_counter() - begin), time.perf_counter()
    rate = verification.decisions / (time.process_time() - cpu)
    if verification.different or verification.damaged:
        raise ValueError("decisions are different")
    yield Figure("verification", f"{rate:,.0f} decisions a second and core", ">= 20,000", rate >= 20_000)
    yield Figure("longest step of it", f"{longest * 1e3:.0f} ms")


def _fill(path: Path, count: int, many: int) -> Bars:
    """A record of real decisions, those of the first asset copied to the others."""
    builder, minutes = BarBuilder(_TIMEFRAME), simulated_minutes("BTC", 1)
    candles = filter(None, map(builder.add, minutes))
    closed = Bars.from_candles(islice(candles, count))
    database = open_record(path, "to write")
    _write_common(database, many, closed)
    _write_bars(database, closed, min(many, _VERIFIED))
    database.close()
    names = ", ".join(column.name for column in table.columns if column.name != "series_id")
    with closing(sqlite3.connect(path, isolation_level=None)) as record:
        for number in range(_VERIFIED + 1, many + 1):
            record.execute(
                f"INSERT INTO record_bars (series_id, {names}) "  # noqa: S608  # names of columns
                f"SELECT ?, {names} FROM record_bars WHERE series_id = 1",
                (number,),
            )
        record.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return closed


def _write_common(database: RecordDatabase, many: int, closed: Bars) -> None:
    with database.transaction() as connection:
        connection.execute(runs.insert(), {"id": 1, "key": "push", "feed": "push", "begun_at": 0, "is_real": True})
        session = {"process": "benchmark", "program_version": "1", "require_full_history": False}
        connection.execute(sessions.insert(), {"id": 1, "run_id": 1, "started_at": 0, "alive_at": 0, **session})
        text = orjson.dumps(DEFAULTS)
        row = {"id": 1, "digest": digest_of(text), "document": zlib.compress(text)}
        connection.execute(configurations.insert(), row)
        of = {"run_id": 1, "timeframe": "15m", "market": "", "segment": 0, "begins_at": closed.open_time.item(0)}
        connection.execute(
            series.insert(), [{**of, "id": number, "asset": f"A{number}"} for number in range(1, many + 1)]
        )


def _write_bars(database: RecordDatabase, closed: Bars, many: int) -> None:
    evaluation = evaluate(closed, Configuration(), _TIMEFRAME.minutes, len(closed))
    decisions, read, atr = evaluation.decisions(), readings(evaluation), evaluation.now.atr.tolist()
    sets: dict[str, int] = {}
    used = partial(bars_used, timeframe_minutes=_TIMEFRAME.minutes)
    rows = []
    for row, (candle, decision) in enumerate(zip(closed.candles(), decisions, strict=True)):
        made = RecordedDecision(
            decision=decision, config_version=1, configuration_id=1, status="live", is_paused=False,
            used=used(decision.open_time, available=row + 1), cap=NO_CAP, readings=read[row], atr=atr[row],
        )  # fmt: skip
        blocks_id = sets.setdefault(written_blocks(decision.blocks), len(sets) + 1)
        rows.append(written_bar(RecordedBar(candle, "pushed", 1, made), 1, blocks_id))
    with database.transaction() as connection:
        connection.execute(blocks.insert(), [{"id": each, "text": text} for text, each in sets.items()])
        for series_id in range(1, many + 1):
            for first in range(0, len(rows), _TOGETHER):
                some = [{**row, "series_id": series_id} for row in rows[first : first + _TOGETHER]]
                number(connection, some)
                sealed = [{**row, "bar_seal": bar_seal(row)} for row in some]
                connection.execute(table.insert(), sealed)

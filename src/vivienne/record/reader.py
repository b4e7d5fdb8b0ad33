"""Reads a record. Every method blocks; one thread at a time may use a reader."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import func, or_, select

from vivienne.market.types import Bars, Candle
from vivienne.record.columns import COLUMNS, as_columns
from vivienne.record.interning import digest_of
from vivienne.record.rows import read_bar, read_blocks
from vivienne.record.tables import UNUSED, bars, blocks, configurations, gaps, runs, series, sessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.engine import Connection

    from vivienne.agent.decision import Block
    from vivienne.record.columns import DecidedBars
    from vivienne.record.database import RecordDatabase
    from vivienne.record.rows import RecordedBar
    from vivienne.wire.document import Document


class Run(NamedTuple):
    """A course of market time; see the table `runs`."""

    id: int
    key: str
    feed: str
    exchange: str | None
    begun_at: int
    is_real: bool


class Session(NamedTuple):
    """A process that recorded; see the table `sessions`."""

    id: int
    run_id: int
    process: str
    program_version: str
    require_full_history: bool
    started_at: int
    alive_at: int
    ended_at: int | None
    ended_cleanly: bool | None


class Gap(NamedTuple):
    """Decisions that are not in the record; see the table `gaps`."""

    series_id: int | None
    from_time: int
    to_time: int
    reason: str
    decisions: int | None


class Segment(NamedTuple):
    """Bars that decisions were made from, and these decisions.

    Attributes:
        id: of its row in the table `series`.
        begins_at: open time of its first decision. Rows before it have no decision that counts.
        ends_at: open time at which the next segment begins; None for the newest one.
    """

    id: int
    begins_at: int
    ends_at: int | None


@dataclass(frozen=True, slots=True)
class Series:
    """The recorded bars of one market, in segments, oldest first.

    A page or a column goes through all of them: each counts from where it begins to where the next one does, and the
    first one has the bars before. To decide a bar again, use the rows of its segment only: `RecordReader.segment`.
    """

    run_id: int
    asset: str
    timeframe: str
    market: str
    segments: tuple[Segment, ...]


class Range(NamedTuple):
    """Which bars of a series are meant, by their open time in ms since the epoch.

    Attributes:
        first, last: both are meant too.
        before: only earlier ones.
        limit: most bars, the newest ones.
    """

    first: int | None = None
    last: int | None = None
    before: int | None = None
    limit: int | None = None


ALL = Range()
_LARGEST_CONFIGURATION = 1_000_000
"""Bytes; a configuration with all its values has some ten thousand."""
_TOGETHER = 1_000
"""Rows that are read at once, where there may be very many."""
_REST_SECONDS = 0.0005
"""After them, in which other threads have the interpreter: the agent decides in one of them, and pauses."""


class RecordReader:
    """Reads a record.

    Every method raises `RecordUnavailable` if the database does not answer.

    Args:
        database: opened to be read.
    """

    def __init__(self, database: RecordDatabase) -> None:
        self._database = database
        self._blocks: dict[int, tuple[Block, ...]] = {}

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def runs(self) -> list[Run]:
        """All runs, the newest last: the one in which a process recorded last."""
        newest = select(sessions.c.run_id, func.max(sessions.c.id).label("session")).group_by(sessions.c.run_id)
        found = newest.subquery()
        query = (
            select(*(runs.c[name] for name in Run._fields))
            .join(found, found.c.run_id == runs.c.id)
            .order_by(found.c.session)
        )
        return [Run(*row) for row in self.rows(query)]

    def sessions(self, run_id: int) -> list[Session]:
        """The processes that recorded a run, oldest first."""
        columns = [sessions.c[name] for name in Session._fields]
        query = select(*columns).where(sessions.c.run_id == run_id).order_by(sessions.c.id)
        return [Session(*row) for row in self.rows(query)]

    def series(self, run_id: int) -> list[Series]:
        """The series of a run, by asset."""
        return self._series(series.c.run_id == run_id)

    def all_series(self) -> list[Series]:
        """The series of all runs, also of those that are not in the record themselves."""
        return self._series()

    def _series(self, *chosen: ColumnElement[bool]) -> list[Series]:
        order = series.c.run_id, series.c.asset, series.c.timeframe, series.c.market, series.c.segment
        found: dict[tuple[int, str, str, str], list[Any]] = {}
        for row in self.rows(select(series).where(*chosen).order_by(*order)):
            found.setdefault((row.run_id, row.asset, row.timeframe, row.market), []).append(row)
        return [Series(*key, _segments(rows)) for key, rows in found.items()]

    def one_series(self, run_id: int, asset: str, timeframe: str, market: str = "") -> Series | None:
        """The series of one market; None if nothing of it was recorded."""
        query = select(series).where(
            series.c.run_id == run_id,
            series.c.asset == asset,
            series.c.timeframe == timeframe,
            series.c.market == market,
        )
        found = self.rows(query.order_by(series.c.segment))
        return Series(run_id, asset, timeframe, market, _segments(found)) if found else None

    def gaps(self, run_id: int, first: int, last: int) -> list[Gap]:
        """Decisions of a run that are missing between two times, oldest first."""
        return self._gaps(run_id, first, last)

    def newest_gaps(self, of: Series, first: int, last: int, *, is_real: bool, most: int) -> list[Gap]:
        """The newest gaps of an asset between two times, oldest first.

        Args:
            of: the asset.
            first: ms since the epoch.
            last: likewise.
            is_real: whether gaps of all assets of a process are meant too.
            most: largest number.
        """
        meant: ColumnElement[bool] = gaps.c.series_id.in_([each.id for each in of.segments])
        if is_real:
            meant = or_(meant, gaps.c.series_id.is_(None))
        return self._gaps(of.run_id, first, last, meant, most=most)

    def _gaps(
        self, run_id: int, first: int, last: int, *more: ColumnElement[bool], most: int | None = None
    ) -> list[Gap]:
        query = select(gaps.c.series_id, gaps.c.from_time, gaps.c.to_time, gaps.c.reason, gaps.c.decisions).where(
            gaps.c.run_id == run_id, gaps.c.to_time >= first, gaps.c.from_time <= last, *more
        )
        newest = query.order_by(gaps.c.from_time.desc(), gaps.c.id.desc()).limit(most)
        return [Gap(*row) for row in reversed(self.rows(newest))]

    def configuration(self, configuration_id: int) -> Document:
        """An effective configuration, all values.

        Raises:
            LookupError: there is none of this id, or it is damaged.
        """
        return self.checked_configuration(configuration_id)[0]

    def checked_configuration(self, configuration_id: int) -> tuple[Document, bool]:
        """The same, and whether it is the one that was recorded: its digest is known, unless it is about to go."""
        query = select(configurations.c.document, configurations.c.digest)
        found = self.rows(query.where(configurations.c.id == configuration_id))
        if not found:
            raise LookupError(f"no configuration {configuration_id} in the record")
        [(packed, digest)] = found
        try:
            unpacking = zlib.decompressobj()
            text = unpacking.decompress(packed, _LARGEST_CONFIGURATION)
            if not unpacking.eof:
                raise LookupError(f"the configuration {configuration_id} of the record is damaged")
            document: Document = orjson.loads(text)
        except (zlib.error, orjson.JSONDecodeError, TypeError) as error:
            raise LookupError(f"the configuration {configuration_id} of the record is damaged") from error
        return document, str(digest).startswith(UNUSED) or digest == digest_of(text)

    def bars(self, of: Series, wanted: Range = ALL) -> list[RecordedBar]:
        """Bars with all that was recorded of them, oldest first."""
        rows = self.counted(of, select(bars), wanted)
        return [read_bar(row, self._blocks) for row in rows]

    def candles(self, of: Series, wanted: Range = ALL) -> Bars:
        """The same bars without anything else, as columns."""
        rows = self.counted(of, select(*(bars.c[name] for name in (*Candle._fields, "blocks_id"))), wanted)
        return Bars.from_candles(row[:-1] for row in rows)

    def decided_bars(self, of: Series, wanted: Range = ALL) -> DecidedBars:
        """The same bars as columns."""
        query = select(*(bars.c[name] for name in COLUMNS))
        with self._database.transaction() as connection:
            return as_columns(self._counted(connection, of, query, wanted), self._blocks)

    def segment(self, segment: Segment, first: int, last: int) -> list[RecordedBar]:
        """Bars of one segment alone, oldest first: from these its decisions were made, to the last bit."""
        query = select(bars).where(bars.c.series_id == segment.id, bars.c.open_time.between(first, last))
        return [bar for _, bar in self.found(query.order_by(bars.c.open_time))]

    def segment_candles(self, segment: Segment, first: int, last: int) -> Bars:
        """The same bars without anything else, as columns."""
        times = bars.c.open_time.between(first, last)
        query = select(*(bars.c[name] for name in Candle._fields)).where(bars.c.series_id == segment.id, times)
        return Bars.from_candles(self.rows(query.order_by(bars.c.open_time)))

    def found(self, query: Select[Any]) -> list[tuple[int, RecordedBar]]:
        """The bars that a query of the table `bars` finds, each with the id of its segment."""
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
            self._know_blocks(connection, rows)
        return [(row.series_id, read_bar(row, self._blocks)) for row in rows]

    def counted(self, of: Series, query: Select[Any], wanted: Range) -> list[Any]:
        """Rows of the table `bars` that count, of all segments in a range, oldest first."""
        with self._database.transaction() as connection:
            found = [row for rows in self._counted(connection, of, query, wanted) for row in rows]
        found.reverse()
        return found

    def _counted(
        self, connection: Connection, of: Series, query: Select[Any], wanted: Range
    ) -> Iterator[Sequence[Any]]:
        """The same, newest first, some at a time; other threads have a turn between."""
        left = wanted.limit
        for condition in _pieces(of, wanted):
            page = query.where(*condition).order_by(bars.c.open_time.desc()).limit(left)
            for rows in connection.execute(page, execution_options={"yield_per": _TOGETHER}).partitions():
                self._know_blocks(connection, rows)
                yield rows
                sleep(_REST_SECONDS)
                left = None if left is None else left - len(rows)
            if left == 0:
                return

    def _know_blocks(self, connection: Connection, rows: Sequence[Any]) -> None:
        missing = {row.blocks_id for row in rows} - self._blocks.keys() - {None}
        if missing:
            found = connection.execute(select(blocks.c.id, blocks.c.text).where(blocks.c.id.in_(missing)))
            self._blocks |= {number: read_blocks(text) for number, text in found}

    def blocks_of(self, rows: Sequence[Any]) -> dict[int, tuple[Block, ...]]:
        """The sets of scenarios that block, by their id, of rows of the table `bars`."""
        with self._database.transaction() as connection:
            self._know_blocks(connection, rows)
        return self._blocks

    def rows(self, query: Select[Any]) -> Sequence[Any]:
        """The rows that a query finds."""
        with self._database.transaction() as connection:
            return connection.execute(query).all()


def _segments(rows: Sequence[Any]) -> tuple[Segment, ...]:
    """Segments from their rows. The newest one counts, even if it begins before an older one, after a wrong clock."""
    found: list[Segment] = []
    end: int | None = None
    for row in reversed(rows):
        found.append(Segment(row.id, row.begins_at, end))
        end = row.begins_at if end is None else min(end, row.begins_at)
    return tuple(reversed(found))


def _pieces(of: Series, wanted: Range) -> Iterator[list[Any]]:
    """Conditions for the rows of each segment that count, the newest segment first."""
    time = bars.c.open_time
    asked = [
        *([] if wanted.first is None else [time >= wanted.first]),
        *([] if wanted.last is None else [time <= wanted.last]),
        *([] if wanted.before is None else [time < wanted.before]),
    ]
    for number, segment in reversed([*enumerate(of.segments)]):
        counts = [bars.c.series_id == segment.id, *asked]
        if number:
            counts.append(time >= segment.begins_at)
        if segment.ends_at is not None:
            counts.append(time < segment.ends_at)
        yield counts

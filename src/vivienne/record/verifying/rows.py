"""Compares the rows of smaller tables with their seals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from vivienne.record.seals import SEALED_ROWS, row_seal
from vivienne.record.tables import bars, gaps, runs, series, sessions
from vivienne.record.verifying.complete import Numbered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from vivienne.record.reader import RecordReader
    from vivienne.wire.record import AlteredRow


def altered_rows(reader: RecordReader) -> Iterator[AlteredRow]:
    """Rows that were altered after they were recorded, and those that others refer to and that are not there."""
    for table in SEALED_ROWS:
        for row in reader.rows(select(table).order_by(table.c.id)):
            known = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
            if known["seal"] is not None and known["seal"] != row_seal(table, known):
                yield {"table": table.name, "id": row.id, "is_removed": False}
    for row in reader.rows(select(series.c.id).where(series.c.kept_from > series.c.numbered + 1)):
        yield {"table": series.name, "id": row.id, "is_removed": False}
    for table in (series, sessions):
        query = select(table.c.run_id).distinct().where(table.c.run_id.not_in(select(runs.c.id)))
        for row in reader.rows(query):
            yield {"table": runs.name, "id": row.run_id, "is_removed": True}
    for each in _without_series(reader):
        yield {"table": series.name, "id": each, "is_removed": True}


def sealed_sessions(reader: RecordReader, run_id: int) -> set[int]:
    """The sessions of a run that seal everything they record."""
    query = select(sessions.c.id).where(sessions.c.run_id == run_id, sessions.c.seal.is_not(None))
    return {row.id for row in reader.rows(query)}


def removed_sessions(reader: RecordReader, ids: Collection[int]) -> list[int]:
    """Those of these sessions that are not in the record."""
    there = {row.id for row in reader.rows(select(sessions.c.id))} if ids else set()
    return sorted(each for each in ids if each not in there)


def gaps_of(reader: RecordReader, series_id: int) -> list[tuple[int, int]]:
    """The times of the gaps of a series: open times of the first and the last bar."""
    query = select(gaps.c.from_time, gaps.c.to_time).where(gaps.c.series_id == series_id)
    return [(row.from_time, row.to_time) for row in reader.rows(query)]


def numbered(reader: RecordReader, series_id: int) -> Numbered:
    """What the row of a series says of its decisions."""
    query = select(series.c.numbered, series.c.kept_from).where(series.c.id == series_id)
    return Numbered(*next(iter(reader.rows(query)), (0, 1)))


def count_numbers(reader: RecordReader, series_id: int, first: int, last: int) -> int:
    """How many decisions of a series have a number from the first to the last."""
    chosen = bars.c.series_id == series_id, bars.c.number.between(first, last)
    return int(reader.rows(select(func.count()).where(*chosen))[0][0])


def _without_series(reader: RecordReader) -> Iterator[int]:
    """Series that are not there, though they have bars. Each look needs the key only."""
    known = {row.id for row in reader.rows(select(series.c.id))}
    query: Any = select(bars.c.series_id).order_by(bars.c.series_id).limit(1)
    found = reader.rows(query)
    while found:
        if found[0].series_id not in known:
            yield found[0].series_id
        found = reader.rows(query.where(bars.c.series_id > found[0].series_id))

"""Takes out configurations that no decision of the record refers to any more, a little at a time.

Processes remember the numbers of configurations that they recorded, and may refer to one again after all of its
decisions have gone. So one that nothing refers to is marked first: nobody finds it any more, and a process that
remembers it adds it anew (see `Interning.confirm`). If nothing refers to it at the next time either, it goes. No
transaction lasts as long as that.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, cast, delete, func, select, update

from vivienne.record.tables import UNUSED, bars, configurations, series

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import ColumnElement

    from vivienne.record.database import RecordDatabase

_PAUSE_SECONDS = 6 * 3_600.0
_ROWS = 10_000
"""Bars that are looked at in one transaction."""
_SLICE = 500
"""Configurations that one transaction takes."""


class Forgetting:
    """Looks for configurations that nothing refers to, now and then: all bars have to be looked at."""

    def __init__(self) -> None:
        self._next = 0.0

    def steps(self, database: RecordDatabase, *, is_likely: bool) -> Iterator[int]:
        """See `forget_configurations`; nothing if it was done not long ago."""
        if monotonic() >= self._next:
            yield from forget_configurations(database, is_likely=is_likely)
            self._next = monotonic() + _PAUSE_SECONDS


def forget_configurations(database: RecordDatabase, *, is_likely: bool) -> Iterator[int]:
    """Take out what nothing referred to the last time either, in transactions of their own; the number of rows of each.

    Args:
        database: opened to be written.
        is_likely: whether decisions have gone. If not, only configurations that are marked are looked at.
    """
    marked, others = _ids(database, is_marked=True), _ids(database, is_marked=False)
    if not marked and not (is_likely and others):
        return
    used: set[int] = set()
    for found in _used(database):
        used |= found
        yield 0
    yield from _each(database, [each for each in marked if each not in used], is_to_go=True)
    for _ in _each(database, [each for each in others if each not in used], is_to_go=False):
        yield 0


def _ids(database: RecordDatabase, *, is_marked: bool) -> list[int]:
    is_unused: ColumnElement[bool] = configurations.c.digest.startswith(UNUSED)
    query = select(configurations.c.id).where(is_unused if is_marked else ~is_unused)
    with database.transaction() as connection:
        return [*connection.execute(query).scalars()]


def _used(database: RecordDatabase) -> Iterator[set[int]]:
    """The configurations that decisions refer to, of some bars at a time."""
    with database.transaction() as connection:
        ids = [*connection.execute(select(series.c.id)).scalars()]
    for series_id in ids:
        after: int | None = None
        count = _ROWS
        while count == _ROWS:
            rows = _piece(database, series_id, after)
            count = sum(row.bars for row in rows)
            after = max((row.last for row in rows), default=None)
            yield {row.configuration_id for row in rows} - {None}


def _piece(database: RecordDatabase, series_id: int, after: int | None) -> Sequence[Any]:
    """The configurations of some bars, each with their number and the newest of them."""
    chosen = [bars.c.series_id == series_id, *([] if after is None else [bars.c.open_time > after])]
    piece = select(bars.c.configuration_id, bars.c.open_time).where(*chosen).order_by(bars.c.open_time).limit(_ROWS)
    of = piece.subquery()
    last, count = func.max(of.c.open_time).label("last"), func.count().label("bars")
    with database.transaction() as connection:
        return connection.execute(select(of.c.configuration_id, last, count).group_by(of.c.configuration_id)).all()


def _each(database: RecordDatabase, ids: Collection[int], *, is_to_go: bool) -> Iterator[int]:
    """Delete or mark configurations, some at a time."""
    left = [*ids]
    while left:
        chosen, left = left[:_SLICE], left[_SLICE:]
        are_chosen = configurations.c.id.in_(chosen)
        with database.transaction() as connection:
            if not database.is_alone(connection):
                return
            if is_to_go:
                connection.execute(delete(configurations).where(are_chosen, configurations.c.digest.startswith(UNUSED)))
            else:
                mark = UNUSED + cast(configurations.c.id, String)
                connection.execute(update(configurations).where(are_chosen).values(digest=mark))
        yield len(chosen)

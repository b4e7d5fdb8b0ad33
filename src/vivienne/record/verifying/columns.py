"""Recorded bars and decisions as columns of numbers, as they are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sqlalchemy import Boolean, Integer, select, type_coerce

from vivienne.market.types import Bars, Candle
from vivienne.record.tables import bars

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vivienne.market.types import FloatArray
    from vivienne.record.reader import RecordReader, Segment

_MOST = 2**53
_ROWS = 4_000
"""Bars that are read at once."""
_COLUMNS = tuple(each for each in bars.columns if each.name != "series_id")
_NAMES = tuple(each.name for each in _COLUMNS)


class OddValue(NamedTuple):
    """A value that is no number, which a damaged SQLite file may have anywhere.

    Attributes:
        time: open time of its bar, as it was read.
        name: of the column.
        value: as it was read.
    """

    time: object
    name: str
    value: object


@dataclass(frozen=True, slots=True)
class RecordedColumns:
    """Bars of one segment, oldest first.

    Attributes:
        bars: the bars.
        values: by name of the column in the table, its numbers; NaN for NULL.
        fresh: number of the first bar that was not among those read before.
        odd: values among the fresh bars that are no numbers. They are NaN in `values`.
    """

    bars: Bars
    values: Mapping[str, FloatArray]
    fresh: int = 0
    odd: tuple[OddValue, ...] = ()

    def followed_by(self, later: RecordedColumns, kept: int) -> RecordedColumns:
        """The last bars, so many of them, and those that were read after them."""
        begin = max(0, len(self.bars) - kept)
        values = {name: np.concatenate([column[begin:], later.values[name]]) for name, column in self.values.items()}
        joined = Bars.joined([self.bars[begin:], later.bars])
        return RecordedColumns(joined, values, len(self.bars) - begin, later.odd)


def read_columns(reader: RecordReader, segment: Segment, kept: int, first: int) -> Iterator[RecordedColumns]:
    """The bars of a segment, some at a time, each time with the last ones of those before.

    Args:
        reader: of the record.
        segment: to read.
        kept: number of bars before that come again.
        first: open time of the first one, ms since the epoch; there may be none.
    """
    # SQLite has anything in a column of booleans, and SQLAlchemy would take it for true.
    columns = [type_coerce(each, Integer) if isinstance(each.type, Boolean) else each for each in _COLUMNS]
    query = select(*columns).where(bars.c.series_id == segment.id).order_by(bars.c.open_time).limit(_ROWS)
    known: RecordedColumns | None = None
    after = first - 1
    while rows := reader.rows(query.where(bars.c.open_time > after)):
        some = _columns(rows)
        known = some if known is None else known.followed_by(some, kept)
        yield known
        if len(rows) < _ROWS or not len(some.bars):
            return
        after = int(some.bars.open_time[-1])


def _columns(rows: Sequence[Any]) -> RecordedColumns:
    odd = [OddValue(row.open_time, "open_time", row.open_time) for row in rows if not _is_time(row.open_time)]
    if odd:
        rows = [row for row in rows if _is_time(row.open_time)]
    columns: dict[str, FloatArray] = {}
    for name, column in zip(_NAMES, zip(*rows, strict=True) if rows else ((),) * len(_NAMES), strict=True):
        try:
            # None becomes NaN. Whole numbers stay exact: none is above 2**53.
            columns[name] = np.array(column, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            columns[name] = np.array([value if _is_number(value) else None for value in column], dtype=np.float64)
            found = zip(rows, column, strict=True)
            odd += [OddValue(row.open_time, name, value) for row, value in found if not _is_number(value)]
    times = columns["open_time"].astype(np.int64)
    return RecordedColumns(Bars(times, *(columns[name] for name in Candle._fields[1:])), columns, 0, tuple(odd))


def _is_time(value: object) -> bool:
    return isinstance(value, int) and abs(value) < _MOST


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < _MOST)

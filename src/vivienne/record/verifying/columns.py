"""Recorded bars and decisions as columns of numbers, as they are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from vivienne.market.types import Bars, Candle
from vivienne.record.tables import bars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vivienne.market.types import FloatArray
    from vivienne.record.reader import RecordReader, Segment

_ROWS = 4_000
"""Bars that are read at once."""
_NAMES = tuple(each.name for each in bars.columns if each.name != "series_id")


@dataclass(frozen=True, slots=True)
class RecordedColumns:
    """Bars of one segment, oldest first.

    Attributes:
        bars: the bars.
        values: by name of the column in the table, its numbers; NaN for NULL.
        fresh: number of the first bar that was not among those read before.
    """

    bars: Bars
    values: Mapping[str, FloatArray]
    fresh: int = 0

    def followed_by(self, later: RecordedColumns, kept: int) -> RecordedColumns:
        """The last bars, so many of them, and those that were read after them."""
        begin = max(0, len(self.bars) - kept)
        values = {name: np.concatenate([column[begin:], later.values[name]]) for name, column in self.values.items()}
        return RecordedColumns(Bars.joined([self.bars[begin:], later.bars]), values, len(self.bars) - begin)


def read_columns(reader: RecordReader, segment: Segment, kept: int, first: int) -> Iterator[RecordedColumns]:
    """The bars of a segment, some at a time, each time with the last ones of those before.

    Args:
        reader: of the record.
        segment: to read.
        kept: number of bars before that come again.
        first: open time of the first one, ms since the epoch; there may be none.
    """
    columns = [bars.c[name] for name in _NAMES]
    query = select(*columns).where(bars.c.series_id == segment.id).order_by(bars.c.open_time).limit(_ROWS)
    known: RecordedColumns | None = None
    after = first - 1
    while rows := reader.rows(query.where(bars.c.open_time > after)):
        some = _columns(rows)
        known = some if known is None else known.followed_by(some, kept)
        after = int(some.bars.open_time[-1])
        yield known
        if len(rows) < _ROWS:
            return


def _columns(rows: Sequence[Any]) -> RecordedColumns:
    columns = dict(zip(_NAMES, map(_numbers, zip(*rows, strict=True)), strict=True))
    times = columns["open_time"].astype(np.int64)
    return RecordedColumns(Bars(times, *(columns[name] for name in Candle._fields[1:])), columns)


def _numbers(column: Iterable[Any]) -> FloatArray:
    # None becomes NaN. Whole numbers stay exact: none is above 2**53.
    return np.array(column, dtype=np.float64)

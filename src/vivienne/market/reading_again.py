"""A history that is read again: bars that were decided on stay as they were, and only what was missing is filled."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.market.types import Bars, Candle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vivienne.market.feeds.base import MinuteSource
    from vivienne.market.types import BoolArray, IntArray

_COMPARED = ("open", "high", "low", "close", "volume")
"""The columns that every exchange knows exactly."""
_SAME = 1e-9
"""Relative difference up to which sums of the same minutes in another order may differ."""


class Merged(NamedTuple):
    """Bars of which some were known.

    Attributes:
        bars: oldest first, without a gap.
        sources: where each of them came from.
        differing: open times of known bars that are not as they were read.
    """

    bars: Bars
    sources: list[MinuteSource | None]
    differing: list[int]

    def runs(self) -> Iterator[tuple[Bars, MinuteSource | None]]:
        """The bars, in runs of the same source."""
        begin = 0
        for source, run in groupby(self.sources):
            end = begin + len(list(run))
            yield self.bars[begin:end], source
            begin = end


def merged(
    known: Bars, sources: Sequence[MinuteSource | None], read: Bars, source: MinuteSource | None, length: int
) -> Merged:
    """The bars that were read, with those that were known in their place, before them and after them.

    What came incomplete does not stay. Known bars that end before the others begin do not either.

    Args:
        known: bars that were known, without a gap.
        sources: where they came from.
        read: bars that were read, without a gap; at least one.
        source: where those came from.
        length: of a bar, in ms.
    """
    begin = int(read.open_time[0])
    rows = (known.open_time - begin) // length
    is_whole = np.array([each != "incomplete" for each in sources], dtype=bool)
    stays = (rows >= 0) & (rows < len(read)) & is_whole & (known.open_time % length == begin % length)
    columns = [getattr(read, name).copy() for name in Candle._fields]
    differs = np.zeros(len(known), dtype=bool)
    for name, column in zip(Candle._fields, columns, strict=True):
        mine, theirs = getattr(known, name)[stays], column[rows[stays]]
        if name in _COMPARED:
            differs[stays] |= ~(np.isclose(mine, theirs, rtol=_SAME, atol=0.0) | np.isnan(mine) | np.isnan(theirs))
        column[rows[stays]] = mine
    of_read: list[MinuteSource | None] = [source] * len(read)
    for row, each in zip(rows[stays].tolist(), np.flatnonzero(stays).tolist(), strict=True):
        of_read[row] = sources[each]
    older = int((rows < 0).sum()) if (rows == -1).any() else 0
    newer = _newer(rows, is_whole, len(read))
    bars = Bars.joined([known[:older], Bars(*columns), known[newer]])
    return Merged(bars, [*sources[:older], *of_read, *sources[newer]], known.open_time[differs].tolist())


def _newer(rows: IntArray, is_whole: BoolArray, count: int) -> slice:
    """The known bars that go on where those that were read end, up to the first incomplete one."""
    [begin] = np.flatnonzero(rows == count)[:1] if (rows == count).any() else [len(rows)]
    incomplete = np.flatnonzero(~is_whole[begin:])
    return slice(int(begin), int(begin + incomplete[0]) if len(incomplete) else len(rows))

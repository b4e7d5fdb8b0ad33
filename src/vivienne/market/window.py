"""The last N closed bars of one asset, as contiguous columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vivienne.market.types import Bars, Candle

if TYPE_CHECKING:
    from vivienne.market.feeds.base import MinuteSource

SOURCES: tuple[MinuteSource | None, ...] = (None, "streamed", "pushed", "filled", "incomplete")
"""Weakest last."""
SourceArray = NDArray[np.uint8]
"""Indices into `SOURCES`."""
_COLUMNS = len(Candle._fields) - 1
_SMALLEST = 64
"""Rows of a buffer at first."""


def weakest(one: MinuteSource | None, other: MinuteSource | None) -> MinuteSource | None:
    """The source of a bar made of both."""
    return max(one, other, key=SOURCES.index)


class Held(NamedTuple):
    """What a window held at a moment. It never changes, so that another thread may read it.

    Attributes:
        bars: oldest first.
        sources: where they came from.
        is_cut: True if there were bars before the first one.
        generation: the same for all that was held without a break between them; see `BarWindow`.
    """

    bars: Bars
    sources: SourceArray
    is_cut: bool
    generation: int


class BarWindow:
    """A sliding window of bars.

    Rows are written into a buffer of at most twice the length. When it is full, those that are kept are copied to the
    start of a new one. It is small at first, since somebody may hold what came of it, and a history may restart often.
    Appending is therefore cheap, and the columns are contiguous views that never change, which an evaluation
    uses without copying.

    Attributes:
        length: largest number of bars that are kept.
        is_cut: True if there were bars before the first one.
        generation: counts how often bars were dropped or replaced, other than the oldest ones.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self.is_cut = False
        self.generation = 0
        self._end = self._count = 0
        self._renew(0)

    def _renew(self, rows: int) -> None:
        """Begin a buffer with room for so many rows, and as many more.

        It is written at once: else its memory would come page by page for days, as it fills.
        """
        length = min(2 * self.length, max(_SMALLEST, 2 * rows))
        self._times = np.full(length, 0, dtype=np.int64)
        self._values = np.full((_COLUMNS, length), 0.0, dtype=np.float64)
        self._sources = np.full(length, 0, dtype=np.uint8)

    def __len__(self) -> int:
        return self._count

    def append(self, bar: Candle, source: MinuteSource | None = None) -> None:
        """Add the newest bar. If the window is full, the oldest bar is dropped.

        Args:
            bar: the bar.
            source: the weakest of the sources of its minutes.
        """
        self._make_room(1)
        self._times[self._end] = bar[0]
        self._values[:, self._end] = bar[1:]
        self._sources[self._end] = SOURCES.index(source)
        self._end += 1
        self._count += 1

    def extend(self, bars: Bars, source: MinuteSource | None = None) -> None:
        """Add bars in order, all of one source; see `append`."""
        if len(bars) > self.length:
            self.is_cut = True
            bars = bars[-self.length :]
        self._make_room(len(bars))
        rows = slice(self._end, self._end + len(bars))
        self._times[rows] = bars.open_time
        for column, name in zip(self._values, Candle._fields[1:], strict=True):
            column[rows] = getattr(bars, name)
        self._sources[rows] = SOURCES.index(source)
        self._end += len(bars)
        self._count += len(bars)

    def _make_room(self, count: int) -> None:
        """Drop the oldest bars, so that `count` more are not too many."""
        kept = min(self._count, self.length - count)
        if kept < self._count:
            self.is_cut = True
            self._count = kept
        if self._end + count > len(self._times):
            times, values, sources = self._times, self._values, self._sources
            rows = slice(self._end - kept, self._end)
            self._renew(kept + count)
            self._times[:kept] = times[rows]
            self._values[:, :kept] = values[:, rows]
            self._sources[:kept] = sources[rows]
            self._end = kept

    def clear(self) -> None:
        """Drop all bars, because the next one does not continue them."""
        if self._count:
            self._renew(0)
        self._end = self._count = 0
        self.is_cut = False
        self.generation += 1

    def apart(self) -> BarWindow:
        """Another window with the same bars, which can change without this one."""
        found = BarWindow(self.length)
        found.fill(self.held())
        found.generation = self.generation
        return found

    def become(self, other: BarWindow) -> None:
        """Hold what another window holds, which is not used any longer."""
        self.__dict__.update(other.__dict__)

    def fill(self, held: Held) -> None:
        """Hold these bars in place of those that are there; the oldest ones are left out if there are too many."""
        self.clear()
        bars, sources = held.bars[-self.length :], held.sources[-self.length :]
        self.extend(bars)
        self._sources[self._end - len(bars) : self._end] = sources
        self.is_cut = held.is_cut or len(bars) < len(held.bars)

    def bars(self) -> Bars:
        """The bars in the window, oldest first. The columns are views, which never change."""
        rows = slice(self._end - self._count, self._end)
        return Bars(self._times[rows], *(column[rows] for column in self._values))

    def sources(self) -> list[MinuteSource | None]:
        """Where the bars in the window came from, oldest first."""
        rows = slice(self._end - self._count, self._end)
        return [SOURCES[code] for code in self._sources[rows].tolist()]

    def source(self, row: int) -> MinuteSource | None:
        """Where one of the bars in the window came from; the oldest is row 0."""
        return SOURCES[self._sources.item(self._end - self._count + row)]

    def held(self) -> Held:
        """The bars in the window with all that is known of them."""
        rows = slice(self._end - self._count, self._end)
        return Held(self.bars(), self._sources[rows], self.is_cut, self.generation)

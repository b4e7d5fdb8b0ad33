"""What this process has written into the record, to find what the record has lost since.

After a failover of PostgreSQL, a standby goes on that may not have received the last transactions. A file may have been
replaced by an older copy of it, or be gone.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import or_, select

from vivienne.record.tables import bars, gaps, series
from vivienne.record.waiting import Entry, Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.engine import Connection

KEPT_SECONDS, MOST_KEPT = 60.0, 500
"""Decisions are kept to be written again if they were written so long before the newest one, and so many of them. So
are gaps."""
_MOST_SPANS = 1_000
_NEVER = 2**53


class Missing(NamedTuple):
    """Decisions that were written and are no longer in the record.

    Attributes:
        again: those that can be written again, in their order.
        lost: the others.
        gaps: those that were lost before, and whose gaps are no longer in the record.
    """

    again: list[Entry]
    lost: list[Lost]
    gaps: list[Lost]


class _Found(NamedTuple):
    """What the record has of an asset.

    Attributes:
        asset: name of the asset.
        newest: the newest open time of a decision before those that are kept.
        kept: open times of decisions that are kept, oldest first.
        there: those of them that have a decision in the record.
    """

    asset: str
    newest: int
    kept: list[int]
    there: set[int]


class Written:
    """Remembers which decisions were written: the newest ones whole, of the others only their times.

    Args:
        length: of a bar, in ms.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._times: dict[str, _Times] = {}
        self._kept: deque[tuple[float, Entry]] = deque()
        self._gaps: deque[tuple[float, Lost]] = deque()

    def add(self, entries: Iterable[Entry], lost: Iterable[Lost]) -> None:
        """Note what was just written: decisions, in their order, and gaps for those that were lost."""
        time, kept = monotonic(), self._kept
        for entry in entries:
            kept.append((time, entry))
            self._times.setdefault(entry.asset, _Times(self._length)).add(entry.decision.open_time)
        self._gaps.extend((time, each) for each in lost)
        for of in (kept, self._gaps):
            while of and (len(of) > MOST_KEPT or of[0][0] < of[-1][0] - KEPT_SECONDS):
                of.popleft()

    def take_missing(self, connection: Connection, of: Callable[[str], tuple[Any, ...]]) -> Missing:
        """Look which decisions the record does not have any more, and forget these.

        Args:
            connection: in a transaction.
            of: by asset, the conditions for its segments in the table `series`.
        """
        kept: dict[str, list[int]] = {asset: [] for asset in self._times}
        for _, entry in self._kept:
            kept[entry.asset].append(entry.decision.open_time)
        segments = {asset: _Segments(connection, of(asset)) for asset in kept}
        found: list[_Found] = []
        for asset, times in kept.items():
            there = segments[asset].decided(times)
            # If they are, so is what was written before: it is the newest transactions that are lost.
            if not times or len(there) < len(times):
                newest = segments[asset].newest(min(times, default=None))
                found.append(_Found(asset, newest, sorted(times), there))
        gone = [each for _, each in self._gaps if not _Segments(connection, of(each.asset)).has_gap(each)]
        return self._forget(found, gone)

    def _forget(self, found: list[_Found], gone: list[Lost]) -> Missing:
        """Take out what is missing. Nothing is before everything has been read: that may fail."""
        missing = {(each.asset, time) for each in found for time in each.kept if time not in each.there}
        again = [entry for _, entry in self._kept if (entry.asset, entry.decision.open_time) in missing]
        self._kept = deque(each for each in self._kept if (each[1].asset, each[1].decision.open_time) not in missing)
        self._gaps = deque(each for each in self._gaps if each[1] not in gone)
        return Missing(again, [lost for each in found for lost in self._times[each.asset].take_after(each)], gone)


class _Times:
    """Open times of bars of one asset whose decisions were written, as spans of bars that follow each other."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._spans: deque[tuple[int, int]] = deque(maxlen=_MOST_SPANS)

    def add(self, time: int) -> None:
        """Add the next one."""
        if self._spans and self._spans[-1][1] + self._length == time:
            self._spans[-1] = self._spans[-1][0], time
        elif not self._spans or self._spans[-1][1] < time:
            self._spans.append((time, time))

    def take_after(self, found: _Found) -> list[Lost]:
        """Take out the times that are lost: those after the newest one in the record and before those that are kept."""
        spans, length = [*self._spans], self._length
        asset, newest, kept, there = found
        if not spans:
            return []
        self._spans.clear()
        self._spans.extend((first, min(last, newest)) for first, last in spans if first <= newest)
        for time in kept:
            if time in there:
                self.add(time)
        end = kept[0] - length if kept else spans[-1][1]
        cut = [(max(first, newest + length), min(last, end)) for first, last in spans]
        gone = [(first, last) for first, last in cut if first <= last]
        number = sum((last - first) // length + 1 for first, last in gone)
        return [Lost(asset, gone[0][0], gone[-1][1], number)] if gone else []


class _Segments:
    """The decisions on an asset that are in the record."""

    def __init__(self, connection: Connection, conditions: tuple[Any, ...]) -> None:
        self._connection = connection
        query = select(series.c.id, series.c.kept_from).where(*conditions).order_by(series.c.segment.desc())
        self._rows = connection.execute(query).all()

    def decided(self, times: Sequence[int]) -> set[int]:
        """Those of these open times that have a decision."""
        ids = [row.id for row in self._rows]
        if not times or not ids:
            return set()
        of = bars.c.series_id.in_(ids), bars.c.open_time.in_(times), bars.c.config_version.is_not(None)
        return {*self._connection.execute(select(bars.c.open_time).where(*of)).scalars()}

    def has_gap(self, lost: Lost) -> bool:
        """Tell whether a gap says that these decisions were lost."""
        times = gaps.c.from_time == lost.first, gaps.c.to_time == lost.last, gaps.c.decisions == lost.decisions
        is_of = or_(gaps.c.series_id.in_([row.id for row in self._rows]), gaps.c.series_id.is_(None))
        query = select(gaps.c.id).where(*times, is_of, gaps.c.reason == "lost")
        return self._connection.execute(query).first() is not None

    def newest(self, before: int | None) -> int:
        """The open time of the newest decision before another one; 0 without any, and `_NEVER` if they are too old."""
        for row in self._rows:
            of = [bars.c.series_id == row.id, bars.c.config_version.is_not(None)]
            of += [] if before is None else [bars.c.open_time < before]
            query = select(bars.c.open_time).where(*of).order_by(bars.c.open_time.desc()).limit(1)
            found = self._connection.execute(query).scalar_one_or_none()
            if found is not None:
                return int(found)
        return _NEVER if any(row.kept_from > 1 for row in self._rows) else 0

"""Finds decisions and bars of a segment that were removed: by the numbers of decisions, and by holes between them."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vivienne.market.types import FloatArray, IntArray
    from vivienne.record.verifying.columns import RecordedColumns

REMOVED = "they are no longer in the record"
HOLE = "bars between decided ones are not recorded, and no gap says so"


class Removed(NamedTuple):
    """Bars or decisions that should be there.

    Attributes:
        after, before: open times of the bars before and after them; None if one is not known.
        number: how many they are.
        reason: how they are known.
    """

    after: int | None
    before: int | None
    number: int
    reason: str


class Numbered(NamedTuple):
    """What the row of a segment says of its decisions: the number of the newest one, and of the oldest one kept."""

    newest: int
    kept_from: int


class _Range(NamedTuple):
    """Decisions whose numbers follow each other, and the times of the first and the last one."""

    first: int
    last: int
    begin: int
    end: int


class _Hole(NamedTuple):
    after: int
    before: int
    is_in_order: bool
    is_numbered: bool


class Completeness:
    """Goes through the bars of a segment, oldest first.

    Args:
        length: of a bar, in ms.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._ranges: list[_Range] = []
        self._holes: list[_Hole] = []
        self._last: tuple[int, float, float] | None = None
        """Open time, session and number of the newest bar."""
        self._is_decided = False
        self._known_holes = 0
        """Holes after which a decision came."""

    def add(self, recorded: RecordedColumns, begin: int) -> None:
        """Add the next bars, those from the number `begin` on."""
        times = recorded.bars.open_time[begin:]
        if not len(times):
            return
        numbers, sessions, versions = (
            recorded.values[name][begin:] for name in ("number", "session_id", "config_version")
        )
        self._add_numbers(times, numbers)
        decided = np.flatnonzero(~np.isnan(versions))
        first = int(decided[0]) if len(decided) else len(times)
        if self._last is None:
            self._last = times.item(0), sessions.item(0), numbers.item(0)
        before = np.concatenate([[self._last[0]], times[:-1]])
        for row in np.flatnonzero(times - before > self._length).tolist():
            if not self._is_decided and row <= first:
                continue
            of = (sessions.item(row - 1), numbers.item(row - 1)) if row else self._last[1:]
            now = sessions.item(row), numbers.item(row)
            is_in_order = not (now[0] < of[0] or now[1] < of[1])
            are_numbered = not (np.isnan(of[1]) or np.isnan(now[1]))
            self._holes.append(_Hole(int(before[row]), times.item(row), is_in_order, are_numbered))
        if len(decided):
            last = times.item(int(decided[-1]))
            self._is_decided = True
            while self._known_holes < len(self._holes) and self._holes[self._known_holes].before <= last:
                self._known_holes += 1
        self._last = times.item(-1), sessions.item(-1), numbers.item(-1)

    def removed(
        self, said: Numbered, gaps: Iterable[tuple[int, int]], count: Callable[[int, int], int]
    ) -> Iterator[Removed]:
        """What should be there, and is not.

        Args:
            said: the newest number when the first bar was read, and the oldest when the last one was; 0 for this if not
                all bars of the segment were added.
            gaps: of the segment, open times of their first and last bars.
            count: counts the decisions in the record with numbers from one to another, where some are missing here.
        """
        missing = [*self._missing(said, count)]
        yield from missing
        spans = _joined(gaps, self._length)
        for hole in self._holes[: self._known_holes]:
            if not hole.is_in_order or _is_within(spans, hole.after + self._length, hole.before - self._length):
                continue
            # Decisions that were there have been counted, by their numbers.
            known = sum(each.number for each in missing if _overlap(each, hole))
            if (left := (hole.before - hole.after) // self._length - 1 - known) > 0:
                yield Removed(hole.after, hole.before, left, HOLE)

    @property
    def newest(self) -> int:
        """The largest number of a decision; 0 without any."""
        return max((each.last for each in self._ranges), default=0)

    def _add_numbers(self, times: IntArray, numbers: FloatArray) -> None:
        rows = np.flatnonzero(np.isfinite(numbers))
        if not len(rows):
            return
        found, places = np.unique(numbers[rows].astype(np.int64), return_index=True)
        at = times[rows[places]]
        for part in np.split(np.arange(len(found)), np.flatnonzero(np.diff(found) != 1) + 1):
            first, last = part[0], part[-1]
            self._ranges.append(_Range(found.item(first), found.item(last), at.item(first), at.item(last)))
        merged: list[_Range] = []
        for each in sorted(self._ranges):
            if merged and each.first <= merged[-1].last + 1:
                if each.last > merged[-1].last:
                    merged[-1] = merged[-1]._replace(last=each.last, end=each.end)
            else:
                merged.append(each)
        self._ranges = merged

    def _missing(self, said: Numbered, count: Callable[[int, int], int]) -> Iterator[Removed]:
        ranges = [each for each in self._ranges if each.last >= said.kept_from]
        if not said.kept_from and not ranges:
            return
        following = said.kept_from or ranges[0].first
        after: int | None = None
        for each in ranges:
            if each.first > said.newest + 1:
                break
            yield from _between(following, each.first - 1, count, after, each.begin)
            following, after = each.last + 1, each.end
        yield from _between(following, said.newest, count, after, None)


def _between(
    first: int, last: int, count: Callable[[int, int], int], after: int | None, before: int | None
) -> Iterator[Removed]:
    if last >= first and (number := last - first + 1 - count(first, last)) > 0:
        yield Removed(after, before, number, REMOVED)


def _joined(gaps: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """The times of gaps; those that follow each other are one."""
    spans: list[tuple[int, int]] = []
    for begin, end in sorted(gaps):
        if spans and begin <= spans[-1][1] + length:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((begin, end))
    return spans


def _is_within(spans: list[tuple[int, int]], first: int, last: int) -> bool:
    place = bisect_right(spans, (first, math.inf)) - 1
    return place >= 0 and last <= spans[place][1]


def _overlap(removed: Removed, hole: _Hole) -> bool:
    is_before = removed.before is not None and removed.before <= hole.after
    return not is_before and not (removed.after is not None and removed.after >= hole.before)

"""A verification of a whole record, a step at a time."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sqlalchemy import func, select

from vivienne.agent.evaluate import MOST_HISTORY
from vivienne.market.timeframe import Timeframe
from vivienne.record.rows import read_blocks
from vivienne.record.tables import bars, blocks, configurations, series, sessions
from vivienne.record.verifying.again import Difference, are_there, differences, groups
from vivienne.record.verifying.columns import read_columns
from vivienne.record.verifying.complete import HOLE, REMOVED, Completeness, Numbered, Removed
from vivienne.record.verifying.configurations import Version
from vivienne.record.verifying.documents import NOT_RECORDED, NOT_VALID, Configurations
from vivienne.record.verifying.rows import (
    altered_rows,
    count_numbers,
    gaps_of,
    numbered,
    removed_sessions,
    sealed_sessions,
)
from vivienne.record.verifying.sealed import check
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vivienne.agent.decision import Block
    from vivienne.market.types import IntArray
    from vivienne.record.reader import RecordReader, Segment, Series, Session
    from vivienne.record.verifying.again import Group
    from vivienne.record.verifying.columns import RecordedColumns
    from vivienne.wire.record import AlteredRow, DecisionDifference, MissingDecisions, Verified

MOST_LISTED = 100
"""Differences that are listed; all are counted."""
TIMEFRAMES = frozenset(each.value for each in Timeframe)
_NAMES = {"blocks_id": "blocks"}
"""Columns that have another name when they are decided anew."""


class Part(NamedTuple):
    """What some bars are of."""

    asset: str
    timeframe: Timeframe
    series_id: int


class Missing(NamedTuple):
    """Reasons why decisions cannot be decided anew."""

    bars: str = "bars that they were made from are not recorded"
    configuration: str = NOT_RECORDED
    version: str = NOT_VALID
    timeframe: str = "this version of the program does not know their timeframe"
    series: str = "what they were made on is not recorded"
    removed: str = REMOVED
    hole: str = HOLE


_MISSING = Missing()
_NO_FAULT = frozenset((_MISSING.version, _MISSING.timeframe))
"""Reasons for which nothing is wrong with the record."""


class Verification:
    """Decides what was recorded anew, and counts; and finds what was altered or removed since.

    Args:
        reader: of the record. One thread at a time may use it, and no other one while a step is made.
        begin: open time of the first bar that is verified, ms since the epoch.

    Attributes:
        decisions: number of decisions that were decided anew.
        different: number of decisions with another value than was decided or recorded, by the version of the program
            that recorded them.
        missing: number of decisions that cannot be decided anew, or are gone, by the reason.
        missing_at: the first places where some are.
        altered: number of bars that are not as they were recorded.
        altered_rows: rows of other tables that are not.
        unsealed: number of bars that were recorded without a checksum.
        listed: the first differences.
        configurations: by asset and version, the configuration that decided.
    """

    def __init__(self, reader: RecordReader, begin: int = 0) -> None:
        self._reader = reader
        self._begin = begin
        self._configs = Configurations(reader)
        self._blocks: dict[int, tuple[Block, ...]] = {}
        self._sessions: dict[int, Session] = {}
        self._sealing: set[int] = set()
        """Sessions that seal all they record."""
        self._unknown_sessions: set[int] = set()
        self.decisions = 0
        self.different: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.missing_at: list[MissingDecisions] = []
        self.altered = self.unsealed = 0
        self.altered_rows: list[AlteredRow] = []
        self.listed: list[DecisionDifference] = []
        self.configurations: dict[Version, int] = {}

    @property
    def damaged(self) -> int:
        """The number of bars, decisions and other rows that were altered or removed since they were recorded."""
        gone = sum(count for reason, count in self.missing.items() if reason not in _NO_FAULT)
        return self.altered + len(self.altered_rows) + gone

    def length(self, of: Iterable[Series]) -> int:
        """The number of bars in some series, about; as many as `steps` goes through."""
        return sum(self._length(segment, each.timeframe) for each in of for segment in each.segments)

    def steps(self, of: Series) -> Iterator[int]:
        """Verify a series; yield after each short step the number of bars it went through."""
        known = self._reader.sessions(of.run_id)
        self._sessions |= {each.id: each for each in known}
        self._sealing |= sealed_sessions(self._reader, of.run_id)
        if of.timeframe not in TIMEFRAMES:
            self.missing[_MISSING.timeframe] += sum(self._count(segment.id) for segment in of.segments)
            return
        timeframe = Timeframe(of.timeframe)
        for segment in of.segments:
            yield from self._segment(of, segment, timeframe)

    def look_at_rows(self) -> None:
        """Look for rows of other tables than that of the bars that were altered or removed, after all series."""
        self.altered_rows += altered_rows(self._reader)
        # Some may have begun since their run was looked at.
        removed = removed_sessions(self._reader, self._unknown_sessions)
        self.altered_rows += ({"table": sessions.name, "id": each, "is_removed": True} for each in removed)
        self.altered_rows += (
            {"table": configurations.name, "id": each, "is_removed": False} for each in sorted(self._configs.altered)
        )
        for each in self.altered_rows:
            if each["table"] == series.name and each["is_removed"]:
                self.missing[_MISSING.series] += self._count(each["id"])

    def outcome(self) -> Verified:
        """What was found."""
        return {
            "decisions": self.decisions,
            "different": self.different.total(),
            "different_by_program": dict(self.different),
            "missing": self.missing.total(),
            "missing_reasons": dict(self.missing),
            "missing_at": self.missing_at,
            "altered": self.altered,
            "altered_rows": self.altered_rows,
            "unsealed": self.unsealed,
            "differences": self.listed,
        }

    def _length(self, segment: Segment, timeframe: str) -> int:
        of = select(func.min(bars.c.open_time), func.max(bars.c.open_time)).where(bars.c.series_id == segment.id)
        [(first, last)] = self._reader.rows(of.where(bars.c.open_time >= self._begin))
        if timeframe not in TIMEFRAMES or not (isinstance(first, int) and isinstance(last, int)):
            return 0
        return (last - first) // Timeframe(timeframe).milliseconds + 1

    def _count(self, series_id: int) -> int:
        chosen = [bars.c.series_id == series_id, bars.c.open_time >= self._begin, bars.c.config_version.is_not(None)]
        return int(self._reader.rows(select(func.count()).where(*chosen))[0][0])

    def _segment(self, of: Series, segment: Segment, timeframe: Timeframe) -> Iterator[int]:
        newest = numbered(self._reader, segment.id).newest
        first = self._begin - MOST_HISTORY * timeframe.milliseconds
        complete = Completeness(timeframe.milliseconds)
        part = Part(of.asset, timeframe, segment.id)
        for recorded in read_columns(self._reader, segment, MOST_HISTORY, first):
            complete.add(recorded, recorded.fresh)
            yield from self._part(part, recorded)
        latest, kept_from = numbered(self._reader, segment.id)
        if complete.newest > latest:
            self.altered_rows.append({"table": series.name, "id": segment.id, "is_removed": False})
        gaps = gaps_of(self._reader, segment.id)
        said = Numbered(min(newest, latest), 0 if self._begin else kept_from)
        for each in complete.removed(said, gaps, partial(count_numbers, self._reader, segment.id)):
            self._miss(part, each)

    def _part(self, part: Part, recorded: RecordedColumns) -> Iterator[int]:
        """Verify the bars of a part that are new."""
        values, times = recorded.values, recorded.bars.open_time
        begin = max(recorded.fresh, int(times.searchsorted(self._begin)))
        checked = check(recorded, begin, part.series_id, self._sealing, MOST_LISTED - len(self.listed))
        self.unsealed += checked.unsealed
        self._say_odd(part, recorded)
        rows = begin + np.flatnonzero(~np.isnan(values["config_version"][begin:]) & ~checked.cannot)
        self._know(rows, recorded, part.asset)
        found: dict[int, list[Difference]] = {}
        done = begin
        for group in groups(recorded, rows):
            found |= self._verify(part, recorded, group)
            yield int(group.rows[-1]) + 1 - done
            done = int(group.rows[-1]) + 1
        self._say(part, recorded, found, checked.wrong)
        yield len(times) - done

    def _verify(self, part: Part, recorded: RecordedColumns, group: Group) -> dict[int, list[Difference]]:
        """Decide a group anew; what is different, by the number of the bar."""
        config = self._configs.get(int(recorded.values["configuration_id"][group.rows[0]]))
        reason = config if isinstance(config, str) else _MISSING.bars
        if isinstance(config, str) or not are_there(recorded, group, part.timeframe):
            times = recorded.bars.open_time[group.rows]
            self._miss(part, Removed(times.item(0), times.item(-1), len(group.rows), reason))
            return {}
        self.decisions += len(group.rows)
        found: dict[int, list[Difference]] = {}
        for each in differences(recorded, group, config, part.timeframe, self._blocks):
            found.setdefault(int(recorded.bars.open_time.searchsorted(each.time)), []).append(each)
        return found

    def _say(
        self,
        part: Part,
        recorded: RecordedColumns,
        decided: Mapping[int, list[Difference]],
        wrong: Mapping[int, list[Difference]],
    ) -> None:
        """Count and list what is wrong with bars."""
        values = recorded.values
        self.altered += len(wrong)
        for row in sorted(decided.keys() | wrong.keys()):
            if not math.isnan(values["config_version"].item(row)) or not math.isnan(values["number"].item(row)):
                session = self._sessions.get(int(np.nan_to_num(values["session_id"].item(row))))
                self.different[session.program_version if session else "unknown"] += 1
            named = decided.get(row, [])
            fields = {each.field for each in named}
            # What is named already by deciding anew is not named twice.
            more = [each for each in wrong.get(row, []) if _NAMES.get(each.field, each.field) not in fields]
            more = [each for each in more if each.field != "decision" or not fields]
            for each in (*named, *more):
                self._list(part, each)
        known = values["session_id"][recorded.fresh :]
        there = set(np.unique(known[np.isfinite(known)]).astype(np.int64).tolist()) - self._sessions.keys()
        for number in there:
            rows = recorded.fresh + np.flatnonzero(known == number)
            if not wrong.keys() >= set(rows.tolist()):
                self._unknown_sessions.add(number)

    def _say_odd(self, part: Part, recorded: RecordedColumns) -> None:
        for time, name, value in recorded.odd:
            if name == "open_time":
                self.altered += 1
            # An altered open time may be anything.
            self._list(part, Difference(time, name, str(value), None, "value"))  # type: ignore[arg-type]  # only shown

    def _list(self, part: Part, each: Difference) -> None:
        if len(self.listed) < MOST_LISTED:
            self.listed.append(
                {
                    "asset": part.asset,
                    "timeframe": part.timeframe.value,
                    "time": moment(each.time),
                    "field": each.field,
                    "recorded": each.recorded,
                    "decided": each.decided,
                    "found_by": each.found_by,
                }
            )

    def _miss(self, part: Part, removed: Removed) -> None:
        self.missing[removed.reason] += removed.number
        if len(self.missing_at) < MOST_LISTED:
            after, before, count, reason = removed
            self.missing_at.append(
                {
                    "asset": part.asset,
                    "timeframe": part.timeframe.value,
                    "after": None if after is None else moment(after),
                    "before": None if before is None else moment(before),
                    "count": count,
                    "reason": reason,
                }
            )

    def _know(self, rows: IntArray, recorded: RecordedColumns, asset: str) -> None:
        """Read the sets of blocks that are new, and note which configurations decided."""
        values = recorded.values
        if not self._blocks.keys() >= set(values["blocks_id"][rows].astype(np.int64).tolist()):
            self._blocks = {number: read_blocks(text) for number, text in self._reader.rows(select(blocks))}
        pairs = np.unique(np.array([values["config_version"][rows], values["configuration_id"][rows]]), axis=1)
        for version, number in pairs.T.astype(np.int64).tolist():
            self.configurations.setdefault(Version(asset, version), number)


def moment(time: object) -> str:
    """An open time in words, even one that no clock has."""
    try:
        return iso(int(str(time)))
    except (ValueError, OverflowError, OSError):
        return str(time)

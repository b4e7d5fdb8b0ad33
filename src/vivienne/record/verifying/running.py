"""A verification of a whole record, a step at a time."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import ValidationError
from sqlalchemy import func, select

from vivienne.agent.evaluate import MOST_HISTORY
from vivienne.agent.schema import Configuration
from vivienne.market.timeframe import Timeframe
from vivienne.record.rows import read_blocks
from vivienne.record.tables import bars, blocks
from vivienne.record.verifying.again import are_there, differences, groups
from vivienne.record.verifying.columns import read_columns
from vivienne.record.verifying.configurations import Version
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vivienne.agent.decision import Block
    from vivienne.market.types import IntArray
    from vivienne.record.reader import RecordReader, Segment, Series
    from vivienne.record.verifying.again import Difference, Group
    from vivienne.record.verifying.columns import RecordedColumns
    from vivienne.wire.record import DecisionDifference, Verified

MOST_LISTED = 100
"""Differences that are listed; all are counted."""
_MOST_CONFIGURATIONS = 256


class Missing(NamedTuple):
    """Reasons why decisions cannot be decided anew."""

    bars: str = "bars that they were made from are not recorded"
    configuration: str = "their configuration is not recorded"
    version: str = "their configuration is not valid in this version of the program"


_MISSING = Missing()


class Verification:
    """Decides what was recorded anew, and counts.

    Args:
        reader: of the record. One thread at a time may use it, and no other one while a step is made.
        begin: open time of the first bar that is verified, ms since the epoch.

    Attributes:
        decisions: number of decisions that were decided anew.
        different: number of those among them with another value than was recorded, by the version of the program that
            recorded them.
        missing: number of decisions that cannot be decided anew, by the reason.
        listed: the first differences.
        configurations: by asset and version, the configuration that decided.
    """

    def __init__(self, reader: RecordReader, begin: int = 0) -> None:
        self._reader = reader
        self._begin = begin
        self._configs = _Configurations(reader)
        self._blocks: dict[int, tuple[Block, ...]] = {}
        self._programs: dict[int, str] = {}
        """By session, its version of the program."""
        self.decisions = 0
        self.different: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.listed: list[DecisionDifference] = []
        self.configurations: dict[Version, int] = {}

    def length(self, of: Iterable[Series]) -> int:
        """The number of bars in some series, about; as many as `steps` goes through."""
        return sum(self._length(segment, Timeframe(each.timeframe)) for each in of for segment in each.segments)

    def steps(self, of: Series) -> Iterator[int]:
        """Verify a series; yield after each short step the number of bars it went through."""
        timeframe = Timeframe(of.timeframe)
        self._programs |= {each.id: each.program_version for each in self._reader.sessions(of.run_id)}
        for segment in of.segments:
            first = self._begin - MOST_HISTORY * timeframe.milliseconds
            for recorded in read_columns(self._reader, segment, MOST_HISTORY, first):
                yield from self._part(of.asset, timeframe, recorded)

    def outcome(self) -> Verified:
        """What was found."""
        return {
            "decisions": self.decisions,
            "different": self.different.total(),
            "different_by_program": dict(self.different),
            "missing": self.missing.total(),
            "missing_reasons": dict(self.missing),
            "differences": self.listed,
        }

    def _length(self, segment: Segment, timeframe: Timeframe) -> int:
        of = select(func.min(bars.c.open_time), func.max(bars.c.open_time)).where(bars.c.series_id == segment.id)
        [(first, last)] = self._reader.rows(of.where(bars.c.open_time >= self._begin))
        return 0 if first is None else (last - first) // timeframe.milliseconds + 1

    def _part(self, asset: str, timeframe: Timeframe, recorded: RecordedColumns) -> Iterator[int]:
        """Verify the bars of a part that are new."""
        values, times = recorded.values, recorded.bars.open_time
        begin = max(recorded.fresh, int(times.searchsorted(self._begin)))
        rows = begin + np.flatnonzero(~np.isnan(values["config_version"][begin:]))
        self._know(rows, recorded, asset)
        done = begin
        for group in groups(recorded, rows):
            self._verify(asset, timeframe, recorded, group)
            yield int(group.rows[-1]) + 1 - done
            done = int(group.rows[-1]) + 1
        yield len(times) - done

    def _verify(self, asset: str, timeframe: Timeframe, recorded: RecordedColumns, group: Group) -> None:
        config = self._configs.get(int(recorded.values["configuration_id"][group.rows[0]]))
        if not are_there(recorded, group, timeframe):
            self.missing[_MISSING.bars] += len(group.rows)
        elif isinstance(config, str):
            self.missing[config] += len(group.rows)
        else:
            self.decisions += len(group.rows)
            found = differences(recorded, group, config, timeframe, self._blocks)
            times = sorted({each.time for each in found})
            sessions = recorded.values["session_id"][recorded.bars.open_time.searchsorted(times)]
            self.different.update(self._programs.get(int(number), "unknown") for number in sessions.tolist())
            self._list(asset, timeframe, found)

    def _list(self, asset: str, timeframe: Timeframe, found: list[Difference]) -> None:
        for each in found[: MOST_LISTED - len(self.listed)]:
            time, field, recorded, decided = each
            where: DecisionDifference = {
                "asset": asset,
                "timeframe": timeframe.value,
                "time": iso(time),
                "field": field,
                "recorded": recorded,
                "decided": decided,
            }
            self.listed.append(where)

    def _know(self, rows: IntArray, recorded: RecordedColumns, asset: str) -> None:
        """Read the sets of blocks that are new, and note which configurations decided."""
        values = recorded.values
        if not self._blocks.keys() >= set(values["blocks_id"][rows].astype(np.int64).tolist()):
            self._blocks = {number: read_blocks(text) for number, text in self._reader.rows(select(blocks))}
        pairs = np.unique(np.array([values["config_version"][rows], values["configuration_id"][rows]]), axis=1)
        for version, number in pairs.T.astype(np.int64).tolist():
            self.configurations.setdefault(Version(asset, version), number)


class _Configurations:
    """Configurations of a record; those used last are kept."""

    def __init__(self, reader: RecordReader) -> None:
        self._reader = reader
        self._kept: OrderedDict[int, Configuration | str] = OrderedDict()

    def get(self, number: int) -> Configuration | str:
        """The configuration, or the reason why there is none."""
        found = self._kept.pop(number, None)
        self._kept[number] = found = self._read(number) if found is None else found
        while len(self._kept) > _MOST_CONFIGURATIONS:
            self._kept.popitem(last=False)
        return found

    def _read(self, number: int) -> Configuration | str:
        try:
            return Configuration.model_validate(self._reader.configuration(number))
        except LookupError:
            return _MISSING.configuration
        except ValidationError:
            return _MISSING.version

"""What came of a version of the configuration, on the wire."""

from __future__ import annotations

from typing_extensions import TypedDict

from vivienne.wire.comparison import ScoreComparison
from vivienne.wire.outcome import OutcomeSummary


class SideEntries(TypedDict):
    """Numbers of entries by side."""

    long: int
    short: int


class LevelEntries(TypedDict):
    """Numbers of entries by the level of the bar at which the position began."""

    loaded: SideEntries
    aim: SideEntries
    bang: SideEntries


class HeldCount(TypedDict):
    """Entries that one filter held back, whether others did so too or not.

    `bars` is the number of bars on which it did, and `entries` the number of those at which it began to.
    """

    filter: str
    bars: int
    entries: int


class VersionDecisions(TypedDict):
    """Decisions of one configuration on some bars.

    `decided` is the number of bars with a decision that had an effect. An entry is a bar that asks for a position that
    the bar before did not ask for, or on the other side. `outcomes` is what came of the entries.
    """

    bars: int
    decided: int
    entries: LevelEntries
    held: list[HeldCount]
    outcomes: OutcomeSummary


class VersionOutcome(TypedDict):
    """What came of a version for one asset, beside what the version before it would have done on the same bars.

    `begins` and `ends` are the open times of the first and the last bar that it decided, and `bars` is their number.
    `then` has the decisions of the version `before`, made anew from the recorded bars; it and `comparison` are null if
    there is no such version.
    """

    asset: str
    timeframe: str
    version: int
    before: int | None
    begins: str | None
    ends: str | None
    bars: int
    now: VersionDecisions
    then: VersionDecisions | None
    comparison: ScoreComparison | None

"""Setups on the wire: how often kinds of entries worked, and when filters held them back."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from vivienne.wire.outcome import OutcomeSummary


class SetupGroup(TypedDict):
    """What came of the entries of one kind. `name` is a level, a side, an asset, or an hour of the day (UTC)."""

    name: str
    outcomes: OutcomeSummary


class HeldGroup(TypedDict):
    """What would have come of the entries that one filter held back, from the bar on at which it began to.

    `held_right` is the fraction of those whose return after 16 bars, before costs, would have been below 0; null if
    none is known.
    """

    filter: str
    outcomes: OutcomeSummary
    held_right: float | None


class Setups(TypedDict):
    """What came of entries, by kind. Each entry counts once in each list but `held_by`, which has those held back."""

    by_level: list[SetupGroup]
    by_side: list[SetupGroup]
    by_asset: list[SetupGroup]
    by_hour: list[SetupGroup]
    held_by: list[HeldGroup]


HeatUnit = Literal["hour", "day"]


class FilterShares(TypedDict):
    """For each span of time, the fraction of decided bars on which a filter blocked an entry."""

    filter: str
    shares: list[float]


class HeatMap(TypedDict):
    """How much each filter blocked, over time.

    `times` are the beginnings of the hours or days (UTC) with decided bars, oldest first, and `bars` the numbers of
    these bars.
    """

    unit: HeatUnit
    times: list[str]
    bars: list[int]
    filters: list[FilterShares]

"""Previews on the wire: the effect that a change would have had."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from vivienne.wire.answers import ValueChange
from vivienne.wire.chart import BarSource
from vivienne.wire.decision import BarDecision
from vivienne.wire.problem import ProblemEntry, WarningEntry


class LevelSizes(TypedDict):
    """Position size at each level while no filter blocks, in percent of equity, at most the cap."""

    idle: float
    loaded: float
    aim: float
    bang: float


class LevelCounts(TypedDict):
    """Decisions of one configuration on the compared bars. The levels add up to the number of compared bars.

    `undecided` is the number of all bars that this configuration cannot decide: it needs more bars before them
    (warm-up), or bars of their history are no longer kept. `held` is the number of bars where an entry (`loaded` or
    above) is held back. `entries` is the number of bars with a position that the compared bar before did not have, or
    had on the other side. `exposure` is the mean position size, in percent of equity, long and short alike.
    """

    idle: int
    loaded: int
    aim: int
    bang: int
    undecided: int
    held: int
    entries: int
    exposure: float
    sizes: LevelSizes


class DifferentBar(TypedDict):
    """A bar with a different decision. Its source is that of a bar of a chart."""

    time: str
    source: BarSource | None
    now: BarDecision
    then: BarDecision


class Comparison(TypedDict):
    """The last bars under two configurations. `different` holds the newest 200 bars with different decisions.

    `compared` is the number of bars that both configurations can decide; everything else is counted on these.
    """

    bars: int
    compared: int
    now: LevelCounts
    then: LevelCounts
    different_bars: int
    different: list[DifferentBar]


class DecisionPreview(TypedDict):
    """The effect that a change would have had. `now` is the configuration in force, `then` the changed one.

    For a change that is not valid, only `valid` and `errors` are set, and `warnings` is empty.
    """

    valid: bool
    errors: list[ProblemEntry]
    warnings: list[WarningEntry]
    asset: NotRequired[str]
    timeframe: NotRequired[str]
    changed: NotRequired[list[ValueChange]]
    bars: NotRequired[int]
    compared: NotRequired[int]
    now: NotRequired[LevelCounts]
    then: NotRequired[LevelCounts]
    different_bars: NotRequired[int]
    different: NotRequired[list[DifferentBar]]

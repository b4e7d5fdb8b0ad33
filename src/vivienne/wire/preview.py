"""Previews on the wire: the effect that a change would have had."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from vivienne.wire.answers import ValueChange
from vivienne.wire.decision import BarDecision
from vivienne.wire.problem import ProblemEntry, WarningEntry


class LevelCounts(TypedDict):
    """Number of bars at each level and of undecided bars; their sum is the number of bars.

    `undecided` bars cannot be decided: the configuration needs more bars before them (warm-up), or bars of their
    history are no longer kept. `held` is the number of decided bars where an entry (`loaded` or above) is held back.
    """

    idle: int
    loaded: int
    aim: int
    bang: int
    undecided: int
    held: int


class DifferentBar(TypedDict):
    """A bar with a different decision."""

    time: str
    now: BarDecision
    then: BarDecision


class Comparison(TypedDict):
    """The last bars under two configurations. `different` holds the newest 200 bars with different decisions.

    Bars that one of the configurations cannot decide are not compared.
    """

    bars: int
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
    now: NotRequired[LevelCounts]
    then: NotRequired[LevelCounts]
    different_bars: NotRequired[int]
    different: NotRequired[list[DifferentBar]]

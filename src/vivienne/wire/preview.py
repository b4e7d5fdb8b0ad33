"""Previews as they go out on the wire: the effect that a change would have had."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from vivienne.wire.answers import ValueChange
from vivienne.wire.decision import BarDecision
from vivienne.wire.problem import ProblemEntry


class LevelCounts(TypedDict):
    """Numbers of bars at each level; their sum is the number of bars.

    `undecided` ones are those that a configuration cannot decide: it needs more bars before them (warm-up), or bars of
    their history are not kept any more. `held` is how many of the others had an entry (`loaded` or above) held back.
    """

    idle: int
    loaded: int
    aim: int
    bang: int
    undecided: int
    held: int


class DifferentBar(TypedDict):
    """A bar that would have been decided otherwise."""

    time: str
    now: BarDecision
    then: BarDecision


class Comparison(TypedDict):
    """The last bars under two configurations; of those that are different, the newest 200 in `different`.

    Bars that one of the two cannot decide are not compared.
    """

    bars: int
    now: LevelCounts
    then: LevelCounts
    different_bars: int
    different: list[DifferentBar]


class DecisionPreview(TypedDict):
    """The effect that a change would have had; `now` is the configuration in force, `then` the changed one.

    A change that would be refused has its `errors` and nothing else.
    """

    valid: bool
    errors: list[ProblemEntry]
    asset: NotRequired[str]
    timeframe: NotRequired[str]
    changed: NotRequired[list[ValueChange]]
    bars: NotRequired[int]
    now: NotRequired[LevelCounts]
    then: NotRequired[LevelCounts]
    different_bars: NotRequired[int]
    different: NotRequired[list[DifferentBar]]

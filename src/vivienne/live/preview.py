"""What a change would have done: the bars of the window, decided with the present and with another configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired

from typing_extensions import TypedDict

from vivienne.agent.decision import NO_CAP, Clarity, Level
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import SIDES
from vivienne.times import iso
from vivienne.wire.answers import ValueChange
from vivienne.wire.explanation import Side
from vivienne.wire.problem import ProblemEntry

if TYPE_CHECKING:
    from vivienne.agent.evaluate import Evaluation
    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars

MOST_DIFFERENT = 200
"""Bars that are listed one by one, the newest of those that are different."""


class LevelCounts(TypedDict):
    """How many bars were at each level, and how many had an entry (`loaded` or above) held back by a filter."""

    idle: int
    loaded: int
    aim: int
    bang: int
    held: int


class DecidedBar(TypedDict):
    """What a configuration makes of a bar; `held` when a filter keeps an entry (`loaded` or above) back."""

    clarity_level: Level
    side: Side
    position_size: float
    held: bool


class DifferentBar(TypedDict):
    """A bar that would have been decided otherwise."""

    time: str
    now: DecidedBar
    then: DecidedBar


class Comparison(TypedDict):
    """The last bars under two configurations; of those that are different, the newest 200 in `different`."""

    bars: int
    now: LevelCounts
    then: LevelCounts
    different_bars: int
    different: list[DifferentBar]


class DecisionPreview(TypedDict):
    """What a change would have done; `now` is the configuration in force, `then` the changed one.

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


def compare(
    bars: Bars,
    now: Configuration,
    then: Configuration,
    timeframe_minutes: int,
    rows: int,
    *,
    cap: float = NO_CAP,
) -> Comparison:
    """Decide the last bars of a window with two configurations.

    Args:
        bars: the window.
        now: the configuration in force.
        then: the one it is compared with.
        timeframe_minutes: length of a bar.
        rows: how many bars; all there are if there are fewer.
        cap: the largest position size, in percent of equity.
    """
    rows = min(rows, len(bars))
    if rows == 0:
        none = LevelCounts(idle=0, loaded=0, aim=0, bang=0, held=0)
        return {"bars": 0, "now": none, "then": none, "different_bars": 0, "different": []}
    before, after = (evaluate(bars, each, timeframe_minutes, rows, cap=cap) for each in (now, then))
    different: list[DifferentBar] = []
    for place, time in enumerate(before.open_time.tolist()):
        one, other = _decided(before, place), _decided(after, place)
        if _matter(one) != _matter(other):
            different.append({"time": iso(time), "now": one, "then": other})
    return {
        "bars": rows,
        "now": _counts(before),
        "then": _counts(after),
        "different_bars": len(different),
        "different": different[-MOST_DIFFERENT:],
    }


def _decided(evaluation: Evaluation, place: int) -> DecidedBar:
    return {
        "clarity_level": Clarity(int(evaluation.decision.level[place])).word,
        "side": SIDES[int(evaluation.votes.side[place])],
        "position_size": float(evaluation.decision.size[place]),
        "held": bool(evaluation.blocked[place] and evaluation.decision.raw_level[place] > Clarity.IDLE),
    }


def _matter(decided: DecidedBar) -> tuple[object, ...]:
    """What makes a difference: the side does not while the level is idle."""
    side = None if decided["clarity_level"] == Clarity.IDLE.word else decided["side"]
    return decided["clarity_level"], side, decided["position_size"], decided["held"]


def _counts(evaluation: Evaluation) -> LevelCounts:
    levels = evaluation.decision.level.tolist()
    idle, loaded, aim, bang = (levels.count(level) for level in Clarity)
    held = int((evaluation.blocked & (evaluation.decision.raw_level > Clarity.IDLE)).sum())
    return {"idle": idle, "loaded": loaded, "aim": aim, "bang": bang, "held": held}

"""The effect a change would have had: the last bars, decided with the present and with the changed configuration."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

from vivienne.agent.decision import Clarity
from vivienne.live.entries import bar_decision
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.agent.decision import Decision
    from vivienne.agent.schema import Configuration
    from vivienne.live.deciding import Deciding
    from vivienne.wire.preview import Comparison, DifferentBar, LevelCounts, LevelSizes

MOST_DIFFERENT = 200
"""Largest number of different bars that are listed; the newest are kept."""


def compare(deciding: Deciding, now: Configuration, then: Configuration, rows: int) -> Comparison:
    """Decide the last bars with two configurations.

    Args:
        deciding: decides the bars of the asset.
        now: the configuration in force.
        then: the configuration it is compared with.
        rows: number of bars; all bars if there are fewer.
    """
    evaluations = deciding.evaluate(now, rows), deciding.evaluate(then, rows)
    before, after = ([] if each is None else each.decisions() for each in evaluations)
    compared = [pair for pair in zip(before, after, strict=True) if _is_decided(pair[0]) and _is_decided(pair[1])]
    sources = deciding.sources()
    different: list[DifferentBar] = [
        {
            "time": iso(one.open_time),
            "source": sources[one.open_time],
            "now": bar_decision(one),
            "then": bar_decision(other),
        }
        for one, other in compared
        if _effect(one) != _effect(other)
    ]
    return {
        "bars": len(before),
        "compared": len(compared),
        "now": _counts([one for one, _ in compared], before, deciding.sizes(now)),
        "then": _counts([other for _, other in compared], after, deciding.sizes(then)),
        "different_bars": len(different),
        "different": different[-MOST_DIFFERENT:],
    }


def _is_decided(decision: Decision) -> bool:
    return decision.ready and decision.is_whole


def _effect(decision: Decision) -> tuple[object, ...]:
    """The values that count as a difference. The side does not count while the level is idle."""
    side = None if decision.level is Clarity.IDLE else decision.side
    return decision.level, side, decision.size, decision.is_held


def _counts(compared: list[Decision], all_bars: list[Decision], sizes: LevelSizes) -> LevelCounts:
    levels = [decision.level for decision in compared]
    idle, loaded, aim, bang = (levels.count(level) for level in Clarity)
    return {
        "idle": idle,
        "loaded": loaded,
        "aim": aim,
        "bang": bang,
        "undecided": sum(not _is_decided(decision) for decision in all_bars),
        "held": sum(decision.is_held for decision in compared),
        "entries": _entries(compared),
        "exposure": fmean(decision.size for decision in compared) if compared else 0.0,
        "sizes": sizes,
    }


def _entries(decisions: list[Decision]) -> int:
    """Number of bars at which a position begins, or changes its side."""
    positions = ["none", *(decision.side if decision.size else "none" for decision in decisions)]
    return sum(position not in (before, "none") for before, position in pairwise(positions))

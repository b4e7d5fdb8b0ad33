"""The nearest change: the one threshold or switch that, changed alone and least, alters the clarity level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.agent.decision import Clarity, percent
from vivienne.agent.evaluate import evaluate
from vivienne.agent.filters import CHECKS, CHECKS_OF, FILTERS, SCENARIOS
from vivienne.agent.wording import show_apart
from vivienne.config.schema import Configuration
from vivienne.config.tunables import TUNABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.agent.evaluate import Evaluation
    from vivienne.market.types import Bars
    from vivienne.wire.explanation import NearestChange


class Change(NamedTuple):
    """One value that, changed alone, alters the level.

    Attributes:
        path: the tunable.
        old: its value now.
        new: the value nearest to it that alters the level.
        level: the level that would result.
    """

    path: str
    old: float | bool
    new: float | bool
    level: Clarity

    @property
    def distance(self) -> float:
        """How far away, relative to the present value; a switch counts as 1."""
        return abs(self.new - self.old) / abs(self.old) if self.old else math.inf

    def as_document(self) -> NearestChange:
        """The change as it goes out on the wire."""
        title = TUNABLES[self.path].title
        old, new = show_apart(self.old, self.new)
        return {
            "path": self.path,
            "from": self.old,
            "to": self.new,
            "clarity_level": self.level.word,
            "message": f"{title} {old} -> {new} makes it {self.level.word}",
        }


def _round_toward(value: float, *, up: bool) -> Iterator[float]:
    """Values at or beyond `value` on one side, the shortest ones first."""
    for digits in (2, 3, 4, 6, 9, 12, 15):
        step = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - digits) if value else 1.0
        rounded = (math.ceil if up else math.floor)(value / step) * step
        yield float(f"{rounded:.15g}")


def _beyond(value: float, *, up: bool, strict: bool, low: float, high: float) -> float | None:
    """The shortest number at or beyond `value` (beyond it, when strict) that is within bounds and near to it."""
    if value == 0 and not strict and low <= 0 <= high:
        return 0.0
    for candidate in _round_toward(value, up=up):
        moved = candidate - value if up else value - candidate
        if low <= candidate <= high and (moved > 0 or (moved == 0 and not strict)) and moved <= abs(value) * 0.01:
            return candidate
    candidate = math.nextafter(value, math.inf if up else -math.inf) if strict else value
    return candidate if low <= candidate <= high else None


def _threshold_changes(evaluation: Evaluation, config: Configuration) -> Iterator[Change]:
    """Level thresholds that, moved across the confidence, alter the level; they stay in order."""
    settings = config.settings
    raw_level = int(evaluation.decision.raw_level[-1])
    blocked = bool(evaluation.blocked[-1])
    confidence = float(percent(evaluation.votes.confidence)[-1])
    names = ("loaded", "aim", "bang")
    thresholds = (settings.state_threshold_loaded, settings.state_threshold_aim, settings.state_threshold_bang)
    if raw_level < Clarity.BANG and not (blocked and raw_level >= Clarity.LOADED):
        floor = thresholds[raw_level - 1] if raw_level else 0.0
        new = _beyond(confidence, up=False, strict=False, low=floor, high=100.0)
        if new is not None:
            path = f"settings.state_threshold_{names[raw_level]}"
            yield Change(path, thresholds[raw_level], new, Clarity(raw_level + 1))
    if raw_level > Clarity.IDLE and not (blocked and raw_level > Clarity.LOADED):
        ceiling = thresholds[raw_level] if raw_level < Clarity.BANG else 100.0
        new = _beyond(confidence, up=True, strict=True, low=0.0, high=ceiling)
        if new is not None:
            path = f"settings.state_threshold_{names[raw_level - 1]}"
            yield Change(path, thresholds[raw_level - 1], new, Clarity(raw_level - 1))


def _release_changes(evaluation: Evaluation) -> Iterator[Change]:
    """Tunables that would let a held-back level through, when only one filter holds it."""
    raw_level = Clarity(int(evaluation.decision.raw_level[-1]))
    if raw_level <= Clarity.LOADED or not evaluation.blocked[-1]:
        return
    rows = evaluation.filters
    holding = np.flatnonzero(rows.blocks[:, -1])
    if len(holding) != 1:
        return
    barrier = FILTERS[holding[0]]
    scenarios = np.flatnonzero(rows.scenario_blocks[:, -1])
    one = scenarios[0] if len(scenarios) == 1 else None
    # Of two switches the narrower one is offered: equal distances keep their order.
    if one is not None and (switch := SCENARIOS[one].switch) is not None:
        yield Change(switch, old=True, new=False, level=raw_level)
    yield Change(barrier.switch, old=True, new=False, level=raw_level)
    if one is None:
        return
    for place in CHECKS_OF[one]:
        check = CHECKS[place]
        if check.path is None:
            continue
        low, high = TUNABLES[check.path].bounds or (-math.inf, math.inf)
        new = _beyond(
            float(rows.values[place, -1]),
            up=check.relation in (">", ">="),
            strict=check.relation in ("<=", ">="),
            low=low,
            high=high,
        )
        if new is not None:
            yield Change(check.path, float(rows.thresholds[place]), new, raw_level)


def _with(config: Configuration, path: str, value: float | bool) -> Configuration:
    document = config.model_dump(exclude_none=True)
    *sections, name = path.split(".")
    inner = document
    for section in sections:
        inner = inner[section]
    inner[name] = value
    return Configuration.model_validate(document)


def nearest_change(evaluation: Evaluation, bars: Bars, config: Configuration, timeframe_minutes: int) -> Change | None:
    """The threshold or switch whose smallest relative change alters the clarity level of the last row.

    Level thresholds follow from the confidence alone. What releases a filter is tried out, because a threshold may
    have a second effect (the levels buffer also merges levels).
    """
    if evaluation.votes.side[-1] == 0:
        return None
    # A level that is held back changes only by a release, any other only by a threshold.
    for change in sorted(_release_changes(evaluation), key=lambda change: change.distance):
        again = evaluate(bars, _with(config, change.path, change.new), timeframe_minutes)
        if int(again.decision.level[-1]) == change.level:
            return change
    return min(_threshold_changes(evaluation, config), key=lambda change: change.distance, default=None)

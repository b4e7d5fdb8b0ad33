"""The nearest change: the smallest change of a single threshold or switch that alters the outcome.

The outcome is the clarity level, and whether a filter holds back an entry.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pydantic import BaseModel

from vivienne.agent.blocking import CHECKS, CHECKS_OF, SCENARIOS
from vivienne.agent.decision import Clarity, percent
from vivienne.agent.evaluate import evaluate
from vivienne.agent.filters import FILTERS
from vivienne.agent.levels import nearest_levels
from vivienne.agent.rules import Ordered
from vivienne.agent.schema import RULES, Configuration, field_at
from vivienne.agent.tolerance import EQUAL
from vivienne.agent.wording import show_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.agent.blocking import FilterRows
    from vivienne.agent.evaluate import Evaluation
    from vivienne.agent.filters.base import Check
    from vivienne.market.types import Bars
    from vivienne.wire.explanation import NearestChange

_LEVELS_BUFFER = "filters.levels.levels_buffer_percent"
"""The threshold that also affects the value compared with it, because it also merges levels."""


_Section = TypeVar("_Section", bound=BaseModel)


class Change(NamedTuple):
    """A change of one value that alters the outcome.

    Attributes:
        path: path of the tunable.
        old: its present value.
        new: the nearest value that alters the outcome.
        level: the resulting level.
        held: whether a filter would then hold back an entry.
        is_of_filter: whether the change makes a filter start or stop blocking.
    """

    path: str
    old: float | bool
    new: float | bool
    level: Clarity
    held: bool
    is_of_filter: bool = True

    @property
    def distance(self) -> float:
        """Size of the change relative to the present value; a switch counts as 1."""
        return abs(self.new - self.old) / abs(self.old) if self.old else 1.0 if self.new is True else math.inf

    def as_document(self) -> NearestChange:
        """The change as it is written on the wire."""
        field = field_at(self.path)
        old, new = show_apart(self.old, self.new, field.unit)
        level = self.level.word
        effect = f"changes the level to {level}"
        if self.is_of_filter:
            effect = f"holds the entry back at {level}" if self.held else f"lets the entry through as {level}"
        return {
            "path": self.path,
            "from": self.old,
            "to": self.new,
            "clarity_level": level,
            "held": self.held,
            "message": f"{field.title} {old} -> {new} {effect}",
        }


def _round_toward(value: float, *, up: bool) -> Iterator[float]:
    """Numbers at or beyond `value` on one side, those with the fewest digits first."""
    exponent = math.floor(math.log10(abs(value))) if value else 0
    towards = math.ceil if up else math.floor
    for digits in (2, 3, 4, 6, 9, 12):
        places = digits - 1 - exponent
        step = 10.0**-places
        yield round(towards(value / step) * step, places)


def _beyond(value: float, *, up: bool, strict: bool, low: float, high: float) -> float | None:
    """The number with the fewest digits at or beyond `value`, near it and within bounds; clearly beyond if strict."""
    if value == 0 and not strict and low <= 0 <= high:
        return 0.0
    clear = 2 * EQUAL * abs(value)
    for candidate in _round_toward(value, up=up):
        moved = candidate - value if up else value - candidate
        if low <= candidate <= high and (moved > clear or (moved >= 0 and not strict)) and moved <= abs(value) * 0.01:
            return candidate
    candidate = value + (4 * EQUAL * abs(value) or EQUAL) * (1 if up else -1) if strict else value
    return candidate if low <= candidate <= high else None


def _threshold_changes(evaluation: Evaluation, config: Configuration) -> Iterator[Change]:
    """Level thresholds that alter the level when moved across the confidence. The thresholds stay in order."""
    settings = config.settings
    raw_level = int(evaluation.decided.raw_level[-1])
    blocked = bool(evaluation.blocked[-1])
    confidence = float(percent(evaluation.votes.confidence)[-1])
    names = ("loaded", "aim", "bang")
    thresholds = (settings.state_threshold_loaded, settings.state_threshold_aim, settings.state_threshold_bang)
    if raw_level < Clarity.BANG and not (blocked and raw_level >= Clarity.LOADED):
        floor = thresholds[raw_level - 1] if raw_level else 0.0
        new = _beyond(confidence, up=False, strict=False, low=floor, high=100.0)
        if new is not None:
            path = f"settings.state_threshold_{names[raw_level]}"
            yield Change(path, thresholds[raw_level], new, Clarity(raw_level + 1), blocked, is_of_filter=False)
    if raw_level > Clarity.IDLE and not (blocked and raw_level > Clarity.LOADED):
        ceiling = thresholds[raw_level] if raw_level < Clarity.BANG else 100.0
        new = _beyond(confidence, up=True, strict=True, low=0.0, high=ceiling)
        if new is not None:
            path = f"settings.state_threshold_{names[raw_level - 1]}"
            held = blocked and raw_level - 1 > Clarity.IDLE
            yield Change(path, thresholds[raw_level - 1], new, Clarity(raw_level - 1), held, is_of_filter=False)


def _filter_changes(evaluation: Evaluation) -> Iterator[Change]:
    """Changes that release an entry that is held back, or hold back an entry that is not."""
    raw_level = Clarity(int(evaluation.decided.raw_level[-1]))
    if raw_level < Clarity.LOADED:
        return
    if evaluation.blocked[-1]:
        for path, old, new in _releases(evaluation.filters):
            yield Change(path, old, new, raw_level, held=False)
    else:
        for path, old, new in _holds(evaluation.filters, is_long=bool(evaluation.votes.side[-1] > 0)):
            yield Change(path, old, new, Clarity.LOADED, held=True)


def _releases(rows: FilterRows) -> Iterator[tuple[str, float | bool, float | bool]]:
    """Changes that release an entry held back by exactly one filter: path, old and new value."""
    holding = rows.blocks[:, -1].nonzero()[0].tolist()
    if len(holding) != 1:
        return
    scenarios = rows.scenario_blocks[:, -1].nonzero()[0].tolist()
    one = scenarios[0] if len(scenarios) == 1 else None
    # The narrower of two switches comes first, because equal distances keep their order.
    if one is not None and (switch := SCENARIOS[one].switch) is not None:
        yield switch, True, False
    yield FILTERS[holding[0]].switch, True, False
    for place in () if one is None else CHECKS_OF[one]:
        yield from _moved(rows, place, met=False)


def _holds(rows: FilterRows, *, is_long: bool) -> Iterator[tuple[str, float | bool, float | bool]]:
    """Changes that make a further scenario block: path, old and new value."""
    number = -1
    for each, enabled in zip(FILTERS, rows.gates.enabled, strict=True):
        for scenario in each.scenarios:
            number += 1
            if scenario.longs_only and not is_long:
                continue
            unmet = [place for place in CHECKS_OF[number] if not rows.met[place, -1]]
            if rows.gates.switched_on[number] and len(unmet) == 1:
                yield from _moved(rows, unmet[0], met=True)
            elif not unmet and not enabled:
                yield each.switch, False, True
            elif not unmet and scenario.switch is not None and not rows.gates.switched_on[number]:
                yield scenario.switch, False, True


def _moved(rows: FilterRows, place: int, *, met: bool) -> Iterator[tuple[str, float, float]]:
    """The threshold of a check moved across its value, so that the check becomes met or unmet."""
    check: Check = CHECKS[place]
    value = float(rows.values[place, -1])
    if check.path is None or math.isnan(value):
        return
    low, high = field_at(check.path).bounds
    is_strict = check.relation in ("<", ">")
    new = _beyond(
        value,
        up=(check.relation in ("<", "<=")) == met,
        strict=is_strict == met,
        low=low,
        high=high,
    )
    if new is not None:
        yield check.path, rows.gates.thresholds[place], new


def _keeps_rules(config: Configuration, change: Change) -> bool:
    """True if the changed configuration is valid, that is, values that must be in order still are."""
    for rule in RULES:
        if isinstance(rule, Ordered) and change.path in rule.paths:
            values = [change.new if path == change.path else field_at(path).value(config) for path in rule.paths]
            if any(one > other or (rule.strict and one == other) for one, other in pairwise(values)):
                return False
    return True


def _with(section: _Section, path: str, value: float | bool) -> _Section:
    """A copy of a section of the configuration with one value changed, which must be valid."""
    name, _, rest = path.partition(".")
    return section.model_copy(update={name: _with(getattr(section, name), rest, value) if rest else value})


def nearest_change(evaluation: Evaluation, bars: Bars, config: Configuration, timeframe_minutes: int) -> Change | None:
    """The threshold or switch whose smallest relative change alters the outcome of the last row.

    A change of the levels buffer, which also merges levels, is evaluated before it is returned.

    Returns:
        None if no signal votes, or if an entry above `loaded` is held back in more than one way.
    """
    if evaluation.votes.side[-1] == 0:
        return None
    changes = [*_filter_changes(evaluation), *_threshold_changes(evaluation, config)]
    for change in sorted(changes, key=lambda change: change.distance):
        if _keeps_rules(config, change) and _is_true(change, evaluation, bars, config, timeframe_minutes):
            return change
    return None


def _is_true(change: Change, evaluation: Evaluation, bars: Bars, config: Configuration, timeframe_minutes: int) -> bool:
    if change.path != _LEVELS_BUFFER:
        return True
    support, resistance = nearest_levels(bars, config.indicators.pivot_bars, change.new, 1)
    if support[0] == evaluation.support[-1] and resistance[0] == evaluation.resistance[-1]:
        return True  # it merges the levels ahead as before
    decision = evaluate(bars, _with(config, change.path, change.new), timeframe_minutes).decision()
    return (decision.level, decision.is_held) == (change.level, change.held)

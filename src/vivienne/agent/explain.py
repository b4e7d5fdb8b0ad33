"""A decision in words and figures: what every signal and filter said, and the nearest change that would alter it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from vivienne.agent.decision import Clarity, percent
from vivienne.agent.evaluate import evaluate
from vivienne.agent.filters import FILTERS
from vivienne.config.schema import TUNABLES, Configuration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.agent.evaluate import Evaluation
    from vivienne.agent.filters import Check, Filter, Scenario
    from vivienne.market.types import Bars

SIDES = {1: "long", -1: "short", 0: "none"}
_OPPOSITE = {"<": "not below", "<=": "above", ">": "not above", ">=": "below"}
_RELATION = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}


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

    def as_document(self) -> dict[str, Any]:
        """The change as it goes out on the wire."""
        title = TUNABLES[self.path].title
        return {
            "path": self.path,
            "from": self.old,
            "to": self.new,
            "clarity_level": self.level.word,
            "message": f"{title} {_show(self.old)} -> {_show(self.new)} makes it {self.level.word}",
        }


@dataclass(frozen=True, slots=True)
class Explained:
    """The last row of an evaluation, in plain values, ready for the wire.

    Attributes:
        open_time: of the bar, ms since the epoch.
        ready: False while warming up.
        side: long, short or none.
        confidence: 0 to 1.
        size: percent of equity.
        blocked_by: names of the filters that block.
        explanation: see `explain`.
    """

    open_time: int
    ready: bool
    level: Clarity
    raw_level: Clarity
    side: str
    confidence: float
    size: float
    trend: str
    volatility: str
    levels: str
    blocked_by: tuple[str, ...]
    explanation: dict[str, Any]


def explain(evaluation: Evaluation, bars: Bars, config: Configuration, timeframe_minutes: int) -> Explained:
    """Explain the last row of an evaluation.

    Args:
        evaluation: from `evaluate` over the same bars and configuration.
        bars: the window it was made from; tried again to make sure of the nearest change where a filter blocks.
        config: the tunables it was made with.
        timeframe_minutes: length of a bar.

    Returns:
        The decision. Its ``explanation`` has ``summary`` (a sentence), ``signals`` (direction, strength, weight,
        contribution, reading), ``filters`` (state, values against thresholds, a sentence) and ``nearest_change``.
    """
    decision, votes = evaluation.decision, evaluation.votes
    level, raw_level = Clarity(int(decision.level[-1])), Clarity(int(decision.raw_level[-1]))
    side, confidence = SIDES[int(votes.side[-1])], float(votes.confidence[-1])
    seen = _seen(evaluation)
    ready = bool(evaluation.ready[-1])
    change = nearest_change(evaluation, bars, config, timeframe_minutes) if ready else None
    return Explained(
        open_time=int(evaluation.open_time[-1]),
        ready=ready,
        level=level,
        raw_level=raw_level,
        side=side,
        confidence=confidence,
        size=float(decision.size[-1]),
        trend={1: "bullish", -1: "bearish", 0: "neutral"}[int(evaluation.situation.trend[-1])],
        volatility=_volatility(evaluation, config),
        levels=_levels(seen) if ready else "inactive",
        blocked_by=tuple(found.barrier.name for found in seen if found.blocks),
        explanation={
            "summary": _summary(seen, level, raw_level, side, confidence) if ready else "warming up",
            "signals": _signals(evaluation, config) if ready else [],
            "filters": [_filter(found, side) for found in seen] if ready else [],
            "nearest_change": change.as_document() if change else None,
        },
    )


def _show(value: float | bool) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"  # noqa: PLR2004  # a matter of looks


def _number(value: float) -> float | None:
    """A figure for the wire: there is no NaN in JSON, and nobody wants to read -0."""
    return value + 0.0 if math.isfinite(value) else None


class _SeenCheck(NamedTuple):
    """A check on the last row, in plain values."""

    check: Check
    value: float
    threshold: float
    met: bool


class _SeenScenario(NamedTuple):
    """A scenario on the last row."""

    scenario: Scenario
    blocks: bool
    checks: list[_SeenCheck]


class _SeenFilter(NamedTuple):
    """A filter on the last row."""

    barrier: Filter
    enabled: bool
    blocks: bool
    scenarios: list[_SeenScenario]


def _seen(evaluation: Evaluation) -> list[_SeenFilter]:
    """What the filters said on the last row."""
    rows = evaluation.filters
    checks = zip(rows.values[:, -1].tolist(), rows.thresholds.tolist(), rows.met[:, -1].tolist(), strict=True)
    scenario_blocks = iter(rows.scenario_blocks[:, -1].tolist())
    return [
        _SeenFilter(
            barrier,
            enabled,
            blocks,
            [
                _SeenScenario(
                    scenario, next(scenario_blocks), [_SeenCheck(check, *next(checks)) for check in scenario.checks]
                )
                for scenario in barrier.scenarios
            ],
        )
        for barrier, enabled, blocks in zip(FILTERS, rows.enabled, rows.blocks[:, -1].tolist(), strict=True)
    ]


def _volatility(evaluation: Evaluation, config: Configuration) -> str:
    tunables = config.filters.volatility
    bandwidth = evaluation.situation.bandwidth[-1]
    if abs(evaluation.situation.deviations[-1]) >= tunables.overextended_deviations:
        return "overextended"
    if bandwidth < tunables.volatility_squeeze_threshold:
        return "squeeze"
    return "breakout" if bandwidth > tunables.volatility_breakout_threshold else "normal"


def _levels(seen: list[_SeenFilter]) -> str:
    levels = next(found for found in seen if found.barrier.name == "levels")
    if not levels.enabled:
        return "inactive"
    return "blocking" if levels.blocks else "active"


def _signals(evaluation: Evaluation, config: Configuration) -> list[dict[str, Any]]:
    return [
        {
            "name": signal.name,
            "direction": int(signal.direction[-1]),
            "strength": _number(float(signal.strength[-1])),
            "weight": getattr(config.signal_weights, signal.name),
            "contribution": _number(float(contribution[-1])),
            "measure": signal.measure,
            "reading": _number(float(signal.reading[-1])),
        }
        for signal, contribution in zip(evaluation.signals, evaluation.votes.contributions, strict=True)
    ]


def _sentence(seen: _SeenCheck) -> str:
    check, value, threshold, met = seen
    if math.isnan(value):
        return f"{check.measure} unknown"
    if check.words is not None:
        return check.words[0 if met else 1]
    relation = _RELATION[check.relation] if met else _OPPOSITE[check.relation]
    return f"{check.measure} {_show(value)} {relation} {_show(threshold)}"


def _why(found: _SeenFilter) -> str:
    """Why a filter blocks."""
    scenario = next(scenario for scenario in found.scenarios if scenario.blocks)
    return f"{scenario.scenario.name}: {' and '.join(map(_sentence, scenario.checks))}"


def _filter(found: _SeenFilter, side: str) -> dict[str, Any]:
    if found.blocks:
        message = _why(found)
    elif not found.enabled:
        message = "switched off"
    elif side == "none":
        message = "no entry to hold back"
    else:
        saved = (next((check for check in scenario.checks if not check.met), None) for scenario in found.scenarios)
        message = "clear: " + ", ".join(_sentence(check) for check in saved if check is not None)
    return {
        "name": found.barrier.name,
        "enabled": found.enabled,
        "state": "blocked" if found.blocks else "passed" if found.enabled else "off",
        "message": message,
        "checks": [
            {
                "scenario": scenario.name,
                "measure": check.measure,
                "value": _number(value),
                "relation": check.relation,
                "threshold": threshold,
                "path": check.path,
                "met": met,
            }
            for scenario, _, checks in found.scenarios
            for check, value, threshold, met in checks
        ],
    }


def _summary(seen: list[_SeenFilter], level: Clarity, raw_level: Clarity, side: str, confidence: float) -> str:
    if side == "none":
        return "idle: no signal votes, or the votes cancel out"
    text = f"{side}, confidence {confidence * 100:.1f}"
    holding = [found for found in seen if found.blocks]
    if not holding:
        return f"{level.word}: {text}"
    reasons = "; ".join(f"{found.barrier.name} filter, {_why(found)}" for found in holding)
    held = f"{raw_level.word} held at {level.word}" if raw_level != level else f"{level.word}, no entry"
    return f"{held}: {text}; {reasons}"


def _round_toward(value: float, *, up: bool) -> Iterator[float]:
    """Values at or beyond `value` on one side, the shortest ones first."""
    for digits in range(1, 16):
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
    holding = [found for found in _seen(evaluation) if found.blocks]
    if len(holding) != 1 or raw_level <= Clarity.LOADED:
        return
    yield Change(holding[0].barrier.switch, old=True, new=False, level=raw_level)
    scenarios = [scenario for scenario in holding[0].scenarios if scenario.blocks]
    if len(scenarios) != 1:
        return
    for check, value, threshold, _ in scenarios[0].checks:
        if check.path is None:
            continue
        low, high = TUNABLES[check.path].bounds or (-math.inf, math.inf)
        new = _beyond(
            value, up=check.relation in (">", ">="), strict=check.relation in ("<=", ">="), low=low, high=high
        )
        if new is not None:
            yield Change(check.path, threshold, new, raw_level)


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
    certain = min(_threshold_changes(evaluation, config), key=lambda change: change.distance, default=None)
    for change in sorted(_release_changes(evaluation), key=lambda change: change.distance):
        if certain is not None and certain.distance <= change.distance:
            break
        again = evaluate(bars, _with(config, change.path, change.new), timeframe_minutes)
        if int(again.decision.level[-1]) == change.level:
            return change
    return certain

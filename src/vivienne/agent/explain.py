"""A decision in words and figures: what every signal and filter said, and the nearest change that would alter it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.agent.decision import Clarity
from vivienne.agent.filters import CHECKS, CHECKS_OF, FILTERS
from vivienne.agent.nearest import nearest_change
from vivienne.agent.wording import show

if TYPE_CHECKING:
    from vivienne.agent.evaluate import Evaluation
    from vivienne.agent.filters import Check
    from vivienne.config.schema import Configuration
    from vivienne.market.types import Bars
    from vivienne.wire.explanation import (
        CheckExplanation,
        CheckWording,
        Explanation,
        FilterExplanation,
        LevelsStatus,
        Side,
        SignalExplanation,
        SizeCap,
        Trend,
        VolatilityStatus,
    )

SIDES: dict[int, Side] = {1: "long", -1: "short", 0: "none"}
_OPPOSITE = {"<": "not below", "<=": "above", ">": "not above", ">=": "below"}
_TRENDS: dict[int, Trend] = {1: "bullish", -1: "bearish", 0: "neutral"}
_LEVELS: dict[str, LevelsStatus] = {"blocked": "blocking", "passed": "active", "off": "inactive"}
_RELATION = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}


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
    side: Side
    confidence: float
    size: float
    trend: Trend
    volatility: VolatilityStatus
    levels: LevelsStatus
    blocked_by: tuple[str, ...]
    explanation: Explanation


def explain(evaluation: Evaluation, bars: Bars, config: Configuration, timeframe_minutes: int) -> Explained:
    """Explain the last row of an evaluation.

    Args:
        evaluation: from `evaluate` over the same bars and configuration.
        bars: the window it was made from; tried again to make sure of the nearest change where a filter blocks.
        config: the tunables it was made with.
        timeframe_minutes: length of a bar.

    Returns:
        The decision. Its ``explanation`` has ``summary`` (a sentence), ``signals`` (direction, strength, weight,
        contribution, reading), ``filters`` (state, values against thresholds, a sentence), ``nearest_change`` and
        ``size_cap``.
    """
    decision, votes = evaluation.decision, evaluation.votes
    level, raw_level = Clarity(int(decision.level[-1])), Clarity(int(decision.raw_level[-1]))
    side, confidence = SIDES[int(votes.side[-1])], float(votes.confidence[-1])
    ready = bool(evaluation.ready[-1])
    filters = _filters(evaluation, side) if ready else []
    states = {one["name"]: one["state"] for one in filters}
    change = nearest_change(evaluation, bars, config, timeframe_minutes) if ready else None
    cap = _size_cap(float(decision.size[-1]), float(decision.wanted[-1]))
    return Explained(
        open_time=int(evaluation.open_time[-1]),
        ready=ready,
        level=level,
        raw_level=raw_level,
        side=side,
        confidence=confidence,
        size=float(decision.size[-1]),
        trend=_TRENDS[int(evaluation.situation.trend[-1])],
        volatility=_volatility(evaluation, config),
        levels=_LEVELS[states.get("levels", "off")],
        blocked_by=tuple(name for name, state in states.items() if state == "blocked"),
        explanation={
            "summary": _summary(filters, level, raw_level, side, confidence, cap) if ready else "warming up",
            "signals": _signals(evaluation, config) if ready else [],
            "filters": filters,
            "nearest_change": change.as_document() if change else None,
            "size_cap": cap,
        },
    )


def _number(value: float) -> float | None:
    """A figure for the wire: there is no NaN in JSON, and nobody wants to read -0."""
    return value + 0.0 if math.isfinite(value) else None


def _volatility(evaluation: Evaluation, config: Configuration) -> VolatilityStatus:
    tunables = config.filters.volatility
    bandwidth = evaluation.situation.bandwidth[-1]
    if abs(evaluation.situation.deviations[-1]) >= tunables.overextended_deviations:
        return "overextended"
    if bandwidth < tunables.volatility_squeeze_threshold:
        return "squeeze"
    return "breakout" if bandwidth > tunables.volatility_breakout_threshold else "normal"


def _signals(evaluation: Evaluation, config: Configuration) -> list[SignalExplanation]:
    return [
        {
            "name": signal.name,
            "direction": int(signal.direction[-1]),
            "strength": float(signal.strength[-1]) + 0.0,
            "weight": getattr(config.signal_weights, signal.name),
            "contribution": float(contribution[-1]) + 0.0,
            "measure": signal.measure,
            "reading": _number(float(signal.reading[-1])),
        }
        for signal, contribution in zip(evaluation.signals, evaluation.votes.contributions, strict=True)
    ]


def _sentence(check: Check, value: float, threshold: float, *, met: bool) -> str:
    if math.isnan(value):
        return f"{check.measure} unknown"
    if check.words is not None:
        return check.words[0 if met else 1]
    relation = _RELATION[check.relation] if met else _OPPOSITE[check.relation]
    return f"{check.measure} {show(value)} {relation} {show(threshold)}"


_WORDINGS: list[CheckWording] = [
    {"scenario": scenario.name, "measure": check.measure, "relation": check.relation, "path": check.path}
    for barrier in FILTERS
    for scenario in barrier.scenarios
    for check in scenario.checks
]


def _filters(evaluation: Evaluation, side: str) -> list[FilterExplanation]:
    """What each filter said on the last row: its checks, and a sentence."""
    rows = evaluation.filters
    values, thresholds, met = rows.values[:, -1].tolist(), rows.thresholds.tolist(), rows.met[:, -1].tolist()
    scenario_blocks = rows.scenario_blocks[:, -1].tolist()

    def sentence(place: int) -> str:
        return _sentence(CHECKS[place], values[place], thresholds[place], met=met[place])

    documents: list[FilterExplanation] = []
    scenario_place = 0
    for barrier, enabled, blocks in zip(FILTERS, rows.enabled, rows.blocks[:, -1].tolist(), strict=True):
        checks: list[CheckExplanation] = []
        clear: list[str] = []
        why = ""
        for scenario in barrier.scenarios:
            places = CHECKS_OF[scenario_place]
            if scenario_blocks[scenario_place]:
                said = " and ".join(map(sentence, places))
                why = why or (said if said == scenario.name else f"{scenario.name}: {said}")
            elif not blocks:
                unmet = next((place for place in places if not met[place]), None)
                clear += [] if unmet is None else [sentence(unmet)]
            checks += [
                {
                    **_WORDINGS[place],
                    "value": _number(values[place]),
                    "threshold": thresholds[place],
                    "met": met[place],
                }
                for place in places
            ]
            scenario_place += 1
        if not enabled:
            why = "switched off"
        elif side == "none":
            why = "no entry to hold back"
        documents.append(
            {
                "name": barrier.name,
                "enabled": enabled,
                "state": "blocked" if blocks else "passed" if enabled else "off",
                "message": why or f"clear: {', '.join(clear)}",
                "checks": checks,
            }
        )
    return documents


_CALLED = {"underused_alpha": "retail chop", "combined_vwap": "VWAP"}
"""What people call filters whose names in the configuration are not their words."""


def _reason(name: str, message: str) -> str:
    """The filter and what it said; a scenario that is called as its filter is said once."""
    called = _CALLED.get(name, name)
    return f"{called} filter, {message.removeprefix(f'{called}: ')}"


def _size_cap(size: float, wanted: float) -> SizeCap | None:
    if size >= wanted:
        return None
    return {"wanted": wanted, "cap": size, "message": f"size {show(wanted)} % cut to the cap of {show(size)} %"}


def _summary(
    filters: list[FilterExplanation],
    level: Clarity,
    raw_level: Clarity,
    side: str,
    confidence: float,
    cap: SizeCap | None,
) -> str:
    if side == "none":
        return "idle: no signal votes, or the votes cancel out"
    text = f"{side}, confidence {confidence * 100:.1f}"
    reasons = "; ".join(_reason(one["name"], one["message"]) for one in filters if one["state"] == "blocked")
    if not reasons:
        return f"{level.word}: {text}" + (f"; {cap['message']}" if cap else "")
    held = f"{raw_level.word} held at {level.word}" if raw_level != level else f"{level.word}, no entry"
    return f"{held}: {text}; {reasons}"

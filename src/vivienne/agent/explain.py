"""Explanation of a decision: the vote of every signal, the result of every filter, and the nearest change."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.agent.blocking import CHECKS, CHECKS_OF
from vivienne.agent.filters import FILTER, FILTERS
from vivienne.agent.nearest import as_document, nearest_changes
from vivienne.agent.signals import SIGNAL
from vivienne.agent.wording import show, show_apart, show_confidence

if TYPE_CHECKING:
    from vivienne.agent.decision import Decision
    from vivienne.agent.evaluate import Evaluation
    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars
    from vivienne.wire.explanation import (
        CheckExplanation,
        CheckWords,
        Explanation,
        FilterExplanation,
        ScenarioExplanation,
        SignalExplanation,
        SizeCap,
    )

_RELATIONS = {
    "<": ("below", "not below"),
    "<=": ("at or below", "above"),
    ">": ("above", "not above"),
    ">=": ("at or above", "below"),
}
_TEXTS = [(check.measure.words, check.words, _RELATIONS[check.relation], check.measure.unit) for check in CHECKS]
"""For each check, the texts for one that holds come first."""
_CHECK_WORDS: list[CheckWords] = [
    {
        "id": check.measure.id,
        "measure": check.measure.words,
        "unit": check.measure.unit,
        "relation": check.relation,
        "path": check.path,
    }
    for check in CHECKS
]


def explain(
    evaluation: Evaluation,
    bars: Bars,
    config: Configuration,
    timeframe_minutes: int,
    decision: Decision | None = None,
) -> Explanation:
    """Explain the last row of an evaluation.

    Args:
        evaluation: result of `evaluate` for the same bars and configuration.
        bars: the bars it was made from; some nearest changes are checked with them.
        config: the tunables it was made with.
        timeframe_minutes: length of a bar.
        decision: the decision on the last row, if the caller has it already.

    Returns:
        A summary sentence, the signals with a weight, the filters, the nearest change, and the reduction of the size.
        During warm-up, only the sentence.
    """
    decision = decision or evaluation.decision()
    if not decision.ready:
        return {"summary": "warming up", "signals": [], "filters": [], "nearest_change": None, "size_cap": None}
    filters = _filters(evaluation, decision.side)
    changes = nearest_changes(evaluation, bars, config, timeframe_minutes)
    cap = _size_cap(decision.size, decision.wanted)
    return {
        "summary": _summary(decision, config, filters, cap),
        "signals": _signals(evaluation, config),
        "filters": filters,
        "nearest_change": as_document(changes) if changes else None,
        "size_cap": cap,
    }


def _number(value: float) -> float | None:
    """Convert a number for the wire: None for NaN, which JSON does not have, and 0 for -0."""
    return value + 0.0 if math.isfinite(value) else None


def _signals(evaluation: Evaluation, config: Configuration) -> list[SignalExplanation]:
    found: list[SignalExplanation] = []
    for name, contribution in zip(evaluation.votes.names, evaluation.votes.contributions[:, -1].tolist(), strict=True):
        signal, vote = SIGNAL[name], evaluation.signals[name]
        found.append(
            {
                "id": name,
                "name": name,
                "title": signal.title,
                "direction": int(vote.direction[-1]),
                "strength": float(vote.strength[-1]) + 0.0,
                "weight": getattr(config.signal_weights, name),
                "contribution": contribution + 0.0,
                "measure": signal.measure,
                "unit": signal.unit,
                "reading": _number(float(vote.reading[-1])),
            }
        )
    return found


def _sentence(place: int, value: float, threshold: float, *, met: bool) -> str:
    measure, words, relations, unit = _TEXTS[place]
    if math.isnan(value):
        return f"{measure} is unknown"
    if words is not None:
        return words[0 if met else 1]
    one, other = show_apart(value, threshold, unit)
    return f"{measure} {one} {relations[0 if met else 1]} {other}"


def _filters(evaluation: Evaluation, side: str) -> list[FilterExplanation]:
    """Result of each filter on the last row: its scenarios with their checks, and a sentence."""
    rows = evaluation.filters
    values, met = rows.values[:, -1].tolist(), rows.met[:, -1].tolist()
    scenario_blocks, thresholds = rows.scenario_blocks[:, -1].tolist(), rows.gates.thresholds
    checks: list[CheckExplanation] = [
        {**words, "value": value + 0.0 if math.isfinite(value) else None, "threshold": threshold, "met": is_met}
        for words, value, threshold, is_met in zip(_CHECK_WORDS, values, thresholds, met, strict=True)
    ]

    def sentence(place: int) -> str:
        return _sentence(place, values[place], thresholds[place], met=met[place])

    documents: list[FilterExplanation] = []
    number = 0
    for each, enabled, blocks in zip(FILTERS, rows.gates.enabled, rows.blocks[:, -1].tolist(), strict=True):
        scenarios: list[ScenarioExplanation] = []
        clear: list[str] = []
        why = ""
        for scenario in each.scenarios:
            places = CHECKS_OF[number]
            if scenario_blocks[number]:
                said = " and ".join(map(sentence, places))
                why = why or (said if said == scenario.title else f"{scenario.title}: {said}")
            elif not blocks:
                unmet = next((place for place in places if not met[place]), None)
                clear += [] if unmet is None else [sentence(unmet)]
            scenarios.append(
                {
                    "id": scenario.id,
                    "title": scenario.title,
                    "enabled": rows.gates.switched_on[number],
                    "switch": scenario.switch,
                    "longs_only": scenario.longs_only,
                    "blocks": scenario_blocks[number],
                    "checks": checks[places.start : places.stop],
                }
            )
            number += 1
        if not enabled:
            why = "switched off"
        elif side == "none":
            why = "no entry to hold back"
        documents.append(
            {
                "id": each.name,
                "name": each.name,
                "title": each.title,
                "enabled": enabled,
                "switch": each.switch,
                "state": "blocked" if blocks else "passed" if enabled else "off",
                "message": why or f"clear: {', '.join(clear)}",
                "scenarios": scenarios,
            }
        )
    return documents


def _size_cap(size: float, wanted: float) -> SizeCap | None:
    if size >= wanted:
        return None
    return {"wanted": wanted, "cap": size, "message": f"size {show(wanted)} % cut to the cap of {show(size)} %"}


def _summary(decision: Decision, config: Configuration, filters: list[FilterExplanation], cap: SizeCap | None) -> str:
    if decision.side == "none":
        return "idle: no signal votes, or the votes cancel out"
    level, raw_level = decision.level, decision.raw_level
    settings = config.settings
    thresholds = settings.state_threshold_loaded, settings.state_threshold_aim, settings.state_threshold_bang
    text = f"{decision.side}, confidence {show_confidence(decision.confidence, thresholds)}"
    blocking = (one for one in filters if one["state"] == "blocked")
    reasons = "; ".join(f"{FILTER[one['name']].title} filter, {one['message']}" for one in blocking)
    if not reasons:
        return f"{level.word}: {text}" + (f"; {cap['message']}" if cap else "")
    held = f"{raw_level.word} held at {level.word}" if raw_level != level else f"{level.word}, no entry"
    return f"{held}: {text}; {reasons}"

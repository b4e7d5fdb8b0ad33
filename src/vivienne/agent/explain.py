"""Explanation of a decision: the vote of every signal, the result of every filter, and the nearest change."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.agent.blocking import CHECKS, CHECKS_OF, SCENARIOS, SCENARIOS_OF
from vivienne.agent.filters import FILTER, FILTERS
from vivienne.agent.nearest import as_document, nearest_changes
from vivienne.agent.signals import SIGNAL
from vivienne.agent.wording import show, show_apart, show_confidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.agent.blocking import FilterRow
    from vivienne.agent.decided import Decided
    from vivienne.agent.decision import Decision
    from vivienne.agent.nearest import Change
    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars
    from vivienne.wire.explanation import (
        CheckExplanation,
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

# The parts of each document that are always the same, with places for the others; they are copied for each decision.
_CHECKS: list[CheckExplanation] = [
    {
        "id": check.measure.id,
        "measure": check.measure.words,
        "unit": check.measure.unit,
        "relation": check.relation,
        "path": check.path,
        "value": None,
        "threshold": 0.0,
        "met": False,
    }
    for check in CHECKS
]
_SCENARIOS: list[ScenarioExplanation] = [
    {
        "id": scenario.id,
        "title": scenario.title,
        "enabled": False,
        "switch": scenario.switch,
        "longs_only": scenario.longs_only,
        "blocks": False,
        "checks": [],
    }
    for scenario in SCENARIOS
]
_FILTERS: list[FilterExplanation] = [
    {
        "id": each.name,
        "name": each.name,
        "title": each.title,
        "enabled": False,
        "switch": each.switch,
        "state": "off",
        "message": "",
        "scenarios": [],
    }
    for each in FILTERS
]


def explain(decided: Decided, bars: Bars, config: Configuration) -> Explanation:
    """Explain the decision on a bar.

    Args:
        decided: the decided bar.
        bars: the bars up to it that it was made from; some nearest changes are checked with them.
        config: the tunables it was made with.

    Returns:
        A summary sentence, the signals with a weight, the filters, the nearest change, and the reduction of the size.
        During warm-up, only the sentence.
    """
    decision, row = decided.decision, decided.filters
    if not decision.ready:
        return {"summary": "warming up", "signals": [], "filters": [], "nearest_change": None, "size_cap": None}
    filters = _filters(row, decision.side)
    changes = nearest_changes(decision, row, bars, config)
    cap = _size_cap(decision.size, decision.wanted)
    return {
        "summary": _summary(decision, _limits(config, changes), filters, cap),
        "signals": _signals(decided, config),
        "filters": filters,
        "nearest_change": as_document(changes) if changes else None,
        "size_cap": cap,
    }


def _number(value: float) -> float | None:
    """Convert a number for the wire: None for NaN, which JSON does not have, and 0 for -0."""
    return value + 0.0 if math.isfinite(value) else None


def _signals(decided: Decided, config: Configuration) -> list[SignalExplanation]:
    found: list[SignalExplanation] = []
    for name, contribution in decided.contributions.items():
        signal, vote = SIGNAL[name], decided.signals[name]
        found.append(
            {
                "id": name,
                "name": name,
                "title": signal.title,
                "direction": int(vote.direction),
                "strength": vote.strength + 0.0,
                "weight": getattr(config.signal_weights, name),
                "contribution": contribution + 0.0,
                "measure": signal.measure,
                "unit": signal.unit,
                "reading": _number(vote.reading),
            }
        )
    return found


def _filters(row: FilterRow, side: str) -> list[FilterExplanation]:
    """Result of each filter: its scenarios with their checks, and a sentence."""
    scenarios = _scenarios(row)
    documents: list[FilterExplanation] = []
    for form, places, enabled, blocks in zip(_FILTERS, SCENARIOS_OF, row.gates.enabled, row.blocks, strict=True):
        document = form.copy()
        document["enabled"] = enabled
        document["state"] = "blocked" if blocks else "passed" if enabled else "off"
        document["message"] = _message(row, places, side, enabled=enabled, blocks=blocks)
        document["scenarios"] = scenarios[places.start : places.stop]
        documents.append(document)
    return documents


def _scenarios(row: FilterRow) -> list[ScenarioExplanation]:
    """Result of each scenario of all filters."""
    checks: list[CheckExplanation] = []
    for subject, value, threshold, met in zip(_CHECKS, row.values, row.gates.thresholds, row.met, strict=True):
        check = subject.copy()
        check["value"] = value + 0.0 if math.isfinite(value) else None
        check["threshold"] = threshold
        check["met"] = met
        checks.append(check)
    documents: list[ScenarioExplanation] = []
    for form, places, enabled, blocks in zip(
        _SCENARIOS, CHECKS_OF, row.gates.switched_on, row.scenario_blocks, strict=True
    ):
        document = form.copy()
        document["enabled"] = enabled
        document["blocks"] = blocks
        document["checks"] = checks[places.start : places.stop]
        documents.append(document)
    return documents


def _message(row: FilterRow, scenarios: range, side: str, *, enabled: bool, blocks: bool) -> str:
    """The sentence on a filter: its first scenario that blocks, or the first unmet check of each scenario."""
    if not enabled:
        return "switched off"
    if side == "none":
        return "no entry to hold back"
    if blocks:
        number = row.scenario_blocks.index(True, scenarios.start)
        said = " and ".join([_sentence(row, place) for place in CHECKS_OF[number]])
        title = SCENARIOS[number].title
        return said if said == title else f"{title}: {said}"
    clear = []
    for number in scenarios:
        for place in CHECKS_OF[number]:
            if not row.met[place]:
                clear.append(_sentence(row, place))
                break
    return f"clear: {', '.join(clear)}"


def _sentence(row: FilterRow, place: int) -> str:
    """The result of one check."""
    (measure, words, relations, unit), value, met = _TEXTS[place], row.values[place], row.met[place]
    if math.isnan(value):
        return f"{measure} is unknown"
    if words is not None:
        return words[0 if met else 1]
    one, other = show_apart(value, row.gates.thresholds[place], unit)
    return f"{measure} {one} {relations[0 if met else 1]} {other}"


def _size_cap(size: float, wanted: float) -> SizeCap | None:
    if size >= wanted:
        return None
    return {"wanted": wanted, "cap": size, "message": f"size {show(wanted)} % cut to the cap of {show(size)} %"}


def _limits(config: Configuration, changes: Iterable[Change]) -> list[float]:
    """The confidences that a person compares the present one with: the thresholds, and the nearest change of one."""
    settings = config.settings
    thresholds = [settings.state_threshold_loaded, settings.state_threshold_aim, settings.state_threshold_bang]
    return thresholds + [change.new for change in changes if change.path.startswith("settings.state_threshold_")]


def _summary(decision: Decision, limits: list[float], filters: list[FilterExplanation], cap: SizeCap | None) -> str:
    if decision.side == "none":
        return "idle: no signal votes, or the votes cancel out"
    level, raw_level = decision.level, decision.raw_level
    text = f"{decision.side}, confidence {show_confidence(decision.confidence, limits)}"
    blocking = (one for one in filters if one["state"] == "blocked")
    reasons = "; ".join(f"{FILTER[one['name']].title} filter, {one['message']}" for one in blocking)
    if not reasons:
        return f"{level.word}: {text}" + (f"; {cap['message']}" if cap else "")
    held = f"{raw_level.word} held at {level.word}" if raw_level != level else f"{level.word}, no entry"
    return f"{held}: {text}; {reasons}"

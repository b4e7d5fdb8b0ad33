"""Explanation of a decision: the vote of every signal, the result of every filter, and the nearest change."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING

from vivienne.agent.blocking import CHECKS_OF, SCENARIOS, SCENARIOS_OF
from vivienne.agent.nearest import as_document, nearest_changes
from vivienne.agent.skeleton import skeleton
from vivienne.agent.wording import show, show_apart, show_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.agent.blocking import FilterRow
    from vivienne.agent.decided import Decided
    from vivienne.agent.decision import Decision
    from vivienne.agent.nearest import Change
    from vivienne.agent.schema import Configuration
    from vivienne.agent.skeleton import Skeleton
    from vivienne.market.types import Bars
    from vivienne.wire.explanation import (
        CheckExplanation,
        Explanation,
        FilterExplanation,
        ScenarioExplanation,
        SignalExplanation,
        SizeCap,
    )


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
    decision = decided.decision
    if not decision.ready:
        return {"summary": "warming up", "signals": [], "filters": [], "nearest_change": None, "size_cap": None}
    known = skeleton(config)
    filters = _filters(decided.filters, known, is_entry=decision.side != "none")
    changes = nearest_changes(decision, decided.filters, bars, config)
    cap = _size_cap(decision.size, decision.wanted)
    return {
        "summary": _summary(decision, _limits(known, changes), filters, cap),
        "signals": _signals(decided, known),
        "filters": filters,
        "nearest_change": as_document(changes) if changes else None,
        "size_cap": cap,
    }


# JSON has no NaN, so it becomes None. Adding 0.0 turns -0 into 0.


def _signals(decided: Decided, known: Skeleton) -> list[SignalExplanation]:
    signals, forms = decided.signals, known.signals
    found: list[SignalExplanation] = []
    for name, contribution in decided.contributions.items():
        direction, strength, reading = signals[name]
        document = forms[name].copy()
        document["direction"] = int(direction)
        document["strength"] = strength + 0.0
        document["contribution"] = contribution + 0.0
        document["reading"] = reading + 0.0 if isfinite(reading) else None
        found.append(document)
    return found


def _filters(row: FilterRow, known: Skeleton, *, is_entry: bool) -> list[FilterExplanation]:
    """Result of each filter: its scenarios with their checks, and a sentence."""
    scenarios = _scenarios(row, known)
    texts: dict[str, str] = {}
    documents: list[FilterExplanation] = []
    for form, places, enabled, blocks in zip(known.filters, SCENARIOS_OF, row.gates.enabled, row.blocks, strict=True):
        document = form.copy()
        document["scenarios"] = scenarios[places.start : places.stop]
        if blocks:
            document["state"] = "blocked"
            document["message"] = _reason(row, known, places, texts)
        elif enabled and is_entry:
            document["message"] = _clearance(row, known, places, texts)
        documents.append(document)
    return documents


def _scenarios(row: FilterRow, known: Skeleton) -> list[ScenarioExplanation]:
    """Result of each scenario of all filters."""
    checks: list[CheckExplanation] = []
    for subject, value, met in zip(known.checks, row.values, row.met, strict=True):
        check = subject.copy()
        if isfinite(value):
            check["value"] = value + 0.0
        check["met"] = met
        checks.append(check)
    documents: list[ScenarioExplanation] = []
    for form, places, blocks in zip(known.scenarios, CHECKS_OF, row.scenario_blocks, strict=True):
        document = form.copy()
        document["blocks"] = blocks
        document["checks"] = checks[places.start : places.stop]
        documents.append(document)
    return documents


def _reason(row: FilterRow, known: Skeleton, scenarios: range, texts: dict[str, str]) -> str:
    """The sentence on a filter that blocks: its first scenario that does."""
    number = row.scenario_blocks.index(True, scenarios.start)
    said = " and ".join([_sentence(row, known, place, texts) for place in CHECKS_OF[number]])
    title = SCENARIOS[number].title
    return said if said == title else f"{title}: {said}"


def _clearance(row: FilterRow, known: Skeleton, scenarios: range, texts: dict[str, str]) -> str:
    """The sentence on a filter that does not block: the first unmet check of each scenario."""
    met, clear = row.met, []
    for number in scenarios:
        for place in CHECKS_OF[number]:
            if not met[place]:
                clear.append(_sentence(row, known, place, texts))
                break
    return f"clear: {', '.join(clear)}"


def _sentence(row: FilterRow, known: Skeleton, place: int, texts: dict[str, str]) -> str:
    """The result of one check.

    Args:
        row: the results of the filters.
        known: the skeleton of the configuration.
        place: index of the check.
        texts: values of measures as text, by id of the measure; several checks compare the same measure.
    """
    about, value, met = known.sentences[place], row.values[place], row.met[place]
    if isnan(value):
        return f"{about.measure} is unknown"
    if about.words is not None:
        return about.words[met]
    text = texts.get(about.measure_id)
    if text is None:
        text = texts[about.measure_id] = show(value, about.unit)
    threshold = about.shown
    if text == threshold:
        text, threshold = show_apart(value, about.threshold, about.unit)
    return f"{about.measure} {text} {about.relations[met]} {threshold}"


def _size_cap(size: float, wanted: float) -> SizeCap | None:
    if size >= wanted:
        return None
    return {"wanted": wanted, "cap": size, "message": f"size {show(wanted)} % cut to the cap of {show(size)} %"}


def _limits(known: Skeleton, changes: Sequence[Change]) -> tuple[float, ...]:
    """The confidences that a person compares the present one with: the thresholds, and the nearest change of one."""
    if changes and not changes[0].is_of_filter:
        return (*known.limits, changes[0].new)
    return known.limits


def _summary(decision: Decision, limits: Sequence[float], filters: list[FilterExplanation], cap: SizeCap | None) -> str:
    if decision.side == "none":
        return "idle: no signal votes, or the votes cancel out"
    level, raw_level = decision.level, decision.raw_level
    text = f"{decision.side}, confidence {show_confidence(decision.confidence, limits)}"
    blocking = [one for one in filters if one["state"] == "blocked"] if decision.blocks else []
    reasons = "; ".join([f"{one['title']} filter, {one['message']}" for one in blocking])
    if not reasons:
        return f"{level.word}: {text}" + (f"; {cap['message']}" if cap else "")
    held = f"{raw_level.word} held at {level.word}" if raw_level != level else f"{level.word}, no entry"
    return f"{held}: {text}; {reasons}"

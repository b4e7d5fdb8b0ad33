"""The parts of an explanation that are the same for every bar of one configuration, made once for it.

They are documents with places for what a bar adds. Each explanation is made of copies of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.agent.blocking import CHECKS, SCENARIOS
from vivienne.agent.filters import FILTERS
from vivienne.agent.prepared import Kept, gates_of
from vivienne.agent.signals import SIGNALS
from vivienne.agent.wording import show

if TYPE_CHECKING:
    from vivienne.agent.blocking import Gates
    from vivienne.agent.filters.base import Check
    from vivienne.agent.schema import Configuration
    from vivienne.wire.explanation import (
        CheckExplanation,
        FilterExplanation,
        ScenarioExplanation,
        SignalExplanation,
        Unit,
    )

_RELATIONS = {
    "<": ("not below", "below"),
    "<=": ("above", "at or below"),
    ">": ("not above", "above"),
    ">=": ("below", "at or above"),
}
"""For each relation, its words where it does not hold and where it does."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences on one check.

    Attributes:
        measure: name of the measure, for people.
        measure_id, unit: of the measure.
        words: texts of a check that does not hold and of one that does, if numbers would not explain it.
        relations: words of its relation, likewise.
        threshold: the value to compare with.
        shown: the same as text.
    """

    measure: str
    measure_id: str
    unit: Unit
    words: tuple[str, str] | None
    relations: tuple[str, str]
    threshold: float
    shown: str

    @classmethod
    def of(cls, check: Check, threshold: float) -> Sentences:
        """The sentences on a check with this threshold."""
        measure = check.measure
        return cls(
            measure=measure.words,
            measure_id=measure.id,
            unit=measure.unit,
            words=None if check.words is None else (check.words[1], check.words[0]),
            relations=_RELATIONS[check.relation],
            threshold=threshold,
            shown=show(threshold, measure.unit),
        )


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The documents and sentences of one configuration; see `vivienne.wire.explanation`.

    Attributes:
        signals: by name, the signals with a weight.
        checks, scenarios, filters: in the order of `CHECKS`, `SCENARIOS` and `FILTERS`.
        sentences: for each check.
        limits: thresholds of the levels, in percent.
    """

    signals: dict[str, SignalExplanation]
    checks: tuple[CheckExplanation, ...]
    scenarios: tuple[ScenarioExplanation, ...]
    filters: tuple[FilterExplanation, ...]
    sentences: tuple[Sentences, ...]
    limits: tuple[float, ...]


def skeleton(config: Configuration) -> Skeleton:
    """The skeleton of a configuration; made on the first call."""
    return _skeletons.of(config)


def _make(config: Configuration, _: int) -> Skeleton:
    gates, settings = gates_of(config), config.settings
    return Skeleton(
        signals=_signals(config),
        checks=_checks(gates),
        scenarios=_scenarios(gates),
        filters=_filters(gates),
        sentences=tuple(map(Sentences.of, CHECKS, gates.thresholds)),
        limits=(settings.state_threshold_loaded, settings.state_threshold_aim, settings.state_threshold_bang),
    )


_skeletons = Kept(_make)


def _signals(config: Configuration) -> dict[str, SignalExplanation]:
    weights = {signal.name: getattr(config.signal_weights, signal.name) for signal in SIGNALS}
    return {
        signal.name: {
            "id": signal.name,
            "name": signal.name,
            "title": signal.title,
            "direction": 0,
            "strength": 0.0,
            "weight": weights[signal.name],
            "contribution": 0.0,
            "measure": signal.measure,
            "unit": signal.unit,
            "reading": None,
        }
        for signal in SIGNALS
        if weights[signal.name] > 0
    }


def _checks(gates: Gates) -> tuple[CheckExplanation, ...]:
    return tuple(
        {
            "id": check.measure.id,
            "measure": check.measure.words,
            "unit": check.measure.unit,
            "relation": check.relation,
            "path": check.path,
            "value": None,
            "threshold": threshold,
            "met": False,
        }
        for check, threshold in zip(CHECKS, gates.thresholds, strict=True)
    )


def _scenarios(gates: Gates) -> tuple[ScenarioExplanation, ...]:
    return tuple(
        {
            "id": scenario.id,
            "title": scenario.title,
            "enabled": enabled,
            "switch": scenario.switch,
            "longs_only": scenario.longs_only,
            "blocks": False,
            "checks": [],
        }
        for scenario, enabled in zip(SCENARIOS, gates.switched_on, strict=True)
    )


def _filters(gates: Gates) -> tuple[FilterExplanation, ...]:
    return tuple(
        {
            "id": each.name,
            "name": each.name,
            "title": each.title,
            "enabled": enabled,
            "switch": each.switch,
            "state": "passed" if enabled else "off",
            "message": "no entry to hold back" if enabled else "switched off",
            "scenarios": [],
        }
        for each, enabled in zip(FILTERS, gates.enabled, strict=True)
    )

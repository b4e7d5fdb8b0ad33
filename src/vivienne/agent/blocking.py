"""Application of the filters: all checks of all scenarios at once, for every row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.agent.filters import FILTERS
from vivienne.agent.tolerance import EQUAL, least_excess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.agent.filters.base import Check, Measure, Scenario, Scene
    from vivienne.market.types import BoolArray, FloatArray

SCENARIOS: tuple[Scenario, ...] = tuple(scenario for each in FILTERS for scenario in each.scenarios)
"""All scenarios, in the order of the rows of `FilterRows`."""
CHECKS: tuple[Check, ...] = tuple(check for scenario in SCENARIOS for check in scenario.checks)
"""All checks, in the order of the rows of `FilterRows`."""
_MEASURES: tuple[Measure, ...] = tuple({check.measure.id: check.measure for check in CHECKS}.values())
_MEASURE_OF = [[measure.id for measure in _MEASURES].index(check.measure.id) for check in CHECKS]
_COLUMNS = [measure.column for measure in _MEASURES]
_OF_CHECKS = itemgetter(*_MEASURE_OF)
"""From values of `_MEASURES` to those of `CHECKS`."""
_SIGNS = np.array([[1.0 if check.relation in ("<", "<=") else -1.0] for check in CHECKS])
_WAYS: list[float] = _SIGNS[:, 0].tolist()
_STRICT = np.array([[check.relation in ("<", ">")] for check in CHECKS])
_OTHER_SIDE = np.array([[1.0 if scenario.longs_only else -1.0] for scenario in SCENARIOS])
"""For each scenario, -1 if it also applies to shorts."""
_FIRST_CHECKS = np.array([0, *accumulate(len(scenario.checks) for scenario in SCENARIOS)])[:-1]
CHECKS_OF: tuple[range, ...] = tuple(
    range(first, first + len(scenario.checks))
    for first, scenario in zip(_FIRST_CHECKS.tolist(), SCENARIOS, strict=True)
)
"""For each scenario, the indexes of its checks in `CHECKS`."""
_FIRST_SCENARIOS = np.array([0, *accumulate(len(each.scenarios) for each in FILTERS)])[:-1]
SCENARIOS_OF: tuple[range, ...] = tuple(
    range(first, first + len(each.scenarios)) for first, each in zip(_FIRST_SCENARIOS.tolist(), FILTERS, strict=True)
)
"""For each filter, the indexes of its scenarios in `SCENARIOS`."""
FILTER_OF: tuple[int, ...] = tuple(number for number, each in enumerate(FILTERS) for _ in each.scenarios)
"""For each scenario, the index of its filter in `FILTERS`."""
_SLICES_OF_CHECKS = [slice(places.start, places.stop) for places in CHECKS_OF]
_SLICES_OF_SCENARIOS = [slice(places.start, places.stop) for places in SCENARIOS_OF]
_NONE = (False,) * len(SCENARIOS)


@dataclass(frozen=True, slots=True)
class Gates:
    """Thresholds and switches of one configuration.

    Attributes:
        enabled: for each filter, whether it may block.
        selected: for each scenario, whether its own switch is on; True without one.
        switched_on: for each scenario, whether it may block; `on` holds the same values as a column.
        on_shorts: for each scenario, whether it may block a short entry.
        thresholds: one for each check; `threshold` holds the same values as a column.
        bounds: for each check, what the distance beyond its threshold must be above; `bound` as a column.
    """

    enabled: tuple[bool, ...]
    selected: tuple[bool, ...]
    switched_on: tuple[bool, ...]
    on: BoolArray
    on_shorts: tuple[bool, ...]
    thresholds: tuple[float, ...]
    threshold: FloatArray
    bounds: tuple[float, ...]
    bound: FloatArray

    @classmethod
    def of(cls, enabled: Sequence[bool], selected: Sequence[bool], thresholds: Sequence[float]) -> Gates:
        """Gates with these switches, of filters and of scenarios, and thresholds."""
        switched_on = tuple(enabled[number] and own for number, own in zip(FILTER_OF, selected, strict=True))
        column = np.array(thresholds)[:, np.newaxis]
        bound = least_excess(column, _STRICT)
        return cls(
            enabled=tuple(enabled),
            selected=tuple(selected),
            switched_on=switched_on,
            on=np.array(switched_on)[:, np.newaxis],
            on_shorts=tuple(on and not each.longs_only for on, each in zip(switched_on, SCENARIOS, strict=True)),
            thresholds=tuple(thresholds),
            threshold=column,
            bounds=tuple(bound[:, 0].tolist()),
            bound=bound,
        )


class FilterRow(NamedTuple):
    """Results of the filters on one row, in plain Python values; see `FilterRows`."""

    gates: Gates
    values: list[float]
    met: list[bool]
    scenario_blocks: list[bool]
    blocks: list[bool]


class FilterRows(NamedTuple):
    """Results of the filters, in the order of `FILTERS`.

    Attributes:
        gates: the thresholds and switches that were applied.
        values, met: for each check and row, the compared value, and whether the relation holds.
        scenario_blocks: for each scenario and row, whether it blocks.
        blocks: for each filter and row, whether it blocks.
    """

    gates: Gates
    values: FloatArray
    met: BoolArray
    scenario_blocks: BoolArray
    blocks: BoolArray

    def row(self, number: int) -> FilterRow:
        """The results on one row."""
        return FilterRow(
            gates=self.gates,
            values=self.values[:, number].tolist(),
            met=self.met[:, number].tolist(),
            scenario_blocks=self.scenario_blocks[:, number].tolist(),
            blocks=self.blocks[:, number].tolist(),
        )


def is_met(place: int, value: float, threshold: float) -> bool:
    """True if a check of `CHECKS` would hold with this value and threshold."""
    margin = EQUAL * abs(threshold)
    bound = margin if CHECKS[place].relation in ("<", ">") else math.nextafter(-margin, -math.inf)
    return (threshold - value) * _WAYS[place] > bound


def block_newest(scene: Scene, gates: Gates) -> FilterRow:
    """The last row of `block`, of a scene with plain values."""
    values = [*_OF_CHECKS([column(scene) for column in _COLUMNS])]
    met = [
        (threshold - value) * way > bound
        for value, threshold, way, bound in zip(values, gates.thresholds, _WAYS, gates.bounds, strict=True)
    ]
    side = scene.side
    # A side of NaN is no entry.
    may_block = gates.switched_on if side > 0.0 else gates.on_shorts if side < 0.0 else _NONE
    scenario_blocks = [
        may and False not in met[checks] for may, checks in zip(may_block, _SLICES_OF_CHECKS, strict=True)
    ]
    blocks = [True in scenario_blocks[scenarios] for scenarios in _SLICES_OF_SCENARIOS]
    return FilterRow(gates, values, met, scenario_blocks, blocks)


def block(scene: Scene, gates: Gates) -> FilterRows:
    """Apply all `FILTERS` to every row."""
    columns = [measure.column(scene) for measure in _MEASURES]
    values = np.array([columns[measure] for measure in _MEASURE_OF])
    # A comparison with NaN is False.
    met = (gates.threshold - values) * _SIGNS > gates.bound
    entry = (np.maximum(scene.side, scene.side * _OTHER_SIDE) > 0.0) & gates.on
    scenario_blocks = np.logical_and.reduceat(met, _FIRST_CHECKS, axis=0) & entry
    blocks = np.logical_or.reduceat(scenario_blocks, _FIRST_SCENARIOS, axis=0)
    return FilterRows(gates, values, met, scenario_blocks, blocks)

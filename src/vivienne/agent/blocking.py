"""Applies the filters: all checks of all scenarios at once, over rows."""

from __future__ import annotations

from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.agent.filters import FILTERS
from vivienne.agent.tolerance import holds

if TYPE_CHECKING:
    from vivienne.agent.filters.base import Check, Measure, Scenario, Scene
    from vivienne.agent.schema import Configuration
    from vivienne.market.types import BoolArray, FloatArray

SCENARIOS: tuple[Scenario, ...] = tuple(scenario for each in FILTERS for scenario in each.scenarios)
"""Every scenario, in the order of the rows of `FilterRows`."""
CHECKS: tuple[Check, ...] = tuple(check for scenario in SCENARIOS for check in scenario.checks)
"""Every check, in the order of the rows of `FilterRows`."""
_MEASURES: tuple[Measure, ...] = tuple({check.measure.id: check.measure for check in CHECKS}.values())
_MEASURE_OF = [[measure.id for measure in _MEASURES].index(check.measure.id) for check in CHECKS]
_THRESHOLDS = tuple(
    attrgetter(check.threshold) if isinstance(check.threshold, str) else check.threshold for check in CHECKS
)
_SWITCHES = tuple(attrgetter(each.switch) for each in FILTERS)
_SCENARIO_SWITCHES = tuple(attrgetter(scenario.switch) if scenario.switch else None for scenario in SCENARIOS)
_SIGNS = np.array([[1.0 if check.relation in ("<", "<=") else -1.0] for check in CHECKS])
_STRICT = np.array([[check.relation in ("<", ">")] for check in CHECKS])
_LONGS_ONLY = np.array([[scenario.longs_only] for scenario in SCENARIOS])
_FIRST_CHECKS = [0, *accumulate(len(scenario.checks) for scenario in SCENARIOS)][:-1]
CHECKS_OF: tuple[range, ...] = tuple(
    range(first, first + len(scenario.checks)) for first, scenario in zip(_FIRST_CHECKS, SCENARIOS, strict=True)
)
"""By scenario, the places of its checks in `CHECKS`."""
_FIRST_SCENARIOS = [0, *accumulate(len(each.scenarios) for each in FILTERS)][:-1]
FILTER_OF = np.repeat(np.arange(len(FILTERS)), [len(each.scenarios) for each in FILTERS])
"""By scenario, the place of its filter in `FILTERS`."""


class FilterRows(NamedTuple):
    """The findings of the filters, in the order of `FILTERS`.

    Attributes:
        enabled: per filter, whether it may block.
        switched_on: per scenario, whether it may block.
        values, met: per check and row: the figure that was compared, and whether the relation holds.
        thresholds: per check.
        scenario_blocks: per scenario and row.
        blocks: per filter and row.
    """

    enabled: tuple[bool, ...]
    switched_on: tuple[bool, ...]
    values: FloatArray
    thresholds: tuple[float, ...]
    met: BoolArray
    scenario_blocks: BoolArray
    blocks: BoolArray


def block(scene: Scene, config: Configuration) -> FilterRows:
    """Apply `FILTERS`."""
    values = np.array([measure.column(scene) for measure in _MEASURES])[_MEASURE_OF]
    thresholds = tuple(
        threshold if isinstance(threshold, float) else float(threshold(config)) for threshold in _THRESHOLDS
    )
    met = holds(values, np.array(thresholds)[:, np.newaxis], _SIGNS, _STRICT)
    enabled = tuple(switch(config) for switch in _SWITCHES)
    switched_on = tuple(
        enabled[number] and (switch is None or switch(config))
        for number, switch in zip(FILTER_OF.tolist(), _SCENARIO_SWITCHES, strict=True)
    )
    entry = np.where(_LONGS_ONLY, scene.side > 0, scene.side != 0) & np.array(switched_on)[:, np.newaxis]
    scenario_blocks = np.logical_and.reduceat(met, _FIRST_CHECKS, axis=0) & entry
    blocks = np.logical_or.reduceat(scenario_blocks, _FIRST_SCENARIOS, axis=0)
    return FilterRows(enabled, switched_on, values, thresholds, met, scenario_blocks, blocks)

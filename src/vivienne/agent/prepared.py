"""The values that decisions use, made once for each configuration and timeframe."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from vivienne.agent.blocking import CHECKS, SCENARIOS, Gates
from vivienne.agent.decision import Levels, Weights
from vivienne.agent.filters import FILTERS
from vivienne.agent.indicators import bars_needed
from vivienne.agent.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.agent.schema import Configuration
    from vivienne.agent.signals.base import Signal

T = TypeVar("T")

MOST_KEPT = 512
"""Number of values that are kept of each kind."""

_THRESHOLDS = tuple(
    attrgetter(check.threshold) if isinstance(check.threshold, str) else check.threshold for check in CHECKS
)
_SWITCHES = tuple(attrgetter(each.switch) for each in FILTERS)
_SCENARIO_SWITCHES = tuple(attrgetter(scenario.switch) if scenario.switch else None for scenario in SCENARIOS)
_NEEDED = frozenset(name for each in FILTERS for name in each.needs)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The values that depend on a configuration and the timeframe alone.

    Attributes:
        bars_needed: see `vivienne.agent.indicators.bars_needed`.
        signals: the signals that have a weight or that a filter needs.
        weights: weights of the signals that have one.
        gates: thresholds and switches of the filters.
        levels: thresholds and sizes of the levels.
    """

    bars_needed: int
    signals: tuple[Signal, ...]
    weights: Weights
    gates: Gates
    levels: Levels


class Kept(Generic[T]):
    """The values made from each of the configurations used last; the one used longest ago is dropped first.

    They are keyed by the identity of the configuration, which is immutable. Storing the configuration too keeps its id
    from being reused.
    """

    def __init__(self, make: Callable[[Configuration, int], T]) -> None:
        self._make = make
        self._kept: OrderedDict[tuple[int, int], tuple[Configuration, T]] = OrderedDict()

    def of(self, config: Configuration, timeframe_minutes: int = 0) -> T:
        """The value of a configuration, and of a timeframe if it depends on it; made on the first call."""
        kept, key = self._kept, (id(config), timeframe_minutes)
        # In one step, because other threads decide too: they may drop it at any moment.
        found = kept.pop(key, None)
        if found is None:
            found = config, self._make(config, timeframe_minutes)
        kept[key] = found
        while len(kept) > MOST_KEPT:
            kept.popitem(last=False)
        return found[1]


def prepared(config: Configuration, timeframe_minutes: int) -> Prepared:
    """The values of a configuration and a timeframe; made on the first call."""
    return _prepared.of(config, timeframe_minutes)


def gates_of(config: Configuration) -> Gates:
    """The thresholds and switches of the filters."""
    enabled = tuple(switch(config) for switch in _SWITCHES)
    selected = tuple(switch is None or switch(config) for switch in _SCENARIO_SWITCHES)
    thresholds = tuple(
        threshold if isinstance(threshold, float) else float(threshold(config)) for threshold in _THRESHOLDS
    )
    return Gates.of(enabled, selected, thresholds)


def _prepare(config: Configuration, timeframe_minutes: int) -> Prepared:
    settings = config.settings
    weights = {signal.name: getattr(config.signal_weights, signal.name) for signal in SIGNALS}
    weighted = {name: weight for name, weight in weights.items() if weight > 0}
    level_thresholds = tuple(
        float(each)
        for each in (settings.state_threshold_loaded, settings.state_threshold_aim, settings.state_threshold_bang)
    )
    sizes = tuple(
        float(each)
        for each in (
            settings.position_size_idle,
            settings.position_size_loaded,
            settings.position_size_aim,
            settings.position_size_bang,
        )
    )
    return Prepared(
        bars_needed=bars_needed(config.indicators, timeframe_minutes),
        signals=tuple(signal for signal in SIGNALS if signal.name in weighted or signal.name in _NEEDED),
        weights=Weights(
            tuple(weighted),
            np.array([[weight] for weight in weighted.values()], dtype=np.float64),
            (*weighted.values(),),
        ),
        gates=gates_of(config),
        levels=Levels(np.array(level_thresholds), np.array(sizes), level_thresholds, sizes),
    )


_prepared = Kept(_prepare)

"""The levels filter: blocks entries that run into a support or resistance level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.arithmetic import where
from vivienne.agent.filters.base import Check, Filter, Measure, Scenario
from vivienne.agent.tunable import FRACTION_OF_PRICE, Section, description, filter_switch, tunable

if TYPE_CHECKING:
    from vivienne.agent.arithmetic import Values


class LevelsFilter(Section):
    """Blocks entries that run into a support or resistance level."""

    description: str | None = description("Holds back entries with a support or resistance level close ahead.")
    enable_levels_filter_for_entry: bool = filter_switch("Levels filter")
    levels_buffer_percent: float = tunable(
        0.003,
        "Levels buffer",
        "Blocks an entry while the nearest level ahead is nearer than this. Levels nearer to each other than this "
        "merge into one.",
        unit=FRACTION_OF_PRICE,
        bounds=(0, 0.1),
        step=0.0005,
        hint="it is a fraction: 0.3 % is 0.003",
    )


def distance_ahead(side: Values, close: Values, support: Values, resistance: Values) -> Values:
    """Distance to the nearest level in the direction of the entry, as a fraction of the close."""
    return where(side > 0.0, resistance - close, close - support) / close


_LEVEL_AHEAD = Measure(
    "level_ahead",
    "distance to the nearest level ahead",
    "fraction",
    lambda scene: distance_ahead(scene.side, scene.columns.now.close, scene.support, scene.resistance),
)

FILTER = Filter(
    name="levels",
    title="Support and resistance",
    section=LevelsFilter,
    switch="filters.levels.enable_levels_filter_for_entry",
    scenarios=(
        Scenario("level_ahead", "level ahead", (Check(_LEVEL_AHEAD, "<", "filters.levels.levels_buffer_percent"),)),
    ),
)

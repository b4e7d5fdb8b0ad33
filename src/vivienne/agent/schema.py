"""The only definition of all tunables, assembled from the parts that use them.

Each signal and filter defines its own tunables. Settings and indicators are defined here. `vivienne.config.tunables`
derives form fields, the parameter reference, the JSON Schema, flat names and error texts from `Configuration`.
A document on the wire or in the store may omit any value; an omitted value is inherited.
"""

from __future__ import annotations

import math
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, Field, create_model

from vivienne.agent.filters import FILTERS
from vivienne.agent.rules import AnyPositive, Ordered, Rule
from vivienne.agent.signals import SIGNALS
from vivienne.agent.tunable import Section, Whole, description, period, tunable


def _threshold(default: float, level: str, meaning: str) -> Any:
    return tunable(
        default,
        f"{level.capitalize()} threshold",
        f"Lowest confidence for the level `{level}`: {meaning}.",
        unit="confidence, 0 to 100",
        bounds=(0, 100),
        step=1,
        flat=f"{level}_threshold",
    )


def _size(default: float, level: str) -> Any:
    return tunable(
        default,
        f"Position size ({level})",
        f"Position size at the level `{level}` while no filter blocks.",
        unit="percent of equity",
        bounds=(0, 100),
        step=0.1,
    )


def _weight(default: float, signal: str, reading: str) -> Any:
    return tunable(
        default,
        f"Signal weight {signal}",
        f"Weight of the vote of `{signal}` ({reading}); with 0 it does not vote.",
        unit="weight, 0 to 1",
        bounds=(0, 1),
        step=0.05,
        flat=f"{signal}_weight",
    )


class Settings(Section):
    """Levels and position sizes."""

    description: str | None = description("Lowest confidence of each level, and position size at each level.")
    state_threshold_bang: float = _threshold(80, "bang", "act now")
    state_threshold_aim: float = _threshold(70, "aim", "an entry is near")
    state_threshold_loaded: float = _threshold(50, "loaded", "the signals lean one way")
    position_size_bang: float = _size(0.5, "bang")
    position_size_aim: float = _size(0.2, "aim")
    position_size_loaded: float = _size(0.1, "loaded")
    position_size_idle: float = _size(0, "idle")


class Indicators(Section):
    """Periods of the indicators. A new period takes effect at once, because the history is kept."""

    description: str | None = description("Periods of the indicators that signals and filters use.")
    ema_fast_period: Whole = period(9, "EMA fast", "Period of the fast average.")
    ema_slow_period: Whole = period(21, "EMA slow", "Period of the slow average.", highest=200)
    macd_fast_period: Whole = period(12, "MACD fast", "Period of the fast average of the MACD.")
    macd_slow_period: Whole = period(26, "MACD slow", "Period of the slow average of the MACD.", highest=200)
    macd_signal_period: Whole = period(9, "MACD signal", "Period of the signal line.")
    rsi_period: Whole = period(14, "RSI period", "Wilder's smoothing of gains and losses.")
    atr_period: Whole = period(14, "ATR period", "Wilder's smoothing of the true range.")
    bollinger_period: Whole = period(20, "Bollinger period", "Number of bars in the bands.", lowest=5, highest=200)
    bollinger_deviations: float = tunable(
        2.0,
        "Bollinger deviations",
        "Distance of each band from the middle.",
        unit="standard deviations",
        bounds=(0.5, 5),
        step=0.1,
    )
    vwap_minutes: Whole = tunable(
        60, "VWAP span", "Time span of the volume-weighted average price.", unit="minutes", bounds=(1, 480), step=5
    )
    pivot_bars: Whole = period(
        5, "Pivot bars", "Bars on each side that make a high or low a level. It is known only that many bars later.",
        lowest=1, highest=50,
    )  # fmt: skip


if TYPE_CHECKING:
    from collections.abc import Callable

    # The fields are assembled below from the registries, so a type checker cannot see their names.

    class Filters(Section):
        """Filters, which can hold back an entry."""

        def __getattr__(self, name: str) -> Any: ...

    class SignalWeights(Section):
        """Weight of each signal."""

        def __getattr__(self, name: str) -> float: ...

    class Signals(Section):
        """Readings at which each signal has strength 0 and strength 1."""

        def __getattr__(self, name: str) -> float: ...

else:
    Filters = create_model(
        "Filters",
        __base__=Section,
        __doc__="Filters, which can hold back an entry.",
        description=(str | None, description()),
        **{each.name: (each.section, Field(default_factory=each.section, title=each.title)) for each in FILTERS},
    )
    SignalWeights = create_model(
        "SignalWeights",
        __base__=Section,
        __doc__="Weight of each signal.",
        description=(str | None, description()),
        **{each.name: (float, _weight(each.weight, each.name, each.reading)) for each in SIGNALS},
    )
    Signals = create_model(
        "Signals",
        __base__=Section,
        __doc__="Readings at which each signal has strength 0 and strength 1.",
        description=(str | None, description("Readings at which each signal has strength 0 and strength 1.")),
        **{name: (field.annotation, field) for each in SIGNALS for name, field in each.section.model_fields.items()},
    )


class Configuration(Section):
    """All tunables of a decision."""

    description: str | None = description()
    settings: Settings = Field(default_factory=Settings, title="Settings")
    filters: Filters = Field(default_factory=Filters, title="Filters")
    signal_weights: SignalWeights = Field(default_factory=SignalWeights, title="Signal weights")
    signals: Signals = Field(default_factory=Signals, title="Signals")
    indicators: Indicators = Field(default_factory=Indicators, title="Indicators")


RULES: tuple[Rule, ...] = (
    Ordered(("settings.state_threshold_loaded", "settings.state_threshold_aim", "settings.state_threshold_bang")),
    *(rule for each in FILTERS for rule in each.rules),
    Ordered(("indicators.ema_fast_period", "indicators.ema_slow_period"), strict=True),
    Ordered(("indicators.macd_fast_period", "indicators.macd_slow_period"), strict=True),
    *(rule for each in SIGNALS for rule in each.rules),
    AnyPositive(tuple(f"signal_weights.{each.name}" for each in SIGNALS)),
)
"""Conditions between values, as data, so that every client can apply them."""


class TunableField(NamedTuple):
    """A tunable and its place in a configuration.

    Attributes:
        title: its name for people.
        unit: unit of the number; empty for switches and plain numbers.
        bounds: lowest and highest allowed value; infinite for switches.
        value: reads the value from a configuration.
    """

    title: str
    unit: str
    bounds: tuple[float, float]
    value: Callable[[Configuration], float | bool]


@cache
def field_at(path: str) -> TunableField:
    """The tunable at a dotted path."""
    *sections, name = path.split(".")
    model: type[BaseModel] = Configuration
    for section in sections:
        model = model.model_fields[section].annotation  # type: ignore[assignment]  # a section of sections
    field = model.model_fields[name]
    limits = {type(limit).__name__: limit for limit in field.metadata}
    bounds = (limits["Ge"].ge, limits["Le"].le) if "Ge" in limits else (-math.inf, math.inf)
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return TunableField(field.title or name, unit, bounds, attrgetter(path))

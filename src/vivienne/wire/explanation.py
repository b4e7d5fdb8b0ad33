"""An explanation on the wire.

Programs should read ids, numbers and paths. Titles, measures and messages are for people; their wording may change.
"""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

Level = Literal["idle", "loaded", "aim", "bang"]
Side = Literal["long", "short", "none"]
Trend = Literal["bullish", "bearish", "neutral"]
VolatilityStatus = Literal["normal", "squeeze", "breakout", "overextended"]
LevelsStatus = Literal["active", "blocking", "inactive"]
Relation = Literal["<", "<=", ">", ">="]
Unit = Literal[
    "atr", "deviations", "direction", "fraction", "per_minute", "percent_b", "price_difference", "quote", "ratio", "rsi"
]
"""Unit of a number. `direction` is +1 for the entry, -1 against it, 0 neither. `percent_b` is 0 at the lower band and 1
at the upper one. `price_difference` and `quote` are in quote currency."""


class SignalExplanation(TypedDict):
    """The vote of one signal with a weight. `contribution` is its signed part of the confidence.

    `id` and `name` are the same. `title` and `measure` are for people. `unit` is the unit of `reading`.
    """

    id: str
    name: str
    title: str
    direction: int
    strength: float
    weight: float
    contribution: float
    measure: str
    unit: Unit
    reading: float | None


class CheckWords(TypedDict):
    """The subject of a comparison. `id` names the compared value; `path` is the tunable of the threshold, if any."""

    id: str
    measure: str
    unit: Unit
    relation: Relation
    path: str | None


class CheckExplanation(CheckWords):
    """One comparison of a scenario."""

    value: float | None
    threshold: float
    met: bool


class ScenarioExplanation(TypedDict):
    """One case in which a filter blocks: all checks are met. With `longs_only` it applies to long entries only.

    `enabled` is false if the filter or the scenario's own `switch` is off.
    """

    id: str
    title: str
    enabled: bool
    switch: str | None
    longs_only: bool
    blocks: bool
    checks: list[CheckExplanation]


class FilterExplanation(TypedDict):
    """The result of one filter. `id` and `name` are the same; `switch` is the tunable that turns it off."""

    id: str
    name: str
    title: str
    enabled: bool
    switch: str
    state: Literal["passed", "blocked", "off"]
    message: str
    scenarios: list[ScenarioExplanation]


# The functional form is needed because "from" is a Python keyword.
SingleChange = TypedDict("SingleChange", {"path": str, "from": float | bool, "to": float | bool})
"""A change of one value."""


class NearestChange(SingleChange):
    """The smallest change that would alter the decision, and its effect.

    `changes` are to be made together; more than one are needed where several filters hold the entry back. `path`,
    `from` and `to` are those of the first.
    """

    changes: list[SingleChange]
    clarity_level: Level
    held: bool
    message: str


class SizeCap(TypedDict):
    """A reduced position size: `wanted` by the configuration, and the `cap` that applies, in percent of equity."""

    wanted: float
    cap: float
    message: str


class Explanation(TypedDict):
    """The reasons for a decision, and the smallest change of thresholds or switches that would alter it.

    `size_cap` is set while the position size is smaller than the configuration asks for; otherwise it is null.
    """

    summary: str
    signals: list[SignalExplanation]
    filters: list[FilterExplanation]
    nearest_change: NearestChange | None
    size_cap: SizeCap | None

"""An explanation as it goes out on the wire."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from vivienne.agent.decision import Level
from vivienne.agent.filters import Relation

Side = Literal["long", "short", "none"]
Trend = Literal["bullish", "bearish", "neutral"]
VolatilityStatus = Literal["normal", "squeeze", "breakout", "overextended"]
LevelsStatus = Literal["active", "blocking", "inactive"]


class SignalExplanation(TypedDict):
    """What one signal said: `contribution` is its part of the confidence, signed."""

    name: str
    direction: int
    strength: float
    weight: float
    contribution: float
    measure: str
    reading: float | None


class CheckWording(TypedDict):
    """What a comparison is about; `path` is the tunable behind the threshold, if there is one."""

    scenario: str
    measure: str
    relation: Relation
    path: str | None


class CheckExplanation(CheckWording):
    """One comparison of a filter."""

    value: float | None
    threshold: float
    met: bool


class FilterExplanation(TypedDict):
    """What one filter said. It blocks where all checks of one scenario are met."""

    name: str
    enabled: bool
    state: Literal["passed", "blocked", "off"]
    message: str
    checks: list[CheckExplanation]


# "from" is a keyword of Python, hence this form.
NearestChange = TypedDict(
    "NearestChange",
    {"path": str, "from": float | bool, "to": float | bool, "clarity_level": Level, "message": str},
)


class SizeCap(TypedDict):
    """A position size that was cut: what the configuration asks for, and the most there may be, percent of equity."""

    wanted: float
    cap: float
    message: str


class Explanation(TypedDict):
    """Why a decision is what it is, and the threshold or switch that would alter it with the least change.

    `size_cap` is there while the position size is smaller than the configuration asks for.
    """

    summary: str
    signals: list[SignalExplanation]
    filters: list[FilterExplanation]
    nearest_change: NearestChange | None
    size_cap: SizeCap | None

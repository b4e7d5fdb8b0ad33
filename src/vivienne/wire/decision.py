"""A decision on the wire."""

from __future__ import annotations

from typing_extensions import TypedDict

from vivienne.wire.explanation import Explanation, Level, LevelsStatus, Side, Trend, VolatilityStatus


class BarDecision(TypedDict):
    """The short decision on a closed bar. `held` is true if a filter holds back an entry (`loaded` or above)."""

    clarity_level: Level
    raw_clarity_level: Level
    signal_confidence: float
    side: Side
    position_size: float
    held: bool


class DecisionEntry(TypedDict):
    """The decision on an asset, with its reasons."""

    clarity_level: Level
    raw_clarity_level: Level
    signal_confidence: float
    side: Side
    position_size: float
    trend_direction: Trend
    volatility_status: VolatilityStatus
    levels_status: LevelsStatus
    blocked_by: list[str]
    explanation: Explanation | None


def undecided() -> DecisionEntry:
    """The entry without a decision: idle, with size 0."""
    return {
        "clarity_level": "idle",
        "raw_clarity_level": "idle",
        "signal_confidence": 0.0,
        "side": "none",
        "position_size": 0.0,
        "trend_direction": "neutral",
        "volatility_status": "normal",
        "levels_status": "inactive",
        "blocked_by": [],
        "explanation": None,
    }

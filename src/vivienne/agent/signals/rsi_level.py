"""The RSI over or under 50."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.arithmetic import least, sign
from vivienne.agent.signals.base import Signal, Vote
from vivienne.agent.tolerance import settled
from vivienne.agent.tunable import Section, tunable

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class RsiLevel(Section):
    """Tunables of the signal."""

    rsi_level_full_strength: float = tunable(
        20,
        "RSI level at full strength",
        "Distance of the RSI from 50 that gives strength 1.",
        unit="RSI points",
        bounds=(1, 50),
        step=1,
    )


def vote(columns: Columns, tunables: RsiLevel) -> Vote:
    """Vote long above 50 and short below 50; the strength grows with the distance."""
    reading = columns.now.rsi
    distance = settled(reading - 50.0, 50.0)
    return Vote(sign(distance), least(abs(distance) / tunables.rsi_level_full_strength, 1.0), reading)


SIGNAL = Signal(
    name="rsi_level",
    title="RSI level",
    weight=0.0,
    reading="RSI over or under 50",
    measure="RSI",
    unit="rsi",
    section=RsiLevel,
    vote=vote,
)

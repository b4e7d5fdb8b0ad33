"""The MACD over or under 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.signals.base import Signal, Vote, in_atr, leaning
from vivienne.agent.tunable import Section, atr_distance

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class MacdLevel(Section):
    """Tunables of the signal."""

    macd_level_full_strength: float = atr_distance(
        1.0, "MACD level at full strength", "Distance of the MACD from 0 that gives strength 1."
    )


def vote(columns: Columns, tunables: MacdLevel) -> Vote:
    """Vote with the sign of the MACD; the strength follows from its size in ATR."""
    now = columns.now
    return leaning(in_atr(now.macd, now.atr), tunables.macd_level_full_strength)


SIGNAL = Signal(
    name="macd_level",
    title="MACD level",
    weight=0.0,
    reading="MACD against 0",
    measure="MACD in ATR",
    unit="atr",
    section=MacdLevel,
    vote=vote,
)

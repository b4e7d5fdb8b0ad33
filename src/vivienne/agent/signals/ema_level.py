"""The close over or under the slow average."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.signals.base import Signal, Vote, in_atr, leaning
from vivienne.agent.tolerance import settled
from vivienne.agent.tunable import Section, atr_distance

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class EmaLevel(Section):
    """Tunables of the signal."""

    ema_level_full_strength: float = atr_distance(
        2.0, "EMA level at full strength", "Distance of the close from the slow average that gives strength 1."
    )


def vote(columns: Columns, tunables: EmaLevel) -> Vote:
    """Vote with the sign of the close minus the slow average; the strength follows from the distance in ATR."""
    now = columns.now
    distance = settled(now.close - now.ema_slow, now.close)
    return leaning(in_atr(distance, now.atr), tunables.ema_level_full_strength)


SIGNAL = Signal(
    name="ema_level",
    title="EMA level",
    weight=0.0,
    reading="close against the slow average",
    measure="close minus slow EMA in ATR",
    unit="atr",
    section=EmaLevel,
    vote=vote,
)

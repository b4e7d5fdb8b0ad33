"""The fast average over or under the slow one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.signals.base import Signal, Vote, in_atr, leaning
from vivienne.agent.tunable import Section, atr_distance

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class EmaCross(Section):
    """Tunables of the signal."""

    ema_cross_full_strength: float = atr_distance(
        1.0, "EMA cross at full strength", "Distance between the averages that gives strength 1."
    )


def vote(columns: Columns, tunables: EmaCross) -> Vote:
    """Vote with the sign of the fast average minus the slow one; the strength follows from the distance in ATR."""
    now = columns.now
    return leaning(in_atr(now.ema_spread, now.atr), tunables.ema_cross_full_strength)


SIGNAL = Signal(
    name="ema_cross",
    title="EMA cross",
    weight=0.75,
    reading="fast against slow average",
    measure="EMA distance in ATR",
    unit="atr",
    section=EmaCross,
    vote=vote,
)

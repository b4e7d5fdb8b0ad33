"""The MACD histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.signals.base import Signal, Vote, in_atr, leaning
from vivienne.agent.tunable import Section, atr_distance

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class Macd(Section):
    """Tunables of the signal."""

    macd_full_strength: float = atr_distance(
        0.35, "MACD at full strength", "Size of the histogram that gives strength 1."
    )


def vote(columns: Columns, tunables: Macd) -> Vote:
    """Vote with the sign of the MACD histogram; the strength follows from its size in ATR."""
    now = columns.now
    return leaning(in_atr(now.macd_histogram, now.atr), tunables.macd_full_strength)


SIGNAL = Signal(
    name="macd",
    title="MACD",
    weight=0.75,
    reading="sign and size of the histogram",
    measure="MACD histogram in ATR",
    unit="atr",
    section=Macd,
    vote=vote,
)

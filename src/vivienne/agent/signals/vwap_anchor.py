"""The close over or under the volume-weighted average price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.arithmetic import where
from vivienne.agent.signals.base import Signal, Vote, in_atr, leaning
from vivienne.agent.tolerance import settled
from vivienne.agent.tunable import Section, atr_distance

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class VwapAnchor(Section):
    """Tunables of the signal."""

    vwap_anchor_full_strength: float = atr_distance(
        1.5, "VWAP anchor at full strength", "Distance of the close from the VWAP that gives strength 1."
    )


def vote(columns: Columns, tunables: VwapAnchor) -> Vote:
    """Vote with the sign of the close minus the VWAP; the strength follows from the distance in ATR.

    There is no vote if the VWAP has no value.
    """
    now = columns.now
    distance = settled(now.close - where(abs(now.vwap) >= 0.0, now.vwap, now.close), now.close)  # NaN is not
    return leaning(in_atr(distance, now.atr), tunables.vwap_anchor_full_strength)


SIGNAL = Signal(
    name="vwap_anchor",
    title="VWAP anchor",
    weight=0.0,
    reading="close against the VWAP",
    measure="close minus VWAP in ATR",
    unit="atr",
    section=VwapAnchor,
    vote=vote,
)

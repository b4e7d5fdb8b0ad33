"""Above-average volume, in the direction of the bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.arithmetic import share, sign, where
from vivienne.agent.indicators import mean_volume
from vivienne.agent.signals.base import Signal, Vote
from vivienne.agent.tolerance import EQUAL, settled
from vivienne.agent.tunable import Section, tunable

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


MEAN_BARS = 20
"""Number of bars in the mean."""


class VolumeConfirmation(Section):
    """Tunables of the signal."""

    volume_confirmation_full_strength: float = tunable(
        2.0,
        "Volume confirmation at full strength",
        "Ratio of the volume to its 20-bar mean that gives strength 1. At the mean the strength is 0.",
        unit="times the mean",
        bounds=(1.01, 20),
        step=0.1,
    )


def vote(columns: Columns, tunables: VolumeConfirmation) -> Vote:
    """Vote in the direction of the bar if its volume is above the 20-bar mean, which includes the bar."""
    now = columns.now
    reading = now.volume / mean_volume(columns, MEAN_BARS)
    excess = reading - 1.0
    direction = where(excess > EQUAL, sign(settled(now.close - now.open, now.close)), 0.0)
    strength = share(excess / (tunables.volume_confirmation_full_strength - 1.0))
    return Vote(direction, where(direction == 0, 0.0, strength), reading)


SIGNAL = Signal(
    name="volume_confirmation",
    title="Volume confirmation",
    weight=0.0,
    reading="volume against its mean, in the direction of the bar",
    measure="volume divided by its 20-bar mean",
    unit="ratio",
    section=VolumeConfirmation,
    vote=vote,
)

"""The return of the RSI from oversold or overbought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.arithmetic import share, where
from vivienne.agent.indicators import ago
from vivienne.agent.signals.base import Signal, Vote
from vivienne.agent.tolerance import EQUAL
from vivienne.agent.tunable import Section, tunable

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns
    from vivienne.agent.schema import Signals


_EQUAL = 50.0 * EQUAL


class RsiCross(Section):
    """Tunables of the signal."""

    rsi_cross_full_strength: float = tunable(
        10,
        "RSI cross at full strength",
        "Distance of the RSI beyond `rsi_half`, on the way back, that gives strength 1.",
        unit="RSI points",
        bounds=(1, 50),
        step=1,
    )


def vote(columns: Columns, tunables: Signals) -> Vote:
    """Vote long if the RSI crossed `rsi_half` upwards within the last 3 bars and is above it; mirrored for short."""
    reading, low, high = columns.now.rsi, tunables.rsi_half, 100.0 - tunables.rsi_half  # of the signal `rsi`
    one, two, three = (ago(columns.led.rsi, bars) for bars in (1, 2, 3))
    was_low = (low - one >= -_EQUAL) | (low - two >= -_EQUAL) | (low - three >= -_EQUAL)
    was_high = (one - high >= -_EQUAL) | (two - high >= -_EQUAL) | (three - high >= -_EQUAL)
    up, down = -(low - reading), -(reading - high)
    direction = (was_low & (up > _EQUAL)) * 1.0 - (was_high & (down > _EQUAL))
    beyond = where(direction > 0, up, down)
    strength = where(direction == 0, 0.0, 0.5 + 0.5 * share(beyond / tunables.rsi_cross_full_strength))
    return Vote(direction, strength, reading)


SIGNAL = Signal(
    name="rsi_cross",
    title="RSI cross",
    weight=0.0,
    reading="return from oversold and overbought within 3 bars",
    measure="RSI",
    unit="rsi",
    section=RsiCross,
    vote=vote,
)

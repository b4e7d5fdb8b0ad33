"""The distance outside the Bollinger bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.arithmetic import share, sign, where
from vivienne.agent.signals.base import Signal, Vote, overshoot
from vivienne.agent.tolerance import EQUAL
from vivienne.agent.tunable import Section, band_widths

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class BbBreakoutLevel(Section):
    """Tunables of the signal."""

    bb_breakout_level_full_strength: float = band_widths(
        0.3, "Breakout level at full strength", "Distance of the close outside the bands that gives strength 1."
    )


def vote(columns: Columns, tunables: BbBreakoutLevel) -> Vote:
    """Vote in the direction of the break if the close is outside a band, whether or not the bands widen."""
    reading = columns.now.percent_b
    outside = overshoot(reading)
    direction = where(outside > EQUAL, sign(reading - 0.5), 0.0)
    return Vote(direction, share(outside / tunables.bb_breakout_level_full_strength), reading)


SIGNAL = Signal(
    name="bb_breakout_level",
    title="Bollinger breakout level",
    weight=0.0,
    reading="distance outside the Bollinger bands",
    measure="%B",
    unit="percent_b",
    section=BbBreakoutLevel,
    vote=vote,
)

"""The escape from the Bollinger bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.indicators import ago
from vivienne.agent.signals.base import Signal, Vote, excursion, is_within, no_vote
from vivienne.agent.tolerance import EQUAL, above
from vivienne.agent.tunable import Section, band_widths

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class BbBreakout(Section):
    """Tunables of the signal."""

    bb_breakout_full_strength: float = band_widths(
        0.3, "Breakout at full strength", "Distance of the close outside the bands that gives strength 1."
    )


def vote(columns: Columns, tunables: BbBreakout) -> Vote:
    """Vote in the direction of the break if the close is outside a band and the bands widen."""
    now = columns.now.percent_b
    if is_within(now):
        return no_vote(now)
    is_widening = above(columns.now.bandwidth, ago(columns.led.bandwidth, 1))
    up, down = (now > 1 + EQUAL) & is_widening, (now < -EQUAL) & is_widening
    return excursion(up, down, now, tunables.bb_breakout_full_strength)


SIGNAL = Signal(
    name="bb_breakout",
    title="Bollinger breakout",
    weight=0.8,
    reading="escape from the Bollinger bands",
    measure="%B",
    unit="percent_b",
    section=BbBreakout,
    vote=vote,
)

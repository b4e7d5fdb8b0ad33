"""The return into the Bollinger bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.indicators import ago
from vivienne.agent.signals.base import Signal, Vote, excursion, is_within, no_vote
from vivienne.agent.tolerance import EQUAL, settled
from vivienne.agent.tunable import Section, band_widths

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class BbBounce(Section):
    """Tunables of the signal."""

    bb_bounce_full_strength: float = band_widths(
        0.25, "Bounce at full strength", "Distance of the previous close outside the bands that gives strength 1."
    )


def vote(columns: Columns, tunables: BbBounce) -> Vote:
    """Long if %B was below 0 on the previous bar, is not now, and the close is above the open; mirrored for short."""
    before, now = ago(columns.led.percent_b, 1), columns.now.percent_b
    if is_within(before):
        return no_vote(before)
    body = settled(columns.now.close - columns.now.open, columns.now.close)
    up = (before < -EQUAL) & (now >= -EQUAL) & (body > 0)
    down = (before > 1 + EQUAL) & (now <= 1 + EQUAL) & (body < 0)
    return excursion(up, down, before, tunables.bb_bounce_full_strength)


SIGNAL = Signal(
    name="bb_bounce",
    title="Bollinger bounce",
    weight=0.6,
    reading="return into the Bollinger bands",
    measure="%B of the previous bar",
    unit="percent_b",
    section=BbBounce,
    vote=vote,
)

"""The position within the Bollinger bands, read as a reversal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.arithmetic import least, share, sign, where
from vivienne.agent.signals.base import Signal, Vote
from vivienne.agent.tolerance import EQUAL, settled
from vivienne.agent.tunable import Section, band_widths, tunable

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class BbLevel(Section):
    """Tunables of the signal."""

    bb_level_begin: float = tunable(
        0.2,
        "Band level at zero strength",
        "The signal votes long while %B is below this, and short while %B is above 1 minus this.",
        unit="%B, 0 to 0.5",
        bounds=(0, 0.5),
        step=0.05,
    )
    bb_level_full_strength: float = band_widths(
        0.2, "Band level at full strength", "Distance of %B beyond its value at zero strength that gives strength 1."
    )


def vote(columns: Columns, tunables: BbLevel) -> Vote:
    """Vote long near and below the lower band, short near and above the upper one."""
    reading = columns.now.percent_b
    depth = tunables.bb_level_begin - least(reading, 1.0 - reading)
    direction = where(depth > EQUAL, sign(settled(0.5 - reading, 1.0)), 0.0)
    return Vote(direction, share(depth / tunables.bb_level_full_strength), reading)


SIGNAL = Signal(
    name="bb_level",
    title="Bollinger level",
    weight=0.0,
    reading="position within the Bollinger bands, as a reversal",
    measure="%B",
    unit="percent_b",
    section=BbLevel,
    vote=vote,
)

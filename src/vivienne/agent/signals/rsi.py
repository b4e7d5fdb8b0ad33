"""The relative strength index, read as a reversal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.arithmetic import any_row, interpolated, least, sign
from vivienne.agent.rules import Ordered
from vivienne.agent.signals.base import Signal, Vote, no_vote
from vivienne.agent.tolerance import EQUAL, settled
from vivienne.agent.tunable import Section, rsi_points

if TYPE_CHECKING:
    from vivienne.agent.indicators import Columns


class Rsi(Section):
    """Tunables of the signal."""

    rsi_begin: float = rsi_points(
        40, "RSI at zero strength", "The RSI votes long below this, and short above 100 minus this."
    )
    rsi_half: float = rsi_points(30, "RSI at half strength", "RSI that gives strength 0.5; mirrored for short.")
    rsi_full: float = rsi_points(15, "RSI at full strength", "RSI that gives strength 1; mirrored for short.")


_STRENGTHS = (1.0, 0.5, 0.0)
"""Strength at the full, half and zero points."""


def vote(columns: Columns, tunables: Rsi) -> Vote:
    """Vote long when oversold and short when overbought; the strength grows with the distance."""
    reading = columns.now.rsi
    depth = least(reading, 100.0 - reading)
    is_voting = tunables.rsi_begin - depth > EQUAL * tunables.rsi_begin
    if not any_row(is_voting):
        return no_vote(reading)
    strength = interpolated(depth, (tunables.rsi_full, tunables.rsi_half, tunables.rsi_begin), _STRENGTHS)
    return Vote(sign(settled(50.0 - reading, 50.0)) * is_voting, strength, reading)


SIGNAL = Signal(
    name="rsi",
    title="RSI",
    weight=0.5,
    reading="reversal from oversold and overbought",
    measure="RSI",
    unit="rsi",
    section=Rsi,
    vote=vote,
    rules=(Ordered(("signals.rsi_full", "signals.rsi_half", "signals.rsi_begin"), strict=True),),
)

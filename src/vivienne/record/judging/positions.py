"""Positions that decisions ask for, and where they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vivienne.agent.decision import Clarity
from vivienne.record.judging.runs import decision_starts

if TYPE_CHECKING:
    from vivienne.market.types import BoolArray, FloatArray, IntArray
    from vivienne.record.columns import DecidedBars


def positions(decided: DecidedBars) -> FloatArray:
    """The position that each bar asks for, in percent of equity, below 0 for a short one.

    It is the decided size on the decided side. It is 0 if the level is idle, if no decision is recorded, and if the
    decision had no effect.
    """
    is_wanted = decided.is_decided & decided.has_effect & (decided.level > Clarity.IDLE)
    return np.where(is_wanted, decided.side * decided.size, 0.0) + 0.0  # and no negative zero


def blocked_by(decided: DecidedBars) -> dict[str, BoolArray]:
    """For each filter that blocks on some bar, True on the bars on which it does."""
    names = sorted({name for filters in decided.blocked_by for name in filters})
    sets = {name: np.array([name in filters for filters in decided.blocked_by]) for name in names}
    columns = {name: is_member[decided.blocks] for name, is_member in sets.items()}
    return {name: column for name, column in columns.items() if column.any()}


def held_by(decided: DecidedBars) -> dict[str, FloatArray]:
    """For each filter that blocks on some bar, the side of the entry that it holds back: +1 or -1, 0 without one."""
    is_entry = decided.is_decided & decided.has_effect & (decided.raw_level > Clarity.IDLE)
    return {name: np.where(is_entry & column, decided.side, 0.0) for name, column in blocked_by(decided).items()}


def begins(sides: FloatArray, decided: DecidedBars, length_ms: int) -> BoolArray:
    """True on bars whose side is not 0 and differs from that of the bar before.

    The first decision of a run is never on such a bar: it is unknown whether something begins there or goes on.

    Args:
        sides: one value for each bar; its sign counts.
        decided: the bars.
        length_ms: length of a bar.
    """
    side = np.sign(sides)
    is_first = decision_starts(decided.bars.open_time, decided.is_decided, length_ms) == np.arange(len(decided))
    is_begun: BoolArray = (side != 0) & (side != np.append(0.0, side)[:-1]) & ~is_first
    return is_begun


def paper_positions(decided: DecidedBars, length_ms: int) -> FloatArray:
    """The position of the paper account after each bar, in percent of equity, below 0 for a short one.

    It is the one that the bar asks for. But what was under way at the first decision of a run was entered at a price
    that is not known, so it is never taken; the first position is the first that begins later.
    """
    return taken(positions(decided), decided.bars.open_time, decided.is_decided, length_ms)


def taken(wanted: FloatArray, open_time: IntArray, is_decided: BoolArray, length_ms: int) -> FloatArray:
    """The same of positions that bars ask for; one value for each bar."""
    return np.where(_is_inside(wanted, decision_starts(open_time, is_decided, length_ms)), 0.0, wanted)


def _is_inside(sides: FloatArray, start: IntArray) -> BoolArray:
    """True on bars of what was under way at the first decision of a run, until it ends.

    Args:
        sides: as in `begins`.
        start: see `decision_starts`.
    """
    side = np.sign(sides)
    is_changed = (side != side[start]).astype(np.int64)
    changes = np.cumsum(is_changed)
    # The first bar of a run is not a changed one, so the changes up to it are those before the run.
    is_going_on: BoolArray = (side[start] != 0) & (changes == changes[start])
    return is_going_on

"""The decision: level, side and size, computed from votes and filters."""

from __future__ import annotations

import math
from bisect import bisect_right
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np

from vivienne.agent.arithmetic import least, sign
from vivienne.wire.explanation import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.agent.signals.base import Vote
    from vivienne.market.types import BoolArray, FloatArray, IntArray
    from vivienne.wire.explanation import LevelsStatus, Side, Trend, VolatilityStatus

_WORDS: tuple[Level, ...] = get_args(Level)


class Clarity(IntEnum):
    """Clarity of the case for an entry."""

    IDLE = 0
    LOADED = 1
    AIM = 2
    BANG = 3

    @property
    def word(self) -> Level:
        """The level as it is written on the wire."""
        return _WORDS[self]


class Block(NamedTuple):
    """Ids of a filter that blocks the entry and of the scenario that makes it block."""

    filter: str
    scenario: str


class Decision(NamedTuple):
    """The decision on one bar.

    Attributes:
        open_time: open time of the bar, ms since the epoch.
        ready: False during warm-up; the decision is then idle, without a side or a size.
        history: number of bars the decision was made from, including the bar itself; 1,000 means the full history.
        is_whole: False if bars of its history have been dropped since. The decision may then differ from the one made
            when the bar closed.
        level: the clarity level, at most LOADED while a filter blocks.
        raw_level: the level that the confidence alone gives.
        side: long, short or none.
        confidence: 0 to 1.
        size: position size in percent of equity, at most the cap; 0 if a filter blocks or there is no side.
        wanted: the position size without the cap.
        blocks: all filters and scenarios that block.
        trend, volatility, levels: their status.
        support, resistance: the nearest level below and above the close; NaN if none exists.
    """

    open_time: int
    ready: bool
    history: int
    is_whole: bool
    level: Clarity
    raw_level: Clarity
    side: Side
    confidence: float
    size: float
    wanted: float
    blocks: tuple[Block, ...]
    trend: Trend
    volatility: VolatilityStatus
    levels: LevelsStatus
    support: float
    resistance: float

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """Ids of the filters that block."""
        return tuple(dict.fromkeys(block.filter for block in self.blocks))

    @property
    def is_held(self) -> bool:
        """True if a filter holds back an entry, that is, a raw level of `loaded` or above."""
        return bool(self.blocks) and self.raw_level > Clarity.IDLE


class Votes(NamedTuple):
    """The weighted votes of the signals.

    Attributes:
        names: the signals with a weight above 0, in the order of the contributions.
        contributions: for each signal and row: weight x direction x strength, divided by the sum of the weights of the
            signals that vote. Their sum is the signed confidence.
        side: +1 long, -1 short, 0 if no signal votes or the votes cancel out.
        confidence: 0 to 1.
    """

    names: tuple[str, ...]
    contributions: FloatArray
    side: FloatArray
    confidence: FloatArray


class DecisionRows(NamedTuple):
    """Level and size of every row; see `Decision`."""

    raw_level: IntArray
    level: IntArray
    size: FloatArray
    wanted: FloatArray


_TINY = np.finfo(np.float64).tiny
_LEAST = float(_TINY)
_HIGHEST = np.array([Clarity.BANG, Clarity.LOADED])
"""The highest level of an entry that no filter blocks, and of one that a filter blocks."""
NO_CAP = 100.0
"""The largest position size that a configuration can ask for, in percent of equity."""


class Weights(NamedTuple):
    """The signals with a weight above 0, and their weights; `column` holds the same values as `plain`."""

    names: tuple[str, ...]
    column: FloatArray
    plain: tuple[float, ...]


class Levels(NamedTuple):
    """Thresholds of loaded, aim and bang, in percent; position sizes of idle to bang, in percent of equity.

    The plain ones are the same values.
    """

    thresholds: FloatArray
    sizes: FloatArray
    plain_thresholds: tuple[float, ...]
    plain_sizes: tuple[float, ...]


def weigh(signals: Mapping[str, Vote], weights: Weights) -> Votes:
    """Combine the votes; the confidence is abs(sum(w d s)) / sum(w over the signals that vote).

    Args:
        signals: votes by name; signals without a weight are ignored.
        weights: at least one.
    """
    votes = [signals[name] for name in weights.names]
    direction = np.array([vote.direction for vote in votes])
    strength = np.array([vote.strength for vote in votes])
    weighted = weights.column * direction
    voting = _sum(np.abs(weighted))
    # Without a vote both numbers are 0, and so is the result.
    contributions = weighted * strength / np.maximum(voting, _TINY)
    # Rounding keeps votes that cancel out from leaving a side in the last bits.
    signed = np.rint(_sum(contributions) * 1e9) / 1e9
    return Votes(weights.names, contributions, np.sign(signed), np.minimum(np.abs(signed), 1.0))


def _sum(column: FloatArray) -> FloatArray:
    """The sum over the signals, one signal after the other: NumPy's `sum` adds in another order if there is one row."""
    total: FloatArray = np.add.accumulate(column, axis=0)[-1]
    return total


def weigh_newest(signals: Mapping[str, Vote], weights: Weights) -> tuple[list[float], float, float]:
    """The contributions, the side and the confidence of `weigh`, of votes with plain values."""
    votes = [signals[name] for name in weights.names]
    weighted = [weight * vote.direction for weight, vote in zip(weights.plain, votes, strict=True)]
    voting = max(sum(map(abs, weighted)), _LEAST)
    contributions = [each * vote.strength / voting for each, vote in zip(weighted, votes, strict=True)]
    signed = _rounded(sum(contributions))
    return contributions, float(sign(signed)), least(abs(signed), 1.0)


def _rounded(value: float) -> float:
    return round(value * 1e9) / 1e9 if math.isfinite(value) else value


def percent(confidence: FloatArray) -> FloatArray:
    """Convert confidence to the unit of the thresholds, free of rounding noise: 0.57 becomes 57."""
    return np.rint(confidence * 1e9) / 1e7


def percent_of(confidence: float) -> float:
    """Like `percent`, for one value."""
    return round(confidence * 1e9) / 1e7 if math.isfinite(confidence) else confidence


def decide(votes: Votes, blocked: BoolArray, levels: Levels, cap: float = NO_CAP) -> DecisionRows:
    """Compute level and size of each row. No size exceeds `cap`, in percent of equity."""
    # Not "!= 0": a NaN must not become an entry.
    entry = np.abs(votes.side) > 0.0
    raw_level = levels.thresholds.searchsorted(percent(votes.confidence), side="right") * entry
    level = np.minimum(raw_level, _HIGHEST.take(blocked))
    wanted = levels.sizes.take(level) * (entry > blocked)
    return DecisionRows(raw_level, level, np.minimum(wanted, cap), wanted)


def decide_newest(
    side: float, confidence: float, levels: Levels, cap: float, *, is_blocked: bool
) -> tuple[int, int, float, float]:
    """The values of `DecisionRows` for one bar."""
    is_entry = abs(side) > 0.0
    raw_level = bisect_right(levels.plain_thresholds, percent_of(confidence)) if is_entry else 0
    level = min(raw_level, Clarity.LOADED) if is_blocked else raw_level
    wanted = levels.plain_sizes[level] if is_entry and not is_blocked else 0.0
    return raw_level, level, least(wanted, cap), wanted

"""From votes and filters to a level, a side and a size."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np

from vivienne.wire.explanation import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.agent.signals.base import Vote
    from vivienne.market.types import BoolArray, FloatArray, IntArray
    from vivienne.wire.explanation import LevelsStatus, Side, Trend, VolatilityStatus

_WORDS: tuple[Level, ...] = get_args(Level)


class Clarity(IntEnum):
    """How clear the case for an entry is."""

    IDLE = 0
    LOADED = 1
    AIM = 2
    BANG = 3

    @property
    def word(self) -> Level:
        """As on the wire."""
        return _WORDS[self]


class Block(NamedTuple):
    """A filter that blocks the entry, and the scenario it does so by: their ids."""

    filter: str
    scenario: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on one bar.

    Attributes:
        open_time: of the bar, ms since the epoch.
        ready: False while warming up; the decision is then idle, without a side or a size.
        history: bars it was decided from, the bar itself included; 1,000 stands for the full history.
        is_whole: False where bars that belong to its history were there once and are not any more, so that it may
            differ from the decision that was made when the bar closed.
        level: the clarity level, held at LOADED where a filter blocks.
        raw_level: the level the confidence earns.
        side: long, short or none.
        confidence: 0 to 1.
        size: percent of equity, 0 where a filter blocks or there is no side; never above the cap.
        wanted: the same, without the cap.
        blocks: every filter and scenario that blocks.
        trend, volatility, levels: the status of these.
        support, resistance: the nearest level below and above the close, NaN without one.
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
        """Whether a filter keeps an entry (`loaded` or above) back."""
        return bool(self.blocks) and self.raw_level > Clarity.IDLE


class Votes(NamedTuple):
    """The signals, weighed.

    Attributes:
        names: the signals with a weight, in the order of the contributions.
        contributions: per signal and row: weight x direction x strength over the weights of the signals that vote.
            They add up to the signed confidence.
        side: +1 long, -1 short, 0 when nothing votes or the votes cancel out.
        confidence: 0 to 1.
    """

    names: tuple[str, ...]
    contributions: FloatArray
    side: FloatArray
    confidence: FloatArray


class DecisionRows(NamedTuple):
    """The decision over rows; see `Decision`."""

    raw_level: IntArray
    level: IntArray
    size: FloatArray
    wanted: FloatArray


NO_CAP = 100.0
"""Percent of equity: as much as a configuration can ask for."""


class Weights(NamedTuple):
    """The signals with a weight, and the weights as a column."""

    names: tuple[str, ...]
    column: FloatArray


class Levels(NamedTuple):
    """Thresholds of loaded, aim and bang, in percent; position sizes of idle to bang, in percent of equity."""

    thresholds: FloatArray
    sizes: FloatArray


def weigh(signals: Mapping[str, Vote], weights: Weights) -> Votes:
    """Confidence: abs(sum(w d s)) / sum(w over the signals that vote).

    Args:
        signals: votes by name; those without a weight count for nothing.
        weights: at least one.
    """
    votes = [signals[name] for name in weights.names]
    direction = np.array([vote.direction for vote in votes])
    strength = np.array([vote.strength for vote in votes])
    voting = np.add.reduce(weights.column * (direction != 0), axis=0)
    contributions = weights.column * direction * strength / np.where(voting > 0, voting, np.inf)
    # Rounded, so that votes which cancel out leave no side behind in the last bits.
    signed = np.rint(np.add.reduce(contributions, axis=0) * 1e9) / 1e9
    return Votes(weights.names, contributions, np.sign(signed), np.minimum(np.abs(signed), 1.0))


def percent(confidence: FloatArray) -> FloatArray:
    """Confidence in the unit of the thresholds, without the last bits of rounding: 0.57 is 57."""
    return np.rint(confidence * 1e9) / 1e7


def decide(votes: Votes, blocked: BoolArray, levels: Levels, cap: float = NO_CAP) -> DecisionRows:
    """Level and size of each row; no size is above the cap, in percent of equity."""
    # Not "!= 0": a NaN, should one ever get here, must not become an entry.
    entry = np.abs(votes.side) > 0
    raw_level = levels.thresholds.searchsorted(percent(votes.confidence), side="right") * entry
    level = np.minimum(raw_level, np.where(blocked, Clarity.LOADED, Clarity.BANG))
    wanted = np.where(blocked | ~entry, 0.0, levels.sizes[level])
    return DecisionRows(raw_level, level, np.minimum(wanted, cap), wanted)

"""From votes and filters to a level, a side and a size."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from vivienne.agent.signals import SignalRows
    from vivienne.config.schema import Settings, SignalWeights
    from vivienne.market.types import BoolArray, FloatArray, IntArray


Level = Literal["idle", "loaded", "aim", "bang"]
_WORDS: tuple[Level, ...] = ("idle", "loaded", "aim", "bang")


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


class Votes(NamedTuple):
    """The signals, weighed.

    Attributes:
        contributions: per signal and row: weight x direction x strength over the weights of the signals that vote.
            They add up to the signed confidence.
        side: +1 long, -1 short, 0 when nothing votes or the votes cancel out.
        confidence: 0 to 1.
    """

    contributions: FloatArray
    side: FloatArray
    confidence: FloatArray


class DecisionRows(NamedTuple):
    """The decision over rows.

    Attributes:
        raw_level: the `Clarity` the confidence earns.
        level: the same, held at LOADED where a filter blocks.
        size: percent of equity, 0 where a filter blocks or there is no side; never above the cap.
        wanted: the same, without the cap.
    """

    raw_level: IntArray
    level: IntArray
    size: FloatArray
    wanted: FloatArray


NO_CAP = 100.0
"""Percent of equity: as much as a configuration can ask for."""


def weigh(signals: tuple[SignalRows, ...], weights: SignalWeights) -> Votes:
    """Confidence: abs(sum(w d s)) / sum(w over the signals that vote)."""
    weight = np.array([[getattr(weights, signal.name)] for signal in signals])
    direction = np.array([signal.direction for signal in signals])
    strength = np.array([signal.strength for signal in signals])
    voting = np.add.reduce(weight * (direction != 0), axis=0)
    contributions = weight * direction * strength / np.where(voting > 0, voting, np.inf)
    # Rounded, so that votes which cancel out leave no side behind in the last bits.
    signed = np.rint(np.add.reduce(contributions, axis=0) * 1e12) / 1e12
    return Votes(contributions, np.sign(signed), np.minimum(np.abs(signed), 1.0))


def percent(confidence: FloatArray) -> FloatArray:
    """Confidence in the unit of the thresholds, without the last bits of rounding: 0.57 is 57."""
    return np.rint(confidence * 1e11) / 1e9


def decide(votes: Votes, blocked: BoolArray, settings: Settings, cap: float = NO_CAP) -> DecisionRows:
    """Level and size of each row; no size is above the cap, in percent of equity."""
    thresholds = np.array(
        [settings.state_threshold_loaded, settings.state_threshold_aim, settings.state_threshold_bang],
        dtype=np.float64,
    )
    earned = thresholds.searchsorted(percent(votes.confidence), side="right")
    # Not "!= 0": a NaN, should one ever get here, must not become an entry.
    entry = np.abs(votes.side) > 0
    raw_level = np.where(entry, earned, Clarity.IDLE)
    level = np.where(blocked, np.minimum(raw_level, Clarity.LOADED), raw_level)
    sizes = np.array(
        [
            settings.position_size_idle,
            settings.position_size_loaded,
            settings.position_size_aim,
            settings.position_size_bang,
        ],
        dtype=np.float64,
    )
    wanted = np.where(blocked | ~entry, 0.0, sizes[level])
    return DecisionRows(raw_level, level, np.minimum(wanted, cap), wanted)

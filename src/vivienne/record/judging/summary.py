"""Outcomes as they go out: of one decision, and of many."""

from __future__ import annotations

from math import fsum, sqrt
from typing import TYPE_CHECKING

import numpy as np

from vivienne.live.entries import finite
from vivienne.record.judging.outcomes import HORIZONS, Outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.types import BoolArray, FloatArray
    from vivienne.wire.outcome import DecisionOutcome, HorizonSummary, OutcomeSummary

_NONE = Outcomes(np.empty((len(HORIZONS), 0)), *[np.empty(0)] * 3)


def outcome_entry(found: Outcomes, row: int) -> DecisionOutcome:
    """The outcome of one decision."""
    one, four, sixteen, most = found.returns[:, row].tolist()
    return {
        "return_1": finite(one),
        "return_4": finite(four),
        "return_16": finite(sixteen),
        "return_96": finite(most),
        "largest_gain_atr": finite(found.gain.item(row)),
        "largest_loss_atr": finite(found.loss.item(row)),
        "paper_position": finite(found.position.item(row)),
    }


def chosen(found: Outcomes, rows: BoolArray) -> Outcomes:
    """The outcomes of some bars."""
    return Outcomes(found.returns[:, rows], found.gain[rows], found.loss[rows], found.position[rows])


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """The outcomes of several assets, one after the other."""
    return Outcomes(*(np.concatenate(columns, axis=-1) for columns in zip(_NONE, *parts, strict=True)))


def summary(found: Outcomes) -> OutcomeSummary:
    """What came of many decisions, in any order: means are sums without rounding errors, divided."""
    return {
        "entries": len(found.gain),
        "returns": [_horizon(bars, known_of(row)) for bars, row in zip(HORIZONS, found.returns, strict=True)],
        "largest_gain_atr": _mean(known_of(found.gain)),
        "largest_loss_atr": _mean(known_of(found.loss)),
    }


def known_of(column: FloatArray) -> FloatArray:
    """The values that are known."""
    return column[~np.isnan(column)]


def _horizon(bars: int, known: FloatArray) -> HorizonSummary:
    return {
        "bars": bars,
        "known": len(known),
        "mean_return": _mean(known),
        "deviation": _deviation(known),
        "hit_rate": int(np.count_nonzero(known > 0)) / len(known) if len(known) else None,
    }


def _mean(known: FloatArray) -> float | None:
    return fsum(known.tolist()) / len(known) if len(known) else None


def _deviation(known: FloatArray) -> float | None:
    if len(known) <= 1:
        return None
    mean = fsum(known.tolist()) / len(known)
    return sqrt(fsum(((known - mean) ** 2).tolist()) / (len(known) - 1))

"""A comparison as it goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vivienne.record.judging.confidence import ERROR_RATE
from vivienne.record.judging.curves import MOST_POINTS, points
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.record.judging.comparing import Comparison
    from vivienne.record.judging.costs import Costs
    from vivienne.wire.comparison import ScoreComparison, ScoreCurve


def comparison_entry(found: Comparison, costs: Costs, *, most_points: int = MOST_POINTS) -> ScoreComparison:
    """The entry of a comparison.

    Args:
        found: the comparison.
        costs: those it was computed with.
        most_points: largest number of points of the curves.
    """
    count, verdict = len(found.time), found.verdict()
    difference = found.difference.item(-1) if count else 0.0
    band = found.band(np.array([-1])).item() if count else None
    return {
        "assets": [*found.assets],
        "begins": iso(found.time.item(0)) if count else None,
        "ends": iso(found.time.item(-1)) if count else None,
        "bars": count,
        "fee": costs.fee,
        "slippage": costs.slippage,
        "mean": difference / count if count else 0.0,
        "low": None if band is None else (difference - band) / count,
        "high": None if band is None else (difference + band) / count,
        "confidence": 1 - ERROR_RATE,
        "verdict": verdict,
        "bars_more": found.bars_more() if verdict == "not enough to tell" else None,
        "bound": found.bound,
        "cut": found.cut,
        "curve": _curve(found, most_points),
    }


def _curve(found: Comparison, most_points: int) -> ScoreCurve:
    rows = points(len(found.time), most_points)
    difference, band = found.difference[rows], found.band(rows)
    return {
        "times": [iso(time) for time in found.time[rows].tolist()],
        "now": found.now[rows].tolist(),
        "before": found.before[rows].tolist(),
        "difference": difference.tolist(),
        "low": (difference - band).tolist(),
        "high": (difference + band).tolist(),
    }

"""How much each filter blocked, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vivienne.market.types import DAY_MS
from vivienne.record.judging.positions import blocked_by
from vivienne.record.judging.runs import merged
from vivienne.record.judging.setups import HOUR_MS
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.types import IntArray
    from vivienne.record.columns import DecidedBars
    from vivienne.slices import Pieces
    from vivienne.wire.setups import HeatMap, HeatUnit

_SPANS: dict[HeatUnit, int] = {"hour": HOUR_MS, "day": DAY_MS}
_PIECE = 500
"""Number of times that are written at once."""


def heat_map(assets: Sequence[DecidedBars], unit: HeatUnit) -> Pieces[HeatMap]:
    """Compute the fraction of decided bars on which each filter blocked an entry.

    Args:
        assets: bars with decisions; bars of all assets count alike.
        unit: length of the spans of time.
    """
    span = _SPANS[unit]
    times = np.empty(0, np.int64)
    for decided in assets:
        times = merged(times, _distinct(decided.bars.open_time[decided.is_decided] // span))
        yield
    bars = np.zeros(len(times), np.int64)
    blocked: dict[str, IntArray] = {}
    for decided in assets:
        place = np.searchsorted(times, decided.bars.open_time // span)
        bars += np.bincount(place[decided.is_decided], minlength=len(times))
        for name, is_blocked in blocked_by(decided).items():
            count = np.bincount(place[is_blocked & decided.is_decided], minlength=len(times))
            blocked[name] = blocked.get(name, 0) + count
        yield
    written: list[str] = []
    for begin in range(0, len(times), _PIECE):
        written += [iso(time * span) for time in times[begin : begin + _PIECE].tolist()]
        yield
    return {
        "unit": unit,
        "times": written,
        "bars": bars.tolist(),
        "filters": [{"filter": name, "shares": (count / bars).tolist()} for name, count in sorted(blocked.items())],
    }


def _distinct(spans: IntArray) -> IntArray:
    """Each number once, of numbers in order."""
    return spans[np.diff(spans, prepend=-1) > 0]

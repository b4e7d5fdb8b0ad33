"""How much each filter blocked, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.market.types import DAY_MS
from vivienne.record.judging.positions import blocked_by
from vivienne.record.judging.runs import merged
from vivienne.record.judging.setups import HOUR_MS
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.market.types import IntArray
    from vivienne.record.columns import DecidedBars
    from vivienne.slices import Pieces
    from vivienne.wire.setups import HeatMap, HeatUnit

_SPANS: dict[HeatUnit, int] = {"hour": HOUR_MS, "day": DAY_MS}
_PIECE = 500
"""Number of times that are written at once."""


class _Counts(NamedTuple):
    """Decided bars of one asset, and those on which each filter blocked; one value for each of its spans of time."""

    times: IntArray
    bars: IntArray
    blocked: dict[str, IntArray]


def heat_map(assets: Iterable[DecidedBars], unit: HeatUnit) -> Pieces[HeatMap]:
    """Compute the fraction of decided bars on which each filter blocked an entry.

    Args:
        assets: bars with decisions, looked at one after the other; bars of all assets count alike.
        unit: length of the spans of time.
    """
    span = _SPANS[unit]
    counted: list[_Counts] = []
    for decided in assets:
        counted.append(_counts(decided, span))
        yield
    times = np.empty(0, np.int64)
    for one in counted:
        times = merged(times, one.times)
        yield
    bars = np.zeros(len(times), np.int64)
    blocked: dict[str, IntArray] = {}
    for one in counted:
        place = np.searchsorted(times, one.times)
        bars[place] += one.bars
        for name, count in one.blocked.items():
            blocked.setdefault(name, np.zeros(len(times), np.int64))[place] += count
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


def _counts(decided: DecidedBars, span: int) -> _Counts:
    spans = decided.bars.open_time // span
    times = _distinct(spans[decided.is_decided])
    place = np.searchsorted(times, spans)
    return _Counts(
        times,
        np.bincount(place[decided.is_decided], minlength=len(times)),
        {
            name: np.bincount(place[is_blocked & decided.is_decided], minlength=len(times))
            for name, is_blocked in blocked_by(decided).items()
        },
    )


def _distinct(spans: IntArray) -> IntArray:
    """Each number once, of numbers in order."""
    return spans[np.diff(spans, prepend=-1) > 0]

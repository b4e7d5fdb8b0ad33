"""What came of each decision: returns and moves on the bars that follow it.

A decision is carried out at the open of the next bar, as in the paper account. That open is the entry price of its
outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.record.judging.positions import paper_positions
from vivienne.record.judging.runs import bars_ahead

if TYPE_CHECKING:
    from vivienne.market.types import FloatArray
    from vivienne.record.columns import DecidedBars
    from vivienne.slices import Pieces

HORIZONS = (1, 4, 16, 96)
"""Numbers of bars after which the return is measured."""
MOVE_BARS = HORIZONS[-1]
"""Number of bars on which the largest moves are measured."""
_PIECE = 4_096
"""Number of bars whose outcomes are computed at a time."""


class Outcomes(NamedTuple):
    """Outcomes of decisions, in the direction of their side; one value for each bar.

    All are NaN for decisions without a side, while too few bars have closed, and where too few bars follow before a
    hole. Outcomes of decisions that filters held back, or that had no effect, are what would have come of them.

    Attributes:
        returns: a row for each of `HORIZONS`: the close of that bar against the entry price, in percent.
        gain: the largest move for the side within `MOVE_BARS`, in ATR of the bar of the decision; at least 0.
        loss: the largest move against it, likewise; at least 0.
        position: what the paper account holds from the next open on, in percent of equity, below 0 for a short one; NaN
            on the last bar, and 0 on the last one before a hole.
    """

    returns: FloatArray
    gain: FloatArray
    loss: FloatArray
    position: FloatArray


def outcomes(decided: DecidedBars, length_ms: int) -> Pieces[Outcomes]:
    """Compute the outcome of each decision.

    Args:
        decided: bars with decisions.
        length_ms: length of a bar.
    """
    count = len(decided)
    unknown = np.full((len(HORIZONS) + 2, count), np.nan)
    found = Outcomes(unknown[2:], unknown[0], unknown[1], _positions(decided, length_ms))
    yield
    for begin in range(0, count, _PIECE):
        rows = slice(begin, min(begin + _PIECE, count))
        _fill(found, rows, decided[begin : begin + _PIECE + MOVE_BARS], length_ms)
        yield
    return found


def _positions(decided: DecidedBars, length_ms: int) -> FloatArray:
    ahead = bars_ahead(decided.bars.open_time, length_ms)
    held = np.where(ahead > 0, paper_positions(decided, length_ms), 0.0)
    held[-1:] = np.nan
    return held


def _fill(found: Outcomes, rows: slice, seen: DecidedBars, length_ms: int) -> None:
    """Compute the outcomes of some rows from these rows and the bars that follow them."""
    count, bars = rows.stop - rows.start, seen.bars
    ahead = bars_ahead(bars.open_time, length_ms)[:count]
    side = seen.side[:count]
    entry = _later(bars.open, 1, count)
    for row, horizon in enumerate(HORIZONS):
        change = side * (_later(bars.close, horizon, count) / entry - 1) * 100
        found.returns[row, rows] = np.where((ahead >= horizon) & (side != 0), change, np.nan)
    up = _later(_furthest(np.maximum, bars.high), 1, count) - entry
    down = entry - _later(_furthest(np.minimum, bars.low), 1, count)
    is_known = (ahead >= MOVE_BARS) & (side != 0) & (seen.atr[:count] > 0)
    atr = np.where(is_known, seen.atr[:count], np.nan)
    found.gain[rows] = np.where(side > 0, up, down) / atr
    found.loss[rows] = np.where(side > 0, down, up) / atr


def _later(column: FloatArray, bars: int, count: int) -> FloatArray:
    """The values so many bars later, of the first `count` bars; NaN beyond the end."""
    later = column[bars : bars + count]
    return np.append(later, np.full(count - len(later), np.nan))


def _furthest(extreme: np.ufunc, column: FloatArray) -> FloatArray:
    """The extreme of each value and the `MOVE_BARS - 1` after it; those with fewer after them are left out."""
    # The extreme of 64 values is that of two times 32, and so on; 96 values are 64 and 32.
    width = 1
    while 2 * width <= MOVE_BARS:
        column, width = extreme(column[:-width], column[width:]), 2 * width
    rest = MOVE_BARS - width
    whole: FloatArray = extreme(column[:-rest], column[rest:]) if rest else column
    return whole

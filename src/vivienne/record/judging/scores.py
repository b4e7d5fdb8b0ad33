"""Scores of two configurations on the same bars, and their difference, bar by bar.

A bar is decided at its close, and the decision is in force from the next open to the one after it. The score of the bar
is what the position earns between these two opens, less the cost of getting from the position of the bar before to this
one, in percent of equity:

    side x size x (open after the next / next open - 1) - |change of the position| x cost

Bars of a pause count for neither, nor do bars that one of the two cannot decide, or that no two bars follow. The first
bar after such a bar costs neither anything: both begin there with the position they have.
"""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.record.judging.positions import positions
from vivienne.record.judging.runs import bars_ahead, run_starts

if TYPE_CHECKING:
    from vivienne.market.types import BoolArray, FloatArray, IntArray
    from vivienne.record.columns import DecidedBars
    from vivienne.record.judging.costs import Costs

LARGEST_MOVE_ATR = 8.0
"""The largest move between two opens that counts, in mean ATR of the bars before."""
ATR_BARS = 96
"""Number of bars up to the first one that is judged from whose ATR the largest move is computed."""
BARS_NEEDED = 2
"""Number of bars that must follow a bar before it has a score."""


class Pair(NamedTuple):
    """The same bars, decided with two configurations.

    Attributes:
        now: decisions of the configuration that is judged.
        before: decisions of the one it is compared with.
        first: row of the first bar that is judged. The bars before it give the usual size of moves.
        usual_size: the position with which differences are bounded, in percent of equity. It must be known before the
            first bar, so it follows from the configurations (`vivienne.record.judging.anew.usual_size`).
    """

    now: DecidedBars
    before: DecidedBars
    first: int
    usual_size: float


class Scores(NamedTuple):
    """Scores of the bars that count, oldest first, in percent of equity.

    Attributes:
        time: open times of the bars, ms since the epoch.
        now, before: scores of both configurations.
        difference: now less before, but at most the bound in either direction.
        begin: open time of the first bar that is judged.
        newest: open time of the newest bar, whether it counts or not.
        move: the largest move that counts, in percent.
        bound: what a position of the usual size earns by it; it is known at the close of the first bar.
        cut: number of differences that are beyond the bound.
    """

    time: IntArray
    now: FloatArray
    before: FloatArray
    difference: FloatArray
    begin: int
    newest: int
    move: float
    bound: float
    cut: int


def scores(pair: Pair, length_ms: int, costs: Costs) -> Scores | None:
    """Compute the scores of two configurations.

    Args:
        pair: the decisions; both on the same bars.
        length_ms: length of a bar.
        costs: of a change of the position.

    Returns:
        None if no bar has an ATR, or no position is possible: then nothing can be compared.
    """
    usual = _usual(pair)
    if usual is None:
        return None
    first, atr = usual
    now, before = pair.now[first:], pair.before[first:]
    counts = _counts(now, before, length_ms)
    returns = _returns(now.bars.open)
    score_now, score_before = (
        _score(positions(each), returns, counts, now.bars.open_time, length_ms, costs) for each in (now, before)
    )
    move = LARGEST_MOVE_ATR * atr * 100
    bound = pair.usual_size / 100 * move
    difference = (score_now - score_before)[counts]
    return Scores(
        time=now.bars.open_time[counts],
        now=score_now[counts],
        before=score_before[counts],
        difference=np.clip(difference, -bound, bound),
        begin=now.bars.open_time.item(0),
        newest=now.bars.open_time.item(-1),
        move=move,
        bound=bound,
        cut=int(np.count_nonzero(np.abs(difference) > bound)),
    )


def _usual(pair: Pair) -> tuple[int, float] | None:
    """The row of the first bar to judge, and the mean ATR of the bars up to it as a fraction of the price.

    Without an ATR on any of these bars, the first bar is the next one that has one; None if there is no such bar.
    """
    relative = pair.now.atr / pair.now.bars.close
    rows = np.flatnonzero(relative > 0)
    earlier = rows[(rows > pair.first - ATR_BARS) & (rows <= pair.first)]
    if pair.usual_size <= 0 or pair.first >= len(relative):
        return None
    if len(earlier):
        return pair.first, fsum(relative[earlier].tolist()) / len(earlier)
    later = rows[rows > pair.first]
    return (later.item(0), relative.item(later.item(0))) if len(later) else None


def _counts(now: DecidedBars, before: DecidedBars, length_ms: int) -> BoolArray:
    """True on the bars that count."""
    is_decided = now.is_decided & now.has_effect & before.is_decided & before.has_effect
    is_known: BoolArray = is_decided & (bars_ahead(now.bars.open_time, length_ms) >= BARS_NEEDED)
    return is_known


def _returns(opened: FloatArray) -> FloatArray:
    """The return from the next open to the one after it, as a fraction; 0 where one is missing."""
    returns = np.zeros(len(opened))
    returns[:-BARS_NEEDED] = opened[2:] / opened[1:-1] - 1
    return returns


def _score(
    position: FloatArray, returns: FloatArray, counts: BoolArray, time: IntArray, length_ms: int, costs: Costs
) -> FloatArray:
    """The scores of one configuration, in percent of equity."""
    goes_on = run_starts(time, length_ms) < np.arange(len(time))
    goes_on[1:] &= counts[:-1]
    change = np.abs(np.diff(position, prepend=0.0)) * goes_on
    earned: FloatArray = position * returns - change * costs.rate
    return earned

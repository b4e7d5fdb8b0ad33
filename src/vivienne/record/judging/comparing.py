"""Comparison of two configurations on the same bars: is one better, and can that be told at all?

The differences of their scores are those of single bars, one after the other. In a market that gives neither of them an
edge, the difference of the next bar is as likely to help one as the other, whatever came before. So the mean of the
differences can be told from 0 by the confidence sequence of `confidence`, after every bar anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.record.judging.confidence import bars_to_tell, deviation
from vivienne.record.judging.runs import merged
from vivienne.record.judging.scores import BARS_NEEDED, Scores, scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.market.types import FloatArray, IntArray
    from vivienne.record.judging.costs import Costs
    from vivienne.record.judging.scores import Pair
    from vivienne.slices import Pieces
    from vivienne.wire.comparison import Verdict


class Comparison(NamedTuple):
    """Sums of scores from the first bar to each bar; one value for each time at which some asset has a score.

    Attributes:
        assets: the assets that are compared. One whose bars begin later than those of others is left out.
        time: open times of the bars, ms since the epoch.
        now, before: sums of the scores, in percent of equity.
        difference: sum of the differences, each at most `bound` in either direction.
        squares: sum of the squares of the differences, in units of the square of the bound.
        bound: the largest difference of one bar, in percent of equity.
        cut: number of differences of single assets that were beyond their bound.
    """

    assets: tuple[str, ...]
    time: IntArray
    now: FloatArray
    before: FloatArray
    difference: FloatArray
    squares: FloatArray
    bound: float
    cut: int

    def band(self, rows: IntArray) -> FloatArray:
        """Distance of the sum of differences from the sum of the true means that is not refuted, at some rows."""
        return deviation(self.squares[rows]) * self.bound

    def verdict(self, row: int = -1) -> Verdict:
        """What can be told from the bars up to one."""
        if not len(self.time):
            return "not enough to tell"
        difference = self.difference.item(row)
        if abs(difference) <= self.band(np.array([row])).item():
            return "not enough to tell"
        return "better" if difference > 0 else "worse"

    def bars_more(self) -> int | None:
        """Number of bars until a difference could be told, if bars go on as they were; None if that is too many."""
        count = len(self.time)
        if not count:
            return None
        mean, mean_square = self.difference.item(-1) / self.bound / count, self.squares.item(-1) / count
        bars = bars_to_tell(mean, mean_square)
        return None if bars is None else max(bars - count, 0)


def compare(pairs: Mapping[str, Pair], length_ms: int, costs: Costs) -> Pieces[Comparison]:
    """Compare two configurations of some assets on the same bars; several assets share one equity.

    Args:
        pairs: decisions of both, by the name of the asset.
        length_ms: length of a bar.
        costs: of a change of a position.
    """
    found: dict[str, Scores] = {}
    for asset, pair in pairs.items():
        scored = scores(pair, length_ms, costs)
        yield
        if scored is not None:
            found[asset] = scored
    return (yield from added(found, length_ms))


def added(found: Mapping[str, Scores], length_ms: int) -> Pieces[Comparison]:
    """Add up scores of several assets that share one equity.

    Args:
        found: scores by the name of the asset. Those that begin later than others are left out.
        length_ms: length of a bar.
    """
    # The bound must be known before the first difference, so only assets that begin together are added up.
    begin = min((each.begin for each in found.values()), default=0)
    together = {asset: each for asset, each in found.items() if each.begin == begin}
    return (yield from _sums(together, length_ms))


def _sums(found: Mapping[str, Scores], length_ms: int) -> Pieces[Comparison]:
    """The sums over all assets and bars."""
    bound = sum(each.bound for each in found.values())
    time = np.empty(0, np.int64)
    for each in found.values():
        time = merged(time, each.time)
        yield
    time = time[: np.searchsorted(time, _end(found, length_ms))]
    now, before, difference = np.zeros(len(time)), np.zeros(len(time)), np.zeros(len(time))
    for each in found.values():
        count = np.searchsorted(each.time, time[-1:], side="right").item() if len(time) else 0
        rows = np.searchsorted(time, each.time[:count])
        now[rows] += each.now[:count]
        before[rows] += each.before[:count]
        difference[rows] += each.difference[:count]
        yield
    return Comparison(
        assets=tuple(found),
        time=time,
        now=np.cumsum(now),
        before=np.cumsum(before),
        difference=np.cumsum(difference),
        squares=np.cumsum(np.square(difference / bound)) if found else difference,
        bound=bound,
        cut=sum(each.cut for each in found.values()),
    )


def _end(found: Mapping[str, Scores], length_ms: int) -> int:
    """The time from which on scores do not count yet: an asset that is one bar behind the newest is waited for."""
    newest = max((each.newest for each in found.values()), default=0)
    late = any(each.newest == newest - length_ms for each in found.values())
    return newest - late * length_ms - (BARS_NEEDED - 1) * length_ms

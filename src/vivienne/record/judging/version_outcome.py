"""What came of a version for one asset, beside what the version before it would have done on the same bars."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.record.judging.comparing import compare
from vivienne.record.judging.comparison_entry import comparison_entry
from vivienne.record.judging.curves import MOST_POINTS
from vivienne.record.judging.outcomes import outcomes
from vivienne.record.judging.scores import ATR_BARS, BARS_NEEDED, Pair
from vivienne.record.judging.versions import version_decisions
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.market.timeframe import Timeframe
    from vivienne.record.columns import DecidedBars
    from vivienne.record.judging.costs import Costs
    from vivienne.slices import Pieces
    from vivienne.wire.version_outcome import VersionOutcome


class Predecessor(NamedTuple):
    """The version before the one that is judged.

    Attributes:
        version: its number.
        decided: the same bars as those of the version that is judged, decided anew with the configuration of this one.
        usual_size: the larger usual size of the two versions; see `vivienne.record.judging.anew.usual_size`.
    """

    version: int
    decided: DecidedBars
    usual_size: float


def version_outcome(
    asset: str,
    timeframe: Timeframe,
    version: int,
    decided: DecidedBars,
    before: Predecessor | None,
    costs: Costs,
    *,
    most_points: int = MOST_POINTS,
) -> Pieces[VersionOutcome]:
    """Judge a version of one asset.

    Args:
        asset: name of the asset.
        timeframe: of its bars.
        version: number of the version.
        decided: recorded bars. They should begin `ATR_BARS` before the first bar of the version, and end
            `outcomes.MOVE_BARS` after the last one, if there are so many.
        before: the version before; None for the first one.
        costs: of a change of the position.
        most_points: largest number of points of the curves.

    Raises:
        ValueError: the predecessor has other bars.
    """
    if before is not None and not np.array_equal(before.decided.bars.open_time, decided.bars.open_time):
        raise ValueError("the bars of both versions differ; decide the recorded bars anew")
    length = timeframe.milliseconds
    rows = decided.is_decided & (decided.version == version)
    found = yield from outcomes(decided, length)
    now = version_decisions(decided, found, rows, length)
    yield
    then = comparison = None
    if before is not None:
        with_warm_up = _with_warm_up(before.decided, decided)
        found = yield from outcomes(with_warm_up, length)
        then = version_decisions(with_warm_up, found, rows, length)
        yield
        compared = yield from compare({asset: version_pair(version, decided, before)}, length, costs)
        comparison = comparison_entry(compared, costs, most_points=most_points)
    times = decided.bars.open_time[rows]
    return {
        "asset": asset,
        "timeframe": timeframe.value,
        "version": version,
        "before": None if before is None else before.version,
        "begins": iso(times.item(0)) if len(times) else None,
        "ends": iso(times.item(-1)) if len(times) else None,
        "bars": len(times),
        "now": now,
        "then": then,
        "comparison": comparison,
    }


def _with_warm_up(anew: DecidedBars, recorded: DecidedBars) -> DecidedBars:
    """Bars decided anew. Those that could not be are idle, as they are in the record while a market warms up."""
    is_decided, has_effect = anew.is_decided | recorded.is_decided, anew.has_effect & anew.is_decided
    return replace(anew, is_decided=is_decided, has_effect=has_effect)


def version_pair(version: int, decided: DecidedBars, before: Predecessor) -> Pair:
    """The bars of a version, decided with it and with the version before; arguments as in `version_outcome`.

    The bars around them are there for the usual size of moves and the last opens.
    """
    rows = decided.is_decided & (decided.version == version)
    numbers = np.flatnonzero(rows)
    first, end = (numbers.item(0), numbers.item(-1) + 1) if len(numbers) else (0, 0)
    begin = max(first - ATR_BARS, 0)
    seen = slice(begin, end + BARS_NEEDED)
    now, then = (replace(each[seen], is_decided=(each.is_decided & rows)[seen]) for each in (decided, before.decided))
    return Pair(now, then, first - begin, before.usual_size)

"""What came of a version for all assets that it decided, as one equity."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vivienne.agent.evaluate import MOST_HISTORY
from vivienne.market.timeframe import Timeframe
from vivienne.record.judging.comparing import added
from vivienne.record.judging.comparison_entry import comparison_entry
from vivienne.record.judging.costs import Costs
from vivienne.record.judging.scores import ATR_BARS, BARS_NEEDED, scores
from vivienne.record.judging.together import common_begin
from vivienne.record.judging.version_outcome import version_pair
from vivienne.record.reader import Range
from vivienne.record.reading.judging_query import MOST_BARS, MOST_BARS_OF_ALL
from vivienne.record.reading.version_spans import predecessor, version_spans
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.record.judging.scores import Scores
    from vivienne.record.reader import RecordReader, Series
    from vivienne.record.reading.judging_query import JudgingQuery
    from vivienne.record.reading.pace import Pace
    from vivienne.record.reading.scope import Scope
    from vivienne.record.reading.version_spans import Span
    from vivienne.wire.change_outcome import ChangedAsset, ChangeOutcome, LeftOut

_MOST_ANSWERS = 64


class Answers:
    """The newest answers. Judging many assets takes seconds, and what came of a former version stays as it is."""

    def __init__(self) -> None:
        self._found: OrderedDict[Any, tuple[Any, ChangeOutcome]] = OrderedDict()

    def get(self, asked: Any, seen: Any) -> ChangeOutcome | None:
        """The answer to a query that was given when the record had the same bars; None if there is none."""
        found = self._found.get(asked)
        return found[1] if found is not None and found[0] == seen else None

    def keep(self, asked: Any, seen: Any, answer: ChangeOutcome) -> None:
        """Keep an answer."""
        self._found[asked] = seen, answer
        self._found.move_to_end(asked)
        if len(self._found) > _MOST_ANSWERS:
            self._found.popitem(last=False)


class _Changed(NamedTuple):
    """An asset that the version decided.

    Attributes:
        series: its bars.
        spans: those of the version, and of the one before if there is one.
        followed: number of bars that follow the last one, as far as scores need them.
    """

    series: Series
    spans: list[Span]
    followed: int


class _Bounds(NamedTuple):
    """What is compared: bars that open between these times, with these costs, at this pace."""

    begin: int
    last: int
    costs: Costs
    pace: Pace


def change_outcome(
    reader: RecordReader, scope: Scope, query: JudgingQuery, answers: Answers, pace: Pace
) -> ChangeOutcome:
    """Judge a version for all assets of a query.

    Raises:
        TimeoutError: it takes longer than anybody waits for it.
    """
    version, timeframe = query.version or 0, Timeframe(scope.timeframe)
    changed = _changed(reader, scope.series(reader, query.assets), version, timeframe.milliseconds)
    asked, seen = (scope.run_key, query), [(each.spans, each.followed) for each in changed]
    known = answers.get(asked, seen)
    if known is None:
        known = _judged(reader, changed, query, timeframe, pace)
        answers.keep(asked, seen, known)
    return known


def _changed(reader: RecordReader, series: list[Series], version: int, length: int) -> list[_Changed]:
    found = []
    for each in series:
        spans = version_spans(reader, each, version + 1, 2)
        if spans and spans[0].version == version:
            ends = spans[0].ends
            after = reader.candles(each, Range(first=ends + length, last=ends + BARS_NEEDED * length))
            found.append(_Changed(each, spans, len(after)))
    return found


def _judged(
    reader: RecordReader, changed: list[_Changed], query: JudgingQuery, timeframe: Timeframe, pace: Pace
) -> ChangeOutcome:
    length, costs = timeframe.milliseconds, Costs(query.fee, query.slippage)
    compared = [each for each in changed if len(each.spans) > 1]
    begin = common_begin((each.spans[0].begins for each in compared), length)
    scored: dict[str, Scores] = {}
    left_out: dict[str, LeftOut] = {}
    comparison = None
    if begin is not None:
        # The first ones, not the newest: a band that begins anew again and again promises nothing.
        most = min(MOST_BARS, MOST_BARS_OF_ALL // len(compared))
        bounds = _Bounds(begin, begin + (most - 1) * length, costs, pace)
        for each in compared:
            found = _scores(reader, each, timeframe, bounds)
            if isinstance(found, str):
                left_out[each.series.asset] = found
            else:
                scored[each.series.asset] = found
    if scored:
        comparison = comparison_entry(pace.whole(added(scored, length)), costs, most_points=query.points)
    return {
        "version": query.version or 0,
        "timeframe": timeframe.value,
        "assets": [_entry(each, left_out.get(each.series.asset)) for each in changed],
        "comparison": comparison,
    }


def _scores(reader: RecordReader, changed: _Changed, timeframe: Timeframe, bounds: _Bounds) -> Scores | LeftOut:
    """The scores of one asset within the bounds, or why it is not compared."""
    series, length = changed.series, timeframe.milliseconds
    version = changed.spans[0].version
    begin, last = bounds.begin, min(changed.spans[0].ends, bounds.last)
    if last < begin or changed.spans[0].begins > begin:
        return "later"
    around = Range(first=begin - (MOST_HISTORY + ATR_BARS) * length, last=last + BARS_NEEDED * length)
    decided = reader.decided_bars(series, around)
    time = decided.bars.open_time
    decided.version[(time < begin) | (time > last)] = 0 if version else -1
    row = int(np.searchsorted(time, begin - ATR_BARS * length))
    before = predecessor(reader, series, changed.spans, decided, row, timeframe, bounds.pace)
    found = scores(version_pair(version, decided, before), length, bounds.costs)
    if found is None:
        return "no_position"
    return found if found.begin == begin else "later"


def _entry(changed: _Changed, left_out: LeftOut | None) -> ChangedAsset:
    span, *earlier = changed.spans
    return {
        "asset": changed.series.asset,
        "before": earlier[0].version if earlier else None,
        "begins": iso(span.begins),
        "ends": iso(span.ends),
        "bars": span.bars,
        "left_out": left_out if earlier else "nothing_before",
    }

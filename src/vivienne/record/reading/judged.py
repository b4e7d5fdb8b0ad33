"""What came of recorded decisions, computed where the record is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from vivienne.agent.evaluate import MOST_HISTORY
from vivienne.errors import UnknownDecision
from vivienne.market.timeframe import Timeframe
from vivienne.record.judging.account import account
from vivienne.record.judging.account_entry import account_entry
from vivienne.record.judging.costs import Costs
from vivienne.record.judging.heat import heat_map
from vivienne.record.judging.outcomes import MOVE_BARS
from vivienne.record.judging.scores import ATR_BARS, BARS_NEEDED
from vivienne.record.judging.setups import Span, setups
from vivienne.record.judging.version_outcome import version_outcome
from vivienne.record.reader import Range
from vivienne.record.reading.changed import change_outcome
from vivienne.record.reading.judging_query import MOST_BARS, MOST_BARS_OF_ALL
from vivienne.record.reading.version_spans import predecessor, version_spans
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.record.columns import DecidedBars
    from vivienne.record.reader import RecordReader, Series
    from vivienne.record.reading.changed import Answers
    from vivienne.record.reading.judging_query import JudgingQuery
    from vivienne.record.reading.pace import Pace
    from vivienne.record.reading.scope import Scope
    from vivienne.wire.change_outcome import ChangeOutcome
    from vivienne.wire.judged import VersionPage
    from vivienne.wire.paper import PaperAccount
    from vivienne.wire.setups import HeatMap, Setups
    from vivienne.wire.version_outcome import VersionOutcome

    Judged = VersionPage | VersionOutcome | ChangeOutcome | PaperAccount | Setups | HeatMap


def judged(reader: RecordReader, pace: Pace, *, scope: Scope, query: JudgingQuery, answers: Answers) -> Judged:
    """Judge what a query asks for.

    Args:
        reader: of the record.
        pace: others have their turn between the pieces.
        scope: what of it is meant.
        query: what is asked for.
        answers: earlier ones about whole changes.

    Raises:
        UnknownDecision: nothing of that was recorded.
        TimeoutError: it takes longer than anybody waits for it.
    """
    if query.about == "versions":
        return _versions(reader, scope, query)
    if query.about == "version":
        return _version(reader, scope, query, pace)
    if query.about == "change":
        return change_outcome(reader, scope, query, answers, pace)
    length = Timeframe(scope.timeframe).milliseconds
    if query.about == "setups":
        # With what tells whether the first one is an entry, and what came of the last one.
        found = _assets(reader, scope, query, before=length, after=MOVE_BARS * length)
        return pace.whole(setups(found, length, Span(query.begin, query.end)))
    found = _assets(reader, scope, query)
    if query.about == "account":
        costs = Costs(query.fee, query.slippage)
        return account_entry(pace.whole(account(found, length, costs)), [*found], costs)
    return pace.whole(heat_map(found.values(), query.unit))


def _series(reader: RecordReader, scope: Scope, asset: str) -> Series:
    found = scope.one(reader, asset)
    if found is None:
        raise UnknownDecision(f"Nothing was recorded of {asset} yet")
    return found


class _Assets(Mapping[str, "DecidedBars"]):
    """Bars with decisions, by asset. Those of an asset are read whenever they are looked up, and not kept."""

    def __init__(self, reader: RecordReader, series: list[Series], wanted: Range) -> None:
        self._reader = reader
        self._series = {each.asset: each for each in series}
        self._wanted = wanted

    def __getitem__(self, asset: str) -> DecidedBars:
        return self._reader.decided_bars(self._series[asset], self._wanted)

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)


def _assets(reader: RecordReader, scope: Scope, query: JudgingQuery, *, before: int = 0, after: int = 0) -> _Assets:
    """Bars with decisions, by asset, with those of so many ms around them; of very many the newest ones."""
    series = scope.series(reader, query.assets)
    most = min(MOST_BARS, MOST_BARS_OF_ALL // max(1, len(series)))
    first = None if query.begin is None else query.begin - before
    end = None if query.end is None else query.end + after
    wanted = Range(first=first, before=end, limit=most)
    return _Assets(reader, series, wanted)


def _versions(reader: RecordReader, scope: Scope, query: JudgingQuery) -> VersionPage:
    asset = query.assets[0]
    series = scope.series(reader, (asset,))
    found = [span for each in series for span in version_spans(reader, each, query.before, query.limit + 1)]
    page = found[: query.limit]
    return {
        "asset": asset,
        "timeframe": scope.timeframe,
        "versions": [
            {"version": each.version, "begins": iso(each.begins), "ends": iso(each.ends), "bars": each.bars}
            for each in page
        ],
        "next": page[-1].version if len(found) > query.limit else None,
    }


def _version(reader: RecordReader, scope: Scope, query: JudgingQuery, pace: Pace) -> VersionOutcome:
    asset, version = query.assets[0], query.version or 0
    timeframe = Timeframe(scope.timeframe)
    length = timeframe.milliseconds
    series = _series(reader, scope, asset)
    spans = version_spans(reader, series, version + 1, 2)
    if not spans or spans[0].version != version:
        raise UnknownDecision(f"No bar of {asset} was decided with version {version}")
    span = spans[0]
    first = max(span.begins, span.ends - (MOST_BARS - 1) * length)
    around = Range(
        first=first - (MOST_HISTORY + ATR_BARS) * length, last=span.ends + (MOVE_BARS + BARS_NEEDED) * length
    )
    decided = reader.decided_bars(series, around)
    # Of a version that has been in force for very long only the newest bars are judged.
    decided.version[decided.bars.open_time < first] = 0 if version else -1
    before = None
    if len(spans) > 1:
        row = int(np.searchsorted(decided.bars.open_time, first - ATR_BARS * length))
        before = predecessor(reader, series, spans, decided, row, timeframe, pace)
    costs = Costs(query.fee, query.slippage)
    return pace.whole(version_outcome(asset, timeframe, version, decided, before, costs, most_points=query.points))

"""What came of recorded decisions, computed where the record is read."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sqlalchemy import func, select

from vivienne.agent.decision import NO_CAP
from vivienne.agent.evaluate import MOST_HISTORY
from vivienne.agent.schema import Configuration
from vivienne.errors import UnknownDecision
from vivienne.market.timeframe import Timeframe
from vivienne.record.judging.account import account
from vivienne.record.judging.account_entry import account_entry
from vivienne.record.judging.anew import Deciding, decided_anew, usual_size
from vivienne.record.judging.costs import Costs
from vivienne.record.judging.heat import heat_map
from vivienne.record.judging.outcomes import MOVE_BARS
from vivienne.record.judging.scores import ATR_BARS, BARS_NEEDED
from vivienne.record.judging.setups import setups
from vivienne.record.judging.version_outcome import Predecessor, version_outcome
from vivienne.record.reader import Range
from vivienne.record.reading.judging_query import MOST_BARS, MOST_BARS_OF_ALL
from vivienne.record.reading.older_bars import was_cut
from vivienne.record.reading.thread import ANSWER_SECONDS
from vivienne.record.tables import bars as bars_table
from vivienne.slices import whole_by
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.record.columns import DecidedBars
    from vivienne.record.reader import RecordReader, Series
    from vivienne.record.reading.judging_query import JudgingQuery
    from vivienne.record.reading.scope import Scope
    from vivienne.wire.judged import VersionPage
    from vivienne.wire.paper import PaperAccount
    from vivienne.wire.setups import HeatMap, Setups
    from vivienne.wire.version_outcome import VersionOutcome

    Judged = VersionPage | VersionOutcome | PaperAccount | Setups | HeatMap


class _Span(NamedTuple):
    """The bars that one version decided."""

    version: int
    begins: int
    ends: int
    bars: int
    configuration_id: int


def judged(reader: RecordReader, scope: Scope, query: JudgingQuery) -> Judged:
    """Judge what a query asks for.

    Raises:
        UnknownDecision: nothing of that was recorded.
        TimeoutError: it takes longer than anybody waits for it.
    """
    end = perf_counter() + ANSWER_SECONDS
    if query.about == "versions":
        return _versions(reader, scope, query)
    if query.about == "version":
        return _version(reader, scope, query, end)
    length = Timeframe(scope.timeframe).milliseconds
    found = _assets(reader, scope, query)
    if query.about == "account":
        costs = Costs(query.fee, query.slippage)
        return account_entry(whole_by(end, account(found, length, costs)), [*found], costs)
    if query.about == "setups":
        return whole_by(end, setups(found, length))
    return whole_by(end, heat_map([*found.values()], query.unit))


def _series(reader: RecordReader, scope: Scope, asset: str) -> Series:
    found = scope.one(reader, asset)
    if found is None:
        raise UnknownDecision(f"Nothing was recorded of {asset} yet")
    return found


def _assets(reader: RecordReader, scope: Scope, query: JudgingQuery) -> dict[str, DecidedBars]:
    """Bars with decisions, by asset; of very many the newest ones."""
    series = scope.series(reader, query.assets)
    most = min(MOST_BARS, MOST_BARS_OF_ALL // max(1, len(series)))
    wanted = Range(first=query.begin, before=query.end, limit=most)
    return {each.asset: reader.decided_bars(each, wanted) for each in series}


def _spans(reader: RecordReader, series: Series, before: int | None, limit: int) -> list[_Span]:
    """The newest versions that decided an asset, newest first."""
    version, time = bars_table.c.config_version, bars_table.c.open_time
    query = select(
        version, func.min(time), func.max(time), func.count(), func.max(bars_table.c.configuration_id)
    ).where(bars_table.c.series_id.in_([each.id for each in series.segments]), version.is_not(None))
    if before is not None:
        query = query.where(version < before)
    return [_Span(*row) for row in reader.rows(query.group_by(version).order_by(version.desc()).limit(limit))]


def _versions(reader: RecordReader, scope: Scope, query: JudgingQuery) -> VersionPage:
    asset = query.assets[0]
    series = scope.series(reader, (asset,))
    found = [span for each in series for span in _spans(reader, each, query.before, query.limit + 1)]
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


def _version(reader: RecordReader, scope: Scope, query: JudgingQuery, end: float) -> VersionOutcome:
    asset, version = query.assets[0], query.version or 0
    timeframe = Timeframe(scope.timeframe)
    length = timeframe.milliseconds
    series = _series(reader, scope, asset)
    spans = _spans(reader, series, version + 1, 2)
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
        before = _before(reader, series, spans, decided, row, timeframe, end)
    costs = Costs(query.fee, query.slippage)
    return whole_by(end, version_outcome(asset, timeframe, version, decided, before, costs, most_points=query.points))


def _before(
    reader: RecordReader,
    series: Series,
    spans: list[_Span],
    decided: DecidedBars,
    row: int,
    timeframe: Timeframe,
    end: float,
) -> Predecessor:
    """The decisions of the version before, from a row on."""
    span, earlier = spans
    cap, needs_full_history = _around(reader, series, span)
    then, now = (
        Deciding(_configuration(reader, each), each.version, cap, timeframe, needs_full_history)
        for each in (earlier, span)
    )
    is_cut = was_cut(reader, series, decided.bars.open_time.item(0))
    return Predecessor(
        earlier.version,
        whole_by(end, decided_anew(decided, then, row, is_cut=is_cut)),
        max(usual_size(then), usual_size(now)),
    )


def _around(reader: RecordReader, series: Series, span: _Span) -> tuple[float, bool]:
    """The cap of the last decision of a version, and whether it needed the full history."""
    [newest] = reader.bars(series, Range(last=span.ends, limit=1))
    needed = {each.id: each.require_full_history for each in reader.sessions(series.run_id)}
    cap = NO_CAP if newest.made is None else newest.made.cap
    return cap, needed.get(newest.session_id, False)


def _configuration(reader: RecordReader, span: _Span) -> Configuration:
    return Configuration.model_validate(reader.configuration(span.configuration_id))

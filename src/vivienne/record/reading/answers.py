"""Answers from the record, as they go out on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.errors import UnknownDecision
from vivienne.market.types import END_OF_TIME_MS
from vivienne.record.reading.entries import decision_row, export_row
from vivienne.record.reading.explaining import explained
from vivienne.record.reading.gaps import gaps_of
from vivienne.record.reading.older_bars import older_bars
from vivienne.record.reading.query import PER_PAGE, entries_only
from vivienne.record.reading.selecting import page, piece

if TYPE_CHECKING:
    from vivienne.record.reader import RecordReader
    from vivienne.record.reading.older_bars import InForce
    from vivienne.record.reading.query import DecisionQuery
    from vivienne.record.reading.scope import Scope
    from vivienne.wire.chart import ChartBar
    from vivienne.wire.record import DecisionPage, DecisionRecord, ExportPiece, SignalPage


def decisions(reader: RecordReader, scope: Scope, asset: str, query: DecisionQuery) -> DecisionPage:
    """See `vivienne.record.reading.view.RecordView`."""
    series = scope.series(reader, (asset,))
    found = page(reader, series, query, query.limit or PER_PAGE)
    begin = (query.begin or 0) if found.next is None else found.next.time
    end = (query.end or END_OF_TIME_MS) if query.before is None else query.before.time
    return {
        "asset": asset,
        "timeframe": scope.timeframe,
        "decisions": [decision_row(*each) for each in found.found],
        "gaps": [gap for each in series for gap in gaps_of(reader, each, begin, end)],
        "next": None if found.next is None else found.next.written(),
    }


def signals(reader: RecordReader, scope: Scope, query: DecisionQuery) -> SignalPage:
    """See `vivienne.record.reading.view.RecordView`."""
    series = scope.series(reader, query.assets)
    found = page(reader, series, entries_only(query), query.limit or PER_PAGE)
    return {
        "timeframe": scope.timeframe,
        "decisions": [decision_row(*each) for each in found.found],
        "next": None if found.next is None else found.next.written(),
        "unanswered": [],
    }


def explanation(reader: RecordReader, scope: Scope, asset: str, time: int) -> DecisionRecord:
    """See `vivienne.record.reading.view.RecordView`."""
    series = scope.one(reader, asset)
    if series is None:
        raise UnknownDecision(f"Nothing was recorded of {asset} yet")
    return explained(reader, series, time)


def rows(reader: RecordReader, scope: Scope, query: DecisionQuery) -> ExportPiece:
    """See `vivienne.record.reading.view.RecordView`."""
    series = scope.series(reader, query.assets)
    found = piece(reader, series, query)
    versions = {
        each.id: each.program_version for run in {one.run_id for one in series} for each in reader.sessions(run)
    }
    return {
        "rows": [
            export_row(asset, scope.timeframe, bar, versions.get(bar.session_id, "")) for asset, bar in found.found
        ],
        "next": found.next,
    }


def bars(reader: RecordReader, scope: Scope, asset: str, before: int, limit: int, now: InForce) -> list[ChartBar]:
    """See `vivienne.record.reading.view.RecordView`."""
    series = scope.one(reader, asset)
    return [] if series is None else older_bars(reader, series, before, limit, now)

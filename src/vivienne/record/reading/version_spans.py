"""Versions that decided an asset, and what the version before one would have decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from vivienne.agent.decision import NO_CAP
from vivienne.agent.schema import Configuration
from vivienne.record.judging.anew import Deciding, decided_anew, usual_size
from vivienne.record.judging.version_outcome import Predecessor
from vivienne.record.reader import Range
from vivienne.record.reading.older_bars import was_cut
from vivienne.record.tables import bars as bars_table

if TYPE_CHECKING:
    from vivienne.market.timeframe import Timeframe
    from vivienne.record.columns import DecidedBars
    from vivienne.record.reader import RecordReader, Series
    from vivienne.record.reading.pace import Pace


class Span(NamedTuple):
    """The bars that one version decided."""

    version: int
    begins: int
    ends: int
    bars: int
    configuration_id: int


def version_spans(reader: RecordReader, series: Series, before: int | None, limit: int) -> list[Span]:
    """The newest versions that decided an asset, newest first; only those below `before`."""
    version, time = bars_table.c.config_version, bars_table.c.open_time
    query = select(
        version, func.min(time), func.max(time), func.count(), func.max(bars_table.c.configuration_id)
    ).where(bars_table.c.series_id.in_([each.id for each in series.segments]), version.is_not(None))
    if before is not None:
        query = query.where(version < before)
    return [Span(*row) for row in reader.rows(query.group_by(version).order_by(version.desc()).limit(limit))]


def predecessor(
    reader: RecordReader,
    series: Series,
    spans: list[Span],
    decided: DecidedBars,
    row: int,
    timeframe: Timeframe,
    pace: Pace,
) -> Predecessor:
    """The decisions of the version before, on the bars of a version.

    Args:
        reader: of the record.
        series: of the asset.
        spans: of the version, and of the one before.
        decided: the bars, with enough of those before them.
        row: the first that is decided anew.
        timeframe: of the bars.
        pace: others have their turn between the pieces.

    Raises:
        TimeoutError: it takes too long.
    """
    span, earlier = spans
    cap, needs_full_history = _around(reader, series, span)
    then, now = (
        Deciding(_configuration(reader, each), each.version, cap, timeframe, needs_full_history)
        for each in (earlier, span)
    )
    is_cut = was_cut(reader, series, decided.bars.open_time.item(0))
    return Predecessor(
        earlier.version,
        pace.whole(decided_anew(decided, then, row, is_cut=is_cut)),
        max(usual_size(then), usual_size(now)),
    )


def _around(reader: RecordReader, series: Series, span: Span) -> tuple[float, bool]:
    """The cap of the last decision of a version, and whether it needed the full history."""
    [newest] = reader.bars(series, Range(last=span.ends, limit=1))
    needed = {each.id: each.require_full_history for each in reader.sessions(series.run_id)}
    cap = NO_CAP if newest.made is None else newest.made.cap
    return cap, needed.get(newest.session_id, False)


def _configuration(reader: RecordReader, span: Span) -> Configuration:
    return Configuration.model_validate(reader.configuration(span.configuration_id))

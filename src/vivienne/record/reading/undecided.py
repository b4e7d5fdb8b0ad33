"""Why the record has no decision on a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from vivienne.market.timeframe import Timeframe
from vivienne.record.reading.gaps import REASONS, gaps_of
from vivienne.record.tables import bars as bars_table
from vivienne.times import iso

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from vivienne.record.reader import RecordReader, Series


def why_undecided(reader: RecordReader, series: Series, time: int, *, has_bar: bool) -> str:
    """The reason in a sentence, with what is known instead.

    Args:
        reader: of the record.
        series: of the asset.
        time: open time of the bar, ms since the epoch.
        has_bar: whether the record has the bar itself.
    """
    what = f"on the bar of {series.asset} at {iso(time)}"
    # Of a process that was killed, the times are those of the machine: the bar may have closed while none ran.
    closes = time + Timeframe(series.timeframe).milliseconds - 1
    if gaps := gaps_of(reader, series, time, closes):
        reason, begin, end = REASONS[gaps[-1]["reason"]], gaps[-1]["begin"], gaps[-1]["end"]
        return f"The record has no decision {what}: {reason}, from {begin} to {end}"
    if not has_bar:
        return f"The record has no bar of {series.asset} at {iso(time)}{_bars_around(reader, series, time)}"
    before, after = _around(reader, series, time, bars_table.c.config_version.is_not(None))
    if before is None and after is None:
        return f"No decision {what} is kept, nor any other on {series.asset}"
    if before is None:
        return _before_the_first(series, time, after or 0, what)
    if after is None:
        return f"No decision was made {what}, nor later: the newest one is on the bar at {iso(before)}"
    return (
        f"No decision was made {what}: the program did not run, or could not decide, between the decisions on the bars "
        f"at {iso(before)} and {iso(after)}. The bar was read from the history of the market afterwards"
    )


def _before_the_first(series: Series, time: int, first: int, what: str) -> str:
    if time >= series.segments[0].begins_at:
        return f"The decision {what} is no longer kept (--keep): the oldest one is on the bar at {iso(first)}"
    return (
        f"No decision was made {what}: it closed before the program started, and is part of the history that the first "
        f"decision needed. That one is on the bar at {iso(series.segments[0].begins_at)}"
    )


def _bars_around(reader: RecordReader, series: Series, time: int) -> str:
    before, after = _around(reader, series, time)
    if before is None:
        return "" if after is None else f"; its first one is at {iso(after)}"
    if after is None:
        return f"; its newest one is at {iso(before)}"
    return f"; it has none between {iso(before)} and {iso(after)}"


def _around(
    reader: RecordReader, series: Series, time: int, *conditions: ColumnElement[bool]
) -> tuple[int | None, int | None]:
    """The open times of the nearest bars before and after a time, of those that meet the conditions."""
    opened = bars_table.c.open_time
    of = bars_table.c.series_id.in_([each.id for each in series.segments])
    [[before]] = reader.rows(select(func.max(opened)).where(of, opened < time, *conditions))
    [[after]] = reader.rows(select(func.min(opened)).where(of, opened > time, *conditions))
    return before, after

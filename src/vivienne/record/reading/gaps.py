"""Gaps of the record, as far as they concern one asset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.record.reader import RecordReader, Series
    from vivienne.wire.record import GapReason, RecordGap

MOST_GAPS = 200
"""Largest number of gaps in one answer; a feeder may make a hole before each bar."""
REASONS: dict[GapReason, str] = {
    "lost": "the record could not be written",
    "killed": "the process was killed, or its machine stopped",
    "feed": "the market has no bars there, and its history began anew",
}


def gaps_of(reader: RecordReader, series: Series, begin: int, end: int) -> list[RecordGap]:
    """The newest gaps in a span of time, oldest first.

    Args:
        reader: of the record.
        series: of the asset.
        begin: ms since the epoch.
        end: likewise.
    """
    # Only the time of a real market is that of the machine.
    is_real = any(run.is_real for run in reader.runs() if run.id == series.run_id)
    return [
        {"begin": iso(first), "end": iso(last), "reason": reason, "decisions": decisions}  # type: ignore[typeddict-item]  # the writer knows no other reasons
        for _, first, last, reason, decisions in reader.newest_gaps(series, begin, end, is_real=is_real, most=MOST_GAPS)
    ]

"""The chart of older bars: those in memory, and before them those of the record."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from vivienne.errors import NotRecorded
from vivienne.record.reading.query import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vivienne.live.view import MarketView
    from vivienne.record.reading.view import RecordView
    from vivienne.wire.chart import ChangeMark, Chart, ChartBar


async def older_chart(
    market: MarketView, record: RecordView, asset: str, before: int, limit: int, *, whose: str
) -> Chart:
    """The newest bars that open before a time.

    Args:
        market: has bars in memory.
        record: has those before; without one, the bars in memory are all.
        asset: its name.
        before: ms since the epoch.
        limit: largest number of bars.
        whose: key of the caller.
    """
    # One more, which tells whether there are others, and which version was in force before.
    chart = await market.chart(asset, limit + 1, before=before, whose=whose)
    bars = chart["bars"]
    if len(bars) <= limit:
        begin = milliseconds(datetime.fromisoformat(bars[0]["time"])) if bars else before
        bars = [*await _recorded(record, asset, begin, limit + 1 - len(bars), whose), *bars]
    page = bars[-limit:]
    return {
        **chart,
        "bars": page,
        "forming": None,
        "changes": [*_changes(bars)],
        "next": page[0]["time"] if len(bars) > limit else None,
    }


async def _recorded(record: RecordView, asset: str, before: int, limit: int, whose: str) -> list[ChartBar]:
    try:
        return await record.bars(asset, before, limit, whose=whose)
    except NotRecorded:
        return []


def _changes(bars: Iterable[ChartBar]) -> Iterator[ChangeMark]:
    """The first bar of each version but the first one."""
    known: int | None = None
    for bar in bars:
        version = bar["config_version"]
        if version is not None and version != known:
            if known is not None:
                yield {"version": version, "time": bar["time"]}
            known = version

"""What is known of one bar: the decision on it, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.errors import NotRecorded, UnknownDecision
from vivienne.server.older_chart import older_chart

if TYPE_CHECKING:
    from vivienne.live.view import MarketView
    from vivienne.record.reading.view import RecordView
    from vivienne.wire.record import BarRecord


async def one_bar(market: MarketView, record: RecordView, asset: str, time: int, *, whose: str) -> BarRecord:
    """What is known of the bar in which a time is.

    Args:
        market: has bars in memory.
        record: has those before, and all decisions.
        asset: its name.
        time: ms since the epoch.
        whose: key of the caller.
    """
    try:
        decision = await record.explained(asset, time, whose=whose)
    except (NotRecorded, UnknownDecision) as error:
        chart = await older_chart(market, record, asset, time + 1, 1, whose=whose)
        bar = chart["bars"][-1] if chart["bars"] else None
        return {
            "asset": asset,
            "timeframe": chart["timeframe"],
            "decision": None,
            "undecided": str(error),
            "bar": bar,
        }
    return {"asset": asset, "timeframe": decision["timeframe"], "decision": decision, "undecided": None, "bar": None}

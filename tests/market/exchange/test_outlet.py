"""What was made of a stream comes in order, and a trouble before what it is about."""

from __future__ import annotations

from vivienne.market.feeds.base import Contact, FeedTrouble, MinuteClosed
from vivienne.market.feeds.exchange.outlet import Outlet
from vivienne.market.types import MINUTE_MS, Candle


def minute(number: int) -> Candle:
    return Candle(number * MINUTE_MS, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


async def test_a_trouble_that_begins_while_a_minute_is_taken_is_told_before_the_next_one() -> None:
    trouble: list[str] = []
    outlet = Outlet(lambda: Contact("connected"), lambda: trouble[0] if trouble else None)
    outlet.put([MinuteClosed(minute(1), "filled"), MinuteClosed(minute(2), "filled")])
    seen: list[object] = []
    async for event in outlet.events():
        if isinstance(event, (MinuteClosed, FeedTrouble)):
            seen.append(event.source if isinstance(event, MinuteClosed) else event.reason)
        if seen == ["filled"]:  # it takes a while to decide on it
            trouble.append("minutes cannot be had")
            outlet.put([MinuteClosed(minute(3), "incomplete")])
        if len(seen) == 4:
            break
    assert seen == ["filled", "minutes cannot be had", "filled", "incomplete"]

"""The memory of an agent that follows ten markets at a fast pace.

Its window is not full yet, so that what is kept for each bar shows too. At a pace of 160 the shortest window is full
after a third of half an hour.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

import psutil

from exchange_agent import ASSETS, BARS, following
from fake_exchange import FakeExchange, FakeMarket
from measuring import Figure

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_NAME = "bybit"
_TRADES_A_MINUTE = 12
_STEP_SECONDS = 0.02
_SAMPLE_SECONDS = 1.0


def measure(*, minutes: float = 30.0, pace: float = 10.0) -> list[Figure]:
    """Measure how the memory grows after the first third of the time.

    Args:
        minutes: how long.
        pace: seconds of the exchange in a second.
    """
    slope, size = asyncio.run(_memory(minutes * 60, pace))
    name = f"memory over {minutes:g} min at {pace:g} times the real pace, {size / 1e6:.0f} MB: slope"
    return [Figure(name, f"{slope:+.2f} MB/h", "< 1 MB/h", slope < 1)]


async def _memory(seconds: float, pace: float) -> tuple[float, int]:
    """MB an hour by the line of least squares over the last two thirds, and the size at the end."""
    ahead = round((seconds + 60) * pace / 60)
    market = FakeMarket(ASSETS, pace=pace, past=BARS + 50, ahead=ahead, a_minute=2, busy=_TRADES_A_MINUTE)
    async with (
        FakeExchange(_NAME, market, step=_STEP_SECONDS) as exchange,
        following(_NAME, exchange.url, pace=pace) as (server, client),
    ):
        reading = asyncio.create_task(_read(client))
        process, begin = psutil.Process(server.process.pid), time.perf_counter()
        hours, sizes = list[float](), list[int]()
        while (passed := time.perf_counter() - begin) < seconds and not reading.done():
            if passed > seconds / 3:
                hours.append(passed / 3600)
                sizes.append(process.memory_info().rss)
            await asyncio.sleep(_SAMPLE_SECONDS)
        assert not reading.done(), "the agent has closed the connection"
        reading.cancel()
    return statistics.linear_regression(hours, sizes).slope / 1e6, sizes[-1]


async def _read(client: ClientConnection) -> None:
    """Read states, as a dashboard does."""
    async for _ in client:
        pass

"""Replays files of klines or trades, at a multiple of their pace or as fast as it goes.

Each asset runs on the clock of its own files: the leading minutes that a decision needs are history, everything after
is replayed. A hole in the data longer than the gap policy fills is skipped, not waited out.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING

from vivienne.errors import MarketDataError
from vivienne.market.bars import LONGEST_FILLED_GAP, CandleBuilder
from vivienne.market.feeds.base import FeedEnded, FeedEvent, MinuteClosed, PriceMoved
from vivienne.market.files import read_market_file
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)
_CHUNK = 2_000
"""Events read at a time, in a thread; at full speed the loop is yielded to far more often, see `_BREATH`."""
_BREATH = 15


class ReplayFeed:
    """Market data from files.

    Args:
        files: by asset, in the order of their time.
        speed: market seconds per real second; None for as fast as it goes.

    Raises:
        MarketDataError: a file is missing, cannot be read, or is not in the order of time.
    """

    name = "replay"

    def __init__(self, files: Mapping[str, list[Path]], speed: float | None) -> None:
        self.assets = tuple(files)
        self._speed = speed
        for paths in files.values():
            _check_order(paths)
        self._events: dict[str, Iterator[MinuteClosed | PriceMoved]] = {
            asset: _events(paths) for asset, paths in files.items()
        }

    def history(self, asset: str, *, least: int, most: int) -> list[Candle]:
        """The leading `least` minutes of the files. See `Feed`."""
        candles: list[Candle] = []
        for event in self._events[asset]:
            if isinstance(event, MinuteClosed):
                candles.append(event.candle)
                if event.candle.open_time - candles[0].open_time >= (min(least, most) - 1) * MINUTE_MS:
                    break
        return candles

    async def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        """The rest of the files. See `Feed`."""
        pace = _Pace(self._speed)
        events = self._events[asset]
        while chunk := await asyncio.to_thread(lambda: list(itertools.islice(events, _CHUNK))):
            for number, event in enumerate(chunk):
                if self._speed is not None:
                    await pace.until(
                        event.time if isinstance(event, PriceMoved) else event.candle.open_time + MINUTE_MS
                    )
                elif number % _BREATH == 0:
                    await asyncio.sleep(0)
                yield event
        _log.info("The replay of %s is over; its last decision stays on show", asset)
        yield FeedEnded()


class _Pace:
    """Holds events back until their time has come."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed or 1.0
        self._begin: float | None = None
        self._market_begin = self._market_last = 0

    async def until(self, market_ms: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._begin is None:
            self._begin, self._market_begin, self._market_last = now, market_ms, market_ms
        hole = market_ms - self._market_last - MINUTE_MS
        if hole > LONGEST_FILLED_GAP * MINUTE_MS:
            self._market_begin += hole
        self._market_last = market_ms
        due = self._begin + (market_ms - self._market_begin) / 1000 / self._speed
        await asyncio.sleep(max(0.0, due - now))


def _check_order(paths: Iterable[Path]) -> None:
    """Read the first item of each file: it must exist, be readable, and come after the file before."""
    last: tuple[int, Path] | None = None
    for path in paths:
        first = next(read_market_file(path), None)
        if first is None:
            raise MarketDataError(path, "there is not one closed minute in it")
        if last is not None and first[0] < last[0]:
            raise MarketDataError(path, f"it begins before {last[1]}; give the files of an asset in order of time")
        last = first[0], path


def _events(paths: Iterable[Path]) -> Iterator[MinuteClosed | PriceMoved]:
    builder = CandleBuilder()
    for path in paths:
        for item in read_market_file(path):
            if isinstance(item, Trade):
                closed = builder.add(item)
                if closed is not None:
                    yield MinuteClosed(closed)
                yield PriceMoved(item.price, item.time)
            else:
                yield MinuteClosed(item)

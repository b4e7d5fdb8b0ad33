"""Replays files of klines or trades, at a multiple of their pace or as fast as it goes.

Each asset runs on the clock of its own files: the leading minutes that a decision needs are history, everything after
is replayed. A hole in the data longer than the gap policy fills is skipped, not waited out.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from typing import TYPE_CHECKING

from vivienne.errors import MarketDataError
from vivienne.market.bars import CandleBuilder
from vivienne.market.feeds.base import FeedEnded, FeedEvent, History, MinuteClosed, PriceMoved
from vivienne.market.files import read_market_file
from vivienne.market.timeframe import LONGEST_FILLED_GAP
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)
_CHUNK = 2_000
"""Events read at a time, in a thread; at full speed the loop is yielded to far more often, see `_BREATH`."""
_BREATH = 15
_LATENESS_SECONDS = 30.0
"""What a slow disk or a busy machine may be late by."""


class ReplayFeed:
    """Market data from files.

    Args:
        files: by asset, in the order of their time.
        speed: market seconds per real second; None for as fast as it goes.
        begun: when the replay began, in seconds since the epoch; what should have come since then comes at once. When
            it is first followed without it.

    Raises:
        MarketDataError: a file is missing, cannot be read, or is not in the order of time.
    """

    name = "replay"
    pace: float | None = None

    def __init__(self, files: Mapping[str, list[Path]], speed: float | None, begun: float | None = None) -> None:
        self.assets = tuple(files)
        self._speed = speed
        self._begun = begun
        # Holes up to the gap policy are waited out; at full speed only reading takes time.
        waiting = 0.0 if speed is None else (LONGEST_FILLED_GAP + 1) * 60 / speed
        self.longest_silence = waiting + _LATENESS_SECONDS
        self._events: dict[str, Iterator[MinuteClosed | PriceMoved]] = {
            asset: _events(paths, _begins(paths)) for asset, paths in files.items()
        }

    def history(self, asset: str, *, least: int, most: int) -> History:
        """The leading `least` minutes of the files, with which this market begins. See `Feed`."""
        candles: list[Candle] = []
        for event in self._events[asset]:
            if isinstance(event, MinuteClosed):
                candles.append(event.candle)
                if event.candle.open_time - candles[0].open_time >= (min(least, most) - 1) * MINUTE_MS:
                    break
        return History(candles, is_whole=True)

    async def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        """The rest of the files. See `Feed`."""
        pace = None if self._speed is None else _Pace(self._speed, self._begun)
        events = self._events[asset]
        failure: MarketDataError | None = None
        while failure is None:
            chunk, failure = await asyncio.to_thread(_chunk, events)
            if not chunk and failure is None:
                break
            for number, event in enumerate(chunk):
                if pace is not None:
                    await pace.until(
                        event.time if isinstance(event, PriceMoved) else event.candle.open_time + MINUTE_MS
                    )
                elif number % _BREATH == 0:
                    await asyncio.sleep(0)
                yield event
        if failure is not None:
            raise failure
        _log.info("The replay of %s is over; its last decision stays on show", asset)
        yield FeedEnded()


class _Pace:
    """Holds events back until their time has come."""

    def __init__(self, speed: float, begun: float | None = None) -> None:
        self._speed = speed
        self._late = 0.0 if begun is None else time.time() - begun
        self._begin: float | None = None
        self._market_begin = self._market_last = 0

    async def until(self, market_ms: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._begin is None:
            self._begin, self._market_begin, self._market_last = now - self._late, market_ms, market_ms
        hole = market_ms - self._market_last - MINUTE_MS
        if hole > LONGEST_FILLED_GAP * MINUTE_MS:
            self._market_begin += hole
        self._market_last = market_ms
        due = self._begin + (market_ms - self._market_begin) / 1000 / self._speed
        await asyncio.sleep(max(0.0, due - now))


def _begins(paths: Sequence[Path]) -> list[int]:
    """When each file begins: each must exist, be readable, and come after the one before."""
    begins: list[int] = []
    for number, path in enumerate(paths):
        first = next(read_market_file(path), None)
        if first is None:
            raise MarketDataError(path, "there is not one closed minute in it")
        if begins and first[0] < begins[-1]:
            before = paths[number - 1]
            raise MarketDataError(path, f"it begins before {before}; give the files of an asset in order of time")
        begins.append(first[0])
    return begins


def _chunk(
    events: Iterator[MinuteClosed | PriceMoved],
) -> tuple[list[MinuteClosed | PriceMoved], MarketDataError | None]:
    """The next events; with an error in the data, those before it and the error."""
    chunk: list[MinuteClosed | PriceMoved] = []
    try:
        chunk.extend(itertools.islice(events, _CHUNK))
    except MarketDataError as error:
        return chunk, error
    return chunk, None


def _events(paths: Sequence[Path], begins: Sequence[int]) -> Iterator[MinuteClosed | PriceMoved]:
    builder = CandleBuilder()
    for path, next_file in zip(paths, [*begins[1:], None], strict=True):
        for item in read_market_file(path, next_file):
            if isinstance(item, Trade):
                late = builder.late
                closed = builder.add(item)
                if closed is not None:
                    yield MinuteClosed(closed)
                if builder.late == late:
                    yield PriceMoved(item.price, item.time)
            else:
                yield MinuteClosed(item)

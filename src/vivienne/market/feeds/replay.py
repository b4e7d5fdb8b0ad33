"""Replay of files of klines or trades, at a multiple of their pace or at full speed.

Each asset runs on the clock of its own files. The first minutes, which a decision needs, are history; the rest is
replayed. A gap that is too long for the gap policy is skipped without waiting.
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
from vivienne.market.types import MINUTE_MS, Bars, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)
_CHUNK = 2_000
"""Number of events read at a time, in a thread."""
_BREATH = 15
"""Number of events after which the event loop gets a turn, at full speed."""
_LATENESS_SECONDS = 30.0
"""Delay allowed for a slow disk or a busy machine."""


class ReplayFeed:
    """Market data from files.

    Args:
        files: files of each asset, in order of time.
        speed: market seconds per real second; None for full speed.
        begun: start of the replay, in seconds since the epoch. Events that are due since then are sent at once. None
            starts the replay with the first call of `follow`.

    Raises:
        MarketDataError: a file is missing, cannot be read, or is not in order of time.
    """

    name = "replay"
    pace: float | None = None

    def __init__(self, files: Mapping[str, list[Path]], speed: float | None, begun: float | None = None) -> None:
        self.assets = tuple(files)
        self._speed = speed
        self._begun = begun
        # The replay waits during gaps that the gap policy fills. At full speed, only reading takes time.
        waiting = 0.0 if speed is None else (LONGEST_FILLED_GAP + 1) * 60 / speed
        self.longest_silence = waiting + _LATENESS_SECONDS
        self._events: dict[str, Iterator[MinuteClosed | PriceMoved]] = {
            asset: _events(paths, _begins(paths)) for asset, paths in files.items()
        }

    def history(self, asset: str, *, least: int, most: int) -> History:
        """The first `least` minutes of the files, where this market begins. See `Feed`."""
        candles: list[Candle] = []
        for event in self._events[asset]:
            if isinstance(event, MinuteClosed):
                candles.append(event.candle)
                if event.candle.open_time - candles[0].open_time >= (min(least, most) - 1) * MINUTE_MS:
                    break
        return History(Bars.from_candles(candles), is_whole=True)

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
        _log.info("The replay of %s has ended; its last decision stays in its state", asset)
        yield FeedEnded()


class _Pace:
    """Delays events until they are due."""

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
    """Start time of each file. Each file must exist, be readable, and begin after the one before it."""
    begins: list[int] = []
    for number, path in enumerate(paths):
        first = next(read_market_file(path), None)
        if first is None:
            raise MarketDataError(path, "the file does not contain a closed minute; at least one is needed")
        if begins and first[0] < begins[-1]:
            before = paths[number - 1]
            raise MarketDataError(path, f"the file begins before {before}; list the files of an asset in order of time")
        begins.append(first[0])
    return begins


def _chunk(
    events: Iterator[MinuteClosed | PriceMoved],
) -> tuple[list[MinuteClosed | PriceMoved], MarketDataError | None]:
    """The next events; if the data contains an error, the events before it and the error."""
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

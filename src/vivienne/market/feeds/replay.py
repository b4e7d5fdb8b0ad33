"""Replay of files of candles or trades, at a multiple of their pace or at full speed.

Each asset runs on the clock of its own files. The first minutes, which a decision needs, are history; the rest is
replayed. A gap that is too long for the gap policy is skipped without waiting.

Candles longer than a minute are replayed as the minutes they are made of, all at the moment when the candle closes.
They give bars of their own length and of its multiples exactly; any other timeframe is refused.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from vivienne.errors import MarketDataError
from vivienne.market.bars import CandleBuilder
from vivienne.market.feeds.base import FeedEnded, FeedEvent, History, MinuteClosed, PriceMoved
from vivienne.market.files import AssetFiles, trades_of
from vivienne.market.timeframe import LONGEST_FILLED_GAP, Timeframe
from vivienne.market.types import MINUTE_MS, Bars, Candle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from vivienne.market.files.asset_files import Stretch
    from vivienne.market.files.report import Report

_log = logging.getLogger(__name__)
_CHUNK = 2_000
"""Number of events read at a time, in a thread."""
_BREATH = 15
"""Number of events after which the event loop gets a turn, at full speed."""
_LATENESS_SECONDS = 30.0
"""Delay allowed for a slow disk or a busy machine."""
_NO_CANDLES = (
    "no candle comes of these trades, since the first and the last minute may not be whole, so nothing is decided; "
    "trades of at least three minutes are needed"
)

BadRows = Literal["stop", "skip"]


class _Due(NamedTuple):
    """An event, and the market time at which it happens, in ms since the epoch."""

    time: int
    event: MinuteClosed | PriceMoved


class ReplayFeed:
    """Market data from files.

    Args:
        files: files of each asset, in any order.
        speed: market seconds per real second; None for full speed.
        begun: start of the replay, in seconds since the epoch. Events that are due since then are sent at once. None
            starts the replay with the first call of `follow`.
        timeframe: timeframe of the bars that are made of the data.
        on_bad_row: what to do at a wrong row: stop the replay of its asset, or leave the row out. The asset is stale
            where a row is left out.

    Raises:
        MarketDataError: a file is missing, cannot be read, or cannot be used for the timeframe.

    Attributes:
        left_out: number of rows of the files that are not used, by asset and reason.
        longest_candle: length of the longest candles in the files, in minutes; 0 if there are only trades.
    """

    name = "replay"
    pace: float | None = None
    catches_up = True
    follows_again = False

    def __init__(
        self,
        files: Mapping[str, list[Path]],
        speed: float | None,
        begun: float | None = None,
        *,
        timeframe: Timeframe = Timeframe.M1,
        on_bad_row: BadRows = "stop",
    ) -> None:
        self.assets = tuple(files)
        self._speed = speed
        self._begun = begun
        self.left_out: dict[tuple[str, str], int] = {}
        self._stops: dict[str, list[str]] = {}
        self._events: dict[str, Iterator[_Due]] = {}
        longest = 0
        for asset, paths in files.items():
            data = AssetFiles(paths, skip=on_bad_row == "skip")
            if not data.gives_candles:
                _log.warning("%s: %s", asset, _NO_CANDLES)
            for report in data.reports:
                _check_length(report, timeframe)
                self._tell(asset, report, on_bad_row)
            self._events[asset] = _events(data.stretches())
            longest = max(longest, data.longest)
        self.longest_candle = longest // MINUTE_MS
        self._longest_wait = max(LONGEST_FILLED_GAP, self.longest_candle)
        # The replay waits during gaps that the gap policy fills. At full speed, only reading takes time.
        waiting = 0.0 if speed is None else (self._longest_wait + 1) * 60 / speed
        self.longest_silence = waiting + _LATENESS_SECONDS

    def _tell(self, asset: str, report: Report, on_bad_row: BadRows) -> None:
        """Log what a file was taken for, and count what is left out of it."""
        notes = "".join(f"; {note}" for note in report.notes)
        _log.info("%s: %s%s (%s)", asset, report.summary, notes, report.name)
        for reason, count in report.left_out.items():
            if reason != "bad" or on_bad_row == "skip":
                self.left_out[asset, reason] = self.left_out.get((asset, reason), 0) + count
        if report.bad_rows:
            line, why = report.bad_rows[0]
            where = f"{report.name}, {report.unit} {line}: {why}"
            if on_bad_row == "skip":
                _log.warning("%s: %s; such rows are left out", asset, where)
            else:  # said when the replay begins: in the history, the row is an error
                self._stops.setdefault(asset, []).append(where)

    def history(self, asset: str, *, least: int, most: int) -> History:
        """The first `least` minutes of the files, where this market begins. See `Feed`."""
        candles: list[Candle] = []
        for _, event in self._events[asset]:
            if isinstance(event, MinuteClosed):
                candles.append(event.candle)
                if event.candle.open_time - candles[0].open_time >= (min(least, most) - 1) * MINUTE_MS:
                    break
        return History(Bars.from_candles(candles), is_whole=True)

    def listing(self, asset: str) -> None:
        """None: it is no real market. See `Feed`."""

    def contact(self, asset: str) -> None:
        """None: there is no connection. See `Feed`."""

    async def run(self) -> None:
        """Nothing goes on beside the events. See `Feed`."""

    async def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        """The rest of the files. See `Feed`."""
        pace = None if self._speed is None else _Pace(self._speed, self._begun, self._longest_wait)
        events = self._events[asset]
        for where in self._stops.pop(asset, []):
            _log.warning("%s: %s; the replay stops there", asset, where)
        failure: MarketDataError | None = None
        while failure is None:
            chunk, failure = await asyncio.to_thread(_chunk, events)
            if not chunk and failure is None:
                break
            for number, (due, event) in enumerate(chunk):
                if pace is not None:
                    await pace.until(due)
                elif number % _BREATH == 0:
                    await asyncio.sleep(0)
                yield event
        if failure is not None:
            raise failure
        _log.info("The replay of %s has ended; its last decision stays in its state", asset)
        yield FeedEnded()


class _Pace:
    """Delays events until they are due. A hole of more minutes than `longest_wait` takes no time."""

    def __init__(self, speed: float, begun: float | None = None, longest_wait: int = LONGEST_FILLED_GAP) -> None:
        self._speed = speed
        self._longest_wait = longest_wait
        self._begun = begun
        self._begin: float | None = None
        self._market_begin = self._market_last = 0

    async def until(self, market_ms: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._begin is None:
            # Measured now, so that the time to read this file delays nothing: the files of other assets may be shorter.
            late = 0.0 if self._begun is None else time.time() - self._begun
            self._begin, self._market_begin, self._market_last = now - late, market_ms, market_ms
        hole = market_ms - self._market_last - MINUTE_MS
        if hole > self._longest_wait * MINUTE_MS:
            self._market_begin += hole
        self._market_last = market_ms
        due = self._begin + (market_ms - self._market_begin) / 1000 / self._speed
        await asyncio.sleep(max(0.0, due - now))


def _chunk(
    events: Iterator[_Due],
) -> tuple[list[_Due], MarketDataError | None]:
    """The next events; if the data contains an error, the events before it and the error."""
    chunk: list[_Due] = []
    try:
        chunk.extend(itertools.islice(events, _CHUNK))
    except MarketDataError as error:
        return chunk, error
    return chunk, None


def _check_length(report: Report, timeframe: Timeframe) -> None:
    """Candles must make up whole bars of the timeframe."""
    if report.minutes is None or timeframe.minutes % report.minutes == 0:
        return
    fitting = [each.value for each in Timeframe if each.minutes % report.minutes == 0]
    use = f"use --timeframe {' or '.join(fitting)}, or give" if fitting else "give"
    raise MarketDataError(
        report.path,
        f"the candles are {report.minutes:g} minutes apart, which makes no bars of {timeframe.value}; {use} one-minute "
        "candles or trades",
        member=report.member,
    )


def _events(stretches: Iterator[Stretch]) -> Iterator[_Due]:
    builder = CandleBuilder()
    for stretch in stretches:
        if stretch.kind == "trades":
            yield from _trade_events(stretch, builder)
            continue
        builder = CandleBuilder()  # trades after candles do not go on with a minute from before them
        if stretch.length == MINUTE_MS:
            for candle in stretch.rows.bars().candles():
                yield _Due(candle.open_time + MINUTE_MS, MinuteClosed(candle))
        else:
            for candle in stretch.rows.bars().candles():
                for minute in minutes_of(candle, stretch.length):
                    yield _Due(candle.open_time + stretch.length, MinuteClosed(minute))


def _trade_events(stretch: Stretch, builder: CandleBuilder) -> Iterator[_Due]:
    for trade, is_valid in zip(trades_of(stretch.rows), stretch.rows.valid.tolist(), strict=True):
        if not is_valid:
            yield _Due(trade.time, PriceMoved(math.nan, trade.time))
            continue
        closed = builder.add(trade)
        if closed is not None:
            yield _Due(closed.open_time + MINUTE_MS, MinuteClosed(closed))
        yield _Due(trade.time, PriceMoved(trade.price, trade.time))


def minutes_of(candle: Candle, length: int) -> Iterator[Candle]:
    """Minutes that make up a longer candle: flat at its open, and the last one with all the rest of it.

    Args:
        candle: the candle.
        length: its length, ms.
    """
    end = candle.open_time + length
    for begin in range(candle.open_time, end - MINUTE_MS, MINUTE_MS):
        opened = candle.open
        yield Candle(begin, opened, opened, opened, opened, 0.0, 0.0, 0, 0.0)
    yield candle._replace(open_time=end - MINUTE_MS)

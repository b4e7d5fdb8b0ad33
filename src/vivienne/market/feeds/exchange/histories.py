"""Reads the histories of instruments, however long they take to come."""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import suppress
from typing import TYPE_CHECKING

from vivienne.market.feeds.exchange.adapter import Advice
from vivienne.market.feeds.exchange.from_candles import FromCandles
from vivienne.market.feeds.exchange.from_trades import FromTrades
from vivienne.market.feeds.exchange.past import past
from vivienne.market.feeds.exchange.plausible import Latest
from vivienne.market.feeds.exchange.rest import Refused
from vivienne.market.feeds.exchange.room import Room
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.market.feeds.base import History
    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument
    from vivienne.market.feeds.exchange.patience import Patience
    from vivienne.market.feeds.exchange.rest import Rest
    from vivienne.market.feeds.exchange.splicing import Splice
    from vivienne.market.timeframe import Timeframe

_log = logging.getLogger(__name__)

_LONGEST_FOR_TIME_SECONDS = 5.0
_TIME_KEPT_SECONDS = 10.0
"""The time that the exchange said is used for so long: histories are begun together, and what is later is asked for."""


class Histories:
    """The histories of an exchange's instruments.

    Args:
        adapter: of the exchange.
        rest: its REST side.
        timeframe: of the bars.
        bars: number of bars of history.
        patience: how long it waits between tries.
    """

    def __init__(self, adapter: Adapter, rest: Rest, timeframe: Timeframe, bars: int, patience: Patience) -> None:
        self._adapter = adapter
        self._rest = rest
        self._timeframe = timeframe
        self._count = bars
        self._patience = patience
        self._latest = Latest(patience.pace)
        self._room = Room()
        self._turn = asyncio.Lock()
        self._asked = -math.inf
        self._time = 0

    async def now(self) -> int | None:
        """The exchange's time, in ms since the epoch; None where it does not say it soon."""
        with suppress(Refused, TimeoutError):
            async with asyncio.timeout(min(self._patience.first, _LONGEST_FOR_TIME_SECONDS)):
                return await self._ask_time(tries=1)
        return None

    async def _ask_time(self, tries: int) -> int:
        asked = asyncio.get_running_loop().time()
        self._time = await self._rest.time(tries=tries)
        self._asked = asked
        self._latest.ask(self._time, asked)
        return self._time

    async def _recent_time(self) -> int:
        """The exchange's time of a moment ago.

        Raises:
            Refused: there is no answer, or none that can be read.
        """
        kept = min(_TIME_KEPT_SECONDS, self._patience.first / 3)
        async with self._turn:
            if asyncio.get_running_loop().time() - self._asked > kept:
                await self._ask_time(tries=5)
            return self._time

    def latest(self) -> float:
        """The latest time that data may have now, in ms since the epoch, by the time that the exchange said."""
        return self._latest.limit(asyncio.get_running_loop().time())

    async def begun(
        self, instrument: Instrument, say: Callable[[str, bool], None], latest: Callable[[], float]
    ) -> tuple[History, Splice]:
        """The history of an instrument, asked for until it comes, and a splice that goes on from its end.

        Args:
            instrument: whose.
            say: takes why it is not there yet, and whether it is asked for at a slow pace only.
            latest: the latest time that its stream allows, in ms since the epoch.
        """
        history = await self.at_last(instrument, say, latest)
        begin, close = self._end(history)
        if self._adapter.candle_is_minute:
            return history, FromCandles(begin)
        return history, FromTrades(begin, close, is_flagged=self._adapter.candle_is_flagged, room=self._room)

    async def at_last(
        self, instrument: Instrument, say: Callable[[str, bool], None], latest: Callable[[], float] = lambda: math.inf
    ) -> History:
        """The history of an instrument, asked for until it comes; see `begun`."""
        tries = 0
        while True:
            try:
                return await self._history(instrument, latest)
            except Refused as refused:
                advice = refused.advice
            except Exception as error:  # noqa: BLE001  # a defect that concerns one market must not stop the others
                _log.exception("The history of %s failed", instrument.symbol)
                advice = Advice("give_up", f"the history of {instrument.symbol} failed: {error!r}")
            slow = advice.then == "give_up"
            say(advice.reason, slow)
            await asyncio.sleep(self._patience.slow if slow else self._patience.pause(tries))
            tries += 1

    async def _history(self, instrument: Instrument, latest: Callable[[], float]) -> History:
        now = int(min(await self._recent_time(), latest()))
        found = await past(self._rest, self._adapter, instrument, self._timeframe, self._count, now)
        if found.bars is None or not len(found.bars):
            raise Refused(Advice("retry", f"{self._adapter.title} has no history of {instrument.symbol}"))
        return found._replace(source="filled")

    def _end(self, history: History) -> tuple[int, float]:
        """The end of what is known, in ms, and the last price."""
        if len(history.minutes) or history.bars is None:
            return int(history.minutes.open_time[-1]) + MINUTE_MS, float(history.minutes.close[-1])
        return int(history.bars.open_time[-1]) + self._timeframe.milliseconds, float(history.bars.close[-1])

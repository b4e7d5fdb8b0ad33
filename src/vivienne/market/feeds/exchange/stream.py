"""Keeps the stream of some instruments open, whatever the network and the exchange do.

A connection that is going to end is replaced before it does: its successor is opened, and once that has data the old
one is closed. Whoever takes the events gets some twice then, and knows them by their names.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from vivienne.market.feeds.exchange.adapter import Advice
from vivienne.market.feeds.exchange.budget import Budget
from vivienne.market.feeds.exchange.line import CLOSE_SECONDS, Broken, Line
from vivienne.market.feeds.exchange.listener import Counts
from vivienne.market.feeds.exchange.memory import Memory
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.feeds.exchange.turns import Turns
from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from collections.abc import Set as AbstractSet

    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument
    from vivienne.market.feeds.exchange.listener import Listener

_log = logging.getLogger(__name__)
_failures = Quota(_log, logging.ERROR)

_OVERLAP_SECONDS = 2.0
_REPLACED_BEFORE = 0.95
"""A connection is replaced after this part of the time the exchange allows it."""


class Stream:
    """Keeps a connection to the stream of some instruments open.

    Args:
        adapter: of the exchange.
        instruments: what to subscribe, as much as one connection takes.
        listener: takes the events.
        url: scheme and host in place of the exchange's own.
        connects: the budget of connections, which all streams of an exchange share.
        patience: how long it waits.
        now: asks for the exchange's time, in ms since the epoch; None where it does not say it.
        turns: of the exchange, which all of its streams share.

    Attributes:
        counts: what happened so far.
    """

    def __init__(
        self,
        adapter: Adapter,
        instruments: Sequence[Instrument],
        listener: Listener,
        *,
        url: str | None = None,
        connects: Budget | None = None,
        patience: Patience | None = None,
        now: Callable[[], Awaitable[int | None]] | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._adapter = adapter
        self._instruments = instruments
        self._listener = listener
        self._left_out: AbstractSet[str] = frozenset()
        self._url = url or adapter.stream
        self._connects = connects or Budget(adapter.limits.connects_per_minute)
        self._patience = patience or Patience()
        self._lines: set[Line] = set()
        self._memory = Memory()
        self._now = now
        self._turns = turns or Turns()
        self.counts = Counts()

    def doubt(self, symbol: str, reason: str) -> None:
        """The stream lacks trades of an instrument: put another connection in place of each that is open.

        Until there is a new trade of it, it counts as without data.
        """
        self._memory.doubted.add(symbol)
        self._listener.refused(symbol, reason)
        for line in list(self._lines):
            line.hearing.doubt(symbol, reason)

    def leave_out(self, symbols: AbstractSet[str]) -> None:
        """Leave instruments out of the connections that are opened from now on, as long as others are left.

        A connection without one that is not left out any longer is replaced.
        """
        back = self._left_out - symbols
        if symbols - self._left_out:  # one of them may be why they were refused together
            self._memory.apart.clear()
        self._left_out = frozenset(symbols)
        for line in self._lines:
            if not back <= line.symbols:
                line.hearing.is_ending.set()

    async def run(self) -> None:
        """Keep it open, until it is cancelled."""
        tries, since = 0, monotonic()
        while True:
            await self._connects.take(1)
            connects = self.counts.connects
            advice, had_data = await self._followed()
            if self.counts.connects > connects:  # what was never open does not break off
                self.counts.breaks += 1
            tries = 0 if had_data else tries + 1
            since = monotonic() if had_data else since
            if advice.then == "give_up":
                self._listener.refused(None, advice.reason)
            else:
                self._listener.interrupted(advice.reason)
            await asyncio.sleep(self._wait(advice, tries, monotonic() - since))

    def _wait(self, advice: Advice, tries: int, seconds: float) -> float:
        if advice.then == "give_up":
            return self._patience.slow
        if advice.then == "wait":
            self._connects.block(advice.seconds)
            return advice.seconds
        return self._patience.pause_of_stream(tries, seconds)

    async def _followed(self) -> tuple[Advice, bool]:
        """Follow one connection and its successors, until there is none; how it ended, and whether there was data."""
        had_data = False
        line, running = self._opened()
        try:
            while True:
                successor = await self._succeeded(line, running)
                had_data = had_data or line.hearing.has_data.is_set()
                if successor is None:
                    return self._ended(running), had_data
                running.cancel()
                await asyncio.wait([running], timeout=CLOSE_SECONDS + 1.0)
                line, running = successor
        finally:
            running.cancel()

    def _opened(self) -> tuple[Line, asyncio.Task[None]]:
        served = [each for each in self._instruments if each.stream_symbol not in self._left_out]
        # Where none is served, those that are served again first have a connection already.
        instruments = served or self._instruments
        line = Line(
            self._adapter, self._url + self._adapter.stream_path(instruments), instruments, self._listener, self.counts,
            self._patience, self._now, self._memory, self._turns,
        )  # fmt: skip
        self._lines.add(line)
        running = asyncio.create_task(line.run())
        running.add_done_callback(lambda _: self._lines.discard(line))
        running.add_done_callback(_look_at)
        return line, running

    async def _succeeded(self, line: Line, running: asyncio.Task[None]) -> tuple[Line, asyncio.Task[None]] | None:
        """Wait until another connection can take its place; None where it ended before that."""
        if not await _either(line.hearing.has_data, running, None):
            return None
        allowed = self._adapter.limits.connection_seconds
        await _either(line.hearing.is_ending, running, None if allowed is None else _REPLACED_BEFORE * allowed)
        while not running.done():
            await self._connects.take(1)
            successor, following = self._opened()
            gap = partial(self._see_gap, line, successor)
            running.add_done_callback(gap)
            await _either(successor.hearing.has_all, following, self._patience.first)
            if successor.hearing.has_data.is_set() and not following.done():
                await self._overlap(line, running, successor)
                if not running.done() and successor.hearing.first_heard:  # else its trades tell, not its clock
                    gap(running)
                for symbol in successor.hearing.lacking:
                    self._listener.lost(symbol, "there is no data of it on the next connection yet")
                for symbol in sorted(line.symbols - successor.symbols):
                    self._listener.lost(symbol, "it is not subscribed on the next connection")
                return successor, following
            running.remove_done_callback(gap)
            following.cancel()
            await asyncio.wait([following], timeout=CLOSE_SECONDS + 1.0)
            _log.info("%s: the next connection did not come up", self._adapter.title)
            await asyncio.wait([running], timeout=self._patience.pause(1))
        return None

    async def _overlap(self, line: Line, running: asyncio.Task[None], successor: Line) -> None:
        """Read a connection up to where its successor begins: there may be messages that were not read yet."""
        reading = asyncio.create_task(line.hearing.heard_beyond(successor.hearing.first_heard))
        await asyncio.wait([reading, running], timeout=_OVERLAP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()

    def _see_gap(self, line: Line, successor: Line, running: asyncio.Task[None]) -> None:
        """Events may be missing where a connection was not read up to where its successor begins."""
        if (running.done() and running.cancelled()) or line.hearing.is_heard_beyond(successor.hearing.first_heard):
            return
        self._listener.interrupted(f"a connection to {self._adapter.title} ended before the next one began")
        for symbol in successor.hearing.served:
            self._listener.served(symbol)

    def _ended(self, running: asyncio.Task[None]) -> Advice:
        """How a connection ended. A defect ends one connection, and no other."""
        error = running.exception()
        if isinstance(error, Broken):
            return error.advice
        _failures.log("%s: the connection failed: %r", self._adapter.title, error)
        return Advice("retry", f"the connection to {self._adapter.title} failed ({type(error).__name__})")


def _look_at(ended: asyncio.Task[None]) -> None:
    """Take note of how a connection ended, whether or not somebody still wants to know."""
    if not ended.cancelled():
        ended.exception()


async def _either(event: asyncio.Event, running: asyncio.Task[Any], seconds: float | None) -> bool:
    """Wait until the event, or until the task has ended or the time is over; whether the event came."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait([waiting, running], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    return event.is_set() and not running.done()

"""Follows one instrument: what the stream says goes into its splice, what the splice needs is asked for."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import Contact, ContactChanged, FeedEvent, FeedTrouble, MinuteClosed, PriceMoved
from vivienne.market.feeds.exchange.adapter import Heard, Traded
from vivienne.market.feeds.exchange.asking import candles_between, trades_since
from vivienne.market.feeds.exchange.delay import Delay
from vivienne.market.feeds.exchange.rest import Refused
from vivienne.market.feeds.exchange.splicing import CandlesNeeded, TradesNeeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument, StreamEvent
    from vivienne.market.feeds.exchange.patience import Patience
    from vivienne.market.feeds.exchange.rest import Rest
    from vivienne.market.feeds.exchange.splicing import Need, Splice

_log = logging.getLogger(__name__)

MOST_WAITING = 5_000
"""Minutes that wait to be taken. Who takes them is behind by days then, and the oldest are dropped and counted."""
_TRIES = 4
"""How often what is needed is asked for, before it counts as not to be had."""
_LONGEST_PAUSE_SECONDS = 10.0


class Following:
    """Follows one instrument of an exchange.

    Args:
        adapter: of the exchange.
        rest: its REST side.
        instrument: what to follow.
        splice: makes the minutes.
        patience: how long it waits between tries.

    Attributes:
        dropped: number of minutes that nobody took in time.
        filled: number of minutes that came from the exchange when it was asked.
        incomplete: number of minutes that lack trades.
        trouble: why there is no data; None while there is.
    """

    def __init__(
        self, adapter: Adapter, rest: Rest, instrument: Instrument, splice: Splice, patience: Patience
    ) -> None:
        self._patience = patience
        self.instrument = instrument
        self._adapter = adapter
        self._rest = rest
        self._splice = splice
        self._minutes: deque[MinuteClosed] = deque()
        self._price: PriceMoved | None = None
        self._is_there = asyncio.Event()
        self._is_needed = asyncio.Event()
        self._is_up = False
        self._is_blocked = False
        self._has_caught_up = False
        self._breaks = 0
        self._broke: str | None = None
        self._delay = Delay()
        self.dropped = self.filled = self.incomplete = 0
        self.trouble: str | None = None

    @property
    def mismatches(self) -> int:
        """Number of minutes in which the stream and the exchange's own candle differ."""
        return self._splice.mismatches

    @property
    def contact(self) -> Contact:
        """How it stands with the exchange at this moment."""
        if self._is_blocked:
            return Contact("blocked", self.trouble)
        if not self._is_up:
            return Contact("connecting" if self._breaks == 0 else "reconnecting", self._broke)
        if not self._has_caught_up:
            return Contact("catching_up", self.trouble, self._delay.seconds)
        return Contact("connected", self.trouble, self._delay.seconds)

    def take(self, event: StreamEvent) -> None:
        """Take an event of the stream."""
        self._hear(event)
        if not isinstance(event, Heard) and self._is_blocked:  # it is served after all
            self._is_blocked = False
            self._say(None)
        self._put(self._splice.take(event))
        self._look()

    def _hear(self, event: StreamEvent) -> None:
        if isinstance(event, Heard):
            self._delay.hear(event.time)
        elif isinstance(event, Traded) and event.is_snapshot and event.trades:
            self._delay.skip(event.trades[-1].trade.time)

    def interrupted(self, reason: str) -> None:
        """The stream broke off."""
        self._is_up = self._has_caught_up = False
        self._breaks += 1
        self._broke = reason
        self._delay.lose()
        self._splice.interrupt()
        self._is_there.set()

    def resumed(self) -> None:
        """The stream is there again."""
        self._is_up = True
        self._is_blocked = False
        self._say(None)
        self._look()
        self._is_there.set()

    def refused(self, reason: str) -> None:
        """The exchange does not serve it."""
        self._is_blocked = True
        self._say(reason)

    def _say(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._is_there.set()

    def _look(self) -> None:
        if not self._is_up or self._is_needed.is_set():
            return
        if self._splice.need() is not None:
            self._is_needed.set()
        elif not self._has_caught_up:
            self._has_caught_up = True
            self._is_there.set()

    def _put(self, events: list[FeedEvent]) -> None:
        for event in events:
            if isinstance(event, PriceMoved):
                self._price = event  # only the newest matters
            elif isinstance(event, MinuteClosed):
                self.filled += event.source == "filled"
                self.incomplete += event.source == "incomplete"
                self._minutes.append(event)
        while len(self._minutes) > MOST_WAITING:
            self._minutes.popleft()
            self.dropped += 1
        if events:
            self._is_there.set()

    async def events(self) -> AsyncIterator[FeedEvent]:
        """Minutes in order, and between them the newest price. It never ends."""
        told: str | None = None
        told_contact: str | None = None
        while True:
            await self._is_there.wait()
            self._is_there.clear()
            if (state := self.contact.state) != told_contact:
                told_contact = state
                yield ContactChanged()
            if self.trouble != told:
                told = self.trouble
                yield FeedTrouble(told)
            while self._minutes:
                yield self._minutes.popleft()
            price, self._price = self._price, None
            if price is not None:
                yield price

    async def fill(self) -> None:
        """Ask for what is needed, until it is cancelled."""
        while True:
            await self._is_needed.wait()
            await self._fill_once()
            self._is_needed.clear()
            self._look()

    async def _fill_once(self) -> None:
        for tries in range(_TRIES):
            need = self._splice.need()
            if need is None or not self._is_up:
                return
            try:
                self._put(await self._answered(need))
            except Refused as refused:
                self._say(refused.advice.reason)
                await asyncio.sleep(self._patience.pause(tries, _LONGEST_PAUSE_SECONDS))
            else:
                if self._splice.need() != need:
                    self._say(None)
                    return
                # The exchange does not have it yet: candles come a moment after their end.
                await asyncio.sleep(self._patience.pause(tries, _LONGEST_PAUSE_SECONDS))
        if self._is_up:
            _log.warning("%s %s: what is missing cannot be had", self._adapter.title, self.instrument.symbol)
            self._put(self._splice.give_up())

    async def _answered(self, need: Need) -> list[FeedEvent]:
        """Ask for what is needed, and take the answer; not one from before a break, which says nothing of what follows.

        Raises:
            Refused: there is no answer, or none that can be read.
        """
        breaks = self._breaks
        match need:
            case TradesNeeded(after, begin):
                trades, is_whole = await trades_since(self._rest, self._adapter, self.instrument, after, begin)
                return self._splice.answer_trades(trades, is_whole=is_whole) if breaks == self._breaks else []
            case CandlesNeeded(begin, end):
                rows = await candles_between(self._rest, self._adapter, self.instrument, 1, begin, end)
                return self._splice.answer_candles(rows) if breaks == self._breaks else []

"""Follows one instrument: what the stream says goes into its splice, what the splice needs is asked for."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import FeedEvent, HistoryRead
from vivienne.market.feeds.exchange.adapter import Heard, Traded
from vivienne.market.feeds.exchange.asking import candles_between, trades_since
from vivienne.market.feeds.exchange.confirming import Confirming
from vivienne.market.feeds.exchange.outlet import MOST_WAITING, Outlet
from vivienne.market.feeds.exchange.patience import LONGEST_WAIT_SECONDS
from vivienne.market.feeds.exchange.plausible import LEAP_MS
from vivienne.market.feeds.exchange.rest import Refused
from vivienne.market.feeds.exchange.room import TooManyTrades
from vivienne.market.feeds.exchange.splicing import CandlesNeeded, HistoryNeeded, TradesNeeded
from vivienne.market.feeds.exchange.standing import Standing
from vivienne.market.feeds.exchange.stream_clock import StreamClock
from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from vivienne.market.feeds.base import Contact
    from vivienne.market.feeds.exchange.adapter import (
        Adapter,
        Advice,
        HistoryRow,
        Instrument,
        NumberedTrade,
        StreamEvent,
    )
    from vivienne.market.feeds.exchange.patience import Patience
    from vivienne.market.feeds.exchange.rest import Rest
    from vivienne.market.feeds.exchange.splicing import Need, Splice
    from vivienne.market.feeds.exchange.surroundings import Surroundings
    from vivienne.market.feeds.exchange.troubles import TroubleKind

_log = logging.getLogger(__name__)
_overflows = Quota(_log, logging.WARNING)

_TRIES = 6
"""How often what is needed is asked for, before it counts as not to be had."""
_LONGEST_PAUSE_SECONDS = 10.0
_TRADES_AT_ONCE = 500
"""Trades of an answer that are taken until others may have a turn."""


class Following:
    """Follows one instrument of an exchange.

    Args:
        adapter: of the exchange.
        rest: its REST side.
        instrument: what to follow.
        splice: makes the minutes.
        patience: how long it waits between tries.
        surroundings: what it asks of the feed.

    Attributes:
        made: its minutes, counted and compared with the exchange's own.
        failures: number of defects after which the history was read again.
        overflows: number of times that it was read again because more waited than is kept.
    """

    def __init__(
        self,
        adapter: Adapter,
        rest: Rest,
        instrument: Instrument,
        splice: Splice,
        patience: Patience,
        surroundings: Surroundings,
    ) -> None:
        self._patience = patience
        self.instrument = instrument
        self._adapter = adapter
        self._rest = rest
        self._splice = splice
        self._surroundings = surroundings
        self._outlet = Outlet(lambda: self.contact, lambda: self.trouble)
        self._is_needed = asyncio.Event()
        self._standing = Standing(patience.late, self._outlet.wake)
        self._clock = StreamClock(patience.pace)
        self._has_failed = False
        self._failed_at = -LONGEST_WAIT_SECONDS
        self._failed_in_a_row = 0
        self._asking: asyncio.Timeout | None = None
        self._is_to_check = True
        self.made = Confirming(adapter, instrument)
        self.failures = self.overflows = 0
        self._is_going_on = False

    @property
    def trouble(self) -> str | None:
        """Why there is no data to rely on; None while there is."""
        return self._standing.trouble

    @property
    def contact(self) -> Contact:
        """How it stands with the exchange at this moment."""
        return self._standing.contact(self._clock.delay)

    @property
    def is_up(self) -> bool:
        """Whether the stream has data of it."""
        return self._standing.is_up

    def take(self, event: StreamEvent) -> None:
        """Take an event of the stream."""
        self._clock.hear(event)
        if isinstance(event, Traded) and not event.is_snapshot:
            self._standing.traded()
        if self._has_failed:  # its next history has what comes now
            return
        if self._is_to_check and isinstance(event, Heard):
            self._check_history(event.time)
        with self._contained():
            self._put(self._splice.take(event))
        self._look()

    @contextmanager
    def _contained(self) -> Iterator[None]:
        """A defect that concerns one market must not stop the others."""
        try:
            yield
        except TooManyTrades as error:
            self._overflow(str(error))
        except Exception as error:  # noqa: BLE001  # see above
            self._fail(error)

    def _overflow(self, reason: str) -> None:
        """Read the history again, because what waits is more than is kept."""
        title, symbol = self._adapter.title, self.instrument.symbol
        _overflows.log("%s %s: %s; its history is read again", title, symbol, reason)
        self.overflows += 1
        self._count_failure()
        self._distrust(f"{title}: {reason} of {symbol}")

    def _check_history(self, time: int) -> None:
        """Read the history again where it ends later than the stream begins: the answers have another clock."""
        self._is_to_check = False
        if self._splice.heard - time > LEAP_MS:
            seconds = (self._splice.heard - time) // 1_000
            reason = f"the answers of {self._adapter.title} are {seconds} s ahead of its stream"
            _log.warning("%s %s: %s; its history is read again", self._adapter.title, self.instrument.symbol, reason)
            self._distrust(reason)

    def _fail(self, error: Exception) -> None:
        """Read the history again, because what was made of the stream cannot be relied on."""
        title, symbol = self._adapter.title, self.instrument.symbol
        _log.error("%s %s: its minutes failed; its history is read again", title, symbol, exc_info=error)
        self.failures += 1
        self._count_failure()
        self._distrust(f"the minutes of {symbol} failed: {error!r}")

    def _leave_gap(self, minutes: int) -> None:
        """Read the history again, because too much of it is missing to be filled minute by minute."""
        title, symbol = self._adapter.title, self.instrument.symbol
        _overflows.log("%s %s: %d minutes are missing; its history is read again", title, symbol, minutes)
        self._count_failure()
        self._distrust(f"{title}: {minutes:,} minutes of {symbol} are missing")

    def _count_failure(self) -> None:
        self._failed_in_a_row = 1 if monotonic() - self._failed_at > LONGEST_WAIT_SECONDS else self._failed_in_a_row + 1
        self._failed_at = monotonic()

    def _distrust(self, reason: str) -> None:
        self._has_failed = True
        self._stop_asking()
        self._standing.has_caught_up = False
        self.say("minutes", f"{reason}; its history is read again")
        self._is_needed.set()

    def interrupted(self, reason: str) -> None:
        """The stream broke off. This is said only where it lasts: bars are not late yet."""
        self._clock.lose()
        self._stop_asking()  # what it would say does not reach what is missed from here on
        self._standing.interrupted(reason)
        with self._contained():
            self._splice.interrupt()

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.reschedule(asyncio.get_running_loop().time())
            self._asking = None

    def resumed(self) -> None:
        """The stream is there again."""
        self._standing.resumed()
        self._look()

    def end(self) -> None:
        """Nothing comes any longer."""
        self._outlet.end()
        self._standing.end()

    def counts(self) -> Iterator[tuple[str, int]]:
        """What became of its minutes, and of how many."""
        yield from self.made.counts()
        yield "dropped", self._outlet.dropped
        yield "failed", self.failures
        yield "overflowed", self.overflows

    def say(self, kind: TroubleKind, reason: str | None) -> None:
        """Why there is no data, as far as a part knows; None once it is good."""
        self._standing.say(kind, reason)

    def announced(self, outage: str | None) -> None:
        """The exchange announces an outage; None once it does not."""
        self._standing.announced(outage)

    def remark(self, reason: str | None) -> None:
        """What does not work though data goes on; None once it does."""
        self._standing.remark(reason)

    def confirm(self, rows: Sequence[HistoryRow]) -> None:
        """Compare minutes with the exchange's own."""
        found = self.made.unconfirmed.compare(rows)
        for each in found:
            self._splice.corrected(each.candle)
        self._put(list(found))
        if any(each.was.volume == 0 < each.candle.volume for each in found):
            self._surroundings.doubt(f"the stream of {self._adapter.title} lacks trades of {self.instrument.symbol}")

    def _look(self) -> None:
        if not self.is_up or self._is_needed.is_set():
            return
        with self._contained():
            match self._splice.need():
                case None:
                    self._standing.caught_up()
                    self._need_no_answer()
                case HistoryNeeded(minutes):
                    self._leave_gap(minutes)
                case _:
                    self._is_needed.set()

    def _need_no_answer(self) -> None:
        """Forget why questions were refused: the stream itself has brought what they asked for."""
        self.say("block", None)
        self.say("answer", None)

    def _put(self, events: list[FeedEvent]) -> None:
        if self.made.take(events, self._splice.short_minutes()):
            self._surroundings.compare(self)
        self._outlet.put(events)
        if self._splice.is_behind and not self._is_going_on:
            self._is_going_on = True
            self._rest.turns.add(self._go_on)

    def _go_on(self) -> bool:
        """Do some more of what takes long; whether there is more."""
        if not self._has_failed and self._splice.is_behind:
            with self._contained():
                self._put(self._splice.go_on())
            self._look()
        self._is_going_on = not self._has_failed and self._splice.is_behind
        return self._is_going_on

    def events(self) -> AsyncIterator[FeedEvent]:
        """Minutes in order, and between them the newest price, until it is ended."""
        return self._outlet.events()

    async def fill(self) -> None:
        """Ask for what is needed, until it is cancelled."""
        while True:
            await self._is_needed.wait()
            with self._contained():
                if self._has_failed:
                    # A defect may come again with each message.
                    await asyncio.sleep(self._patience.pause(max(0, self._failed_in_a_row - 1)))
                    await self._read_again()
                elif not await self._is_filled():
                    await self._begin_again()
            if not self._has_failed:
                self._is_needed.clear()
                self._look()

    async def _is_filled(self) -> bool:
        """Ask for what is needed; whether it was to be had. Where the stream breaks off, it is asked for later."""
        try:
            async with asyncio.timeout(None) as self._asking:
                return await self._is_answered()
        except TimeoutError:
            return True
        finally:
            self._asking = None

    async def _is_answered(self) -> bool:
        for tries in range(_TRIES):
            need = self._splice.need()
            if need is None or not self.is_up:
                return True
            try:
                self._put(await self._answered(need))
            except Refused as refused:
                self._refused(refused.advice)
            else:
                self._refused(None)
                if self._splice.need() != need:
                    return True
                # The exchange does not have it yet: candles come a moment after their end.
            await asyncio.sleep(self._patience.pause(tries, _LONGEST_PAUSE_SECONDS))
        return self._splice.need() is None

    def _refused(self, advice: Advice | None) -> None:
        """Say why the last question was not answered; None if it was."""
        is_block = advice is not None and advice.then == "give_up" and advice.concerns == "host"
        self.say("block", advice.reason if advice is not None and is_block else None)
        self.say("answer", None if advice is None or is_block else advice.reason)
        if advice is None:
            self.remark(None)

    async def _begin_again(self) -> None:
        """Go on without what cannot be had, which is not decided on, until the history tells what it was."""
        title, symbol = self._adapter.title, self.instrument.symbol
        # One that refuses to answer may have them.
        refusal = self._standing.of("block") or self._standing.of("answer")
        reason = refusal or f"{title} does not have all trades or candles of {symbol}"
        _log.warning("%s %s: minutes cannot be had; its history is read again: %s", title, symbol, reason)
        self.say("minutes", f"{reason}; its history is read again")
        self.say("answer", None)
        need = self._splice.need()
        for _ in range(MOST_WAITING):
            self._put(self._splice.give_up())
            await self._rest.turns.rest()  # there may be thousands of holes
            before, need = need, self._splice.need()
            if need in (before, None):
                break
        await self._read_again()

    async def _read_again(self) -> None:
        """Go on from a new history, however long it takes to come."""
        if self._has_failed:  # nothing is added to it any longer
            await self._let_go(self._splice)
        before = self._splice
        history, self._splice = await self._surroundings.begin_again(self._history_missing, lambda: self._clock.newest)
        self._is_to_check = True
        self._has_failed = False
        self.made.begin_again()
        self._outlet.clear()
        self._put([HistoryRead(history)])
        self.say("minutes", None)
        self._refused(None)
        await self._let_go(before)

    async def _let_go(self, splice: Splice) -> None:
        """Let go of what a splice keeps, a little at a time."""
        for _ in splice.let_go():
            await self._rest.turns.rest()

    def _history_missing(self, reason: str, is_final: bool) -> None:
        """Say why the history is not there yet."""
        self.say("block", reason if is_final else None)
        self.say("minutes", f"{reason}; its history is read again")

    async def _answered(self, need: Need) -> list[FeedEvent]:
        """Ask for what is needed, and take the answer; not one from before a break, which says nothing of what follows.

        Raises:
            Refused: there is no answer, or none that can be read.
        """
        breaks = self._breaks()
        match need:
            case TradesNeeded(after, begin):
                asked = self._splice.heard
                latest = min(self._surroundings.latest(), self._clock.latest)
                trades, is_whole = await trades_since(self._rest, self._adapter, self.instrument, after, begin, latest)
                return await self._taken(trades, asked, is_whole=is_whole, breaks=breaks)
            case CandlesNeeded(begin, end):
                self.made.tell_left_out(self._splice.left_out)
                asked = self._splice.heard
                rows = await candles_between(self._rest, self._adapter, self.instrument, 1, begin, end)
                return await self._filled(rows, asked, breaks=breaks)
            case HistoryNeeded(minutes):
                self._leave_gap(minutes)
        return []

    def _breaks(self) -> tuple[int, int]:
        """How often data may have been missed: the stream broke off, or left something out without that."""
        return self._standing.breaks, self._splice.interruptions

    async def _filled(self, rows: Sequence[HistoryRow], asked: int, *, breaks: tuple[int, int]) -> list[FeedEvent]:
        """Take an answer, some candles at a time."""
        if breaks == self._breaks():
            self.made.answered(rows, asked)
            for events in self._splice.answer_candles(rows, asked=asked):
                self._put(events)
                await self._rest.turns.rest()
                if breaks != self._breaks():
                    break
            if self._splice.lacks_candles():
                self._surroundings.doubt(
                    f"the stream of {self._adapter.title} says nothing of {self.instrument.symbol}"
                )
        return []

    async def _taken(
        self, trades: Sequence[NumberedTrade], asked: int, *, is_whole: bool, breaks: tuple[int, int]
    ) -> list[FeedEvent]:
        """Take an answer, some trades at a time."""
        times = [each.trade.time for each in trades]
        span = (min(times), max(times)) if times else None
        for begin in range(0, len(trades), _TRADES_AT_ONCE):
            if breaks != self._breaks():
                return []
            self._put(self._splice.answer_part(trades[begin : begin + _TRADES_AT_ONCE]))
            await self._rest.turns.rest()
        if breaks != self._breaks():
            return []
        return self._splice.answer_trades([], is_whole=is_whole, span=span, asked=asked)

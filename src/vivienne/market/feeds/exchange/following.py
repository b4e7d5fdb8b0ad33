"""Follows one instrument: what the stream says goes into its splice, what the splice needs is asked for."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal

from vivienne.market.feeds.base import (
    Contact,
    ContactChanged,
    FeedEvent,
    FeedTrouble,
    HistoryRead,
    MinuteClosed,
    MinuteCorrected,
    PriceMoved,
)
from vivienne.market.feeds.exchange.adapter import Heard, Traded
from vivienne.market.feeds.exchange.asking import candles_between, trades_since
from vivienne.market.feeds.exchange.comparing import Unconfirmed, differing
from vivienne.market.feeds.exchange.delay import Delay
from vivienne.market.feeds.exchange.rest import Refused
from vivienne.market.feeds.exchange.splicing import CandlesNeeded, TradesNeeded
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from vivienne.market.feeds.base import History
    from vivienne.market.feeds.exchange.adapter import Adapter, HistoryRow, Instrument, StreamEvent
    from vivienne.market.feeds.exchange.patience import Patience
    from vivienne.market.feeds.exchange.rest import Rest
    from vivienne.market.feeds.exchange.splicing import Need, Splice

_log = logging.getLogger(__name__)

MOST_WAITING = 5_000
"""Minutes that wait to be taken. Who takes them is behind by days then, and the oldest are dropped and counted."""
_TRIES = 6
"""How often what is needed is asked for, before it counts as not to be had."""
_LONGEST_PAUSE_SECONDS = 10.0
_WARNED_EVERY_SECONDS = 3_600.0
TroubleKind = Literal["market", "outage", "refusal", "subscription", "stream", "minutes", "answer"]
"""What has a trouble: the market, the whole exchange, the connection that is refused, the subscription, the connection
that broke off, minutes that cannot be had, the last answer.
"""

_BLOCKING: frozenset[TroubleKind] = frozenset({"market", "outage", "refusal", "subscription"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one who follows an instrument asks of the feed.

    Attributes:
        begin_again: reads the history again, however long it takes, and says why it is not there yet; with the splice
            that goes on from there.
        compare: it is time to compare minutes.
        renew: open another connection, because this one seems to lack trades.
        latest: the latest time that data may have now, in ms since the epoch.
    """

    begin_again: Callable[[Callable[[str, bool], None]], Awaitable[tuple[History, Splice]]]
    compare: Callable[[Following], None]
    renew: Callable[[], None]
    latest: Callable[[], float]


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
        unconfirmed: minutes that are still to be compared with the exchange's own.
        dropped: number of minutes that nobody took in time.
        filled: number of minutes that came from the exchange when it was asked.
        incomplete: number of minutes that lack trades.
        mismatches: number of minutes that differ from the exchange's own candle.
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
        self._waiting: deque[FeedEvent] = deque()
        self._price: PriceMoved | None = None
        self._is_there = asyncio.Event()
        self._is_needed = asyncio.Event()
        self._is_over = False
        self._is_up = False
        self._has_caught_up = False
        self._has_failed = False
        self._breaks = 0
        self._broke: str | None = None
        self._delay = Delay()
        self._troubles: dict[TroubleKind, str] = {}
        self._late: asyncio.TimerHandle | None = None
        self._may_warn_from = 0.0
        self.unconfirmed = Unconfirmed(adapter, instrument)
        self.dropped = self.filled = self.incomplete = self.mismatches = self.failures = 0

    @property
    def trouble(self) -> str | None:
        """Why there is no data to rely on; None while there is."""
        return next(iter(self._troubles.values()), None)

    @property
    def contact(self) -> Contact:
        """How it stands with the exchange at this moment."""
        if _BLOCKING & self._troubles.keys():
            return Contact("blocked", self.trouble)
        if not self._is_up:
            return Contact("connecting" if self._breaks == 0 else "reconnecting", self._broke)
        if not self._has_caught_up:
            return Contact("catching_up", self.trouble, self._delay.seconds)
        return Contact("connected", self.trouble, self._delay.seconds)

    def take(self, event: StreamEvent) -> None:
        """Take an event of the stream."""
        self._hear(event)
        if self._has_failed:  # its next history has what comes now
            return
        try:
            self._put(self._splice.take(event))
        except Exception as error:  # noqa: BLE001  # a defect that concerns one market must not stop the others
            self._fail(error)
        self._look()

    def _fail(self, error: Exception) -> None:
        """Read the history again, because what was made of the stream cannot be relied on."""
        title, symbol = self._adapter.title, self.instrument.symbol
        _log.error("%s %s: its minutes failed; its history is read again", title, symbol, exc_info=error)
        self.failures += 1
        self._has_failed = True
        self._has_caught_up = False
        self.say("minutes", f"the minutes of {symbol} failed: {error!r}; its history is read again")
        self._is_needed.set()

    def _hear(self, event: StreamEvent) -> None:
        if isinstance(event, Heard):
            self._delay.hear(event.time)
        elif isinstance(event, Traded) and event.is_snapshot and event.trades:
            self._delay.skip(event.trades[-1].trade.time)

    def interrupted(self, reason: str) -> None:
        """The stream broke off. This is said only where it lasts: bars are not late yet."""
        self._is_up = self._has_caught_up = False
        self._breaks += 1
        self._broke = reason
        self._delay.lose()
        self._is_there.set()
        self._splice.interrupt()
        if self._late is not None:
            self._late.cancel()
        self._late = asyncio.get_running_loop().call_later(self._patience.late, self.say, "stream", reason)

    def resumed(self) -> None:
        """The stream is there again."""
        self._is_up = True
        if self._late is not None:
            self._late.cancel()
        self.say("stream", None)
        self.say("refusal", None)
        self._look()
        self._is_there.set()

    def end(self) -> None:
        """Nothing comes any longer."""
        self._is_over = True
        self._is_there.set()
        if self._late is not None:
            self._late.cancel()

    def say(self, kind: TroubleKind, reason: str | None) -> None:
        """Why there is no data, as far as a part knows; None once it is good."""
        before = self.trouble
        self._troubles.pop(kind, None)
        if reason is not None:
            self._troubles[kind] = reason
        if self.trouble != before:
            self._is_there.set()

    def confirm(self, rows: Sequence[HistoryRow]) -> None:
        """Compare minutes with the exchange's own."""
        found = self.unconfirmed.compare(rows)
        self._put(list(found))
        if any(each.was.volume == 0 < each.candle.volume for each in found):
            self._surroundings.renew()

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
                continue
            if isinstance(event, MinuteClosed):
                self._count(event)
            elif isinstance(event, MinuteCorrected):
                self.mismatches += 1
                self.unconfirmed.correct(event.candle)
                self._warn(event)
            self._waiting.append(event)
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        if events:
            self._is_there.set()

    def _count(self, event: MinuteClosed) -> None:
        self.filled += event.source == "filled"
        self.incomplete += event.source == "incomplete"
        if event.source != "filled" and self.unconfirmed.add(event.candle):
            self._surroundings.compare(self)

    def _warn(self, event: MinuteCorrected) -> None:
        """Say once an hour what differs."""
        if monotonic() < self._may_warn_from:
            return
        self._may_warn_from = monotonic() + _WARNED_EVERY_SECONDS
        values = "; ".join(
            f"{name} {getattr(event.was, name):.12g} by the stream, {getattr(event.candle, name):.12g} by the exchange"
            for name in differing(event.was, event.candle, unknown=self._adapter.history_estimates)
        )
        _log.warning(
            "%s %s: the minute %s differs: %s. Further ones are counted only, for an hour",
            self._adapter.title, self.instrument.symbol, iso(event.candle.open_time), values,
        )  # fmt: skip

    async def events(self) -> AsyncIterator[FeedEvent]:
        """Minutes in order, and between them the newest price, until it is ended."""
        told: str | None = None
        told_contact: str | None = None
        while True:
            await self._is_there.wait()
            if self._is_over:
                return
            self._is_there.clear()
            if (state := self.contact.state) != told_contact:
                told_contact = state
                yield ContactChanged()
            if self.trouble not in (told, None):
                told = self.trouble
                yield FeedTrouble(told)
            while self._waiting:
                yield self._waiting.popleft()
            if self.trouble is None and told is not None:  # only now, because a history may have come between
                told = None
                yield FeedTrouble(None)
            price, self._price = self._price, None
            if price is not None:
                yield price

    async def fill(self) -> None:
        """Ask for what is needed, until it is cancelled."""
        while True:
            await self._is_needed.wait()
            if self._has_failed:
                # A defect may come again with each message.
                await asyncio.sleep(self._patience.pause(self.failures - 1))
                await self._read_again()
            elif not await self._is_filled() and self._is_up:
                await self._begin_again()
            if not self._has_failed:
                self._is_needed.clear()
                self._look()

    async def _is_filled(self) -> bool:
        """Ask for what is needed; whether it was to be had. False too where the stream broke off meanwhile."""
        for tries in range(_TRIES):
            need = self._splice.need()
            if need is None or not self._is_up:
                break
            try:
                self._put(await self._answered(need))
            except Refused as refused:
                self.say("answer", refused.advice.reason)
            except Exception as error:  # noqa: BLE001  # see `take`
                self._fail(error)
                return True  # `fill` reads the history
            else:
                self.say("answer", None)
                if self._splice.need() != need:
                    return True
                # The exchange does not have it yet: candles come a moment after their end.
            await asyncio.sleep(self._patience.pause(tries, _LONGEST_PAUSE_SECONDS))
        return self._splice.need() is None

    async def _begin_again(self) -> None:
        """Go on without what cannot be had, which is not decided on, until the history tells what it was."""
        title, symbol = self._adapter.title, self.instrument.symbol
        # One that refuses to answer may have them.
        reason = self._troubles.get("answer") or f"{title} does not have all trades or candles of {symbol}"
        _log.warning("%s %s: minutes cannot be had; its history is read again: %s", title, symbol, reason)
        self.say("minutes", f"{reason}; its history is read again")
        need = self._splice.need()
        for _ in range(MOST_WAITING):
            self._put(self._splice.give_up())
            await asyncio.sleep(0)  # there may be thousands of holes
            before, need = need, self._splice.need()
            if need in (before, None):
                break
        await self._read_again()

    async def _read_again(self) -> None:
        """Go on from a new history, however long it takes to come."""
        history, self._splice = await self._surroundings.begin_again(lambda reason, _: self.say("answer", reason))
        self._has_failed = False
        self.unconfirmed.clear()
        self._waiting.clear()
        self._put([HistoryRead(history)])
        self.say("minutes", None)
        self.say("answer", None)

    async def _answered(self, need: Need) -> list[FeedEvent]:
        """Ask for what is needed, and take the answer; not one from before a break, which says nothing of what follows.

        Raises:
            Refused: there is no answer, or none that can be read.
        """
        breaks = self._breaks
        match need:
            case TradesNeeded(after, begin):
                latest = self._surroundings.latest()
                trades, is_whole = await trades_since(self._rest, self._adapter, self.instrument, after, begin, latest)
                return self._splice.answer_trades(trades, is_whole=is_whole) if breaks == self._breaks else []
            case CandlesNeeded(begin, end):
                rows = await candles_between(self._rest, self._adapter, self.instrument, 1, begin, end)
                return self._splice.answer_candles(rows) if breaks == self._breaks else []

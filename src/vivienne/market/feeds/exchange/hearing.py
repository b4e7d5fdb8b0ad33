"""What is heard on one connection to the stream of an exchange: messages in, events for the listener out."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from vivienne.market.feeds.exchange.adapter import Ending, Heard, LeftOut, Outage, Refused, Traded, UnknownMessage, cut
from vivienne.market.feeds.exchange.channels import Channels
from vivienne.market.feeds.exchange.fields import check_parts, shown, understood
from vivienne.market.feeds.exchange.memory import Memory
from vivienne.market.feeds.exchange.plausible import Latest, TooLate, check_event
from vivienne.market.feeds.exchange.subscribing import Subscribing
from vivienne.market.feeds.exchange.turns import Turns
from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vivienne.market.feeds.exchange.adapter import Adapter, CandleSeen, Instrument, StreamEvent
    from vivienne.market.feeds.exchange.listener import Counts, Listener
    from vivienne.market.feeds.exchange.patience import Patience

_log = logging.getLogger(__name__)
_left_out = Quota(_log, logging.WARNING)

_TRADES_AT_ONCE, _EVENTS_AT_ONCE = 200, 20
"""Trades, and other events of a message, that are passed on until others may have a turn."""
_MOST_PARTS = 1_500
"""Objects and lists in a message; of a busy second an exchange sends a thousand trades."""
_SHORT = 4_096
"""Length of a message up to which it has too few parts to matter; few have 1,000."""
_MOST_REASONS = 100
"""Kinds of reasons that are counted apart; each is logged once."""
_VALUES = re.compile(r"'[^']*'?|\"[^\"]*\"?|\{.*\}?|\[.*\]?|(?<![\w-])-?\d[\w.,+-]*")
"""What a reason quotes of a message: texts, objects, lists and numbers, which may be cut off."""
_QUIET_MINUTES = 1
"""An exchange that closes each minute says something of every instrument within so long."""


class Hearing:
    """Takes the messages of one connection.

    Args:
        adapter: of the exchange.
        instruments: what was subscribed.
        listener: takes the events.
        counts: counts what happens.
        patience: how long it waits.
        memory: what the connections of the stream know from each other.
        turns: of the exchange.

    Attributes:
        subscribing: subscribes the instruments.
        refusals: why the exchange refuses instruments, by their names.
        latest: the latest time that a message may have.
        first_heard: the exchange's clock when it was heard first, in ms since the epoch; 0 before.
        is_too_late: whether the newest message was later than can be, by the exchange's own time.
        is_ahead: set once messages are so far ahead that the exchange should be asked for its time.
        has_data: set once there was data.
        has_all: set once there was data of every instrument.
        is_ending: set once the exchange announced an end, or it is time for a successor.
    """

    def __init__(
        self,
        adapter: Adapter,
        instruments: Sequence[Instrument],
        listener: Listener,
        counts: Counts,
        patience: Patience,
        memory: Memory | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._adapter = adapter
        self._instruments = {each.stream_symbol: each for each in instruments}
        self._listener = listener
        self._counts = counts
        self._patience = patience
        self._memory = memory or Memory()
        self.subscribing = Subscribing(adapter, instruments, self._memory.apart, patience.answer)
        self.refusals: dict[str, str] = {}
        self._turns = turns or Turns()
        self._clock = 0
        self._spoke = False
        """Whether the exchange said something by itself since it last answered a ping."""
        self._newest = 0.0
        self._sequence: int | None = None
        self._without_data = set(self._instruments)
        self._channels = Channels(has_candles=adapter.streams_candles)
        self._is_newer_data = False
        self._tells_all = False
        self._came: dict[str, float] = {}
        self._awaited: tuple[int, asyncio.Event] | None = None
        self._marks: dict[tuple[str, type[StreamEvent]], tuple[int, bool, float]] = {}
        self.latest = Latest(patience.pace)
        self.first_heard = 0
        self.is_too_late = False
        self.is_ahead = asyncio.Event()
        self.has_data = asyncio.Event()
        self.has_all = asyncio.Event()
        self.is_ending = asyncio.Event()

    @property
    def lacking(self) -> list[str]:
        """Instruments of which there was no data yet."""
        return sorted(self._without_data)

    @property
    def served(self) -> list[str]:
        """Instruments of which there was data."""
        return sorted(self._instruments.keys() - self._without_data)

    async def is_news(self, message: str | bytes) -> bool:
        """Take a message; whether it shows that the exchange is there. One that was there already does not.

        Nor does an answer to a ping where the exchange sends something by itself; its time counts only if that came
        since the last one, for it would close minutes of a stream on which nothing comes any more.
        """
        self._counts.messages += 1
        self._newest = now = asyncio.get_running_loop().time()
        if message == "pong":
            return True
        try:
            if len(message) > _SHORT:
                check_parts(message, _MOST_PARTS)
            said = understood(self._adapter.events, orjson.loads(message), self._instruments)
            events = self._checked(said, message, self.latest.limit(now))
        except (UnknownMessage, orjson.JSONDecodeError) as error:
            self.leave_out(str(error), message)
            if isinstance(error, TooLate):
                self.is_ahead.set()
                self.is_too_late = True
            return False
        self.is_too_late = False
        if events and all(isinstance(event, Heard) and event.is_answer for event in events):
            if self._spoke:
                await self._pass_all_on(events)
            self._spoke = False
            return False
        self._spoke = True
        before, self._is_newer_data = self._clock, False
        await self._pass_all_on(events)
        return not events or self._clock > before or self._is_newer_data

    def _checked(self, events: Sequence[StreamEvent], message: str | bytes, latest: float) -> Sequence[StreamEvent]:
        """The events of a message that can be true. The others do not take the number of the message with them.

        Raises:
            UnknownMessage: none can be true, or one is later than can be.
        """
        found: list[StreamEvent] = []
        wrong: list[str] = []  # an error that is kept would keep the message
        for event in events:
            try:
                check_event(event, latest)
                found.append(event)
            except TooLate:
                raise
            except UnknownMessage as error:
                wrong.append(str(error))
        if wrong and not found:
            raise UnknownMessage(wrong[0])
        for reason in wrong:
            self.leave_out(reason, message)
        return found

    async def _pass_all_on(self, events: Sequence[StreamEvent]) -> None:
        for place, event in enumerate(events):
            if isinstance(event, Traded) and len(event.trades) > _TRADES_AT_ONCE:
                for part in _parts(event):
                    self._pass_on(part)
                    await self.give_way()
            else:
                self._pass_on(event)
            if place % _EVENTS_AT_ONCE == _EVENTS_AT_ONCE - 1:
                await self.give_way()

    def leave_out(self, reason: str, message: str | bytes) -> None:
        """Count a message that cannot be read, and log the first of each kind."""
        kind, counts = _kind(reason), self._counts
        if kind not in counts.first_reasons and len(counts.first_reasons) < _MOST_REASONS:
            counts.first_reasons[kind] = cut(reason)
            _left_out.log("%s: a message is left out: %s: %s", self._adapter.title, cut(reason), shown(message))
        counts.left_out[counts.first_reasons.get(kind, "other")] += 1

    def _pass_on(self, event: StreamEvent) -> None:
        if isinstance(event, Heard):
            self._hear(event)
            return
        if isinstance(event, Ending):
            if not self.is_ending.is_set():
                _log.info("%s: %s", self._adapter.title, event.reason)
            self.is_ending.set()
            return
        if isinstance(event, Refused):
            self._refuse(event)
            return
        if isinstance(event, Outage):
            self._listener.outage(event.reason)
            return
        if isinstance(event, LeftOut):
            self.leave_out(event.reason, "")
            return
        if event.symbol not in self._instruments:
            return
        if self._is_newer(event):
            if isinstance(event, Traded) and not event.is_snapshot:
                self._memory.doubted.discard(event.symbol)
            self._is_newer_data = True
            self._came[event.symbol] = now = asyncio.get_running_loop().time()
            self._channels.take(event, now)
            self._has_data(event.symbol)
        self._listener.take(event)

    def _refuse(self, event: Refused) -> None:
        symbols = self.subscribing.refused(self.lacking) if event.symbol is None else [event.symbol]
        for symbol in symbols:
            self.refusals[symbol] = event.reason
            self._listener.refused(symbol, event.reason)

    def _is_newer(self, event: Traded | CandleSeen) -> bool:
        """Whether an event is later than the one of its kind before it: what is repeated is not."""
        if isinstance(event, Traded):
            mark = (max([each.trade.time for each in event.trades], default=0), False, 0.0)
        else:
            mark = (event.candle.open_time, event.is_closed is True, event.candle.volume)
        about = (event.symbol, type(event))
        if about in self._marks and mark <= self._marks[about]:
            return False
        self._marks[about] = mark
        return True

    def _has_data(self, symbol: str, *, is_shown: bool = False) -> None:
        is_there = symbol not in self._memory.doubted and (is_shown or self._channels.are_there(symbol))
        if symbol in self._without_data and is_there:
            self._without_data.discard(symbol)
            self.refusals.pop(symbol, None)
            self.subscribing.served(symbol)
            self._listener.served(symbol)
            self.has_data.set()
            if not self._without_data:
                self.has_all.set()

    def doubt(self, symbol: str, reason: str) -> None:
        """Data of an instrument is missing, though nothing on this connection tells so: open another one.

        Where there was none yet, this may be that other one.
        """
        if symbol in self._instruments.keys() - self._without_data:
            self._without_data.add(symbol)
            self._listener.lost(symbol, reason)
            self.is_ending.set()

    def renew(self, symbol: str, reason: str) -> None:
        """An instrument has no data any longer, or one of its subscriptions has none: see `doubt`."""
        if self._channels.behind(symbol) == "trades":
            self._memory.doubted.add(symbol)
        self._channels.distrust(symbol)
        self.doubt(symbol, reason)

    def missing(self, symbol: str) -> str:
        """What an instrument has no data of."""
        candles_alone = symbol in self._memory.doubted and self._channels.are_there(symbol)
        return self._channels.behind(symbol) or ("trades" if candles_alone else "")

    def is_heard_beyond(self, time: int) -> bool:
        """Whether the exchange's clock on this connection was later than a time of another one; 0 where it has none."""
        return 0 < time < self._clock

    async def heard_beyond(self, time: int) -> None:
        """Wait until the exchange's clock on this connection is later than a time, in ms since the epoch."""
        self._awaited = time, asyncio.Event()
        if self._clock <= time:
            await self._awaited[1].wait()

    def _hear(self, event: Heard) -> None:
        """The clock closes minutes of those only whose data is known to come on this connection."""
        self.first_heard = self.first_heard or event.time
        self._clock = max(self._clock, event.time)
        if self._awaited is not None and self._clock > self._awaited[0]:
            self._awaited[1].set()
        if self.latest.hear(event.time, asyncio.get_running_loop().time()):
            self.is_ahead.set()
        self._count(event.sequence)
        if event.symbol is not None:
            if event.shows_market and event.symbol in self._instruments:
                self._came[event.symbol] = asyncio.get_running_loop().time()
                self._has_data(event.symbol, is_shown=not self._channels.is_dead(event.symbol))
            if event.symbol not in self._without_data:
                self._listener.take(event)
            return
        self._tells_all = True
        if not self._without_data:
            self._listener.take(event)
            return
        for symbol in self.served:
            self._listener.take(Heard(event.time, symbol=symbol))

    def _count(self, sequence: int | None) -> None:
        """Messages that are numbered have no hole in their numbers."""
        if sequence is None:
            return
        if self._sequence is not None and sequence > self._sequence + 1:
            self._listener.interrupted(f"{sequence - self._sequence - 1} messages of {self._adapter.title} are missing")
            for symbol in self.served:
                self._listener.served(symbol)
        self._sequence = max(sequence, self._sequence or 0)

    def silent(self) -> list[str]:
        """Instruments without data, or of which one subscription has none.

        Where the exchange's clock alone closes minutes, a quiet market says nothing.

        What was not read yet is no silence: the newest message of the connection tells how long the others are silent.
        """
        limit = self._newest - _QUIET_MINUTES * 60.0 / self._patience.pace - self._patience.quiet
        quiet = [] if self._tells_all else [symbol for symbol, came in self._came.items() if came < limit]
        return sorted(self._without_data.union(quiet, self._channels.behind_since(limit)))

    async def give_way(self) -> None:
        """Let others have their turn, where there was none for a while."""
        await self._turns.rest()


def _kind(reason: str) -> str:
    """A reason without the values that it quotes, which are others each time."""
    return _VALUES.sub("...", reason)


def _parts(event: Traded) -> Iterator[Traded]:
    """Trades in parts, where there are many."""
    for begin in range(0, len(event.trades), _TRADES_AT_ONCE):
        yield replace(event, trades=event.trades[begin : begin + _TRADES_AT_ONCE])

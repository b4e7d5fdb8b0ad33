"""One connection to the stream of an exchange. One that says nothing, or says the same again and again, is given up."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, cast

import orjson
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode

from vivienne.market.feeds.exchange.adapter import (
    Advice,
    Ending,
    Heard,
    Outage,
    Refused,
    Traded,
    UnknownMessage,
    cut,
)
from vivienne.market.feeds.exchange.connection import Connect
from vivienne.market.feeds.exchange.fields import check_size, shown, understood
from vivienne.market.feeds.exchange.plausible import Latest, TooLate, check_event
from vivienne.market.feeds.exchange.rest import seconds_of, unreachable
from vivienne.market.feeds.exchange.trust import trusted
from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from vivienne.market.feeds.exchange.adapter import Adapter, CandleSeen, Instrument, StreamEvent
    from vivienne.market.feeds.exchange.connection import ExchangeConnection
    from vivienne.market.feeds.exchange.patience import Patience

_log = logging.getLogger(__name__)
_left_out = Quota(_log, logging.WARNING)

MOST_MESSAGE_BYTES = 1024 * 1024
_TURN_SECONDS = 0.002
"""After so long without a pause others get their turn, however much the exchange sends."""
_TRADES_AT_ONCE = 200
_MOST_PARTS = 3_000
"""Objects and lists in a message; of a busy second an exchange sends a thousand trades."""
_ASKED_EVERY_SECONDS = 2.0
_MOST_REASONS = 100
"""Reasons that are counted apart: they quote what was wrong, so that there could be any number of them."""
_OPEN_SECONDS = 10.0
_QUIET_MINUTES = 1
"""An exchange that closes each minute says something of every instrument within so long."""
CLOSE_SECONDS = 1.0


class Listener(Protocol):
    """Takes what a stream has."""

    def take(self, event: StreamEvent) -> None:
        """An event."""

    def interrupted(self, reason: str) -> None:
        """Events may be missing from here on: the connection broke off, or left something out."""

    def refused(self, symbol: str | None, reason: str) -> None:
        """The exchange does not serve an instrument, and is asked again at a slow pace.

        Without a symbol it serves none, and events may be missing from here on, as with `interrupted`.
        """

    def served(self, symbol: str) -> None:
        """There is data of an instrument, for the first time on this connection or after an interruption."""

    def lost(self, symbol: str, reason: str) -> None:
        """Events of an instrument may be missing from here on, as with `interrupted`."""

    def outage(self, reason: str | None) -> None:
        """The exchange does not serve its markets for a while; None once it does."""


@dataclass(slots=True)
class Counts:
    """What happened on the stream so far.

    Attributes:
        messages: messages that came.
        connects: connections that were opened.
        breaks: those that broke off; tries that opened none are not among them.
        left_out: messages that could not be read, by reason.
    """

    messages: int = 0
    connects: int = 0
    breaks: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


class Broken(Exception):
    """A connection is over.

    Attributes:
        advice: what to do about it.
    """

    def __init__(self, advice: Advice) -> None:
        super().__init__(advice.reason)
        self.advice = advice


class Line:
    """One connection.

    Args:
        adapter: of the exchange.
        url: scheme, host and path of the stream.
        instruments: what to subscribe.
        listener: takes the events.
        counts: counts what happens.
        patience: how long it waits.
        now: asks for the exchange's time, in ms since the epoch; None where it does not say it.
        doubted: instruments that only a new trade shows to have data; it is taken out then.

    Attributes:
        first_heard: the exchange's clock when it was heard first, in ms since the epoch; 0 before.
        has_data: set once there was data.
        has_all: set once there was data of every instrument.
        is_ending: set once the exchange announced an end, or it is time for a successor.
    """

    def __init__(
        self,
        adapter: Adapter,
        url: str,
        instruments: Sequence[Instrument],
        listener: Listener,
        counts: Counts,
        patience: Patience,
        now: Callable[[], Awaitable[int | None]] | None = None,
        doubted: set[str] | None = None,
    ) -> None:
        self._doubted = set() if doubted is None else doubted
        self._adapter = adapter
        self._url = url
        self._instruments = {each.stream_symbol: each for each in instruments}
        self._listener = listener
        self._counts = counts
        self._patience = patience
        self._clock = 0
        self._now = now
        self._latest = Latest(patience.pace)
        self._is_ahead = asyncio.Event()
        self._turn_ends = 0.0
        self._sequence: int | None = None
        self._without_data = set(self._instruments)
        self._tells_all = False
        self._given_up: str | None = None
        self._came: dict[str, float] = {}
        self._awaited: tuple[int, asyncio.Event] | None = None
        self._marks: dict[tuple[str, type[StreamEvent]], tuple[int, bool, float]] = {}
        self._is_too_late = False
        self.first_heard = 0
        self.has_data = asyncio.Event()
        self.has_all = asyncio.Event()
        self.is_ending = asyncio.Event()

    @property
    def lacking(self) -> list[str]:
        """Instruments of which there was no data yet."""
        return sorted(self._without_data)

    async def run(self) -> None:
        """Open the connection, and read it to its end.

        Raises:
            Broken: always.
        """
        watch, connection = asyncio.timeout(None), None
        asking = asyncio.create_task(self._ask_time())
        try:
            async with watch, self._connection() as connection:
                self._counts.connects += 1
                await asking
                tasks = (self._ping(connection), self._watch(connection), self._keep_time())
                beside = [asyncio.create_task(each) for each in tasks]
                try:
                    await self._read(connection, watch)
                finally:
                    for task in beside:
                        task.cancel()
        except (WebSocketException, OSError, ValueError) as error:
            advice = self._advice(error)
            if watch.expired():
                advice = Advice("retry", self._quiet())
            elif connection is not None and connection.is_flooded:
                advice = Advice("retry", f"{self._adapter.title} sends too many frames that are no messages")
            raise Broken(advice) from error
        finally:
            asking.cancel()
        raise Broken(Advice("retry", self._given_up or f"{self._adapter.title} closed the connection"))

    def _quiet(self) -> str:
        """Why nothing new came."""
        if self._is_too_late:
            return f"the messages of {self._adapter.title} are later than the time that it says when it is asked"
        return f"{self._adapter.title} said nothing new for {self._patience.quiet:.0f} s"

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[ExchangeConnection]:
        """An open connection, which is gone at the end, even where nobody has the time to close it in order."""
        opened = await Connect(
            self._url, max_size=MOST_MESSAGE_BYTES, open_timeout=_OPEN_SECONDS, close_timeout=CLOSE_SECONDS,
            ssl=trusted() if self._url.startswith("wss:") else None,
        )  # fmt: skip
        connection = cast("ExchangeConnection", opened)  # it was created as one
        try:
            yield connection
        finally:
            try:
                await connection.close()
            finally:
                connection.transport.abort()

    async def _read(self, connection: ExchangeConnection, watch: asyncio.Timeout) -> None:
        """Read the connection until it is closed in order."""
        loop = asyncio.get_running_loop()
        for message in self._adapter.subscriptions(list(self._instruments.values())):
            await connection.send(message)
        watch.reschedule(loop.time() + self._patience.quiet)
        async for received in connection:
            if await self.is_news(received):
                watch.reschedule(loop.time() + self._patience.quiet)
            await self._give_way()

    async def _give_way(self) -> None:
        """Let others have their turn, where there was none for a while."""
        loop = asyncio.get_running_loop()
        if loop.time() > self._turn_ends:
            await asyncio.sleep(0)
            self._turn_ends = loop.time() + _TURN_SECONDS

    async def _ping(self, connection: ExchangeConnection) -> None:
        if self._adapter.ping is None:
            return
        message, seconds = self._adapter.ping
        with suppress(ConnectionClosed):  # whoever reads is told
            while True:
                await asyncio.sleep(seconds)
                await connection.send(message)

    async def is_news(self, message: str | bytes) -> bool:
        """Take a message; whether it shows that the exchange is there. One that was there already does not."""
        self._counts.messages += 1
        if message == "pong":
            return True
        try:
            content = orjson.loads(message)
            check_size(content, _MOST_PARTS)
            events = understood(self._adapter.events, content, self._instruments)
            latest = self._latest.limit(asyncio.get_running_loop().time())
            for event in events:
                check_event(event, latest)
        except (UnknownMessage, orjson.JSONDecodeError) as error:
            self._leave_out(str(error), message)
            if isinstance(error, TooLate):
                self._is_ahead.set()
                self._is_too_late = True
            return False
        self._is_too_late = False
        before = self._clock
        for event in events:
            for part in _parts(event):
                self._pass_on(part)
                await self._give_way()
        return not events or self._clock > before

    async def _keep_time(self) -> None:
        """Ask for the exchange's time when its messages are ahead of it."""
        while True:
            await self._is_ahead.wait()
            await self._ask_time()
            await asyncio.sleep(_ASKED_EVERY_SECONDS)
            self._is_ahead.clear()

    async def _ask_time(self) -> None:
        asked = asyncio.get_running_loop().time()
        time = None if self._now is None else await self._now()
        if time is not None:
            self._latest.ask(time, asked)

    def _leave_out(self, reason: str, message: str | bytes) -> None:
        reason = cut(reason)
        is_new = reason not in self._counts.left_out
        if is_new and len(self._counts.left_out) < _MOST_REASONS:
            _left_out.log("%s: a message is left out: %s: %s", self._adapter.title, reason, shown(message))
        self._counts.left_out[reason if len(self._counts.left_out) < _MOST_REASONS else "other"] += 1

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
            # Where it does not say whose, it is one of those that have no data yet.
            for symbol in [event.symbol] if event.symbol is not None else sorted(self._without_data):
                self._listener.refused(symbol, event.reason)
            return
        if isinstance(event, Outage):
            self._listener.outage(event.reason)
            return
        if event.symbol not in self._instruments:
            return
        if self._is_newer(event):
            if isinstance(event, Traded) and not event.is_snapshot:
                self._doubted.discard(event.symbol)
            self._came[event.symbol] = asyncio.get_running_loop().time()
            self._has_data(event.symbol)
        self._listener.take(event)

    def _is_newer(self, event: Traded | CandleSeen) -> bool:
        """Whether an event is later than the one of its kind before it: what is repeated is not."""
        if isinstance(event, Traded):
            mark = (max((each.trade.time for each in event.trades), default=0), False, 0.0)
        else:
            mark = (event.candle.open_time, event.is_closed is True, event.candle.volume)
        about = (event.symbol, type(event))
        if about in self._marks and mark <= self._marks[about]:
            return False
        self._marks[about] = mark
        return True

    def _has_data(self, symbol: str) -> None:
        if symbol in self._without_data and symbol not in self._doubted:
            self._without_data.discard(symbol)
            self._listener.served(symbol)
            self.has_data.set()
            if not self._without_data:
                self.has_all.set()

    def doubt(self, symbol: str, reason: str) -> None:
        """Data of an instrument is missing, though nothing on this connection tells so: open another one."""
        if symbol not in self._without_data:
            self._without_data.add(symbol)
            self._listener.lost(symbol, reason)
        self.is_ending.set()

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
        if self._latest.hear(event.time, asyncio.get_running_loop().time()):
            self._is_ahead.set()
        self._count(event.sequence)
        if event.symbol is not None:
            if event.symbol not in self._without_data:
                self._listener.take(event)
            return
        self._tells_all = True
        if not self._without_data:
            self._listener.take(event)
            return
        for symbol in self._instruments.keys() - self._without_data:
            self._listener.take(Heard(event.time, symbol=symbol))

    def _count(self, sequence: int | None) -> None:
        """Messages that are numbered have no hole in their numbers."""
        if sequence is None:
            return
        if self._sequence is not None and sequence > self._sequence + 1:
            self._listener.interrupted(f"{sequence - self._sequence - 1} messages of {self._adapter.title} are missing")
            for symbol in self._instruments.keys() - self._without_data:
                self._listener.served(symbol)
        self._sequence = max(sequence, self._sequence or 0)

    async def _watch(self, connection: ExchangeConnection) -> None:
        """Say of which instruments there is no data, at first or any longer, and have them subscribed anew.

        Where there was some, that is at once; else in a while. Without data of any, the connection is given up.
        """
        await asyncio.sleep(self._patience.first)
        while True:
            silent, reason = self._silent(), f"{self._adapter.title} accepts the subscription, and sends nothing"
            if len(silent) == len(self._instruments):  # it is the connection then, and no subscription
                self._given_up = reason
                await connection.close()
                return
            had_data = [symbol for symbol in silent if symbol not in self._without_data]
            for symbol in silent:
                self._listener.refused(symbol, reason)
            for symbol in had_data:
                self.doubt(symbol, reason)
            if silent and not had_data:
                await asyncio.sleep(self._patience.slow)
                self.is_ending.set()
            await asyncio.sleep(self._patience.quiet)

    def _silent(self) -> list[str]:
        """Instruments without data. Where the exchange's clock alone closes minutes, a quiet market says nothing."""
        limit = asyncio.get_running_loop().time() - _QUIET_MINUTES * 60.0 / self._patience.pace - self._patience.quiet
        quiet = [] if self._tells_all else [symbol for symbol, came in self._came.items() if came < limit]
        return sorted(self._without_data.union(quiet))

    def _advice(self, error: Exception) -> Advice:
        if isinstance(error, InvalidStatus):
            headers = error.response.headers
            wait = seconds_of(headers.get("retry-after", ""))
            advice = self._adapter.advice(error.response.status_code, wait, None)
            return advice or Advice("retry", f"{self._adapter.title} refuses the connection")
        if isinstance(error, ConnectionClosed):
            if error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
                self._leave_out(f"it has more than {MOST_MESSAGE_BYTES:,} bytes", "")
            said = "" if error.rcvd is None else f" ({error.rcvd.code} {error.rcvd.reason})".replace(" )", ")")
            return Advice("retry", f"{self._adapter.title} closed the connection{said}")
        return Advice("retry", unreachable(self._adapter.title, error))


def _parts(event: StreamEvent) -> Iterator[StreamEvent]:
    """An event, in parts where it has many trades."""
    if not isinstance(event, Traded) or len(event.trades) <= _TRADES_AT_ONCE:
        yield event
        return
    for begin in range(0, len(event.trades), _TRADES_AT_ONCE):
        yield replace(event, trades=event.trades[begin : begin + _TRADES_AT_ONCE])

"""One connection to the stream of an exchange. One that says nothing, or says the same again and again, is given up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode

from vivienne.market.feeds.exchange.adapter import Advice
from vivienne.market.feeds.exchange.connection import Connect
from vivienne.market.feeds.exchange.hearing import Hearing
from vivienne.market.feeds.exchange.rest import seconds_of, unreachable
from vivienne.market.feeds.exchange.trust import trusted
from vivienne.market.feeds.exchange.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument
    from vivienne.market.feeds.exchange.connection import ExchangeConnection
    from vivienne.market.feeds.exchange.listener import Counts, Listener
    from vivienne.market.feeds.exchange.memory import Memory
    from vivienne.market.feeds.exchange.patience import Patience

MOST_MESSAGE_BYTES = 512 * 1024
"""Longest message; 1,000 trades have 180 kB."""
_ASKED_EVERY_SECONDS = 2.0
_PARTS_OF_SILENCE = 10
"""Silence is measured in so many parts. A moment in which this program is held up counts as one of them, however long
it is: what came in it is still to be read.
"""
_OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0


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
        memory: what the connections of the stream know from each other.
        turns: of the exchange.

    Attributes:
        hearing: what is heard on it.
        symbols: names of its instruments in the stream.
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
        memory: Memory | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._turns = turns or Turns()
        self._adapter = adapter
        self._url = url
        self._instruments = list(instruments)
        self._listener = listener
        self._counts = counts
        self._patience = patience
        self._now = now
        self._given_up: str | None = None
        self.symbols = frozenset(each.stream_symbol for each in instruments)
        self._is_news = False
        self.hearing = Hearing(adapter, instruments, listener, counts, patience, memory, self._turns)

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
                tasks = (
                    self._ping(connection), self._watch(connection), self._keep_time(), self._end_silence(watch),
                    self._subscribe_apart(connection),
                )  # fmt: skip
                beside = [asyncio.create_task(each) for each in tasks]
                try:
                    await self._read(connection)
                finally:
                    for task in beside:
                        task.cancel()
        except (WebSocketException, OSError, ValueError) as error:
            advice = self._advice(error)
            if isinstance(
                error, InvalidStatus
            ):  # the other question is refused too, and for how long may be said there
                await asyncio.wait([asking], timeout=CLOSE_SECONDS)
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
        if self.hearing.is_too_late:
            return f"the messages of {self._adapter.title} are later than the time that it says when it is asked"
        return f"{self._adapter.title} said nothing new for {self._patience.quiet:.0f} s"

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[ExchangeConnection]:
        """An open connection, which is gone at the end, even where nobody has the time to close it in order."""
        opened = await Connect(
            self._url, self._turns, max_size=MOST_MESSAGE_BYTES, open_timeout=_OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS, ssl=trusted() if self._url.startswith("wss:") else None,
        )  # fmt: skip
        connection = cast("ExchangeConnection", opened)  # it was created as one
        try:
            yield connection
        finally:
            try:
                await connection.close()
            finally:
                connection.transport.abort()

    async def _read(self, connection: ExchangeConnection) -> None:
        """Read the connection until it is closed in order."""
        await self.hearing.subscribing.subscribe_together(connection.send)
        async for received in connection:
            if await self.hearing.is_news(received):
                self._is_news = True
            await self.hearing.give_way()

    async def _subscribe_apart(self, connection: ExchangeConnection) -> None:
        with suppress(ConnectionClosed):  # the one that reads is told
            await self.hearing.subscribing.run(connection.send, lambda: self.hearing.lacking)

    async def _end_silence(self, watch: asyncio.Timeout) -> None:
        """Give the connection up once it has said nothing new for a while."""
        silent = 0
        while silent < _PARTS_OF_SILENCE:
            self._is_news = False
            await asyncio.sleep(self._patience.quiet / _PARTS_OF_SILENCE)
            silent = 0 if self._is_news else silent + 1
        watch.reschedule(asyncio.get_running_loop().time())

    async def _ping(self, connection: ExchangeConnection) -> None:
        if self._adapter.ping is None:
            return
        message, seconds = self._adapter.ping
        with suppress(ConnectionClosed):  # whoever reads is told
            while True:
                await asyncio.sleep(seconds)
                await connection.send(message)

    async def _keep_time(self) -> None:
        """Ask for the exchange's time when its messages are ahead of it."""
        while True:
            await self.hearing.is_ahead.wait()
            await self._ask_time()
            await asyncio.sleep(_ASKED_EVERY_SECONDS)
            self.hearing.is_ahead.clear()

    async def _ask_time(self) -> None:
        asked = asyncio.get_running_loop().time()
        time = None if self._now is None else await self._now()
        if time is not None:
            self.hearing.latest.ask(time, asked)

    async def _watch(self, connection: ExchangeConnection) -> None:
        """Say of which instruments there is no data, at first or any longer, and have them subscribed anew.

        Where there was some, that is at once; else in a while. Without data of any, the connection is given up.
        """
        await asyncio.sleep(self._patience.first)
        while True:
            silent, hearing = self.hearing.silent(), self.hearing
            if len(silent) == len(self._instruments) and not (hearing.has_data.is_set() and self._is_partly(silent)):
                self._given_up = self._why_silent(silent[0])  # it is the connection then, and no subscription
                await connection.close()
                return
            had_data = [symbol for symbol in silent if symbol not in hearing.lacking]
            for symbol in silent:
                self._listener.refused(symbol, hearing.refusals.get(symbol) or self._why_silent(symbol))
            for symbol in had_data:
                hearing.renew(symbol, self._why_silent(symbol))
            if silent and not had_data:
                await asyncio.sleep(self._patience.slow)
                hearing.is_ending.set()
            await asyncio.sleep(self._patience.quiet)

    def _is_partly(self, silent: Sequence[str]) -> bool:
        """Whether instruments lack one of their subscriptions, and have the other one."""
        return any(self.hearing.missing(symbol) for symbol in silent)

    def _why_silent(self, symbol: str) -> str:
        missing = self.hearing.missing(symbol)
        return f"{self._adapter.title} accepts the subscription, and sends {f'no {missing}' if missing else 'nothing'}"

    def _advice(self, error: Exception) -> Advice:
        if isinstance(error, InvalidStatus):
            headers, status = error.response.headers, error.response.status_code
            if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
                reason = f"{self._adapter.title} has no stream at {self._url} (HTTP {status}); is the host right"
                return Advice("give_up", f"{reason} (--exchange-url)?")
            wait = seconds_of(headers.get("retry-after", ""), headers.get("date", ""))
            advice = self._adapter.advice(status, wait, None)
            return advice or Advice("retry", f"{self._adapter.title} refuses the connection")
        if isinstance(error, ConnectionClosed):
            if error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
                self.hearing.leave_out(f"it has more than {MOST_MESSAGE_BYTES:,} bytes", "")
            said = "" if error.rcvd is None else f" ({error.rcvd.code} {error.rcvd.reason})".replace(" )", ")")
            return Advice("retry", f"{self._adapter.title} closed the connection{said}")
        return Advice("retry", unreachable(self._adapter.title, error, self._url))

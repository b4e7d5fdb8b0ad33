"""Subscribes the instruments of one connection: together, and one at a time where the exchange refused several at once.

Some exchanges refuse a whole message for one market in it that they do not know, and do not say which one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument

_PARTS_OF_ANSWER = 5
"""Messages that may be sent within the time of an answer; Coinbase takes eight a second, Bybit more."""


class Subscribing:
    """Subscribes the instruments of one connection. Each is tried alone once at most.

    Args:
        adapter: of the exchange.
        instruments: what to subscribe.
        apart: those that are subscribed one at a time. It is changed.
        answer: seconds within which the exchange answers a subscription.
    """

    def __init__(self, adapter: Adapter, instruments: Sequence[Instrument], apart: set[str], answer: float) -> None:
        self._adapter = adapter
        self._instruments = instruments
        self._apart = apart
        self._answer = answer
        self._sent: set[str] = set()
        self._is_together = False
        self._alone: str | None = None
        self._is_answered = asyncio.Event()
        self._is_to_ask = asyncio.Event()
        if apart:
            self._is_to_ask.set()

    async def run(self, send: Callable[[str], Awaitable[None]], lacking: Callable[[], list[str]]) -> None:
        """Subscribe them one at a time, each time several were refused at once, until cancelled.

        Args:
            send: sends a message.
            lacking: the instruments that have no data yet.
        """
        while True:
            await self._is_to_ask.wait()
            self._is_to_ask.clear()
            if self._is_together:  # some of them may have data by then, or others may be refused
                await asyncio.sleep(self._answer)
            for instrument in self._instruments:
                if instrument.stream_symbol in self._apart.intersection(lacking()):
                    await self._subscribe_alone(instrument, send)

    async def subscribe_together(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Subscribe those that were not refused together."""
        together = [each for each in self._instruments if each.stream_symbol not in self._apart]
        if together:
            self._is_together = True
            await self._send(together, send)

    async def _subscribe_alone(self, instrument: Instrument, send: Callable[[str], Awaitable[None]]) -> None:
        self._alone = instrument.stream_symbol
        self._is_answered.clear()
        await self._send([instrument], send)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._answer):
                await self._is_answered.wait()
        self._alone = None
        await asyncio.sleep(self._answer / _PARTS_OF_ANSWER)

    async def _send(self, instruments: Sequence[Instrument], send: Callable[[str], Awaitable[None]]) -> None:
        for message in self._adapter.subscriptions(instruments):
            if message not in self._sent:
                self._sent.add(message)
                await send(message)

    def refused(self, lacking: Sequence[str]) -> Sequence[str]:
        """Take a refusal that does not say whose subscription it is about.

        Args:
            lacking: the instruments that have no data yet; it is about one of them.

        Returns:
            Those that are refused; none where they are tried one at a time.
        """
        if self._alone is not None:
            self._is_answered.set()
            return [self._alone] if self._alone in lacking else []
        together = [symbol for symbol in lacking if symbol not in self._apart]
        if len(together) < 2 or not self._adapter.subscriptions(self._instruments):  # noqa: PLR2004  # several
            return together or lacking
        self._apart.update(together)
        self._is_to_ask.set()
        return []

    def served(self, symbol: str) -> None:
        """There is data of an instrument."""
        self._apart.discard(symbol)
        if symbol == self._alone:
            self._is_answered.set()

"""Keeps what was made of a stream until it is taken."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import ContactChanged, FeedEvent, FeedTrouble, PriceMoved

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from vivienne.market.feeds.base import Contact

MOST_WAITING = 5_000
"""Minutes that wait to be taken. Who takes them is behind by days then, and the oldest are dropped and counted."""


class Outlet:
    """Gives events in order, with what changes besides between them.

    Args:
        contact: how the instrument stands with its exchange.
        trouble: why there is no data; None while there is.

    Attributes:
        dropped: number of events that nobody took in time.
    """

    def __init__(self, contact: Callable[[], Contact], trouble: Callable[[], str | None]) -> None:
        self._contact = contact
        self._trouble = trouble
        self._waiting: deque[FeedEvent] = deque()
        self._price: PriceMoved | None = None
        self._is_there = asyncio.Event()
        self._is_over = False
        self.dropped = 0

    def put(self, events: Iterable[FeedEvent]) -> None:
        """Add events. Of prices only the newest matters."""
        for event in events:
            if isinstance(event, PriceMoved):
                self._price = event
            else:
                self._waiting.append(event)
            self._is_there.set()
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1

    def clear(self) -> None:
        """Drop what waits: what follows does not continue it."""
        self._waiting.clear()

    def wake(self) -> None:
        """The contact or the trouble may have changed."""
        self._is_there.set()

    def end(self) -> None:
        """Nothing comes any longer."""
        self._is_over = True
        self._is_there.set()

    async def events(self) -> AsyncIterator[FeedEvent]:
        """Minutes in order, and between them the newest price, until it is ended."""
        told: str | None = None
        told_contact: tuple[str, str | None] | None = None
        while True:
            await self._is_there.wait()
            if self._is_over:
                return
            self._is_there.clear()
            while True:  # what changes while somebody takes a minute is told before the next one
                if (said := _said(self._contact())) != told_contact:
                    told_contact = said
                    yield ContactChanged()
                if (trouble := self._trouble()) not in (told, None):
                    told = trouble
                    yield FeedTrouble(told)
                if not self._waiting:
                    break
                yield self._waiting.popleft()
            if self._trouble() is None and told is not None:  # only now, because a history may have come between
                told = None
                yield FeedTrouble(None)
            price, self._price = self._price, None
            if price is not None:
                yield price


def _said(contact: Contact) -> tuple[str, str | None]:
    """What of a contact is told at once: its state, and what does not work while data goes on."""
    return contact.state, contact.reason if contact.state == "connected" else None

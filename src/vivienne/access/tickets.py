"""Tickets: a page sends one in place of its token when it opens a WebSocket. Each is valid once, for a short time.

Where several processes share a database, tickets are in there, so that one is valid at every process. While the
database does not answer, a ticket is valid at the process that issued it. A ticket is signed with the digest of its
token, so that tickets that others invented are refused without a look into the database. The bearer of a token can sign
too: its looks that find nothing are limited, and so are the calls that wait for the database.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vivienne.access.secrets import digest
from vivienne.errors import StoreUnavailable, TooManyRequests
from vivienne.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vivienne.store.base import TicketLimit, TicketStore
    from vivienne.store.thread import StoreThread

TICKET_SECONDS = 30
MOST_TICKETS = 10_000
"""Unused tickets at once, of all tokens."""
MOST_OF_ONE = 1_000
"""Unused tickets at once, of one token, so that it cannot take all of them."""
STORE_SECONDS = 1.5
"""Longest time a page waits for the database to keep or find a ticket."""
MOST_CALLS = 256
"""Calls for tickets that wait for the database at once, of all tokens."""
MOST_CALLS_OF_ONE = 64
"""Calls for tickets that wait for the database at once, of one token."""
MOST_UNKNOWN = 100
"""Tickets of one token a minute that the database is asked for and does not know."""
_MARK, _RANDOM, _SIGNATURE = 8, 32, 16
"""Characters of a ticket: those that tell its token, random ones, and the signature."""


class Tickets:
    """Tickets of this process and, with a store, of all.

    Args:
        clock: monotonic, in seconds.
        store: keeps those of all processes, if there are several.
        thread: in which the store is used.
    """

    def __init__(
        self, clock: Callable[[], float], store: TicketStore | None = None, thread: StoreThread | None = None
    ) -> None:
        self._own = _Own(clock)
        self._store = store
        self._thread = thread
        self._calls = _Calls()
        self._unknown = Rate(MOST_UNKNOWN, 60.0, clock)

    async def issue(self, token_digest: str) -> str:
        """A ticket for the bearer of a token.

        Raises:
            TooManyRequests: a limit of unused tickets, or of calls that wait for the database, is reached.
        """
        most: dict[TicketLimit, int] = {"token": MOST_OF_ONE, "all": MOST_TICKETS}
        ticket = _new(token_digest)
        reached: TicketLimit | None = None
        is_kept = False
        if self._store is not None and self._thread is not None:
            try:
                with self._calls.counted(token_digest):
                    async with asyncio.timeout(STORE_SECONDS):
                        reached = await self._thread.tickets.run(
                            self._store.add_ticket, digest(ticket), token_digest, TICKET_SECONDS, most
                        )
                is_kept = True
            except (StoreUnavailable, TimeoutError):
                # Another one: this one may be in the database by now, and would be valid twice.
                ticket = _new(token_digest)
        if not is_kept:
            reached = self._own.add(digest(ticket), token_digest, TICKET_SECONDS, most)
        if reached is not None:
            of_one = " of one token" if reached == "token" else ""
            raise TooManyRequests(
                f"The limit of {most[reached]:,} unused tickets{of_one} is reached; retry in {TICKET_SECONDS} s"
            )
        return ticket

    async def redeem(self, ticket: str, token_digest: str) -> bool:
        """Use a ticket up; tell whether it was valid for this token.

        Raises:
            TooManyRequests: a limit of calls that wait for the database, or of unknown tickets, is reached.
        """
        if not hmac.compare_digest(ticket[-_SIGNATURE:], _signature(ticket[:-_SIGNATURE], token_digest)):
            return False
        taken = self._own.take(digest(ticket))
        if taken is None and self._store is not None and self._thread is not None:
            try:
                taken = await self._taken(digest(ticket), token_digest, self._store, self._thread)
            except (StoreUnavailable, TimeoutError):
                return False
        return taken == token_digest

    async def _taken(self, ticket: str, token_digest: str, store: TicketStore, thread: StoreThread) -> str | None:
        """Take a ticket from the database; give the digest of its token."""
        if wait := self._unknown.wait(token_digest):
            raise TooManyRequests(
                f"The limit of {MOST_UNKNOWN} unknown or expired tickets of one token a minute is reached; retry in "
                f"{wait:.1f} s",
                retry_after=wait,
            )
        # Counted before the answer comes: many could ask at once.
        self._unknown.draw(token_digest, 1)
        try:
            with self._calls.counted(token_digest):
                async with asyncio.timeout(STORE_SECONDS):
                    taken = await thread.tickets.run(store.take_ticket, ticket)
        except (StoreUnavailable, TimeoutError, TooManyRequests):
            self._unknown.draw(token_digest, -1)
            raise
        if taken is not None:
            self._unknown.draw(token_digest, -1)
        return taken


def mark_of(token_digest: str) -> str:
    """The first characters of the tickets of a token."""
    return _encoded(hashlib.sha256(f"ticket of {token_digest}".encode()).digest())[:_MARK]


def mark_in(ticket: str) -> str | None:
    """The mark in a ticket; None if it is not a ticket."""
    is_one = len(ticket) == _MARK + _RANDOM + _SIGNATURE and ticket.isascii()
    return ticket[:_MARK] if is_one else None


def _new(token_digest: str) -> str:
    start = mark_of(token_digest) + secrets.token_urlsafe(24)
    return start + _signature(start, token_digest)


def _signature(start: str, token_digest: str) -> str:
    return _encoded(hmac.digest(token_digest.encode(), start.encode(), "sha256"))[:_SIGNATURE]


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()


class _Own:
    """Tickets that only this process knows. Like a `TicketStore`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # By digest, oldest first: the digest of the token, and until when.
        self._out: dict[str, tuple[str, float]] = {}
        self._of_token: Counter[str] = Counter()

    def add(self, ticket: str, token_digest: str, seconds: float, most: dict[TicketLimit, int]) -> TicketLimit | None:
        self._forget_old()
        if self._of_token[token_digest] >= most["token"]:
            return "token"
        if len(self._out) >= most["all"]:
            return "all"
        self._out[ticket] = (token_digest, self._clock() + seconds)
        self._of_token[token_digest] += 1
        return None

    def take(self, ticket: str) -> str | None:
        if ticket not in self._out:
            return None
        token_digest, until = self._take_back(ticket)
        return token_digest if until > self._clock() else None

    def _forget_old(self) -> None:
        while self._out:
            oldest = next(iter(self._out))
            if self._out[oldest][1] > self._clock():
                return
            self._take_back(oldest)

    def _take_back(self, ticket: str) -> tuple[str, float]:
        token_digest, until = self._out.pop(ticket)
        self._of_token[token_digest] -= 1
        if not self._of_token[token_digest]:
            del self._of_token[token_digest]
        return token_digest, until


class _Calls:
    """Calls that wait for the database: limited, for each token and in all."""

    def __init__(self) -> None:
        self._of_token: Counter[str] = Counter()

    @contextmanager
    def counted(self, token_digest: str) -> Iterator[None]:
        """Count a call as long as it lasts.

        Raises:
            TooManyRequests: a limit is reached.
        """
        if self._of_token[token_digest] >= MOST_CALLS_OF_ONE:
            raise TooManyRequests(
                f"The limit of {MOST_CALLS_OF_ONE} requests for tickets of one token at once is reached"
            )
        if self._of_token.total() >= MOST_CALLS:
            raise TooManyRequests(f"The limit of {MOST_CALLS} requests for tickets at once is reached")
        self._of_token[token_digest] += 1
        try:
            yield
        finally:
            self._of_token[token_digest] -= 1
            if not self._of_token[token_digest]:
                del self._of_token[token_digest]

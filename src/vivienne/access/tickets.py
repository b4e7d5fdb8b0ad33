"""Tickets: what a page shows in place of its token when it opens a WebSocket. Each is good once, and not for long."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from vivienne.access.tokens import digest
from vivienne.errors import TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Callable

TICKET_SECONDS = 30
MOST_TICKETS = 10_000
"""Tickets that may be out at once."""


class Tickets:
    """Tickets of this process; another one does not know them.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # By digest, oldest first: the digest of the token, and until when.
        self._out: dict[str, tuple[str, float]] = {}

    def issue(self, token_digest: str) -> str:
        """A ticket for the bearer of a token.

        Raises:
            TooManyRequests: so many are out that no more are given.
        """
        self._forget_old()
        if len(self._out) >= MOST_TICKETS:
            raise TooManyRequests(f"{MOST_TICKETS:,} tickets are out already; try again in {TICKET_SECONDS} s")
        ticket = secrets.token_urlsafe(32)
        self._out[digest(ticket)] = (token_digest, self._clock() + TICKET_SECONDS)
        return ticket

    def redeem(self, ticket: str) -> str | None:
        """The digest of the token a ticket stands for; None where it is none, was used, or is too old."""
        found = self._out.pop(digest(ticket), None)
        return found[0] if found is not None and found[1] > self._clock() else None

    def _forget_old(self) -> None:
        while self._out:
            oldest = next(iter(self._out))
            if self._out[oldest][1] > self._clock():
                return
            del self._out[oldest]

"""Tickets: a page sends one in place of its token when it opens a WebSocket. Each is valid once, for a short time."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING

from vivienne.access.secrets import digest
from vivienne.errors import TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Callable

TICKET_SECONDS = 30
MOST_TICKETS = 10_000
"""Unused tickets at once, of all tokens."""
MOST_OF_ONE = 1_000
"""Unused tickets at once, of one token, so that it cannot take all of them."""


class Tickets:
    """Tickets of this process; other processes do not know them.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # By digest, oldest first: the digest of the token, and until when.
        self._out: dict[str, tuple[str, float]] = {}
        self._of_token: Counter[str] = Counter()

    def issue(self, token_digest: str) -> str:
        """A ticket for the bearer of a token.

        Raises:
            TooManyRequests: a limit of unused tickets is reached.
        """
        self._forget_old()
        if self._of_token[token_digest] >= MOST_OF_ONE:
            raise TooManyRequests(
                f"The limit of {MOST_OF_ONE:,} unused tickets of one token is reached; retry in {TICKET_SECONDS} s"
            )
        if len(self._out) >= MOST_TICKETS:
            raise TooManyRequests(
                f"The limit of {MOST_TICKETS:,} unused tickets is reached; retry in {TICKET_SECONDS} s"
            )
        ticket = secrets.token_urlsafe(32)
        self._out[digest(ticket)] = (token_digest, self._clock() + TICKET_SECONDS)
        self._of_token[token_digest] += 1
        return ticket

    def redeem(self, ticket: str) -> str | None:
        """The digest of the token a ticket stands for; None if it is unknown, used or expired."""
        key = digest(ticket)
        if key not in self._out:
            return None
        token_digest, until = self._take_back(key)
        return token_digest if until > self._clock() else None

    def _forget_old(self) -> None:
        while self._out:
            oldest = next(iter(self._out))
            if self._out[oldest][1] > self._clock():
                return
            self._take_back(oldest)

    def _take_back(self, key: str) -> tuple[str, float]:
        token_digest, until = self._out.pop(key)
        self._of_token[token_digest] -= 1
        if not self._of_token[token_digest]:
            del self._of_token[token_digest]
        return token_digest, until

"""Admission: identifies the caller of a request, and its role."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.access.budget import TimeBudgets
from vivienne.access.caller import Caller
from vivienne.errors import TooManyRequests
from vivienne.rates import Rate

if TYPE_CHECKING:
    from vivienne.access.book import TokenBook
    from vivienne.access.limits import Limits
    from vivienne.store.token import Token


BYTES_PER_CHANGE = 4 * 1024
"""Bytes that a change may take in the history, on average; one of the usual size takes so many."""
LEAST_BYTES = 1024 * 1024
"""Bytes of changes a minute that every caller may make, however few changes it may."""


SHARE_OF_REQUESTS, REQUESTS_AT_ONCE = 0.4, 0.5
"""Seconds of the event loop in a second that the requests and changes of one caller may take, and those that they may
take at once. A page of the dashboard takes 0.05 s, and 500 handshakes of WebSockets 1 s."""


class Access:
    """Tells callers apart.

    Attributes:
        budgets: of the time of the event loop for messages on WebSockets and for trying changes out.
        requests: the same for requests, handshakes, and changes by any way.
        reading: the same for reading what arrives on WebSockets, so that a pause is read whatever its caller has used
            up with the messages before it.

    Args:
        book: the valid tokens.
        demanded: whether a token is required; otherwise callers without one may do everything but create tokens.
        limits: how much callers may do.
    """

    def __init__(self, book: TokenBook, limits: Limits, *, demanded: bool) -> None:
        self.book = book
        self.limits = limits
        self.demanded = demanded
        self.budgets = TimeBudgets(monotonic)
        self.requests = TimeBudgets(monotonic, SHARE_OF_REQUESTS, REQUESTS_AT_ONCE)
        self.reading = TimeBudgets(monotonic)
        self._changes = Rate(limits.changes_per_minute, 60.0, monotonic)
        self._rows = Rate(limits.pushed_rows_per_minute, 60.0, monotonic)
        self._pauses = Rate(limits.changes_per_minute, 60.0, monotonic)
        self._bytes = Rate(max(LEAST_BYTES, limits.changes_per_minute * BYTES_PER_CHANGE), 60.0, monotonic)

    async def caller(
        self, address: str | None, secret: str | None = None, ticket: str | None = None
    ) -> tuple[Caller, Token | None]:
        """The caller of a request.

        Args:
            address: where from.
            secret: the token that was sent, if any.
            ticket: the ticket that was sent instead, if any.

        Raises:
            TooManyRequests: the token has too many tickets that wait to be looked up, or that are unknown.
        """
        if secret is None and ticket is None:
            if self.demanded:
                return Caller(address, role=None, problem="A token is needed"), None
            return Caller(address), None
        if secret is not None:
            token = await self.book.find(secret)
            problem = "The token is not known, has expired, or was revoked"
        else:
            token = await self.book.redeem(ticket or "")
            problem = "The ticket is unknown, used or expired"
        if token is None:
            return Caller(address, role=None, problem=problem), None
        is_valid = partial(self._is_valid, token.digest)
        return Caller(address, token.name, token.role, is_valid=is_valid, digest=token.digest), token

    def _is_valid(self, digest: str) -> bool:
        return self.book.by_digest(digest) is not None

    def count_change(self, caller: Caller) -> None:
        """Count a change that a caller asks for.

        Raises:
            TooManyRequests: the limit is reached.
        """
        if wait := self._bytes.wait(caller.key):
            raise _reached(f"{self._bytes.most:,} bytes of changes", wait)
        _count(self._changes, caller, "changes")

    def count_bytes(self, caller: Caller, size: int) -> None:
        """Count the bytes a change took in the history; beyond the limit the next changes are refused for a while."""
        self._bytes.draw(caller.key, size)

    def count_rows(self, caller: Caller, rows: int) -> None:
        """Count the rows that a caller pushes.

        Raises:
            TooManyRequests: the limit is reached; none was counted.
        """
        if wait := self._rows.wait(caller.key):
            raise TooManyRequests(
                f"The limit of {self._rows.most:,} pushed rows a minute is reached; nothing was taken. Retry in "
                f"{wait:.1f} s",
                retry_after=wait,
            )
        self._rows.draw(caller.key, rows)

    def count_pause(self, caller: Caller) -> None:
        """Count a pause of what is paused already; apart from changes. Another pause is never refused.

        Raises:
            TooManyRequests: the limit is reached.
        """
        _count(self._pauses, caller, "pauses")


def _count(rate: Rate, caller: Caller, what: str) -> None:
    wait = rate.take(caller.key)
    if wait:
        raise _reached(f"{rate.most:,} {what}", wait)


def _reached(what: str, wait: float) -> TooManyRequests:
    return TooManyRequests(
        f"The limit of {what} a minute is reached; nothing was changed. Retry in {wait:.1f} s", retry_after=wait
    )

"""Who gets in: finds out from what comes with a request who asks, and what that one may do."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from vivienne.access.caller import Caller
from vivienne.access.rates import Rate
from vivienne.access.tickets import Tickets
from vivienne.errors import TooManyRequests

if TYPE_CHECKING:
    from vivienne.access.book import TokenBook
    from vivienne.access.limits import Limits
    from vivienne.store.token import Token


class Access:
    """Tells callers apart.

    Args:
        book: the tokens there are.
        demanded: whether nobody gets in without one; otherwise who brings none may do everything but make tokens.
        limits: how much callers may do.
    """

    def __init__(self, book: TokenBook, limits: Limits, *, demanded: bool) -> None:
        self.book = book
        self.limits = limits
        self.demanded = demanded
        self.tickets = Tickets(monotonic)
        self._changes = Rate(limits.changes_per_minute, 60.0, monotonic)
        self._pauses = Rate(limits.changes_per_minute, 60.0, monotonic)

    async def caller(
        self, address: str | None, secret: str | None = None, ticket: str | None = None
    ) -> tuple[Caller, Token | None]:
        """Who asks.

        Args:
            address: where from.
            secret: the token that came, if one did.
            ticket: the ticket that came in its place.
        """
        if secret is None and ticket is None:
            if self.demanded:
                return Caller(address, role=None, problem="A token is needed"), None
            return Caller(address), None
        if secret is not None:
            token = await self.book.find(secret)
            problem = "The token is not known, or was revoked"
        else:
            token = self.book.by_digest(self.tickets.redeem(ticket or "") or "")
            problem = "The ticket is not known, was used before, or is too old"
        if token is None:
            return Caller(address, role=None, problem=problem), None
        return Caller(address, token.name, token.role), token

    def count_change(self, caller: Caller) -> None:
        """Count a change somebody asks for.

        Raises:
            TooManyRequests: there were as many as there may be.
        """
        _count(self._changes, caller, "changes")

    def count_pause(self, caller: Caller) -> None:
        """Count a pause somebody asks for: by itself, so that no flood of changes keeps anybody from stopping.

        Raises:
            TooManyRequests: there were as many as there may be.
        """
        _count(self._pauses, caller, "pauses")


def _count(rate: Rate, caller: Caller, what: str) -> None:
    wait = rate.take(caller.key)
    if wait:
        raise TooManyRequests(
            f"More than {rate.most:,} {what} a minute were asked for; nothing was changed, try again in {wait:.1f} s",
            retry_after=wait,
        )

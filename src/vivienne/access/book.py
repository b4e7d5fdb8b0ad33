"""The valid tokens, refreshed from the store, so that a token revoked by another process is rejected here soon."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.access.caller import no_longer_valid
from vivienne.access.secrets import SECRET, digest, new_secret
from vivienne.access.tickets import Tickets, mark_in, mark_of
from vivienne.errors import NameTaken, StoreError, TokenRefused, UnknownToken
from vivienne.store.kept_tokens import keep_tokens, lost, with_lost
from vivienne.store.token import Token
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vivienne.access.caller import Caller
    from vivienne.store.base import TokenStore
    from vivienne.store.thread import StoreThread
    from vivienne.wire.token_entry import Role

_log = logging.getLogger(__name__)

REFRESH_SECONDS = 2.0
"""Seconds between two refreshes: a token revoked elsewhere may read here for no longer. It changes nothing any more, as
the database is asked with each change."""
EXPIRY_NOTICE = timedelta(days=7)
"""How long before it expires a token is named in the log."""
LOOK_SECONDS = 1.0
"""Seconds between two refreshes caused by unknown tokens, at least, so that such tokens slow nobody else down."""


class TokenBook:
    """The tokens in a store.

    Args:
        store: where they are; read at once.
        thread: in which it is used afterwards.

    Raises:
        StoreUnavailable: they cannot be read.
    """

    def __init__(self, store: TokenStore, thread: StoreThread) -> None:
        self._store = store
        self._thread = thread
        self._all: list[Token] = []
        self._good: dict[str, Token] = {}
        self._warned: set[Token] = set()
        self._marked: dict[str, Token] = {}
        self._when_ended: dict[str, dict[int, Callable[[], None]]] = {}
        """By digest, what is to be called when a token is good no more."""
        self._numbers = count()
        self._ended: set[str] = set()
        """Names of tokens that are being revoked here, or were."""
        self._looked = float("-inf")
        self._failing = False
        self.tickets = Tickets(monotonic, store.tickets, thread)
        """Tickets that stand for these tokens."""
        self._take(store.tokens())

    def __len__(self) -> int:
        """The number of valid tokens."""
        return len(self._good)

    def expired(self) -> list[Token]:
        """Tokens that have expired and are not revoked, the last one to expire last."""
        when = written(now())
        found = [each for each in self._all if each.revoked_at is None and not each.is_valid(when)]
        return sorted(found, key=lambda each: each.expires_at or "")

    async def find(self, secret: str) -> Token | None:
        """The valid token of a secret. An unknown one is looked up in the store, because it may be new."""
        if SECRET.fullmatch(secret) is None:
            return None
        key = digest(secret)
        if key not in self._good:
            await self._look()
        return self.by_digest(key)

    def known(self, secret: str) -> Token | None:
        """The valid token of a secret, as far as it is known without the store."""
        return None if SECRET.fullmatch(secret) is None else self.by_digest(digest(secret))

    async def redeem(self, ticket: str) -> Token | None:
        """The valid token that a ticket stands for; the ticket is used up.

        Raises:
            TooManyRequests: see `Tickets.redeem`.
        """
        mark = mark_in(ticket)
        if mark is None:
            return None
        if mark not in self._marked:
            await self._look()
        token = self._marked.get(mark)
        token = None if token is None else self.by_digest(token.digest)
        return token if token is not None and await self.tickets.redeem(ticket, token.digest) else None

    def by_digest(self, key: str) -> Token | None:
        """The valid token with this digest."""
        token = self._good.get(key)
        if token is None or token.name in self._ended:
            return None
        return token if token.is_valid(written(now())) else None

    def when_ended(self, token: Token, then: Callable[[], None]) -> Callable[[], object]:
        """Call a function once a token is revoked, or has expired; at once if it is already.

        Returns:
            A function that forgets it.
        """
        number = next(self._numbers)
        waiting = self._when_ended.setdefault(token.digest, {})
        waiting[number] = then
        if token.digest not in self._good:
            self._tell_ended(token.digest)
        return partial(waiting.pop, number, None)

    def _tell_ended(self, key: str) -> None:
        for then in list(self._when_ended.pop(key, {}).values()):
            then()

    async def all(self) -> list[Token]:
        """Every token, revoked ones too, oldest first.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        return await self._thread.reads.look_up(self._store.tokens)

    async def create(
        self, name: str, role: Role, expires_at: str | None = None, caller: Caller | None = None
    ) -> tuple[Token, str]:
        """Create a token. Its secret is returned this once and not stored.

        Args:
            name: of its bearer.
            role: of its bearer.
            expires_at: ISO 8601 UTC; None for never.
            caller: who asks, whose token has to be valid when it is stored; None if none is needed.

        Raises:
            Forbidden: that token was revoked.
            NameTaken: there is, or was, a token of this name.
            StoreUnavailable: it was not stored.
        """
        secret = new_secret()
        token = Token(name, digest(secret), role, written(now()), expires_at=expires_at)
        with _refusing(caller):
            await self._thread.run(self._store.add_token, token, under=_digest_of(caller))
        await self.refresh()
        _log.info("Token %s (%s) was created", token.name, token.role)
        return token, secret

    async def revoke(self, name: str, caller: Caller | None = None) -> Token:
        """Revoke a token, here at once: when this returns, no change of it comes into force any more.

        Args:
            name: of its bearer.
            caller: as `create`.

        Raises:
            Forbidden: the token of the caller was revoked.
            UnknownToken: there is no valid token of this name.
            StoreUnavailable: it was not stored.
        """
        # Before it is stored: a change that passes its check after this point would be stored after it.
        self._ended.add(name)
        token = None
        try:
            with _refusing(caller):
                token = await self._thread.run(self._store.revoke_token, name, written(now()), under=_digest_of(caller))
        finally:
            if token is None:
                self._ended.discard(name)
        if token is None:
            raise UnknownToken(f"There is no valid token {name[:64]!r} to revoke; see the list of tokens")
        await self.refresh()
        _log.info("Token %s was revoked", token.name)
        return token

    async def refresh(self) -> None:
        """Read the tokens again. While the store does not answer, the known ones stay valid."""
        try:
            found = await self._thread.reads.look_up(self._store.tokens)
            forgotten = lost(self._all, found)
            self._take(with_lost(found, forgotten))
            if forgotten:
                await self._store_again(forgotten)
        except StoreError as error:
            self._take(self._all)  # some may have expired
            if not self._failing:
                _log.error("Failed to refresh tokens; the known ones stay valid: %s", error)
            self._failing = True
        else:
            self._failing = False

    async def _store_again(self, forgotten: list[Token]) -> None:
        """Store revocations and rotations again that the database has forgotten."""
        with suppress(NameTaken):  # another process is doing the same
            kept = await self._thread.run(keep_tokens, forgotten, self._store)
            if names := [*kept.as_before, *kept.newest_only]:
                _log.warning(
                    "The database had forgotten that tokens were revoked or rotated, as after a failover: %s. What was "
                    "refused is refused, and stored again",
                    ", ".join(names),
                )

    async def follow(self) -> None:
        """Refresh every `REFRESH_SECONDS`, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.refresh()

    async def _look(self) -> None:
        """Refresh because of an unknown token, unless that was done a moment ago."""
        at = asyncio.get_running_loop().time()
        if at - self._looked > LOOK_SECONDS:
            self._looked = at
            await self.refresh()

    def _take(self, tokens: Iterable[Token]) -> None:
        when, soon = written(now()), written(now() + EXPIRY_NOTICE)
        self._all = list(tokens)
        valid = [each for each in self._all if each.name not in self._ended]
        self._good = {key: token for each in valid for key, token in each.by_digest(when).items()}
        for each in self._all:
            if each.is_valid(when) and not each.is_valid(soon) and each not in self._warned:
                _log.warning("Token %s expires at %s; rotate it before then", each.name, each.expires_at)
                self._warned.add(each)
        self._marked = {mark_of(token.digest): token for token in self._good.values()}
        for key in [key for key in self._when_ended if key not in self._good]:
            self._tell_ended(key)


def _digest_of(caller: Caller | None) -> str | None:
    return None if caller is None else caller.digest


@contextmanager
def _refusing(caller: Caller | None) -> Iterator[None]:
    """Refuse a caller whose token another process has revoked."""
    try:
        yield
    except TokenRefused as error:
        raise no_longer_valid(caller) from error

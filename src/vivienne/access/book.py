"""The tokens there are, read from the store again and again: what another process revoked is so here too, soon."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from vivienne.access.secrets import SECRET, digest, new_secret
from vivienne.errors import StoreError, UnknownToken
from vivienne.store.token import Token
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.store.base import TokenStore
    from vivienne.store.thread import StoreThread
    from vivienne.wire.token_entry import Role

_log = logging.getLogger(__name__)

REFRESH_SECONDS = 10.0
"""Between two looks at the store, so that a token revoked elsewhere is not good for longer."""
LOOK_SECONDS = 1.0
"""Least time between two looks because of tokens nobody knows: they cost those who have a good one nothing."""


class TokenBook:
    """The tokens in a store.

    Args:
        store: where they are; read at once.
        thread: in which it is used from then on.

    Raises:
        StoreUnavailable: they cannot be read.
    """

    def __init__(self, store: TokenStore, thread: StoreThread) -> None:
        self._store = store
        self._thread = thread
        self._good: dict[str, Token] = {}
        self._revoked: dict[str, asyncio.Event] = {}
        self._looked = float("-inf")
        self._failing = False
        self._take(store.tokens())

    def __len__(self) -> int:
        """How many are good."""
        return len(self._good)

    async def find(self, secret: str) -> Token | None:
        """The good token of a secret. One that is not known is looked for in the store, for it may be new."""
        if SECRET.fullmatch(secret) is None:
            return None
        key = digest(secret)
        if key not in self._good and asyncio.get_running_loop().time() - self._looked > LOOK_SECONDS:
            await self.refresh()
        return self._good.get(key)

    def by_digest(self, key: str) -> Token | None:
        """The good token with this digest."""
        return self._good.get(key)

    def by_name(self, name: str | None) -> Token | None:
        """The good token of this name."""
        return next((token for token in self._good.values() if token.name == name), None)

    def revocation(self, token: Token) -> asyncio.Event:
        """Is set when a token is not good any more."""
        event = self._revoked.setdefault(token.digest, asyncio.Event())
        if token.digest not in self._good:
            event.set()
        return event

    async def all(self) -> list[Token]:
        """Every token that ever was, in the order of their making.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        return await self._thread.look_up(self._store.tokens)

    async def create(self, name: str, role: Role) -> tuple[Token, str]:
        """Make a token; gives its secret too, which nobody can give again.

        Raises:
            NameTaken: there is, or was, a token of this name.
            StoreUnavailable: it was not stored.
        """
        secret = new_secret()
        token = Token(name, digest(secret), role, written(now()))
        await self._thread.run(self._store.add_token, token)
        await self.refresh()
        _log.info("Token %s (%s) was made", token.name, token.role)
        return token, secret

    async def revoke(self, name: str) -> Token:
        """Make a token good for nothing, here and now.

        Raises:
            UnknownToken: there is none of this name that is good.
            StoreUnavailable: it was not stored.
        """
        token = await self._thread.run(self._store.revoke_token, name, written(now()))
        if token is None:
            raise UnknownToken(f"There is no token {name[:64]!r} that could be revoked; the list has them all")
        await self.refresh()
        _log.info("Token %s was revoked", token.name)
        return token

    async def refresh(self) -> None:
        """Read the tokens again. While the store does not answer, those that were good stay so."""
        self._looked = asyncio.get_running_loop().time()
        try:
            self._take(await self._thread.look_up(self._store.tokens))
        except StoreError as error:
            if not self._failing:
                _log.error("Tokens cannot be read again, those known are good meanwhile: %s", error)
            self._failing = True
        else:
            self._failing = False

    async def follow(self) -> None:
        """Refresh every `REFRESH_SECONDS`, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.refresh()

    def _take(self, tokens: Iterable[Token]) -> None:
        self._good = {token.digest: token for token in tokens if token.revoked_at is None}
        for key in [key for key in self._revoked if key not in self._good]:
            self._revoked.pop(key).set()

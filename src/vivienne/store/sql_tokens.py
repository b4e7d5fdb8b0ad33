"""Tokens in a relational database: the same queries on every engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from vivienne.errors import NameTaken, TokenRefused
from vivienne.store.tables import tokens
from vivienne.store.token import NAME, Token
from vivienne.times import now, written

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection, Row

_FIELDS = tuple(Token.__dataclass_fields__)


class SqlTokens(ABC):
    """The part of a store that keeps tokens. See `TokenStore` for the methods."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Connection]:
        """A transaction, committed at the end; errors of the engine leave it as `StoreUnavailable`."""

    def tokens(self) -> list[Token]:
        """See `TokenStore`."""
        with self._transaction() as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.name))
            return [_token(row) for row in rows]

    def add_token(self, token: Token, under: str | None = None) -> None:
        """See `TokenStore`."""
        with self._transaction() as connection:
            same = select(tokens.c.name).where(func.lower(tokens.c.name) == token.name.lower())
            if connection.execute(same).first() is not None:
                raise NameTaken(
                    f"The name {token.name!r} is or was that of a token. Names stay in the history; choose another one"
                )
            connection.execute(tokens.insert(), {name: getattr(token, name) for name in _FIELDS})
            expect_accepted(connection, under)

    def rotate_token(self, name: str, digest: str, expires_at: str | None, earlier_until: str) -> Token | None:
        """See `TokenStore`."""
        if NAME.fullmatch(name) is None:
            return None
        values = {
            "digest": digest,
            "expires_at": expires_at,
            "earlier_digest": tokens.c.digest,
            "earlier_until": earlier_until,
            "rotations": tokens.c.rotations + 1,
        }
        with self._transaction() as connection:
            is_kept = (tokens.c.name == name) & tokens.c.revoked_at.is_(None)
            if connection.execute(tokens.update().where(is_kept).values(values)).rowcount == 0:
                return None
            return _token(connection.execute(select(tokens).where(tokens.c.name == name)).one())

    def replace_token(self, token: Token) -> None:
        """See `TokenStore`."""
        with self._transaction() as connection:
            values = {name: getattr(token, name) for name in _FIELDS}
            connection.execute(tokens.update().where(tokens.c.name == token.name).values(values))

    def revoke_token(self, name: str, when: str, under: str | None = None) -> Token | None:
        """See `TokenStore`."""
        if NAME.fullmatch(name) is None:  # no token has it, and PostgreSQL takes no text with a zero byte
            return None
        with self._transaction() as connection:
            is_good = (tokens.c.name == name) & tokens.c.revoked_at.is_(None)
            if connection.execute(tokens.update().where(is_good).values(revoked_at=when)).rowcount == 0:
                return None
            revoked = _token(connection.execute(select(tokens).where(tokens.c.name == name)).one())
            if under not in replace(revoked, revoked_at=None).by_digest(written(now())):  # who asks may revoke its own
                expect_accepted(connection, under)
            return revoked


def expect_accepted(connection: Connection, under: str | None) -> None:
    """Expect a secret to be accepted until the end of a transaction. A revocation of its token waits for that end.

    Right after the transaction has written something: SQLite refuses to write after it has read if another process
    does so too.

    Args:
        connection: with a transaction.
        under: digest of the secret; None if none is needed.

    Raises:
        TokenRefused: it is not accepted.
    """
    if under is None:
        return
    has_it = (tokens.c.digest == under) | (tokens.c.earlier_digest == under)
    found = connection.execute(select(tokens).where(has_it).with_for_update(read=True))
    when = written(now())
    if not any(under in _token(row).by_digest(when) for row in found.all()):
        raise TokenRefused("the token is not accepted any more")


def _token(row: Row[Any]) -> Token:
    return Token(**{name: row._mapping[name] for name in _FIELDS})  # noqa: SLF001  # SQLAlchemy's documented way

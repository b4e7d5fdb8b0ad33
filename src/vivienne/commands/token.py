"""Tokens in a database, for `vivienne token`; beside a Vivienne that uses it, too."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vivienne.access.secrets import digest, new_secret
from vivienne.errors import InvalidConfiguration, SettingsError, UnknownToken
from vivienne.store.opening import open_store
from vivienne.store.token import Token, check_name
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.store.address import PostgresUrl
    from vivienne.store.base import TokenStore
    from vivienne.wire.token_entry import Role, TokenEntry


def create(db: Path | PostgresUrl, name: str, role: Role) -> tuple[TokenEntry, str]:
    """Make a token; gives its secret too, which nobody can give again. A database that is not there is made.

    Raises:
        SettingsError: the name is none.
        NameTaken: there is, or was, a token of this name.
        StoreError: the database cannot be used.
    """
    try:
        check_name(name)
    except InvalidConfiguration as refused:
        raise SettingsError(str(refused)) from refused
    secret = new_secret()
    token = Token(name, digest(secret), role, written(now()))
    with _opened(db) as store:
        store.add_token(token)
    return token.entry(), secret


def listed(db: Path | PostgresUrl) -> list[TokenEntry]:
    """Every token that ever was, in the order of their making.

    Raises:
        SettingsError: there is no such database.
        StoreError: it cannot be used.
    """
    with _opened(_existing(db)) as store:
        return [token.entry() for token in store.tokens()]


def revoke(db: Path | PostgresUrl, name: str) -> TokenEntry:
    """Make a token good for nothing.

    Raises:
        SettingsError: there is no such database.
        UnknownToken: there is no such token that is good.
        StoreError: the database cannot be used.
    """
    with _opened(_existing(db)) as store:
        token = store.revoke_token(name, written(now()))
    if token is None:
        raise UnknownToken(f"There is no token {name!r} that could be revoked; vivienne token list shows them all")
    return token.entry()


@contextmanager
def _opened(db: Path | PostgresUrl) -> Iterator[TokenStore]:
    store = open_store(db, beside=True)
    try:
        yield store
    finally:
        store.close()


def _existing(db: Path | PostgresUrl) -> Path | PostgresUrl:
    if isinstance(db, Path) and not db.exists():
        raise SettingsError(f"There is no database {db}; name another one with --db")
    return db

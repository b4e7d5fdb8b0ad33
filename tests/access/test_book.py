"""Tokens expire, and while one is rotated both of its secrets are accepted."""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from vivienne.access import book as books
from vivienne.access.book import TokenBook
from vivienne.access.secrets import digest, new_secret
from vivienne.errors import StoreUnavailable
from vivienne.store import token as tokens
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.thread import StoreThread
from vivienne.store.token import Token
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET, NEW = new_secret(), new_secret()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteRevisionStore]:
    with closing(SqliteRevisionStore(tmp_path / "v.db")) as opened:
        yield opened


def after(**length: float) -> str:
    return written(now() + timedelta(**length))


def add(store: SqliteRevisionStore, expires_at: str | None) -> Token:
    token = Token("ann", digest(SECRET), "tuner", written(now()), expires_at=expires_at)
    store.add_token(token)
    return token


async def test_a_token_is_refused_once_it_has_expired_and_its_sockets_are_closed_while_the_store_fails_too(
    store: SqliteRevisionStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = add(store, after(days=3))
    book = TokenBook(store, StoreThread(10.0))
    assert await book.find(SECRET) == token
    ended = asyncio.Event()
    book.when_ended(token, ended.set)
    assert [f"Token ann expires at {token.expires_at}; rotate it before then"] == caplog.messages

    def fail() -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(store, "tokens", fail)
    later = now() + timedelta(days=4)
    for module in (books, tokens):
        monkeypatch.setattr(module, "now", lambda: later)
    assert await book.find(SECRET) is None
    assert book.by_digest(token.digest) is None
    assert not ended.is_set()
    await book.refresh()
    assert ended.is_set()
    assert token.ending() == "has expired"


@pytest.mark.parametrize(("grace", "is_good"), [(timedelta(hours=1), True), (timedelta(0), False)])
async def test_while_a_token_is_rotated_both_secrets_are_accepted(
    store: SqliteRevisionStore, grace: timedelta, is_good: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    add(store, None)
    store.rotate_token("ann", digest(NEW), None, written(now() + grace))

    book = TokenBook(store, StoreThread(10.0))

    for secret, expected in ((NEW, True), (SECRET, is_good)):
        found = await book.find(secret)
        assert (found is not None) == expected
        assert found is None or (found.name, found.role) == ("ann", "tuner")


@pytest.mark.parametrize("what", ["revoked", "rotated", "created and revoked"])
async def test_what_was_refused_stays_so_when_the_database_forgets_it(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a failover that lost the last changes. A process that saw it refuses the secret, and stores it again."""
    with (
        closing(SqliteRevisionStore(tmp_path / "before.db")) as before,
        closing(SqliteRevisionStore(tmp_path / "v.db")) as lagging,
    ):
        eve = Token("eve", digest(new_secret()), "viewer", "2026-01-01T00:00:00.000Z")
        for each in (before, lagging):
            each.add_token(eve)
            if "created" not in what or each is before:
                each.add_token(Token("ann", digest(SECRET), "tuner", "2026-01-01T00:00:01.000Z"))
        if what == "rotated":
            before.rotate_token("ann", digest(NEW), None, written(now()))
        else:
            before.revoke_token("ann", written(now()))
        book = TokenBook(before, StoreThread(10.0))
        book._store = lagging  # the address is the same, and what answers is another database
        await book.refresh()
        assert await book.find(SECRET) is None
        assert (await book.find(NEW) is not None) == (what == "rotated")
        assert "The database had forgotten that tokens were revoked or rotated" in caplog.text
        assert lagging.tokens() == before.tokens()
        assert await TokenBook(lagging, StoreThread(10.0)).find(SECRET) is None
        caplog.clear()
        await book.refresh()
        assert caplog.text == ""

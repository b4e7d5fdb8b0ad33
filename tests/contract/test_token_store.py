"""What every store of tokens does, on each engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vivienne.access.secrets import SECRET, digest, new_secret
from vivienne.errors import NameTaken
from vivienne.store.address import PostgresUrl
from vivienne.store.opening import open_store
from vivienne.store.token import Token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vivienne.store.base import TokenStore

WHEN = "2026-01-02T03:04:05.678Z"
LATER = "2026-01-03T03:04:05.678Z"


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TokenStore]:
    where: Path | PostgresUrl | None = tmp_path / "vivienne.db"
    if request.param == "postgres":
        where = PostgresUrl.read(request.getfixturevalue("database"))
    assert where is not None
    opened = open_store(where)
    yield opened
    opened.close()


def token(name: str, when: str = WHEN) -> Token:
    return Token(name, digest(name), "tuner", when)


def test_tokens_come_back_as_they_were_added_in_their_order(store: TokenStore) -> None:
    assert [] == store.tokens()
    first, second = token("zoe"), token("ann", LATER)
    store.add_token(second)
    store.add_token(first)

    assert [first, second] == store.tokens()


def test_a_revoked_token_is_kept_and_says_since_when(store: TokenStore) -> None:
    store.add_token(token("ann"))

    revoked = store.revoke_token("ann", LATER)
    assert revoked is not None
    assert ("ann", LATER) == (revoked.name, revoked.revoked_at)
    assert [revoked] == store.tokens()


def test_what_is_not_there_or_revoked_cannot_be_revoked(store: TokenStore) -> None:
    store.add_token(token("ann"))
    store.revoke_token("ann", WHEN)

    assert store.revoke_token("ann", LATER) is None
    assert store.revoke_token("bob", LATER) is None
    assert store.revoke_token("ann\0", LATER) is None
    assert store.revoke_token("\ud800", LATER) is None
    assert [WHEN] == [each.revoked_at for each in store.tokens()]


def test_a_rotated_token_has_another_secret_and_keeps_its_name_and_role(store: TokenStore) -> None:
    store.add_token(token("ann"))

    rotated = store.rotate_token("ann", digest("new"), LATER, WHEN)

    assert rotated == replace(
        token("ann"),
        digest=digest("new"),
        expires_at=LATER,
        earlier_digest=digest("ann"),
        earlier_until=WHEN,
        rotations=1,
    )
    assert [rotated] == store.tokens()
    again = store.rotate_token("ann", digest("newest"), LATER, WHEN)
    assert again is not None
    assert (again.earlier_digest, again.rotations) == (digest("new"), 2)
    store.revoke_token("ann", LATER)
    assert store.rotate_token("ann", digest("newer"), None, WHEN) is None
    assert store.rotate_token("bob\0", digest("newer"), None, WHEN) is None


@pytest.mark.parametrize("name", ["ann", "ANN"])
def test_a_name_is_never_given_twice(store: TokenStore, name: str) -> None:
    store.add_token(token("ann"))
    store.revoke_token("ann", LATER)

    with pytest.raises(NameTaken, match="choose another one"):
        store.add_token(Token(name, digest("other"), "viewer", LATER))
    assert ["ann"] == [each.name for each in store.tokens()]


def test_secrets_differ_and_are_not_what_is_stored() -> None:
    first, second = new_secret(), new_secret()

    assert first != second
    assert SECRET.fullmatch(first)
    assert first not in digest(first)
    assert 64 == len(digest(first))

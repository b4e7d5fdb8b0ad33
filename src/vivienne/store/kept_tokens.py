"""Tokens of a database that a backup replaces. What was revoked or replaced since the backup stays so."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from vivienne.errors import StoreUnavailable
from vivienne.store.token import Token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vivienne.store.base import RevisionStore

_FIELDS = tuple(Token.__dataclass_fields__)


def tokens_in(db: Path) -> list[Token]:
    """The tokens in a file that no process uses, of any version; those of before there were tokens have none.

    Raises:
        StoreUnavailable: they cannot be read.
    """
    try:
        with closing(sqlite3.connect(db)) as connection:
            columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(tokens)") if name in _FIELDS]
            if not columns:
                return []
            # The names are those of our own table.
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM tokens").fetchall()  # noqa: S608
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the tokens in {db} cannot be read: {error}") from error
    return [Token(**dict(zip(columns, row, strict=True))) for row in rows]


def keep_tokens(tokens: Sequence[Token], store: RevisionStore) -> list[str]:
    """Withdraw from the tokens of a store what was withdrawn from those known here; give the names of these tokens.

    Otherwise a backup would bring back secrets that were revoked or replaced since.
    """
    there = {token.name: token for token in store.tokens()}
    kept = []
    for token in tokens:
        found = there.get(token.name)
        if found is not None and (after := _after_both(token, found)) != found:
            store.replace_token(after)
            kept.append(token.name)
    return kept


def _after_both(one: Token, other: Token) -> Token:
    """A token as the newest rotation left it, revoked if it is in one of two databases.

    Each rotation lets the earlier secret expire later than the one before, so that tells which is the newest.
    """
    newest = one if (one.earlier_until or "") > (other.earlier_until or "") else other
    return replace(newest, revoked_at=one.revoked_at or other.revoked_at)

"""Tokens of a database that a backup replaces, or that went back to an earlier state, such as at a failover.

A secret that was refused before is refused afterwards too.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from vivienne.errors import StoreUnavailable
from vivienne.store.token import Token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vivienne.store.base import TokenStore

_FIELDS = tuple(Token.__dataclass_fields__)


class KeptTokens(NamedTuple):
    """Names of tokens that are not as in the backup.

    Attributes:
        as_before: those that are as in the database that was replaced. They were rotated or revoked there since, or
            were created in both. The backup may have none of the name: another one could have, and bring it back.
        newest_only: those that were rotated in both, and more often in the backup. Its newest secret is accepted. The
            one before is not, even within its grace: earlier versions did not count, so it may have been replaced.
    """

    as_before: list[str]
    newest_only: list[str]


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
    found = [Token(**dict(zip(columns, row, strict=True))) for row in rows]
    if "rotations" in columns:
        return found
    return [replace(token, rotations=int(token.earlier_digest is not None)) for token in found]  # as the migration


def keep_tokens(tokens: Sequence[Token], store: TokenStore) -> KeptTokens:
    """Refuse in a restored store what is refused in the database that it replaces.

    Args:
        tokens: of the database that is replaced.
        store: the backup that takes its place.
    """
    restored = {token.name.lower(): token for token in store.tokens()}
    kept = KeptTokens([], [])
    for token in tokens:
        found = restored.get(token.name.lower())
        if found is None and (token.revoked_at is not None or token.rotations):
            store.add_token(token)
            kept.as_before.append(token.name)
        # A name that differs in case only is taken, so the token cannot come back.
        if found is None or found.name != token.name or (after := _after_both(token, found)) == found:
            continue
        store.replace_token(after)
        if after.digest == token.digest or after.revoked_at != found.revoked_at:
            kept.as_before.append(token.name)
        elif after.earlier_digest != found.earlier_digest:
            kept.newest_only.append(token.name)
    return kept


def lost(known: Sequence[Token], found: Sequence[Token]) -> list[Token]:
    """Known tokens of which a database has forgotten that they were revoked or rotated.

    Args:
        known: read from it before.
        found: read from it now.
    """
    now = {token.name: token for token in found}
    return [token for token in known if _is_lost(token, now.get(token.name))]


def _is_lost(known: Token, found: Token | None) -> bool:
    if found is None:
        return known.revoked_at is not None or known.rotations > 0
    return (known.revoked_at is not None and found.revoked_at is None) or found.rotations < known.rotations


def with_lost(found: Sequence[Token], lost: Sequence[Token]) -> list[Token]:
    """What a database has, and what it has forgotten."""
    known = {token.name: token for token in lost}
    kept = [_after_both(known.pop(each.name), each) if each.name in known else each for each in found]
    return [*kept, *known.values()]


def _after_both(here: Token, there: Token) -> Token:
    """A token after a backup that has it `there` took the place of the database in use, which has it `here`.

    A secret belongs to the rotation that made it. One of a later rotation than the newest here was never refused here.
    """
    revoked_at = here.revoked_at or there.revoked_at
    if not _was_rotated_since(there, here):
        return replace(here, revoked_at=revoked_at)
    after = replace(there, revoked_at=revoked_at, rotations=max(there.rotations, here.rotations + 1))
    if after.rotations > here.rotations + 1:
        return after
    if there.earlier_digest != here.digest:  # it may be of before rotations were counted, and replaced here
        return replace(after, earlier_digest=None, earlier_until=None)
    ends = [moment for moment in (there.earlier_until, here.expires_at) if moment is not None]
    return replace(after, earlier_until=min(ends, default=None))


def _was_rotated_since(there: Token, here: Token) -> bool:
    """Tell whether a backup has a later rotation of a token than the database in use. In doubt it has not."""
    if there.created_at != here.created_at or there.digest in (here.digest, here.earlier_digest):
        return False
    # The second is for databases of before rotations were counted.
    return there.rotations > here.rotations or there.earlier_digest == here.digest

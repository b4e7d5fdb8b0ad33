"""Writes a backup of a database into a file, and puts a backup in the place of a database."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from vivienne.errors import StoreUnavailable, StoreUnusable
from vivienne.store.checking import Checked, check
from vivienne.store.copying import Copied, copy
from vivienne.store.kept_pauses import keep, pauses_in, repeat
from vivienne.store.kept_tokens import KeptTokens, keep_tokens, tokens_in
from vivienne.store.private import copy_file, make_file, replacing
from vivienne.store.set_aside import journals_beside, other_name, set_aside, sweep
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.sqlite_files import files_beside, lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.store.address import PostgresUrl
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Revision
    from vivienne.store.token import Token


_DROPPED = "It waited when the backup was made that was restored since; it may have been delivered"


def back_up(source: RevisionStore, file: Path) -> Copied:
    """Write everything in a store into a new SQLite file, which is checked before it gets its name.

    Raises:
        StoreUnusable: the file exists already.
        StoreUnavailable: the store does not answer, or is damaged.
        OSError: the file cannot be written.
    """
    if file.is_symlink() or file.exists():  # a link may lead to a place of somebody else
        raise StoreUnusable(f"{file} exists already; name a new file")
    with replacing(file) as temporary, _store_in(temporary) as target:
        copied = copy(source, target)
        _check(target, file)
    return copied


class Restored(NamedTuple):
    """What was restored.

    Attributes:
        copied: of the backup.
        kept: the other name under which the database that was there is kept, or only its journals.
        pauses: those of the database that was there, which are in force as before.
        repeated: those of the backup, which are in force again.
        tokens: names of those that are not as in the backup.
        trouble: why its pauses or tokens could not be read.
        dropped: messages of alerts that waited in the backup, and are not sent because a database was replaced.
    """

    copied: Copied
    kept: Path | None
    pauses: list[Revision]
    repeated: list[Revision]
    tokens: KeptTokens
    trouble: str | None
    dropped: int


def restore(file: Path, db: Path | PostgresUrl, *, replaces: bool) -> Restored:
    """Put a backup in the place of a database, migrated to the present tables.

    A pause ends by a resumption only: those in force in the database that is replaced are in force afterwards. A secret
    that is refused there, because it was replaced or revoked or has expired, is refused afterwards too. If a
    database is replaced, messages of alerts that waited in the backup are dropped: they may have been delivered since.
    Pauses in force in the backup get another entry then, of which the next process tells: receivers may have heard of
    their end since.

    Args:
        file: the backup, also one of an earlier version.
        db: the database, which nobody uses. PostgreSQL's must be empty, and stays so if the copy fails.
        replaces: replace an existing file, which is kept under another name.

    Raises:
        StoreUnusable: the backup is damaged, or the database is in use, or exists already.
        StoreUnavailable: the database does not answer.
        OSError: a file cannot be read or written.
    """
    if not isinstance(db, Path):
        from vivienne.store.postgres import PostgresRevisionStore  # noqa: PLC0415  # its driver is an extra

        with (
            TemporaryDirectory(prefix="vivienne-") as folder,
            _unpacked(file, Path(folder) / "copy.db", Path(folder)) as source,
            closing(PostgresRevisionStore(db, "as it is")) as target,
            target.as_a_whole(),
        ):
            return Restored(copy(source, target), None, [], [], KeptTokens([], []), None, 0)
    held = lock(db, is_needed=True)
    try:
        if db.exists() and not replaces:
            raise StoreUnusable(f"The database {db} exists already; with --replace it is kept under another name")
        sweep(db)
        kept_as = other_name(db)
        with replacing(db, partial(set_aside, db, kept_as)) as temporary:
            pauses, tokens, trouble = _in_force_in(db)
            with _unpacked(file, temporary, db) as source:
                found = check(source)
                repeated = repeat(source) if db.exists() else []
                kept, others = keep(pauses, source), keep_tokens(tokens, source)
                dropped = source.alerts.drop_waiting(_DROPPED) if db.exists() else 0
        return Restored(_all_of(found), kept_as, kept, repeated, others, trouble, dropped)
    finally:
        held.release()


def _in_force_in(db: Path) -> tuple[list[Revision], list[Token], str | None]:
    """The pauses and tokens of a database, or why they cannot be read."""
    try:
        return (pauses_in(db), tokens_in(db), None) if db.exists() else ([], [], None)
    except StoreUnavailable as error:
        return [], [], str(error)


@contextmanager
def _unpacked(file: Path, copied: Path, called: Path) -> Iterator[SqliteRevisionStore]:
    """A backup, copied so that it can be migrated without being touched itself, and checked.

    Args:
        file: the backup.
        copied: where the copy is made.
        called: the name of that in errors.
    """
    make_file(copied)
    copy_file(file, copied, called)
    for journal, beside in zip(journals_beside(file), journals_beside(copied), strict=True):
        if journal.exists():
            make_file(beside)
            copy_file(journal, beside, called)
    try:
        _refuse_empty(copied, file)
        with _store_in(copied) as store:
            _check(store, file)
            yield store
    except (StoreUnusable, StoreUnavailable) as error:
        if str(copied) not in str(error):  # it is of the database that the copy is read into
            raise
        # What may pass, as a full disk, concerns the copy; what is wrong with the content is that of the backup.
        name = called if error.is_temporary else file
        raise StoreUnusable(str(error).replace(str(copied), str(name)), is_temporary=error.is_temporary) from error


def _refuse_empty(copied: Path, file: Path) -> None:
    """Refuse a backup without tables, as a copy that was broken off: it would be made an empty database.

    Raises:
        StoreUnusable: it has none.
    """
    with closing(sqlite3.connect(copied)) as connection:
        try:
            [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError:
            return  # whoever opens it says what is wrong
    if not tables:
        raise StoreUnusable(f"{file} is no backup: it has no tables; name a file that `vivienne backup` wrote")


@contextmanager
def _store_in(path: Path) -> Iterator[SqliteRevisionStore]:
    """A store in a file that is complete without the files beside it at the end."""
    try:
        with closing(SqliteRevisionStore(path)) as store:
            yield store
    finally:
        for each in (*files_beside(path), *journals_beside(path)):
            each.unlink(missing_ok=True)


def _all_of(found: Checked) -> Copied:
    return Copied(found.revisions, found.version, found.tokens, found.alerts)


def _check(store: SqliteRevisionStore, file: Path) -> None:
    found = check(store)
    if found.problems:
        raise StoreUnusable(f"{file} is damaged: {'; '.join(found.problems)}")

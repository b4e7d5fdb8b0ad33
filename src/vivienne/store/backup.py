"""Writes a backup of a database into a file, and puts a backup in the place of a database."""

from __future__ import annotations

import shutil
from contextlib import closing, contextmanager
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from vivienne.errors import StoreUnavailable, StoreUnusable
from vivienne.store.checking import check
from vivienne.store.copying import Copied, copy
from vivienne.store.kept_pauses import keep, pauses_in
from vivienne.store.private import make_file, replacing
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.sqlite_files import files_beside, journals_beside, lock
from vivienne.times import now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.store.address import PostgresUrl
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Revision


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
        trouble: why its pauses could not be read.
    """

    copied: Copied
    kept: Path | None
    pauses: list[Revision]
    trouble: str | None


def restore(file: Path, db: Path | PostgresUrl, *, replaces: bool) -> Restored:
    """Put a backup in the place of a database, migrated to the present tables.

    A pause ends by a resumption only: those in force in the database that is replaced are in force afterwards.

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
            _unpacked(file, Path(folder) / "copy.db") as source,
            closing(PostgresRevisionStore(db, "as it is")) as target,
            target.as_a_whole(),
        ):
            return Restored(copy(source, target), None, [], None)
    held = lock(db, is_needed=True)
    try:
        if db.exists() and not replaces:
            raise StoreUnusable(f"The database {db} exists already; with --replace it is kept under another name")
        with replacing(db) as temporary:
            pauses, trouble = _pauses_in(db)
            with _unpacked(file, temporary) as source:
                found = check(source)
                kept = keep(pauses, source)
            return Restored(Copied(found.revisions, found.version, found.tokens), _set_aside(db), kept, trouble)
    finally:
        held.release()


def _pauses_in(db: Path) -> tuple[list[Revision], str | None]:
    try:
        return pauses_in(db) if db.exists() else [], None
    except StoreUnavailable as error:
        return [], str(error)


def _set_aside(db: Path) -> Path | None:
    """Give a database and its journals another name: SQLite would put an old journal into the new file.

    A journal is there alone if only the database was moved away.
    """
    there = [path for path in (*journals_beside(db), db) if path.exists()]
    if not there:
        return None
    kept = _free_name(db.with_name(f"{db.name}.before-{now():%Y%m%dT%H%M%S}"))
    for path in there:
        path.rename(kept.with_name(kept.name + path.name.removeprefix(db.name)))
    return kept


def _free_name(path: Path) -> Path:
    """A name under which neither a database nor a journal is kept yet."""
    names = chain([path], (path.with_name(f"{path.name}.{number}") for number in count(2)))
    return next(each for each in names if not any(file.exists() for file in (each, *journals_beside(each))))


@contextmanager
def _unpacked(file: Path, copied: Path) -> Iterator[SqliteRevisionStore]:
    """A backup, copied so that it can be migrated without being touched itself, and checked."""
    make_file(copied)
    shutil.copyfile(file, copied)
    for journal, beside in zip(journals_beside(file), journals_beside(copied), strict=True):
        if journal.exists():
            make_file(beside)
            shutil.copyfile(journal, beside)
    try:
        with _store_in(copied) as store:
            _check(store, file)
            yield store
    except StoreUnusable as error:
        raise StoreUnusable(str(error).replace(str(copied), str(file))) from error


@contextmanager
def _store_in(path: Path) -> Iterator[SqliteRevisionStore]:
    """A store in a file that is complete without the files beside it at the end."""
    try:
        with closing(SqliteRevisionStore(path)) as store:
            yield store
    finally:
        for each in (*files_beside(path), *journals_beside(path)):
            each.unlink(missing_ok=True)


def _check(store: SqliteRevisionStore, file: Path) -> None:
    found = check(store)
    if found.problems:
        raise StoreUnusable(f"{file} is damaged: {'; '.join(found.problems)}")

"""The database that a backup replaces keeps its name until the backup has it, and is kept under another one.

A kill in the middle leaves the database of before or the new one under the name, never none: a server that is started
then would begin with an empty database, and no pause would be in force.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from itertools import chain, count
from typing import TYPE_CHECKING

from vivienne.errors import StoreUnusable
from vivienne.store.private import copy_file, make_file, sync
from vivienne.times import now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_JOURNALS = "-journal", "-wal", "-shm"
_KEPT = r"\.before-\d{8}T\d{6}(\.\d+)?"
"""What is added to the name of a database that is kept."""


def journals_beside(path: Path) -> tuple[Path, ...]:
    """What may hold changes of a database that are not in its file: SQLite puts them into the file that it finds there.

    Vivienne writes only the first one; the others are those of programs that have set the database to WAL.
    """
    return tuple(path.with_name(f"{path.name}{suffix}") for suffix in _JOURNALS)


def other_name(db: Path) -> Path | None:
    """A free name for a database, or for journals whose database was moved away; None if neither is there."""
    if not any(path.exists() for path in (db, *journals_beside(db))):
        return None
    path = db.with_name(f"{db.name}.before-{now():%Y%m%dT%H%M%S}")
    names = chain([path], (path.with_name(f"{path.name}.{number}") for number in count(2)))
    return next(each for each in names if not any(file.exists() for file in (each, *journals_beside(each))))


@contextmanager
def set_aside(db: Path, kept: Path | None) -> Iterator[None]:
    """Give a database and its journals another name before the block, in which another file takes its place.

    Until then the database has both names. If the block fails, it has only its own again.

    Args:
        db: the file, which nobody uses.
        kept: its other name; None if there is nothing.
    """
    if kept is None:
        yield
        return
    before = _identity(db)
    try:
        for path, other in _pairs(db, kept):
            if path.exists():
                _add_name(path, other)
        sync(db.parent)
        for journal in journals_beside(db):  # SQLite would put what is in an old one into the new file
            journal.unlink(missing_ok=True)
        yield
    except BaseException:
        if _identity(db) == before:
            _put_back(db, kept)
        raise


def finish_setting_aside(db: Path) -> None:
    """After a kill in the middle of `set_aside`: take the second name away, and put journals back. Nothing is lost.

    Called by who has the lock of the database.
    """
    if not db.exists() or db.stat().st_nlink == 1:
        return
    for kept in _beside(db, re.escape(db.name) + _KEPT):
        if kept.samefile(db):
            _put_back(db, kept)


def refuse_to_begin_anew(db: Path) -> None:
    """Refuse to make a database whose predecessor was set aside, or that was only half restored.

    Raises:
        StoreUnusable: there is no such database, and one of these is beside it.
    """
    if db.exists():
        return
    for kept in reversed(_beside(db, re.escape(db.name) + _KEPT)):
        raise StoreUnusable(
            f"There is no database {db}, but the one that a restore replaced is there: {kept}. Rename it to {db.name} "
            "to go on with it, restore a backup, or move it to another folder to begin with an empty database"
        )
    for half in _beside(db, rf"\.{re.escape(db.name)}\.[0-9a-f]{{8}}"):
        raise StoreUnusable(
            f"There is no database {db}, but a part of one that a restore did not finish: {half}. Restore the backup "
            "again, or remove that file to begin with an empty database"
        )


def sweep(db: Path) -> None:
    """Remove what restores that were killed left beside a database. Called by who has its lock."""
    for half in _beside(db, rf"\.{re.escape(db.name)}\.[0-9a-f]{{8}}(-journal|-wal|-shm|\.lock)?"):
        half.unlink(missing_ok=True)


def _pairs(db: Path, kept: Path) -> list[tuple[Path, Path]]:
    """The files of a database, itself last, and the other name of each."""
    return [*zip(journals_beside(db), journals_beside(kept), strict=True), (db, kept)]


def _add_name(path: Path, other: Path) -> None:
    try:
        os.link(path, other)
    except OSError:  # not every file system has second names
        make_file(other)
        copy_file(path, other)
        sync(other)


def _put_back(db: Path, kept: Path) -> None:
    # The database is the last: as long as it has two names, the next process knows that there is something to put back.
    for path, other in _pairs(db, kept):
        if path.exists():
            other.unlink(missing_ok=True)
        elif other.exists():
            other.rename(path)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _beside(db: Path, pattern: str) -> list[Path]:
    """Files in the folder of a database whose whole name is like this, by name."""
    try:
        return sorted(path for path in db.parent.iterdir() if re.fullmatch(pattern, path.name))
    except OSError:  # a folder that cannot be read is said where the database is opened
        return []

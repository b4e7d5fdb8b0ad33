"""The files of a SQLite database: who may open them, who holds them, and what SQLite's errors mean."""

from __future__ import annotations

import errno
import logging
import stat
from typing import TYPE_CHECKING

import filelock
from sqlalchemy.exc import DBAPIError

from vivienne.errors import StoreUnusable
from vivienne.store.holders import belongs_to_another, holders
from vivienne.store.private import make_file, make_folder, withdraw_from_others
from vivienne.store.set_aside import finish_setting_aside
from vivienne.store.sqlite_connection import is_replaced

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)


def files_beside(path: Path) -> tuple[Path, Path]:
    """The lock and the journal of a database."""
    return path.with_name(f"{path.name}.lock"), path.with_name(f"{path.name}-journal")


LOCK_GONE = (
    "is not safe: the file beside it that locks it was deleted or replaced, so another Vivienne may have opened it; "
    "restart Vivienne, and leave that file alone"
)


class DatabaseLock:
    """A lock on a database, held or not.

    Args:
        file: beside the database. It is found by its name, so it has to stay there.
        held: the lock on that file.
    """

    def __init__(self, file: Path, held: filelock.BaseFileLock) -> None:
        self._file = file
        self._held = held
        self._inode = file.stat().st_ino if held.is_locked else None

    @property
    def is_held(self) -> bool:
        """True if this process took it."""
        return self._inode is not None

    @property
    def is_lost(self) -> bool:
        """True if another process may have the database as well, because the file is not there any more."""
        return self._inode is not None and is_replaced(self._file, self._inode)

    def release(self) -> None:
        """Release it, if it is held."""
        self._held.release()


def lock(path: Path, *, is_needed: bool, option: str = "--db") -> DatabaseLock:
    """The lock of a database, taken if no other process has it, as must be the case where it is needed.

    Args:
        path: the file.
        is_needed: whether to fail if another process has it.
        option: the setting that names the file, for errors.

    Raises:
        StoreUnusable: it is needed and cannot be had.
    """
    file, _ = files_beside(path)
    held = filelock.FileLock(file, thread_local=False)
    try:
        make_folder(path.parent)
        make_file(file)
        held.acquire(timeout=0)
        finish_setting_aside(path)
        _refuse_other_names(path)
    except StoreUnusable:
        held.release()
        raise
    except filelock.Timeout as error:
        if is_needed:
            by = holders(file)
            raise StoreUnusable(
                f"The database {path} is in use by another Vivienne{f', {by}' if by else ''}; stop that one, or name "
                f"another database with {option}",
                is_temporary=True,
            ) from error
    except OSError as error:
        held.release()
        why = belongs_to_another(path.parent, file) or error.strerror
        raise StoreUnusable(f"The database {path} cannot be opened: {why}", is_temporary=passes(error)) from error
    return DatabaseLock(file, held)


def _refuse_other_names(path: Path) -> None:
    """The lock and the journal are found by the name of the file: under another name of it they would be missed.

    Raises:
        StoreUnusable: the file has another name.
        OSError: it cannot be looked at.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    if found.st_nlink > 1 and stat.S_ISREG(found.st_mode):
        raise StoreUnusable(
            f"The database {path} has another name beside this one (a hard link), under which another process could "
            "change it unnoticed; remove the other name, or name a copy"
        )


def withdraw(path: Path) -> None:
    """Take the rights of others to the database: earlier versions left that to the umask."""
    try:
        open_before = [file.name for file in (path, *files_beside(path)) if withdraw_from_others(file)]
    except OSError as error:
        _log.warning("Other users may read the database %s, and it cannot be helped: %s", path, error.strerror)
    else:
        if open_before:
            _log.warning("Other users could open %s; now only their owner can", ", ".join(open_before))
    mode = path.parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        _log.warning("Every user may replace the database, because every user may write %s; chmod o-w it", path.parent)


def is_in_use(path: Path) -> bool:
    """Tell whether a server has a database open."""
    if not files_beside(path)[0].exists():
        return False
    try:
        lock(path, is_needed=True).release()
    except StoreUnusable:
        return True
    return False


_REASONS = {
    "not a database": "is not a SQLite database; name a new file",
    "malformed": "is damaged; restore a copy of it",
    "readonly": "is read-only; make the file and its folder writable",
    "unable to open": "cannot be opened; check that its folder exists and is writable",
    "full": "cannot grow: the disk is full",
    "disk I/O": "cannot be read or written: the disk reports an error",
}


_PASSING = ("locked", "full", "disk I/O")
_PASSING_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE)


def passes(error: DBAPIError | OSError) -> bool:
    """Tell whether what keeps a database from being opened may end without anybody changing a setting or a file."""
    if isinstance(error, OSError):
        return error.errno in _PASSING_ERRORS
    return any(key in str(error.orig) for key in _PASSING)


def said_at_start(error: DBAPIError | OSError, path: Path) -> str:
    """Why a database cannot be opened, in words."""
    denied = belongs_to_another(path, *files_beside(path), path.parent)
    if denied and any(key in str(error) for key in ("readonly", "unable to open", "Permission denied")):
        return denied
    return said(error, path) if isinstance(error, DBAPIError) else error.strerror or str(error)


def said(error: DBAPIError, path: Path) -> str:
    """SQLite's error in words: the rest of a sentence about the database."""
    text = str(error.orig)
    if "locked" in text:
        by = holders(path)
        return "is locked by another program" + (f": {by} has a transaction open in it" if by else "")
    return next((reason for key, reason in _REASONS.items() if key in text), f"failed: {text.rstrip('.')}")

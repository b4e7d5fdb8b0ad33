"""Revisions in one SQLite file, for one process.

A rollback journal and ``synchronous=FULL``: when a commit returns, the revision survives a power cut. The journal is
kept and its header cleared on commit (``PERSIST``), which is synced; deleting the file would need a sync of the
directory that FULL does not make. No WAL: the SQLite of older Pythons loses data with it under several connections.

The file, its journal and its lock are for their owner alone: whoever may read them may lock them too.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import filelock
from sqlalchemy import URL, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import StaticPool

from vivienne.errors import StoreUnavailable, StoreUnusable, VersionTaken
from vivienne.store.holders import belongs_to_another, holders
from vivienne.store.migrate import adopt, migrate, schema_of
from vivienne.store.private import make_file, make_folder, withdraw_from_others
from vivienne.store.sql import SqlRevisionStore, as_row
from vivienne.store.tables import SCHEMA_VERSION, revisions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine

    from vivienne.store.revision import Revision

_log = logging.getLogger(__name__)

APPLICATION_ID = 0x56495649
"""Marks the file as ours in its header ("VIVI")."""
_BEFORE_MIGRATIONS = 1
"""The schema of files that Alembic has not written in yet."""
_LOCK_TIMEOUT = 2.0
_CACHE_KIB = 128
"""The kernel has the file in memory anyway; the usual 2 MB fill up over hours of changes and look like a leak."""
_PROBE_BYTES = 256 * 1024
"""As much as the longest message."""
_TAKEN = {"SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"}


class SqliteRevisionStore(SqlRevisionStore):
    """Revisions in one SQLite file.

    Used from one thread at a time, by one process: a second one is refused.

    Args:
        path: the file.
        beside: open it even while another process has it open, to change its tokens only. The configuration in force
            does not depend on tokens, and SQLite itself lets only one process write at a time.

    Raises:
        StoreUnusable: the file is not a database, belongs to another program, is read-only, or is in use.
    """

    is_shared = False
    tickets = None

    def __init__(self, path: Path, *, beside: bool = False) -> None:
        self.path = path
        self.name = str(path)
        self._lock = _lock(path, beside=beside)
        self._engine = _engine(path, "BEGIN IMMEDIATE" if beside else "BEGIN")
        try:
            make_file(path)
            self._open = self._engine.connect()
            with self._open.begin():
                _prepare(self._open, path, is_ours=self._lock.is_locked)
            _withdraw(path)
            self._inode = path.stat().st_ino
        except StoreUnusable:
            self.close()
            raise
        except (DBAPIError, OSError) as error:
            self.close()
            why = _said_at_start(error, path)
            raise StoreUnusable(f"The database {path} cannot be used: {why}") from error

    def append(self, *appended: Revision) -> None:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            for revision in appended:
                try:
                    connection.execute(revisions.insert(), as_row(revision))
                except IntegrityError as error:
                    if getattr(error.orig, "sqlite_errorname", None) not in _TAKEN:
                        raise
                    raise VersionTaken(
                        f"version {revision.version}, its config_id or request_id exists already"
                    ) from error

    def prove(self) -> None:
        """See `RevisionStore`. A file beside the database shows that there is space, which writing in it does not."""
        probe = self.path.with_name(f"{self.path.name}-probe")
        try:
            make_file(probe)
            with probe.open("wb", buffering=0) as file:
                os.pwrite(file.fileno(), bytes(_PROBE_BYTES), 0)
                os.fsync(file.fileno())
            probe.unlink()
        except OSError as error:
            probe.unlink(missing_ok=True)
            raise StoreUnavailable(f"the database {self.path} cannot grow: {error.strerror}") from error
        with self._transaction() as connection:
            connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")

    def check(self) -> None:
        """See `RevisionStore`."""
        super().check()
        if self._is_gone():
            raise StoreUnavailable(f"the database {self.path} {_GONE}")

    def close(self) -> None:
        """See `RevisionStore`."""
        self._engine.dispose()
        self._lock.release()

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._open.begin():
            yield self._open

    def _reason(self, error: DBAPIError) -> str:
        return _GONE if self._is_gone() else _said(error, self.path)

    def _is_gone(self) -> bool:
        """Tell whether the opened file is no longer the one at its path."""
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return True


def _beside(path: Path) -> tuple[Path, Path]:
    """The lock and the journal of a database."""
    return path.with_name(f"{path.name}.lock"), path.with_name(f"{path.name}-journal")


def _lock(path: Path, *, beside: bool) -> filelock.BaseFileLock:
    """The lock of a database, taken; with `beside` it may be another process that has it."""
    file, _ = _beside(path)
    lock = filelock.FileLock(file, thread_local=False)
    try:
        make_folder(path.parent)
        make_file(file)
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        if not beside:
            by = holders(file)
            raise StoreUnusable(
                f"The database {path} is in use by another Vivienne{f', {by}' if by else ''}; stop that one, or name "
                "another database with --db"
            ) from error
    except OSError as error:
        why = belongs_to_another(path.parent, file) or error.strerror
        raise StoreUnusable(f"The database {path} cannot be opened: {why}") from error
    return lock


def _withdraw(path: Path) -> None:
    """Take the rights of others to the database: earlier versions left that to the umask."""
    try:
        open_before = [file.name for file in (path, *_beside(path)) if withdraw_from_others(file)]
    except OSError as error:
        _log.warning("Other users may read the database %s, and it cannot be helped: %s", path, error.strerror)
    else:
        if open_before:
            _log.warning("Other users could open %s; now only their owner can", ", ".join(open_before))


def _engine(path: Path, begin: str) -> Engine:
    # One connection, kept: it is used by one thread at a time, though not always by the same one.
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        poolclass=StaticPool,
        connect_args={"timeout": _LOCK_TIMEOUT, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so, below
        connection.execute("PRAGMA journal_mode=PERSIST").close()
        connection.execute("PRAGMA synchronous=FULL").close()
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}").close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _prepare(connection: Connection, path: Path, *, is_ours: bool) -> None:
    """Make sure the file is a Vivienne's, of the schema we work with, and can be written.

    It is brought to that schema only where no other process uses it.
    """
    application_id = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    # The same number as Alembic's, in the header: Viviennes from before migrations wrote only that, and look at it.
    header = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    if application_id != APPLICATION_ID and tables:
        raise StoreUnusable(f"The database {path} belongs to another program; name a new file")
    schema = schema_of(connection)
    if max(header, schema or 0) > SCHEMA_VERSION:
        raise StoreUnusable(
            f"The database {path} was written by a later version of Vivienne (schema {max(header, schema or 0)}, "
            f"this one knows {SCHEMA_VERSION}); update Vivienne or name another file"
        )
    if schema != SCHEMA_VERSION and not is_ours:
        raise StoreUnusable(f"The database {path} is in use by a Vivienne of another version; stop that one first")
    if schema is None:
        adopt(connection, _BEFORE_MIGRATIONS)
    if schema != SCHEMA_VERSION:
        migrate(connection)
    # Only where they differ: a file that is merely looked at stays as it is.
    if application_id != APPLICATION_ID:
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    if header != SCHEMA_VERSION:
        connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
    # Alters nothing, and fails where nothing can be altered: better now than at the first change.
    connection.exec_driver_sql("DELETE FROM revisions WHERE 0")


_GONE = "was deleted or replaced while it was open; put it back and restart Vivienne"
_REASONS = {
    "not a database": "is not a SQLite database; name a new file",
    "malformed": "is damaged; restore a copy of it",
    "readonly": "is read-only; make the file and its folder writable",
    "unable to open": "cannot be opened; check that its folder exists and is writable",
    "full": "cannot grow: the disk is full",
    "disk I/O": "cannot be read or written: the disk reports an error",
}


def _said_at_start(error: DBAPIError | OSError, path: Path) -> str:
    """Why a database cannot be opened, in words."""
    denied = belongs_to_another(path, *_beside(path), path.parent)
    if denied and any(key in str(error) for key in ("readonly", "unable to open", "Permission denied")):
        return denied
    return _said(error, path) if isinstance(error, DBAPIError) else error.strerror or str(error)


def _said(error: DBAPIError, path: Path) -> str:
    """SQLite's error in words: the rest of a sentence about the database."""
    text = str(error.orig)
    if "locked" in text:
        by = holders(path)
        return "is locked by another program" + (f": {by} has a transaction open in it" if by else "")
    return next((reason for key, reason in _REASONS.items() if key in text), f"failed: {text.rstrip('.')}")

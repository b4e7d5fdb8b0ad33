"""Revisions in one SQLite file, for one process.

A rollback journal and ``synchronous=FULL``: when a commit returns, the revision survives a power cut. The journal is
kept and its header cleared on commit (``PERSIST``), which is synced; deleting the file would need a sync of the
directory that FULL does not make. No WAL: the SQLite of older Pythons loses data with it under several connections.

The file, its journal and its lock are for their owner alone: whoever may read them may lock them too.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Double, func, literal_column, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from vivienne.errors import StoreUnavailable, StoreUnusable, VersionTaken
from vivienne.store.migrate import adopt, migrate, of_earlier_schema, schema_of
from vivienne.store.private import make_file
from vivienne.store.set_aside import refuse_to_begin_anew
from vivienne.store.sql import SqlRevisionStore, as_row
from vivienne.store.sql_alerts import SqlAlerts
from vivienne.store.sql_tokens import expect_accepted
from vivienne.store.sqlite_connection import is_replaced, one_connection
from vivienne.store.sqlite_files import LOCK_GONE, is_in_use, lock, passes, said, said_at_start, withdraw
from vivienne.store.tables import SCHEMA_VERSION, revisions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from vivienne.store.base import Opening
    from vivienne.store.revision import Revision

    _Newest = tuple[int, str] | None

APPLICATION_ID = 0x56495649
"""Marks the file as ours in its header ("VIVI")."""
_BEFORE_MIGRATIONS = 1
"""The schema of files that Alembic has not written in yet."""
_CACHE_KIB = 128
"""The kernel has the file in memory anyway; the usual 2 MB fill up over hours of changes and look like a leak."""
_PROBE_BYTES = 256 * 1024
"""As much as the longest message."""
_NOW = (func.julianday("now", type_=Double) - literal_column("2440587.5", Double)) * 86400.0
"""Seconds since 1970, which is that Julian day."""
_TAKEN = {"SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"}


class SqliteRevisionStore(SqlRevisionStore):
    """Revisions in one SQLite file.

    Used from one thread at a time, by one process: a second one is refused.

    Args:
        path: the file.
        how: what it is opened for. SQLite itself lets only one process write at a time, and readers wait for it only
            while it commits.

    Raises:
        StoreUnusable: the file is not a database, belongs to another program, is read-only, or is in use.
    """

    is_shared = False
    tickets = None

    def __init__(self, path: Path, how: Opening = "alone") -> None:
        self.path = path
        self.name = str(path)
        self._lock = None if how == "to read" else lock(path, is_needed=how in ("alone", "as it is"))
        self.alerts = SqlAlerts(self._reading, insert, _NOW)
        self._engine = one_connection(path, "BEGIN IMMEDIATE" if how == "beside" else "BEGIN", _set_up)
        try:
            if self._lock is not None:
                refuse_to_begin_anew(path)
                make_file(path)
            self._open = self._engine.connect()
            with self._open.begin():
                if self._lock is None:
                    _prepare_to_read(self._open, path)
                else:
                    _prepare(self._open, path, migrates=how == "alone", is_ours=self._lock.is_held)
                self._expected = {_newest(self._open)}
            if self._lock is not None:
                withdraw(path)
            self._inode = path.stat().st_ino
        except StoreUnusable:
            self.close()
            raise
        except (DBAPIError, OSError) as error:
            self.close()
            why = said_at_start(error, path)
            raise StoreUnusable(f"The database {path} cannot be used: {why}", is_temporary=passes(error)) from error

    def append(self, *appended: Revision, under: str | None = None, ends: tuple[int, str] | None = None) -> None:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            before = self._expect_own(connection)
            for revision in appended:
                try:
                    connection.execute(revisions.insert(), as_row(revision))
                except IntegrityError as error:
                    if getattr(error.orig, "sqlite_errorname", None) not in _TAKEN:
                        raise
                    raise VersionTaken(
                        f"version {revision.version}, its config_id or request_id exists already"
                    ) from error
            expect_accepted(connection, under)
            self._expect_unshared(connection, ends)
            after = _newest(connection)
            self._expected = {before, after}  # a commit that fails may have been made
        self._expected = {after}

    def prove(self) -> None:
        """See `RevisionStore`. A file beside the database shows that there is space, which writing in it does not.

        It is written from where the database ends, because a file may be limited in its size.
        """
        probe = self.path.with_name(f"{self.path.name}-probe")
        try:
            make_file(probe)
            with probe.open("wb", buffering=0) as file:
                begin = self.path.stat().st_size
                place, end = begin, begin + _PROBE_BYTES
                while place < end:  # what does not fit is written in part, and fails the next time
                    place += os.pwrite(file.fileno(), bytes(end - place), place)
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
        if self._lock is not None:
            with self._transaction() as connection:
                self._expect_own(connection)

    def check_pages(self, report: Callable[[str], None]) -> list[str]:
        """See `RevisionStore`. It takes seconds for a large file, in which nobody else can write."""
        if self._lock is None and is_in_use(self.path):
            return ["the indexes and pages were not checked, because a server has the file open; check a backup"]
        with self._transaction() as connection:
            for found in connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars():
                if found != "ok":
                    report(found)
        return []

    def close(self) -> None:
        """See `RevisionStore`."""
        self._engine.dispose()
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        if self._lock is not None and self._lock.is_lost:
            raise StoreUnavailable(f"the database {self.path} {LOCK_GONE}")
        with self._open.begin():
            yield self._open

    def _expect_own(self, connection: Connection) -> _Newest:
        """The newest revision, which has to be the one that this process knows: nobody else may write.

        Raises:
            StoreUnavailable: it is another one, so another database was copied over this one.
        """
        found = _newest(connection)
        if found not in self._expected:
            raise StoreUnavailable(f"the database {self.path} {_OVERWRITTEN}")
        return found

    def _reason(self, error: DBAPIError) -> str:
        return _GONE if self._is_gone() else said(error, self.path)

    def _passes(self, error: DBAPIError) -> bool:
        return passes(error) or self._is_gone()

    def _is_gone(self) -> bool:
        return is_replaced(self.path, self._inode)


def _newest(connection: Connection) -> _Newest:
    """Version and config_id of the newest revision; None without any."""
    newest = select(revisions.c.version, revisions.c.config_id).order_by(revisions.c.version.desc()).limit(1)
    found = connection.execute(newest).first()
    return None if found is None else (found.version, found.config_id)


def _set_up(connection: sqlite3.Connection) -> None:
    if _is_of_another(connection):
        return  # it is refused, and stays as it is
    connection.execute("PRAGMA journal_mode=PERSIST").close()
    connection.execute("PRAGMA synchronous=FULL").close()
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}").close()


def _is_of_another(connection: sqlite3.Connection) -> bool:
    """Tell whether a file is a database of another program."""
    [application_id] = connection.execute("PRAGMA application_id").fetchone()
    [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return bool(application_id != APPLICATION_ID and tables)


def _prepare_to_read(connection: Connection, path: Path) -> None:
    """Make sure the file is a Vivienne's, of the schema we work with."""
    _, _, schema = _looked_at(connection, path)
    if schema != SCHEMA_VERSION:
        raise StoreUnusable(f"The database {path} {of_earlier_schema(schema)}")
    connection.exec_driver_sql("PRAGMA query_only=ON")


def _looked_at(connection: Connection, path: Path) -> tuple[int, int, int | None]:
    """The application, the number in the header and the schema of a file that is no other program's, and not later."""
    application_id = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    # The same number as Alembic's, in the header: Viviennes from before migrations wrote only that, and look at it.
    header = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    if application_id != APPLICATION_ID and tables:
        raise StoreUnusable(f"The database {path} belongs to another program; name a new file")
    foreign = "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view') LIMIT 1"
    for kind, name in connection.exec_driver_sql(foreign):
        raise StoreUnusable(
            f"The database {path} has a {kind}, {name!r}, which Vivienne did not make: what is stored may not be what "
            "was changed. Restore a backup without it"
        )
    schema = schema_of(connection)
    if max(header, schema or 0) > SCHEMA_VERSION:
        raise StoreUnusable(
            f"The database {path} was written by a later version of Vivienne (schema {max(header, schema or 0)}, "
            f"this one knows {SCHEMA_VERSION}); update Vivienne or name another file"
        )
    return application_id, header, schema


def _prepare(connection: Connection, path: Path, *, migrates: bool, is_ours: bool) -> None:
    """Make sure the file is a Vivienne's, of the schema we work with, and can be written.

    Tables are made only where no other process uses it.
    """
    application_id, header, schema = _looked_at(connection, path)
    if schema not in (0, SCHEMA_VERSION) and not migrates:
        raise StoreUnusable(f"The database {path} {of_earlier_schema(schema)}")
    if schema != SCHEMA_VERSION and not is_ours:
        raise StoreUnusable(f"The tables of {path} are being made by another Vivienne; try again", is_temporary=True)
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


_OVERWRITTEN = (
    "was written to by another program while it was open, such as a backup that was copied over it; stop Vivienne, put "
    "the right file there, and start it"
)
_GONE = "was deleted or replaced while it was open; put it back and restart Vivienne"

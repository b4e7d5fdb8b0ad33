"""The record in a SQLite file of its own, for one process that writes and any number that read.

A write-ahead log, so that nobody who reads keeps the record from being written, nor the other way round. With
``synchronous=NORMAL`` a power cut may lose the last seconds; a process that is killed loses no commit.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from vivienne.errors import RecordUnavailable, StoreUnusable
from vivienne.record.database import check_schema, make_tables, translated
from vivienne.store.private import make_file
from vivienne.store.sqlite_connection import is_replaced, one_connection
from vivienne.store.sqlite_files import LOCK_GONE, lock, said, said_at_start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Table
    from sqlalchemy.dialects.sqlite import Insert
    from sqlalchemy.engine import Connection

    from vivienne.record.database import Opening
    from vivienne.store.sqlite_files import DatabaseLock

APPLICATION_ID = 0x56495652
"""Marks the file as a record in its header ("VIVR")."""
_CACHE_KIB = 1024
"""Of the pages that were written last. The bars of the first decisions fill it, so that it does not grow later."""
_LOG_BYTES = 16 * 1024 * 1024
"""To which the write-ahead log is cut after it grew, as it does while somebody reads for long."""
RESERVED_BYTES = 32 * 1024 * 1024
"""Space on its disk that the record leaves free."""
_GONE = "was deleted or replaced while it was open"


class SqliteRecord:
    """A connection to a record in a file; see `RecordDatabase`.

    The process that writes holds a lock beside the file, and the file and all beside it are for their owner alone.

    Args:
        path: the file.
        how: what it is opened for.

    Raises:
        RecordUnavailable: it cannot be opened.
    """

    is_shared = False

    def __init__(self, path: Path, how: Opening) -> None:
        self.path = path
        self.name = str(path)
        self._ends = ExitStack()
        self._writes = how == "to write"
        self._lock: DatabaseLock | None = None
        prepare = _set_to_write if self._writes else _set_to_read
        engine = one_connection(path, "BEGIN IMMEDIATE" if self._writes else "BEGIN", prepare)
        try:
            if self._writes:
                self._lock = lock(path, is_needed=True, option="--record")
                self._ends.callback(self._lock.release)
                make_file(path)
            self._inode = path.stat().st_ino
            self._ends.callback(engine.dispose)
            self._open = engine.connect()
            self._prepare(how)
            if self._writes:
                self._ends.callback(_fold_in_log, self._open)
        except FileNotFoundError as error:
            self.close()
            raise RecordUnavailable(self.name, "does not exist", is_new=True) from error
        except StoreUnusable as error:
            self.close()
            raise RecordUnavailable(self.name, f"cannot be opened: {error}") from error
        except (DBAPIError, OSError) as error:
            self.close()
            raise RecordUnavailable(self.name, said_at_start(error, path)) from error
        except RecordUnavailable:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """See `RecordDatabase`."""
        if self._is_gone():
            raise RecordUnavailable(self.name, _GONE)
        if self._lock is not None and self._lock.is_lost:
            raise RecordUnavailable(self.name, LOCK_GONE)
        if self._writes:
            self._leave_room()
        with translated(self.name, lambda error: said(error, self.path)), self._open.begin():
            yield self._open

    def insert(self, table: Table) -> Insert:
        """See `RecordDatabase`."""
        return insert(table)

    def is_alone(self, connection: Connection) -> bool:
        """See `RecordDatabase`. Only one process writes."""
        del connection
        return True

    def close(self) -> None:
        """See `RecordDatabase`. The file has everything then, also where somebody still has it open to read."""
        self._ends.close()

    def _prepare(self, how: Opening) -> None:
        with self._open.begin():
            _recognize(self._open, self.name)
            known = check_schema(self._open, self.name, how)
        if how == "to read":
            return
        _run_alone(self._open, "PRAGMA journal_mode=WAL")
        if known is not None:
            with self._open.begin():
                self._open.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
                make_tables(self._open, known)

    def _leave_room(self) -> None:
        """Leave the end of a disk to changes of the configuration, which may be on the same one.

        Raises:
            RecordUnavailable: there is no more than that.
        """
        if shutil.disk_usage(self.path.parent).free < RESERVED_BYTES:
            raise RecordUnavailable(
                self.name,
                f"is not written because its disk is nearly full: the last {RESERVED_BYTES >> 20} MB are left to "
                "changes of the configuration; make room",
            )

    def _is_gone(self) -> bool:
        return is_replaced(self.path, self._inode)


def _fold_in_log(connection: Connection) -> None:
    """Move what the write-ahead log has into the file. What a disk refuses stays, and the next opening finds it."""
    with suppress(sqlite3.Error):
        _run_alone(connection, "PRAGMA wal_checkpoint(TRUNCATE)")


def _run_alone(connection: Connection, statement: str) -> None:
    """Execute what is only possible outside of a transaction."""
    driver: Any = connection.connection.driver_connection
    driver.execute(statement).close()


def _set_to_write(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous=NORMAL").close()
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}").close()
    connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}").close()


def _set_to_read(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only=ON").close()


def _recognize(connection: Connection, name: str) -> None:
    """Refuse a file of another program."""
    found = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    if found != APPLICATION_ID and (found != 0 or tables != 0):
        raise RecordUnavailable(name, "is not a record of Vivienne; name another file with --record")

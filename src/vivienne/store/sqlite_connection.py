"""A connection to a SQLite file, kept open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import URL, create_engine, event
from sqlalchemy.pool import StaticPool

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine

_LOCK_TIMEOUT = 2.0


def one_connection(path: Path, begin: str, prepare: Callable[[sqlite3.Connection], None]) -> Engine:
    """An engine with one connection, which is kept. One thread at a time uses it, though not always the same one.

    Args:
        path: the file.
        begin: statement with which transactions begin.
        prepare: sets what the connection needs, when it is made.
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path.absolute())),  # `:memory:` alone would be kept nowhere
        poolclass=StaticPool,
        connect_args={"timeout": _LOCK_TIMEOUT, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so, below
        prepare(connection)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def is_replaced(path: Path, inode: int) -> bool:
    """Tell whether an opened file is no longer the one at its path: what is written there would be lost."""
    try:
        return path.stat().st_ino != inode
    except OSError:
        return True

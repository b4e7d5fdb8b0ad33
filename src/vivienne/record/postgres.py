"""The record in the PostgreSQL database of the configuration, written by every agent at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, OperationalError

from vivienne.errors import RecordUnavailable, StoreUnusable
from vivienne.record.database import check_schema, make_tables, translated
from vivienne.record.tables import schema
from vivienne.store.postgres_connection import one_connection, parameters
from vivienne.store.postgres_reasons import is_first_elsewhere, reason_at_start, reason_later

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table
    from sqlalchemy.dialects.postgresql import Insert
    from sqlalchemy.engine import Connection

    from vivienne.record.database import Opening
    from vivienne.store.address import PostgresUrl

_NOT_ALLOWED, _LOCKED = "42501", "55P03"
_ATTEMPTS = 3


class PostgresRecord:
    """A connection to a record in PostgreSQL; see `RecordDatabase`.

    Args:
        url: the database.
        how: what it is opened for.

    Raises:
        RecordUnavailable: it cannot be reached or used.
    """

    is_shared = True

    def __init__(self, url: PostgresUrl, how: Opening) -> None:
        self.name = str(url)
        try:
            how_to_connect = parameters(url, writes=True)
        except StoreUnusable as error:
            raise RecordUnavailable(self.name, f"cannot be used: {error}") from error
        self._engine = one_connection(how_to_connect)
        try:
            self._prepare(how)
        except DBAPIError as error:
            self.close()
            raise RecordUnavailable(self.name, _denied(error) or reason_at_start(error)) from error
        except RecordUnavailable:
            self.close()
            raise

    def _prepare(self, how: Opening) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                with self._engine.begin() as connection:
                    known = check_schema(connection, self.name, how)
                    if known is not None:
                        make_tables(connection, known)
            except DBAPIError as error:
                # Another process makes the tables too, and was first. No lock is taken that anybody could hold.
                if not is_first_elsewhere(error) or attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """See `RecordDatabase`. When the connection is lost, the call that notices fails, and the next reconnects."""
        with (
            translated(self.name, lambda error: _denied(error) or reason_later(error)),
            self._engine.begin() as connection,
        ):
            yield connection

    def insert(self, table: Table) -> Insert:
        """See `RecordDatabase`."""
        return insert(table)

    def is_alone(self, connection: Connection) -> bool:
        """See `RecordDatabase`. The lock is one that needs rights: anybody could hold an advisory one."""
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"LOCK TABLE {schema.name} IN SHARE UPDATE EXCLUSIVE MODE NOWAIT")
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCKED:
                raise
            return False
        return True

    def close(self) -> None:
        """See `RecordDatabase`."""
        self._engine.dispose()


def _denied(error: DBAPIError) -> str | None:
    """What to grant; None if no right is missing."""
    if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
        return None
    said = str(error.orig).strip().partition("\n")[0]
    return (
        f"cannot be used: {said}; start this version once as the owner of the database, or let its owner GRANT CREATE "
        "ON SCHEMA public, or once the tables are made SELECT, "
        "INSERT, UPDATE, DELETE on those named record_; or record into a file with --record PATH"
    )

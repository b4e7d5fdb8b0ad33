"""A connection to the record: in a SQLite file, or in the PostgreSQL database of the configuration."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from sqlalchemy import select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from vivienne.errors import RecordUnavailable
from vivienne.record.tables import LATER_COLUMNS, RECORD_SCHEMA, metadata, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Table
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
    from sqlalchemy.engine import Connection

    from vivienne.store.address import PostgresUrl

Opening = Literal["to write", "to read"]


class RecordDatabase(Protocol):
    """A connection to a record. It blocks, and is used by one thread at a time.

    Attributes:
        name: for messages; without a password.
        is_shared: whether other processes may write too.
    """

    name: str
    is_shared: bool

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction, committed at the end.

        Raises:
            RecordUnavailable: the database does not do what it is asked.
        """

    def insert(self, table: Table) -> SqliteInsert | PostgresInsert:
        """An insertion that may say what to do on a conflict."""

    def is_alone(self, connection: Connection) -> bool:
        """Tell whether no other process takes out old rows, and keep it so until the end of the transaction."""

    def close(self) -> None:
        """Close the connection; it cannot be used any more."""


def open_record(where: Path | PostgresUrl, how: Opening) -> RecordDatabase:
    """Open a record. One that is to be written is made if it does not exist.

    Args:
        where: a SQLite file, or the PostgreSQL database of the configuration.
        how: to write, which only one process may do to a file at a time; or to read.

    Raises:
        RecordUnavailable: it cannot be opened.
    """
    if isinstance(where, Path):
        from vivienne.record.sqlite import SqliteRecord  # noqa: PLC0415  # not both are needed

        return SqliteRecord(where, how)
    from vivienne.record.postgres import PostgresRecord  # noqa: PLC0415  # its driver is an extra

    return PostgresRecord(where, how)


def check_schema(connection: Connection, name: str, how: Opening) -> int | None:
    """Make sure that this program can work with the tables of a record.

    Returns:
        The schema from which `make_tables` has to bring them up to date, 0 without tables; None if they are.

    Raises:
        RecordUnavailable: they are of a later version; or to be read, and of an earlier one or not there.
    """
    found = _schema_of(connection)
    if found == RECORD_SCHEMA:
        return None
    if found > RECORD_SCHEMA:
        raise RecordUnavailable(
            name,
            f"was written by a later version of Vivienne (schema {found}, this one knows {RECORD_SCHEMA}); update "
            "Vivienne, or name another record with --record",
        )
    if how == "to read" and found == 0:
        raise RecordUnavailable(name, "is empty: nothing has been recorded in it", is_new=True)
    if how == "to read":
        raise RecordUnavailable(
            name,
            f"was written by an earlier version of Vivienne (schema {found}, this one reads {RECORD_SCHEMA}); the next "
            "start of `vivienne serve` with it brings it up to date",
            is_old=True,
        )
    return found


def make_tables(connection: Connection, known: int) -> None:
    """Make the tables of a new record, or bring those of an earlier schema up to date. Rows stay as they are.

    Args:
        connection: in a transaction.
        known: the schema that the record has; 0 without tables.
    """
    if known == 0:
        metadata.create_all(connection)
        connection.execute(schema.insert().values(version=RECORD_SCHEMA))
        return
    for column in LATER_COLUMNS:
        added = CreateColumn(column).compile(connection)
        connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {added}")
    connection.execute(update(schema).values(version=RECORD_SCHEMA))


def _schema_of(connection: Connection) -> int:
    """The schema of a record; 0 while it has no tables."""
    if not connection.dialect.has_table(connection, schema.name):
        return 0
    return connection.execute(select(schema.c.version)).scalar_one_or_none() or 0


@contextmanager
def translated(name: str, reason: Callable[[DBAPIError], str]) -> Iterator[None]:
    """Raise errors of the database as `RecordUnavailable`.

    Args:
        name: of the record.
        reason: says what an error of the engine means.
    """
    try:
        yield
    except (DataError, IntegrityError):
        raise  # a defect of the program, not of the database
    except DBAPIError as error:
        raise RecordUnavailable(name, reason(error)) from error
    except (SQLAlchemyError, OverflowError) as error:
        raise RecordUnavailable(name, f"failed: {error}") from error

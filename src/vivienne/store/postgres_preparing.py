"""Makes sure that a PostgreSQL database is one that Vivienne can use, and makes or migrates its tables."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from vivienne.errors import StoreUnusable
from vivienne.store.migrate import VERSION_TABLE, migrate, of_earlier_schema, schema_of
from vivienne.store.postgres_connection import PATIENCE_SECONDS
from vivienne.store.postgres_reasons import READ_ONLY_AT_START, is_first_elsewhere
from vivienne.store.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

_log = logging.getLogger(__name__)

_MIGRATION_SECONDS = 60
_ATTEMPTS = 3


def prepare_to_read(engine: Engine, name: str) -> None:
    """Make sure that a database has the tables we work with.

    Raises:
        StoreUnusable: it has others.
    """
    with engine.begin() as connection:
        schema = _schema(connection, name)
    if schema < SCHEMA_VERSION:
        raise StoreUnusable(f"The database {name} {of_earlier_schema(schema)}")


def prepare(engine: Engine, name: str, *, migrates: bool) -> None:
    """Make sure the database is ours, of the schema we work with, and can be written.

    Args:
        engine: connects to it.
        name: of the database in messages.
        migrates: whether tables are made, and those of an earlier schema migrated.

    Raises:
        StoreUnusable: it cannot be used.
    """
    with engine.begin() as connection:
        if connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on":
            raise StoreUnusable(
                f"The database {name} {READ_ONLY_AT_START}",
                is_temporary=True,  # it may become the primary
            )
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise StoreUnusable(
                f"The database {name} cannot store every text: its encoding is {encoding}; "
                "create one with createdb --template=template0 --encoding=UTF8"
            )
        if connection.exec_driver_sql("SHOW fsync").scalar_one() != "on":
            _log.warning("PostgreSQL runs with fsync=off: changes it acknowledged may be lost in a power cut")
        schema = _schema(connection, name)
    if 0 < schema < SCHEMA_VERSION and not migrates:
        raise StoreUnusable(f"The database {name} {of_earlier_schema(schema)}")
    if schema < SCHEMA_VERSION:
        _migrate(engine, name)
    with engine.begin() as connection:
        may = connection.exec_driver_sql("SELECT has_table_privilege('revisions', 'INSERT')").scalar_one()
        if not may:
            raise StoreUnusable(
                f"The database {name} cannot be written by this user; GRANT SELECT, INSERT ON revisions to it"
            )


def _migrate(engine: Engine, name: str) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            with engine.begin() as connection:
                driver: Any = connection.connection.driver_connection
                driver.patience = _MIGRATION_SECONDS + PATIENCE_SECONDS
                try:
                    _migrate_alone(connection, name)
                finally:
                    del driver.patience  # back to that of all connections
        except DBAPIError as error:
            # Tables that are being made cannot be locked. Who makes the same ones waits, and is told at the end.
            if not is_first_elsewhere(error) or attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _migrate_alone(connection: Connection, name: str) -> None:
    """Migrate, unless another process does: then wait for it, and look again."""
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{_MIGRATION_SECONDS}s'")
    if _schema(connection, name) > 0:
        connection.exec_driver_sql(f"LOCK TABLE {VERSION_TABLE} IN SHARE ROW EXCLUSIVE MODE")
    if _schema(connection, name) < SCHEMA_VERSION:
        _log.info("Migrating the tables of %s to schema %d", name, SCHEMA_VERSION)
        migrate(connection)


def _schema(connection: Connection, name: str) -> int:
    schema = schema_of(connection)
    if schema is None:
        raise StoreUnusable(f"The database {name} has tables of another program; name another database")
    if schema > SCHEMA_VERSION:
        raise StoreUnusable(
            f"The database {name} was written by a later version of Vivienne (schema {schema}, "
            f"this one knows {SCHEMA_VERSION}); update Vivienne or name another database"
        )
    return schema

"""Brings a database to the schema this version of Vivienne works with.

Every migration runs in the transaction of the caller, so that a database has the old schema or the new one, whatever
happens. SQLite and PostgreSQL both make and alter tables in transactions.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from vivienne.store.tables import SCHEMA_VERSION, metadata, revisions

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.config import Config
    from sqlalchemy.engine import Connection, Dialect

VERSION_TABLE = "alembic_version"
"""Where Alembic keeps the number of the schema."""
_versions = Table(
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)


def schema_of(connection: Connection) -> int | None:
    """The number of the schema a database has: 0 while it has none, None when migrations did not make its tables."""
    look = inspect(connection)
    # In this order: another process may be making both at this moment.
    has_revisions = look.has_table(revisions.name)
    if not look.has_table(VERSION_TABLE):
        return None if has_revisions else 0
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all()  # noqa: S608  # ours
    return int(found[0]) if len(found) == 1 and found[0].isdecimal() else None


def of_earlier_schema(schema: int | None) -> str:
    """What to do with a database that is not to be migrated and has an earlier schema: the rest of a sentence."""
    if schema == 0:
        return "has no tables of Vivienne; name another one with --db"
    return (
        f"was written by an earlier version of Vivienne (schema {schema or 1}, this one works with {SCHEMA_VERSION}); "
        "use that version, or start a server of this one, which migrates it"
    )


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing. An empty database gets the tables they lead to, without loading Alembic."""
    if schema_of(connection) == 0:
        dialect: Callable[[], Dialect] = type(connection.dialect)
        for statement in _making_tables(dialect):
            connection.exec_driver_sql(statement)
        connection.execute(_versions.insert().values(version_num=str(SCHEMA_VERSION)))
        return
    from alembic import command  # noqa: PLC0415  # most starts find nothing to migrate, and need not load it

    command.upgrade(_configuration(connection), "head")


@cache
def _making_tables(dialect: Callable[[], Dialect]) -> tuple[str, ...]:
    """The statements that make all tables. To write them takes as long as to execute them."""
    made: list[ExecutableDDLElement] = []
    for table in (*metadata.sorted_tables, _versions):
        made.append(CreateTable(table))
        made += [CreateIndex(index) for index in sorted(table.indexes, key=lambda each: str(each.name))]
    return tuple(str(each.compile(dialect=dialect())) for each in made)


def adopt(connection: Connection, schema: int) -> None:
    """Write down that a database has a schema, without touching anything else in it."""
    from alembic import command  # noqa: PLC0415  # as above

    command.stamp(_configuration(connection), str(schema))


def _configuration(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415  # as above

    configuration = Config()
    configuration.set_main_option("script_location", "vivienne.store:migrations")
    configuration.attributes["connection"] = connection
    return configuration

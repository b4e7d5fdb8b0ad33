"""A migration of a large database is killed over and over: there are the old tables or the new ones, never half."""

from __future__ import annotations

import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from alembic import command
from sqlalchemy import create_engine, inspect

from measuring import Figure, spread
from postgres_server import PostgresServer
from redis_running import eventually
from running import RunningServer
from store import batches
from torture.progress import Progress
from vivienne.store.migrate import _configuration
from vivienne.store.sqlite import APPLICATION_ID
from vivienne.store.tables import revisions as table

if TYPE_CHECKING:
    from sqlalchemy import Connection

_OLD = "1"
"""The schema before the first migration that alters something."""
_FLAGS = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500")
_WANTED_SECONDS = 2.0
_SECONDS = 120.0
_HOT = bytes.fromhex("d9d505f920a163d7")
"""How a journal of SQLite begins as long as it is needed."""
_OPENING = """
import sys
from pathlib import Path
import alembic.command  # otherwise most of the time goes into loading it
from vivienne.store.address import PostgresUrl
from vivienne.store.opening import open_store
db = PostgresUrl.read(sys.argv[1]) or Path(sys.argv[1])
print("opening", flush=True)
open_store(db).close()
"""

Schema = tuple[Any, ...]
"""Everything that says what the tables are, and how many revisions there are."""


class _Database(Protocol):
    """A database that can be put back to the old schema.

    Attributes:
        where: what ``--db`` is given.
    """

    where: str

    def put_back(self) -> None:
        """Give it the old tables again."""

    def schema(self) -> Schema:
        """What it has."""

    def is_hot(self) -> bool:
        """Whether a transaction was broken off in it, as far as that can be seen."""


class _Sqlite:
    def __init__(self, folder: Path, revisions: int) -> None:
        self._old, self._path = folder / "old.db", folder / "migrations.db"
        self.where = str(self._path)
        engine = create_engine(f"sqlite:///{self._old}")
        with engine.begin() as connection:
            _fill(connection, revisions)
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version={_OLD}")
        engine.dispose()

    def put_back(self) -> None:
        shutil.copyfile(self._old, self._path)

    def schema(self) -> Schema:
        with closing(sqlite3.connect(self._path, timeout=10)) as connection:
            return (
                *connection.execute("PRAGMA user_version"),
                *connection.execute("SELECT version_num FROM alembic_version"),
                *connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name"),
                *connection.execute("SELECT count(*), min(version), max(version) FROM revisions"),
                *connection.execute("PRAGMA quick_check"),
            )

    def is_hot(self) -> bool:
        journal = Path(f"{self._path}-journal")
        return journal.exists() and journal.read_bytes().startswith(_HOT)


class _Postgres:
    def __init__(self, server: PostgresServer, revisions: int) -> None:
        self._server = server
        self._old = server.database().rpartition("/")[2]
        self._name = f"{self._old}_killed"
        self.where = server.url(self._name)
        engine = create_engine(server.url(self._old).replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            _fill(connection, revisions)
        engine.dispose()

    def put_back(self) -> None:
        self._server.execute(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
        self._server.execute(f"CREATE DATABASE {self._name} TEMPLATE {self._old}")

    def schema(self) -> Schema:
        # What the killed process had asked for last is still being done.
        eventually(lambda: not self._connections(), _SECONDS)
        asked = (
            "SELECT version_num FROM alembic_version",
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "SELECT count(*), min(version), max(version) FROM revisions",
        )
        return tuple(row for query in asked for row in sorted(self._server.execute(query, url=self.where)))

    def is_hot(self) -> bool:
        return self._connections("backend_xid IS NOT NULL")  # has written something, and not committed

    def _connections(self, which: str = "true") -> bool:
        query = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{self._name}' AND {which}"  # noqa: S608  # ours
        return bool(self._server.execute(query))


def measure(*, kills: int = 100, revisions: int = 100_000, starts: int = 5, postgres: bool = True) -> list[Figure]:
    """Kill the process that migrates, at any moment of it.

    Args:
        kills: how often, for each engine.
        revisions: in the database.
        starts: how often the time of a start is measured.
        postgres: with a PostgreSQL database too.
    """
    with tempfile.TemporaryDirectory() as folder:
        figures = _measure("SQLite", _Sqlite(Path(folder), revisions), kills, revisions, starts)
    if postgres:
        server = PostgresServer()
        try:
            server.start()
            figures += _measure("PostgreSQL", _Postgres(server, revisions), kills, revisions, starts)
        finally:
            server.remove()
    return figures


def _measure(engine: str, database: _Database, kills: int, revisions: int, count: int) -> list[Figure]:
    moments = random.Random(10)  # noqa: S311  # spreads moments, guards no secret
    progress = Progress(f"kills, {engine}", kills)
    database.put_back()
    old = database.schema()
    duration = _open(database, None)
    new = database.schema()
    found: Counter[str] = Counter()
    schema = new
    for kill in range(1, kills + 1):
        if schema != old:
            database.put_back()
        # Every other one as soon as there is something to undo, which random moments seldom meet.
        aimed = bool(kill % 2)
        _open(database, 0.0 if aimed else moments.uniform(0, duration), aimed=aimed)
        found["in the middle"] += database.is_hot()
        schema = database.schema()
        found["old" if schema == old else "new" if schema == new else "half"] += 1
        progress.at(kill, str(dict(found)))
    migrating = []
    for _ in range(count):
        database.put_back()
        migrating.append(_start(database))
    starts = [_start(database) for _ in range(count)]
    return [
        Figure(
            f"{engine}: migration of {revisions:,} revisions killed {kills} x",
            f"{found['old']} old, {found['new']} new, {found['half']} half ({found['in the middle']} in the middle)",
            "0 half",
            old != new and not found["half"],
        ),
        *(
            Figure(
                f"  start {what}",
                spread(seconds, "s"),
                f"<= {_WANTED_SECONDS:g} s",
                statistics.median(seconds) <= _WANTED_SECONDS,
                is_speed=True,
            )
            for what, seconds in (("that migrates", migrating), ("afterwards", starts))
        ),
    ]


def _fill(connection: Connection, count: int) -> None:
    """Make the old tables and so many revisions in them."""
    command.upgrade(_configuration(connection), _OLD)
    known = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for rows in batches(count):
        connection.execute(table.insert(), [{name: row[name] for name in row.keys() & known} for row in rows])


def _open(database: _Database, killed_after: float | None, *, aimed: bool = False) -> float:
    """Let a process open the database, which migrates it; give how long that took, or kill it.

    Args:
        database: to be opened.
        killed_after: so many seconds; None lets it come to its end.
        aimed: they count from the middle of its transaction.
    """
    command = [sys.executable, "-c", _OPENING, database.where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError("the process did not come to opening the database")
        begin = time.perf_counter()
        while aimed and process.poll() is None and not database.is_hot():
            if time.perf_counter() - begin > _SECONDS:
                raise RuntimeError("the process neither migrated the database nor ended")
        try:
            code = process.wait(timeout=_SECONDS if killed_after is None else killed_after)
        except subprocess.TimeoutExpired:
            process.kill()
            return killed_after or 0
        if code:
            raise RuntimeError("the database could not be opened")
        return time.perf_counter() - begin


def _start(database: _Database) -> float:
    """Seconds from the start of a server to its first answer."""
    server = RunningServer(*_FLAGS, db=database.where)
    begin = time.perf_counter()
    with server:
        return time.perf_counter() - begin

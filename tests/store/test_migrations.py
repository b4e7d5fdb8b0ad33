"""Tables are made and altered by migrations, whole or not at all, and what was there before is kept."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from earlier_forms import BEFORE_MIGRATIONS, POSTGRES, SQLITE
from forking import Forking
from revisions import revision, versions
from running import run_program
from sizes import FULL
from vivienne.errors import VersionTaken
from vivienne.store.address import PostgresUrl
from vivienne.store.migrate import _configuration
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.tables import SCHEMA_VERSION, metadata
from vivienne.store.token import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from postgres_server import PostgresServer
    from vivienne.store.sql import SqlRevisionStore

OPENING = """
import alembic.command  # otherwise every process that is forked loads it
import json, os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from vivienne.errors import VersionTaken
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.sqlite import SqliteRevisionStore

def opened(where, last):
    statements = 0

    @event.listens_for(Engine, "after_cursor_execute")
    def executed(connection, cursor, statement, parameters, context, executemany):
        nonlocal statements
        statements += 1
        if statements == last:
            os.kill(os.getpid(), signal.SIGKILL)

    url = PostgresUrl.read(where)
    store = SqliteRevisionStore(Path(where)) if url is None else PostgresRevisionStore(url)
    store.close()
    return statements

for line in sys.stdin:
    told, tell = os.pipe()
    process = os.fork()
    if not process:
        os.write(tell, str(opened(*json.loads(line))).encode())
        os._exit(0)
    os.close(tell)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    print(json.dumps([code, int(os.read(told, 100) or 0)]), flush=True)
    os.close(told)
"""


ROTATED = ("5", "6", "7", "8", "9")
WITH_TOKENS = ("2, with tokens", "3", "4", *ROTATED)
EVERY = 1 if FULL else 7
"""Statements between two kills."""


@pytest.fixture(scope="module")
def opening() -> Iterator[Callable[..., tuple[int, int]]]:
    """Lets a process of its own open a database, killed after so many statements; gives its end and their number."""
    forking = Forking(OPENING)

    def open_it(where: str, killed_after: int = 0) -> tuple[int, int]:
        code, statements = forking.ask([where, killed_after])
        return code, statements

    yield open_it
    forking.end()


def postgres_store(database: str) -> PostgresRevisionStore:
    url = PostgresUrl.read(database)
    assert url is not None
    return PostgresRevisionStore(url)


def old_file(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BEFORE_MIGRATIONS)
    return path


def dump(path: Path) -> tuple[str, ...]:
    """Everything in a file, its header's number too."""
    with closing(sqlite3.connect(path)) as connection:
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        return (str(number), *connection.iterdump())


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], SqlRevisionStore]:
    if request.param == "sqlite":
        return lambda: SqliteRevisionStore(tmp_path / "vivienne.db")
    database = request.getfixturevalue("database")
    return lambda: postgres_store(database)


def differences(store: SqlRevisionStore) -> Any:
    with store._transaction() as connection:
        return compare_metadata(MigrationContext.configure(connection), metadata)


def test_migrations_lead_to_the_tables_an_empty_database_gets(opened: Callable[[], SqlRevisionStore]) -> None:
    store = opened()
    try:
        assert differences(store) == []
        with store._transaction() as connection:
            metadata.drop_all(connection)
            connection.execute(text("DELETE FROM alembic_version"))
            command.upgrade(_configuration(connection), "head")
        assert differences(store) == []
    finally:
        store.close()


def test_migrations_are_numbered_up_to_the_schema_of_this_version() -> None:
    configuration = Config()
    configuration.set_main_option("script_location", "vivienne.store:migrations")
    found = [script.revision for script in ScriptDirectory.from_config(configuration).walk_revisions()]

    assert found == [str(number) for number in range(SCHEMA_VERSION, 0, -1)]


def is_taken_over(store: SqlRevisionStore, form: str) -> None:
    """Everything of an earlier form is there, and can be added to."""
    try:
        assert store.after(0, 10) == [revision(1), revision(2, "BTC")]
        tokens = [("ann", 0)] * (form in WITH_TOKENS) + [("bot", 1)] * (form in ROTATED)
        assert [(token.name, token.rotations) for token in store.tokens()] == tokens
        assert differences(store) == []
        store.append(revision(3, request_id="again"))
        with pytest.raises(VersionTaken):
            store.append(revision(4, request_id="again"))
        assert versions(store.heads()) == [2, 3]
    finally:
        store.close()


@pytest.mark.parametrize("form", SQLITE)
def test_a_file_of_every_earlier_form_is_taken_over(tmp_path: Path, form: str) -> None:
    with closing(sqlite3.connect(tmp_path / "v.db")) as connection:
        connection.executescript(SQLITE[form])

    is_taken_over(SqliteRevisionStore(tmp_path / "v.db"), form)
    with closing(sqlite3.connect(tmp_path / "v.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(str(SCHEMA_VERSION),)]


@pytest.mark.parametrize("form", POSTGRES)
def test_a_postgres_database_of_every_earlier_form_is_taken_over(database: str, form: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(POSTGRES[form].encode())

    is_taken_over(postgres_store(database), form)


def test_there_is_an_earlier_form_of_every_schema_before_the_present_one() -> None:
    assert {name[0] for name in POSTGRES} == {str(number) for number in range(1, SCHEMA_VERSION)}


@pytest.mark.sized
@pytest.mark.parametrize("is_old", [False, True])
def test_killed_at_any_statement_a_file_is_as_before_or_whole(
    tmp_path: Path, is_old: bool, opening: Callable[..., tuple[int, int]]
) -> None:
    template = tmp_path / "template.db"
    if is_old:
        old_file(template)
    else:
        template.touch()
    code, count = opening(str(_copy(template, tmp_path / "whole.db")))
    assert code == 0
    before, whole = dump(template), dump(tmp_path / "whole.db")
    assert before != whole

    for last in range(1, count + 1, EVERY):
        path = _copy(template, tmp_path / f"killed-{last}.db")
        code, _ = opening(str(path), last)
        assert code == -signal.SIGKILL
        assert dump(path) in (before, whole), f"killed after statement {last}"
        SqliteRevisionStore(path).close()
        assert dump(path) == whole


def _copy(source: Path, target: Path) -> Path:
    target.write_bytes(source.read_bytes())
    return target


@pytest.mark.sized
def test_killed_at_any_statement_a_postgres_database_is_empty_or_whole(
    postgres: PostgresServer, opening: Callable[..., tuple[int, int]]
) -> None:
    def tables(database: str) -> list[tuple[Any, ...]]:
        return postgres.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", url=database)

    whole = sorted((table,) for table in ("alembic_version", *metadata.tables))
    database = postgres.database()
    code, count = opening(database)
    assert (code, tables(database)) == (0, whole)

    for last in range(1, count + 1, EVERY):
        database = postgres.database()
        code, _ = opening(database, last)
        assert code == -signal.SIGKILL
        assert tables(database) in ([], whole), f"killed after statement {last}"
        store = postgres_store(database)
        assert differences(store) == []
        store.close()


def test_processes_that_start_at_once_on_an_empty_database_do_not_collide(database: str) -> None:
    program = (
        "import sys; from vivienne.store.address import PostgresUrl;"
        "from vivienne.store.postgres import PostgresRevisionStore;"
        f"PostgresRevisionStore(PostgresUrl.read({database!r})).close(); sys.exit()"
    )
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: run_program(before=program), range(4)))

    assert [(each.returncode, each.stderr) for each in done] == [(0, "")] * 4
    store = postgres_store(database)
    assert differences(store) == []
    store.close()


@pytest.mark.parametrize("is_new", [True, False])
def test_a_database_is_opened_without_loading_what_migrates_unless_it_is_old(tmp_path: Path, is_new: bool) -> None:
    if not is_new:
        SqliteRevisionStore(tmp_path / "v.db").close()
    program = (
        "import sys, pathlib; from vivienne.store.sqlite import SqliteRevisionStore;"
        "SqliteRevisionStore(pathlib.Path(sys.argv[1])); print('alembic' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "v.db"], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


def test_a_process_of_the_version_before_creates_tokens_after_the_migration(
    opened: Callable[[], SqlRevisionStore],
) -> None:
    with closing(opened()) as store:
        with store._transaction() as connection:
            connection.execute(
                text("INSERT INTO tokens (name, digest, role, created_at) VALUES ('ann', 'd1', 'admin', '2026')")
            )
        assert store.tokens() == [Token("ann", "d1", "admin", "2026")]

"""Only a server migrates a database: servers of an earlier version may be running on it while a command looks at it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from earlier_forms import POSTGRES, SQLITE
from revisions import filled, revision
from vivienne.commands.main import main
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from postgres_server import PostgresServer

COMMANDS = [
    "token list",
    "token create bob --role viewer",
    "token rotate ann",
    "token revoke ann",
    "prune",
    "pause",
    "config import empty.yaml",
    "config import empty.yaml --dry-run",
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.yaml").write_text("format: 1\nglobal: {}\n")
    filled(SqliteRevisionStore(Path("backup.db")), revision(1)).close()


def refused(db: str, commands: list[str]) -> None:
    for command in commands:
        done = CliRunner().invoke(main, [*command.split(), "--db", db])
        assert done.exit_code == 2, (command, done.output)
        assert "was written by an earlier version of Vivienne (schema 5, " in done.output
        assert "use that version, or start a server of this one, which migrates it" in done.output


def test_commands_leave_a_file_of_an_earlier_version_as_it_is() -> None:
    with closing(sqlite3.connect("v.db")) as connection:
        connection.executescript(SQLITE["5"])
    before = Path("v.db").read_bytes()

    refused("v.db", COMMANDS)

    assert Path("v.db").read_bytes() == before


def test_commands_leave_a_postgres_database_of_an_earlier_version_as_it_is(
    postgres: PostgresServer, database: str
) -> None:
    postgres.execute(POSTGRES["5"], url=database)

    refused(database, [*COMMANDS, "restore backup.db"])

    assert postgres.execute("SELECT version_num FROM alembic_version", url=database) == [("5",)]


def test_a_first_token_makes_the_tables_of_an_empty_postgres_database(database: str) -> None:
    for command, code in (("token list", 2), ("token create ann --role admin", 0), ("token list", 0)):
        done = CliRunner().invoke(main, [*command.split(), "--db", database])
        assert done.exit_code == code, (command, done.output)

"""`vivienne backup`, `check` and `restore`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from click.testing import CliRunner

from revisions import filled, revision
from vivienne.commands.main import main
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from pathlib import Path


def said(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(main, [str(each) for each in arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_a_database_in_use_is_backed_up_checked_and_restored(tmp_path: Path) -> None:
    db, file = tmp_path / "v.db", tmp_path / "backup.db"
    server = filled(SqliteRevisionStore(db), revision(1), revision(2))

    assert f"Backed up 2 revisions up to version 2 and 0 tokens to {file}\n" == said("backup", file, "--db", db)
    assert "Note: the indexes and pages were not checked" in said("check", "--db", db)
    assert json.loads(said("check", "--db", file, "--json"))["problems"] == []
    server.close()
    link = tmp_path / "folder" / "link.db"
    link.parent.mkdir()
    link.symlink_to(db)
    for name in (link, db):  # twice in a second
        words = said("restore", file, "--db", name, "--replace")
        assert f"Restored 2 revisions up to version 2 and 0 tokens; the database before it is {db}.before-" in words
    assert link.is_symlink()
    assert len([each for each in tmp_path.glob("v.db.before-*") if each.read_bytes()[:6] == b"SQLite"]) == 2
    db.rename(tmp_path / "moved.db")
    (tmp_path / "v.db-journal").touch()
    assert "; the journal of a database that is gone was there, and is now " in said("restore", file, "--db", link)


def test_a_backup_is_not_written_to_where_a_link_leads(tmp_path: Path) -> None:
    filled(SqliteRevisionStore(tmp_path / "v.db"), revision(1)).close()
    (tmp_path / "b.db").symlink_to(tmp_path / "elsewhere.db")

    assert "exists already; name a new file" in said("backup", tmp_path / "b.db", "--db", tmp_path / "v.db", code=2)
    assert not (tmp_path / "elsewhere.db").exists()


def test_what_is_no_backup_is_refused_and_makes_no_database(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    with closing(sqlite3.connect(tmp_path / "bare.db")) as bare:
        bare.execute("PRAGMA user_version=1")
    for name in ("empty.db", "bare.db"):
        file = tmp_path / name
        assert f"{file} is no backup: it has no tables" in said("restore", file, "--db", tmp_path / "w.db", code=2)
    assert "it is not a regular file" in said("restore", "/dev/null", "--db", tmp_path / "w.db", code=2)
    assert not (tmp_path / "w.db").exists()


def test_a_problem_is_said_and_is_a_failure(tmp_path: Path) -> None:
    filled(SqliteRevisionStore(tmp_path / "v.db"), revision(1), revision(3)).close()

    assert "Problem: the versions 2 to 2 are missing" in said("check", "--db", tmp_path / "v.db", code=1)
    assert "is damaged: the versions 2 to 2" in said("backup", tmp_path / "b.db", "--db", tmp_path / "v.db", code=2)
    assert "cannot be used: No such file" in said("restore", tmp_path / "no.db", "--db", tmp_path / "w.db", code=2)
    assert sorted(each.name for each in tmp_path.iterdir() if each.suffix == ".db") == ["v.db"]

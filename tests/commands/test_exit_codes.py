"""Exit codes: a supervisor starts again what may work later, and nothing else."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from revisions import filled, revision
from vivienne.commands.failure import exit_code
from vivienne.commands.main import main
from vivienne.errors import (
    ExchangeError,
    FileUnreadable,
    MarketDataError,
    NotNow,
    NotSwitched,
    SettingsError,
    StoreUnavailable,
    StoreUnusable,
    VivienneError,
)
from vivienne.store.postgres_reasons import passes
from vivienne.store.sqlite import SqliteRevisionStore

TABLE = Path(__file__).parents[2] / "docs" / "operation.md"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotSwitched("refused"), 1),
        (SettingsError("wrong"), 2),
        (FileUnreadable("f", "wrong"), 2),
        (MarketDataError("f", "wrong"), 2),
        (StoreUnusable("another program's"), 2),
        (StoreUnusable("in use", is_temporary=True), 75),
        (StoreUnavailable("gone"), 75),
        (StoreUnavailable("damaged", is_temporary=False), 2),
        (NotNow("port in use"), 75),
        (ExchangeError("no answer", is_temporary=True), 75),
        (ExchangeError("blocked", is_temporary=False), 1),
    ],
)
def test_an_error_ends_with_a_code_of_the_table(error: VivienneError, code: int) -> None:
    assert exit_code(error) == code
    assert f"\n| {code} | " in TABLE.read_text()


def test_a_full_disk_is_no_wrong_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    db = tmp_path / "v.db"
    filled(SqliteRevisionStore(db), revision(1)).close()
    monkeypatch.setattr("vivienne.commands.files.os.fsync", full)
    done = CliRunner().invoke(main, ["config", "export", "--db", str(db), str(tmp_path / "e.yaml")])
    assert (done.exit_code, f"The disk is full ({tmp_path}/e.yaml); make space" in done.output) == (75, True)


@pytest.mark.parametrize(
    ("said", "later"),
    [
        ("connection failed: Connection refused", True),
        ("FATAL: the database system is starting up", True),
        ("FATAL: sorry, too many clients already", True),
        ('FATAL:  password authentication failed for user "ann"', False),
        ('FATAL:  database "v" does not exist', False),
    ],
)
def test_postgresql_may_answer_later_or_never(said: str, later: bool) -> None:
    assert passes(OperationalError("", None, Exception(said))) == later

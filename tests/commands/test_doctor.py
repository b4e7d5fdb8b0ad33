"""`vivienne doctor` finds what is wrong, and its bundle tells no secret."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from revisions import filled, revision
from tokens import make_token
from vivienne.commands.main import main
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.token import Token

if TYPE_CHECKING:
    from pathlib import Path

    from running import RunningServer


def test_a_bundle_has_what_was_found_and_no_secret(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, secret = tmp_path / "bundle.zip", make_token(server.db, "ann", "viewer")
    for name, value in {
        "VIVIENNE_TOKEN": secret,
        "VIVIENNE_REDIS": "redis://ann:pa55-of-redis@127.0.0.1:1",
        "VIVIENNE_SOMETHING": "pa55-of-another",
        "PGPASSWORD": "pa55-of-postgres",
    }.items():
        monkeypatch.setenv(name, value)
    server.post("pause", {"reason": f"with {secret}"}).raise_for_status()
    server.post("partial-update", {"bang_threshold": 90}).raise_for_status()

    done = CliRunner().invoke(main, ["doctor", "--db", str(server.db), "--url", server.url, "--bundle", str(file)])

    assert done.exit_code == 0, done.output
    assert "problem" not in done.output
    assert f"The database {server.db} can be read: version 2, 1 layers, 1 tokens" in done.output
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {"report.txt", "settings.json", "database.json", "ready.txt", "metrics.txt"} < parts.keys()
    assert '"state_threshold_bang": 90' in parts["database.json"]
    assert json.loads(parts["settings.json"])["set"] == {"redis": "redis://***@127.0.0.1:1"}
    assert "with viv_***" in parts["ready.txt"]
    for word in (secret, "pa55"):
        assert word not in "".join(parts.values()) + done.output


def test_what_is_wrong_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    db = tmp_path / "v.db"
    store = filled(SqliteRevisionStore(db), revision(1))
    store.add_token(Token("ann", "d1", "tuner", "2026-01-01T00:00:00.000Z", expires_at="2026-01-02T00:00Z"))
    store.close()
    db.chmod(0o644)
    monkeypatch.setenv("VIVIENNE_SPEED", "fast")
    monkeypatch.setenv("VIVIENNE_REQUIRE_TOKENS", "1")
    monkeypatch.setenv("VIVIENNE_ALERT_MINE", "a header of a rule")

    done = CliRunner().invoke(main, ["doctor", "--db", str(db), "--url", f"http://127.0.0.1:{unused_port}", "--json"])

    assert done.exit_code == 1
    said = " ".join(f"{each['level']}: {each['text']}\n" for each in json.loads(done.output))
    assert "problem: The settings in the environment are wrong: --speed must be a number" in said
    slip = (
        "warning: VIVIENNE_REQUIRE_TOKENS is not a setting, and is ignored; the nearest one is VIVIENNE_REQUIRE_TOKEN"
    )
    assert slip in said
    assert "VIVIENNE_ALERT_MINE" not in said
    assert f"warning: Other users have rights to {db} (mode 644)" in said
    assert "warning: These tokens have expired; rotate or revoke them: ann" in said
    assert f"warning: http://127.0.0.1:{unused_port}/health cannot be read: nothing listens there" in said


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("VIVIENNE_REDIS", "redis://127.0.0.1:1?password=pa55"),
        ("VIVIENNE_REDIS", "redis://ann:p#pa55@127.0.0.1:1"),
        ("VIVIENNE_REDIS", "redis://ann:p/pa55@127.0.0.1:1"),
        ("VIVIENNE_REDIS", "pa55@127.0.0.1"),
        ("VIVIENNE_ORIGINS", "https://ann:pa55@desk.example"),
        ("VIVIENNE_DB", "postgresql+psycopg://ann:pa55@127.0.0.1:1/v"),
        ("VIVIENNE_DB", "POSTGRESQL://ann:pa55@127.0.0.1:1/v"),
        ("VIVIENNE_DB", "host=127.0.0.1 password=pa55"),
        ("--db", "host=127.0.0.1 password=pa55"),
        ("--url", "http://ann:pa55@127.0.0.1:1"),
        ("VIVIENNE_EXCHANGE_URL", "https://proxy.example/pa55"),
        ("VIVIENNE_EXCHANGE_URL", "https://proxy.example?key=pa55"),
        ("VIVIENNE_ALERT_KEY", "pa55"),
    ],
)
def test_a_password_is_hidden_wherever_it_was_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, address: str
) -> None:
    file = tmp_path / "bundle.zip"
    options = {"--db": str(tmp_path / "v.db"), "--url": "http://127.0.0.1:1"}
    if variable.startswith("-"):
        options[variable] = address
    else:
        monkeypatch.setenv(variable, address)
    given = [word for option in options.items() for word in option]

    done = CliRunner().invoke(main, ["doctor", *given, "--bundle", str(file)])

    shown = done.output
    if file.exists():
        with zipfile.ZipFile(file) as archive:
            shown += "".join(archive.read(name).decode() for name in archive.namelist())
    assert done.exit_code in (0, 1, 2)
    assert "pa55" not in shown

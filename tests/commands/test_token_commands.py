"""`vivienne token`: tokens in a database, and the files they are written to."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from vivienne.access.secrets import SECRET
from vivienne.commands.database import opened
from vivienne.commands.main import main
from vivienne.times import now, written

if TYPE_CHECKING:
    from pathlib import Path


def token(*arguments: str, db: Path, code: int = 0) -> str:
    """Everything that `vivienne token` says."""
    done = CliRunner().invoke(main, ["token", *arguments, "--db", str(db)])
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.parametrize("before", [None, 0o644, 0o640])
def test_a_token_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path, before: int | None) -> None:
    file = tmp_path / "prometheus.token"
    if before is not None:
        file.write_text("of another service\n")
        file.chmod(before)
    umask = os.umask(0)
    try:
        said = token("create", "prometheus", "--role", "viewer", "--file", str(file), db=tmp_path / "v.db")
    finally:
        os.umask(umask)

    assert SECRET.fullmatch(file.read_text().rstrip("\n"))
    assert not SECRET.search(said)
    assert file.stat().st_mode & 0o777 == (0o600 if before is None else before & 0o770)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser makes files of others")
@pytest.mark.parametrize(("owner", "mode", "is_written"), [(0, 0o755, True), (0, 0o1777, False), (65534, 0o777, True)])
def test_a_token_is_not_written_into_a_file_that_another_user_may_have_put_there(
    tmp_path: Path, owner: int, mode: int, is_written: bool
) -> None:
    folder, planted = tmp_path / "folder", tmp_path / "folder" / "ann.token"
    folder.mkdir()
    folder.chmod(mode)
    planted.touch()
    os.chown(planted, 65534, 65534)
    os.chown(folder, owner, -1)
    link = folder / "link.token"
    link.symlink_to(tmp_path / "elsewhere")
    os.lchown(link, 65534, 65534)

    for number, file in enumerate((planted, link)):
        code = 0 if is_written else 2
        said = token("create", f"a{number}", "--role", "viewer", "--file", str(file), db=tmp_path / "v.db", code=code)
        assert is_written or "who may have put it there; remove it, or name a file of your own" in said
    assert (65534, is_written) == (planted.stat().st_uid, bool(planted.read_text()))
    assert is_written == (tmp_path / "elsewhere").exists()


def test_a_token_expires_and_is_rotated_into_its_file(tmp_path: Path) -> None:
    db, file = tmp_path / "v.db", tmp_path / "ann.token"
    token("create", "ann", "--role", "tuner", "--expires", "90d", "--file", str(file), db=db)
    token("create", "bob", "--role", "tuner", "--expires", "0m", db=db)
    before = file.read_text()

    token("rotate", "ann", "--file", str(file), db=db)

    assert SECRET.fullmatch(file.read_text().rstrip("\n"))
    assert file.read_text() != before
    assert "good until 2" in token("list", db=db)
    assert "expired 2" in token("list", db=db)
    assert "bob has expired; say with --expires" in token("rotate", "bob", db=db, code=2)
    assert "no token 'eve' to rotate" in token("rotate", "eve", db=db, code=1)
    assert "in 30m, 12h or 90d, not '3 weeks'" in token("rotate", "ann", "--grace", "3 weeks", db=db, code=2)


@pytest.mark.parametrize("expires", ["0m", "5m"])
def test_a_rotation_lets_no_secret_live_longer_than_it_would_have(tmp_path: Path, expires: str) -> None:
    db = tmp_path / "v.db"
    token("create", "ann", "--role", "tuner", "--expires", expires, db=db)
    with opened(db, "to read") as store:
        before = store.tokens()[0]

    token("rotate", "ann", "--expires", "90d", "--grace", "1h", db=db)

    with opened(db, "to read") as store:
        after = store.tokens()[0]
    assert before.expires_at == after.earlier_until
    soon = written(now() + timedelta(minutes=6))
    assert [after.digest] == list(after.by_digest(soon))


def test_a_token_that_is_not_made_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "t.token"
    token("create", "ann", "--role", "viewer", "--file", str(file), db=tmp_path / "v.db")
    before = file.read_text()

    token("create", "ann", "--role", "viewer", "--file", str(file), db=tmp_path / "v.db", code=1)
    token("create", "bob", "--role", "viewer", "--file", str(tmp_path / "no" / "folder"), db=tmp_path / "v.db", code=2)

    assert file.read_text() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["t.token", "v.db", "v.db-journal", "v.db.lock"]
    assert "bob" not in token("list", db=tmp_path / "v.db")

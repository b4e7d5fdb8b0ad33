"""Backups of a database in use, restoring them, and checking that nothing is damaged."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from alerting import event
from earlier_forms import BEFORE_MIGRATIONS
from revisions import filled, revision, versions
from vivienne.errors import StoreUnavailable, StoreUnusable
from vivienne.store.address import PostgresUrl
from vivienne.store.alert import StoredDelivery, StoredEvent
from vivienne.store.backup import back_up, restore
from vivienne.store.checking import check
from vivienne.store.copying import Copied
from vivienne.store.opening import open_store
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.token import Token

TOKEN = Token("ann", "d1", "admin", "2026-01-02T03:04:05.678Z", "2026-01-03T03:04:05.678Z")
PARTS = [
    revision(1, request_id="r", answer={"status": "success"}),
    revision(2, "BTC", "delete", target="id-1", reason="n\u00e4chts"),
    revision(3, "BTC", "pause"),
]


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | PostgresUrl:
    if request.param == "sqlite":
        return tmp_path / "vivienne.db"
    url = PostgresUrl.read(request.getfixturevalue("database"))
    assert url is not None
    return url


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("vivienne.db"))


def test_a_backup_has_everything_of_a_database_in_use_and_can_be_restored(
    where: Path | PostgresUrl, tmp_path: Path
) -> None:
    file = tmp_path / "copies" / "backup.db"
    file.parent.mkdir()
    with closing(open_store(where)) as server:
        filled(server, *PARTS).add_token(TOKEN)
        with closing(open_store(where, "to read")) as source:
            assert back_up(source, file) == Copied(3, 3, 1)
            with pytest.raises(StoreUnusable, match="exists already; name a new file"):
                back_up(source, file)
        filled(server, revision(4))

    assert names(file.parent) == ["backup.db"]
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreUnusable, match=r"exists already|not empty"):
        restore(file, where, replaces=False)
    copied, kept, *_ = restore(file, tmp_path / "new" / "other.db", replaces=False)
    assert (copied, kept) == (Copied(3, 3, 1), None)
    with closing(SqliteRevisionStore(tmp_path / "new" / "other.db")) as store:
        assert store.after(0, 10) == PARTS
        assert store.tokens() == [TOKEN]


def test_a_backup_is_restored_into_an_empty_postgres_database_as_a_whole_and_alone(
    database: str, tmp_path: Path
) -> None:
    url = PostgresUrl.read(database)
    assert url is not None
    backup = filled(SqliteRevisionStore(tmp_path / "backup.db"), *PARTS)
    backup.add_token(Token("ann", "d1", "admin", TOKEN.created_at))
    backup.add_token(Token("bob", "d2", "viewer", TOKEN.created_at))
    backup.close()
    with closing(open_store(url)), pytest.raises(StoreUnusable, match=r"in use by session \d+ of .*\(vivienne\)"):
        restore(tmp_path / "backup.db", url, replaces=False)

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE tokens ADD CONSTRAINT of_the_test CHECK (name <> 'bob')")
    with pytest.raises(StoreUnavailable, match="of_the_test"):
        restore(tmp_path / "backup.db", url, replaces=False)
    with psycopg.connect(database, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM revisions").fetchone() == (0,)
        connection.execute("ALTER TABLE tokens DROP CONSTRAINT of_the_test")

    assert restore(tmp_path / "backup.db", url, replaces=False)[0] == Copied(3, 3, 2)
    with closing(open_store(url)) as store:
        assert store.after(0, 10) == PARTS


def test_what_is_replaced_is_kept_under_another_name(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "backup.db")) as connection:
        connection.executescript(BEFORE_MIGRATIONS)
    before = (tmp_path / "backup.db").read_bytes()
    db = tmp_path / "vivienne.db"
    store = filled(SqliteRevisionStore(db), *PARTS)
    with pytest.raises(StoreUnusable, match="in use by another Vivienne"):
        restore(tmp_path / "backup.db", db, replaces=True)
    store.close()

    copied, kept, *_ = restore(tmp_path / "backup.db", db, replaces=True)

    assert copied == Copied(2, 2, 0)
    assert kept is not None
    for path, version in ((db, 3), (kept, 3)):  # the pause of BTC, which nobody resumed, is there again
        with closing(SqliteRevisionStore(path)) as store:
            assert max(versions(store.heads())) == version
    assert (tmp_path / "backup.db").read_bytes() == before, "an earlier version may still read it"
    assert names(tmp_path) == ["backup.db"]


@pytest.mark.parametrize("is_replaced", [True, False])
def test_messages_that_waited_in_a_backup_are_not_sent_again_where_it_replaces_a_database(
    tmp_path: Path, *, is_replaced: bool
) -> None:
    """They may have been delivered since; a bot that is told once more to open a position would open it."""
    db, backup = tmp_path / "v.db", tmp_path / "backup.db"
    with closing(filled(SqliteRevisionStore(db), *PARTS)) as store:
        alert = event(1)
        made = StoredEvent(alert["id"], "al_1", "run", "BTC", 0, alert["time"], alert)
        names = f"{alert['id']}:c1", alert["id"], "al_1", "bangs", "c1"
        sent = StoredDelivery(*names, "webhook", "https://bot.example", "waiting", due_at=0.0, first_at=0.0)
        store.alerts.add_alerts([made], [sent], {}, "run", "one")
        back_up(store, backup)
    restored = restore(backup, db if is_replaced else tmp_path / "new.db", replaces=True)
    assert restored.dropped == is_replaced
    with closing(SqliteRevisionStore(db if is_replaced else tmp_path / "new.db")) as store:
        found = store.alerts.delivery(sent.delivery_id)
    assert found is not None
    assert found.delivery.status == ("dropped" if is_replaced else "waiting")


def test_while_a_backup_is_read_changes_go_on(tmp_path: Path) -> None:
    db = tmp_path / "vivienne.db"
    with closing(filled(SqliteRevisionStore(db), revision(1))) as server, closing(open_store(db, "to read")) as source:
        filled(server, revision(2))
        assert versions(source.after(0, 10)) == [1, 2]
        filled(server, revision(3))


def killed_in_a_change(db: Path, folder: Path) -> Path:
    """The files of a database as a kill in the middle of a change leaves them, in another folder."""
    left = folder / "killed.db"
    with closing(sqlite3.connect(db, isolation_level=None)) as killed:
        killed.execute("PRAGMA journal_mode=PERSIST")
        killed.execute("PRAGMA cache_size=5")  # so that some of the change is in the file before it is committed
        killed.execute("BEGIN")
        killed.execute("UPDATE revisions SET author = 'eve', reason = 'y'")
        left.write_bytes(db.read_bytes())
        Path(f"{left}-journal").write_bytes(Path(f"{db}-journal").read_bytes())
    assert left.read_bytes() != db.read_bytes(), "that alone has half of a change"
    return left


def test_after_a_kill_in_the_middle_of_a_change_nothing_is_lost_or_mixed_into_a_backup(tmp_path: Path) -> None:
    made = [revision(number, reason="x" * 500) for number in range(1, 60)]
    filled(SqliteRevisionStore(tmp_path / "vivienne.db"), *made).close()
    filled(SqliteRevisionStore(tmp_path / "backup.db"), *PARTS).close()
    left = killed_in_a_change(tmp_path / "vivienne.db", tmp_path)
    restore(left, tmp_path / "new.db", replaces=False)  # a copy is whole with its journal
    journal = Path(f"{left}-journal").read_bytes()
    moved = left.rename(tmp_path / "broken.db")

    kept = restore(tmp_path / "backup.db", left, replaces=False).kept

    assert kept is not None
    assert Path(f"{kept}-journal").read_bytes() == journal
    Path(f"{kept}-journal").rename(f"{moved}-journal")
    for path, expected in ((left, PARTS), (moved, made), (tmp_path / "new.db", made)):
        with closing(SqliteRevisionStore(path)) as store:
            assert store.after(0, 100) == expected


KILLED_AT_EACH_STEP = """
import os, shutil, signal, sys
from pathlib import Path
from vivienne.store.backup import restore

folder, begun = Path(sys.argv[1]), 0

def step(event, *_):
    global begun
    if event in ("os.rename", "os.remove", "os.link", "os.chmod", "fsync"):
        begun += 1
        if begun == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

def fsync(handle, sync=os.fsync):
    step("fsync")
    sync(handle)

for fatal in range(1, 100):
    shutil.copytree(folder / "before", folder / str(fatal))
    child = os.fork()
    if child == 0:
        os.fsync = fsync
        sys.addaudithook(step)
        restore(folder / "backup.db", folder / str(fatal) / "v.db", replaces=True)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


def test_whoever_is_killed_while_a_database_is_replaced_leaves_the_old_or_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    with closing(SqliteRevisionStore(tmp_path / "before" / "v.db")) as store:
        back_up(filled(store, revision(1)), tmp_path / "backup.db")
        filled(store, *(revision(number, reason="x" * 500) for number in range(2, 60)), revision(60, "BTC", "pause"))

    subprocess.run([sys.executable, "-c", KILLED_AT_EACH_STEP, tmp_path], check=True)

    left = sorted((path for path in tmp_path.iterdir() if path.name.isdigit()), key=lambda each: int(each.name))
    found = []
    for folder in left:
        with closing(SqliteRevisionStore(folder / "v.db")) as store:
            assert [each.layer for each in store.switches() if each.action == "pause"] == ["BTC"]
            found.append(len(store.after(0, 100)))
    for folder in left[::4]:  # what was left can be used again, and no file of the one that was killed stays
        kept = restore(tmp_path / "backup.db", folder / "v.db", replaces=True).kept
        assert kept is not None
        assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
        with closing(SqliteRevisionStore(kept)) as store:
            assert len(store.after(0, 100)) in (60, 2)
    assert found == sorted(found, reverse=True), "the old one, and from some step on the new one"
    assert {found[0], found[-1]} == {60, 2}
    assert len(found) > 8


def test_a_disk_that_fails_while_a_database_is_replaced_leaves_it_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, file = tmp_path / "v.db", tmp_path / "backup.db"
    with closing(SqliteRevisionStore(db)) as store:
        back_up(filled(store, revision(1)), file)
        filled(store, revision(2, "BTC", "pause"))
    there = sorted(path.name for path in tmp_path.iterdir())

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    for where, function in ((os, "fsync"), (Path, "replace")):
        with monkeypatch.context() as context:
            context.setattr(where, function, fails)
            with pytest.raises(OSError, match="Input/output") as caught:
                restore(file, db, replaces=True)
        assert function != "fsync" or caught.value.filename == str(db)
        assert sorted(path.name for path in tmp_path.iterdir()) == there
        with closing(SqliteRevisionStore(db)) as store:
            assert versions(store.after(0, 10)) == [1, 2]

    def has_no_second_names(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", has_no_second_names)
    kept = restore(file, db, replaces=True).kept
    assert kept is not None
    with closing(SqliteRevisionStore(kept)) as store:
        assert versions(store.after(0, 10)) == [1, 2]


@pytest.mark.parametrize(
    ("left", "way_out"),
    [
        ("v.db.before-20260102T030405", "Rename it to v.db"),
        (".v.db.0a1b2c3d", "Restore the backup again, or remove that file"),
    ],
)
def test_no_empty_database_is_made_where_one_was_set_aside_or_half_restored(
    tmp_path: Path, left: str, way_out: str
) -> None:
    filled(SqliteRevisionStore(tmp_path / "v.db"), revision(1, "BTC", "pause")).close()
    (tmp_path / "v.db").rename(tmp_path / left)

    for how in ("alone", "as it is", "beside"):
        with pytest.raises(StoreUnusable, match=f"There is no database .*v.db, but .*{left}") as refused:
            open_store(tmp_path / "v.db", how)
        assert way_out in str(refused.value)
        assert not (tmp_path / "v.db").exists()
    (tmp_path / left).rename(tmp_path / "v.db")
    open_store(tmp_path / "v.db").close()


def broken(path: Path, statement: str) -> list[str]:
    """What a check says after a statement has altered a database."""
    filled(SqliteRevisionStore(path), *PARTS).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    with closing(open_store(path, "to read")) as store:
        return check(store).problems


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM revisions WHERE version = 2", "the versions 2 to 2 are missing"),
        ("UPDATE revisions SET document = CAST('{' AS BLOB) WHERE version = 3", "is damaged"),
        ("UPDATE revisions SET document = CAST('[]' AS BLOB) WHERE version = 3", "version 3 has no configuration"),
        ("UPDATE revisions SET target = 'x' WHERE version = 2", "version 2 refers to x, which is not before it"),
    ],
)
def test_what_is_wrong_with_a_database_is_found_and_not_restored(tmp_path: Path, statement: str, said: str) -> None:
    assert said in " ".join(broken(tmp_path / "v.db", statement))
    with pytest.raises(StoreUnusable, match=r"v\.db is damaged: "):
        restore(tmp_path / "v.db", tmp_path / "other.db", replaces=False)
    assert not (tmp_path / "other.db").exists()


def test_damaged_pages_are_found(tmp_path: Path) -> None:
    filled(SqliteRevisionStore(tmp_path / "v.db"), *(revision(number) for number in range(1, 60))).close()
    raw = (tmp_path / "v.db").read_bytes()
    (tmp_path / "v.db").write_bytes(raw[:-2000] + b"\xa5" * 2000)

    with closing(open_store(tmp_path / "v.db", "to read")) as store:
        assert check(store).problems


def test_a_pause_of_the_database_that_is_replaced_stays_in_force(tmp_path: Path) -> None:
    db, file = tmp_path / "v.db", tmp_path / "backup.db"
    with closing(SqliteRevisionStore(db)) as store:
        filled(store, revision(1), revision(2, "ETH", "pause"), revision(3, "SOL", "pause"))
        back_up(store, file)
        later = {"created_at": "2026-02-02T03:04:05.678Z"}
        filled(store, revision(4, "BTC", "pause", reason="a bad upgrade"), revision(5, "ETH", "resume", **later))
        filled(store, revision(6, "global", "pause"), revision(7, "SOL", "resume"), revision(8, "SOL", "pause"))

    restored = restore(file, db, replaces=True)

    assert [(each.layer, each.reason) for each in restored.pauses] == [("BTC", "a bad upgrade"), ("global", None)]
    assert {each.layer for each in restored.repeated} == {"ETH", "SOL"}
    with closing(SqliteRevisionStore(db)) as store:
        # What was resumed after the backup is as the backup has it.
        assert {each.layer: each.action for each in store.switches()} == dict.fromkeys(
            ("BTC", "ETH", "SOL", "global"), "pause"
        )
        assert {each.layer: each.document for each in store.heads()}["global"] == revision(1).document
        assert check(store).problems == []
    # A later copy, in which somebody resumed, is not paused by an older database.
    older = tmp_path / "older.db"
    with closing(SqliteRevisionStore(db)) as store:
        back_up(store, older)
        filled(store, revision(8, "BTC", "resume", config_id="a"), revision(9, "global", "resume", config_id="b"))
        back_up(store, tmp_path / "later-backup.db")
    assert restore(tmp_path / "later-backup.db", older, replaces=True).pauses == []


def test_no_clock_that_was_ahead_ends_a_pause(tmp_path: Path) -> None:
    db, file = tmp_path / "v.db", tmp_path / "backup.db"
    with closing(SqliteRevisionStore(db)) as store:
        ahead = {"created_at": "2099-01-01T00:00:00.000Z"}
        filled(store, revision(1, "BTC", "pause"), revision(2, "BTC", "resume", **ahead))
        back_up(store, file)
        filled(store, revision(3, "BTC", "pause"))

    assert [each.layer for each in restore(file, db, replaces=True).pauses] == ["BTC"]


def test_a_backup_brings_no_revoked_or_replaced_secret_back(tmp_path: Path) -> None:
    db, file, later = tmp_path / "v.db", tmp_path / "backup.db", tmp_path / "later.db"
    with closing(SqliteRevisionStore(db)) as store:
        for name in ("left", "revoked", "rotated"):
            store.add_token(Token(name, f"secret of {name}", "tuner", "2026-01-01T00:00:00.000Z"))
        back_up(store, file)
        store.revoke_token("revoked", "2026-01-02T00:00:00.000Z")
        store.rotate_token("rotated", "a new secret", None, "2026-01-02T01:00:00.000Z")
        store.add_token(Token("new", "secret of new", "tuner", "2026-01-02T00:00:00.000Z"))
        back_up(store, later)

    # The backup from before them does not undo them, and neither does an older database those of a later backup.
    for backup, names in ((file, ["revoked", "rotated"]), (later, [])):
        assert sorted(restore(backup, db, replaces=True).tokens.as_before) == names
        with closing(SqliteRevisionStore(db)) as store:
            tokens = {token.name: token for token in store.tokens()}
            assert tokens["revoked"].revoked_at is not None
            assert (tokens["rotated"].digest, tokens["rotated"].earlier_digest) == ("a new secret", "secret of rotated")
            assert tokens["left"].revoked_at is None
    assert "new" in tokens


def test_what_replaces_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    db, file = tmp_path / "v.db", tmp_path / "backup.db"
    with closing(SqliteRevisionStore(tmp_path / "other.db")) as store:
        back_up(filled(store, revision(1)), file)
    db.write_bytes(b"no database" * 1_000)

    restored = restore(file, db, replaces=True)

    assert (restored.copied.version, restored.pauses) == (1, [])
    assert restored.trouble is not None
    assert "cannot be read" in restored.trouble

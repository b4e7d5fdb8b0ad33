"""A file that is ours alone; whatever is wrong with it is said. What every store does is in the contract tests."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from revisions import filled, revision, versions
from running import run_program
from vivienne.errors import StoreUnavailable, StoreUnusable, VersionTaken
from vivienne.store.sqlite import APPLICATION_ID, SqliteRevisionStore
from vivienne.store.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.store.revision import Revision


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vivienne.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteRevisionStore]:
    store = SqliteRevisionStore(path)
    yield store
    store.close()


# The file


def pragma(store: SqliteRevisionStore, name: str) -> Any:
    with store._engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_a_commit_is_on_disk_when_it_returns(store: SqliteRevisionStore) -> None:
    filled(store, revision(1))

    assert pragma(store, "synchronous") == 2, "FULL"
    assert pragma(store, "journal_mode") == "persist"


def test_the_file_says_whose_it_is(path: Path, store: SqliteRevisionStore) -> None:
    filled(store, revision(1))

    assert pragma(store, "application_id") == APPLICATION_ID
    assert pragma(store, "user_version") == SCHEMA_VERSION
    assert path.read_bytes()[68:72] == b"VIVI"


def test_configurations_are_found_however_many_pauses_there_are(store: SqliteRevisionStore) -> None:
    def steps() -> int:
        """What the database does to find them, in thousands of steps."""
        counted = []
        with store._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: counted.append(1), 1_000)
        found = store.page(layers=None, limit=2, before=None, configurations_only=True)
        assert [2, 1] == versions(found)
        assert [2] == versions(store.page(layers=["BTC"], limit=2, before=None, configurations_only=True))
        assert {"global": "id-1", "BTC": "id-2"} == store.active_ids()
        assert "id-1" == store.active_id("global", 5_000)
        driver.set_progress_handler(None, 0)
        return len(counted)

    filled(store, revision(1), revision(2, "BTC"))
    few = steps()
    store.append(*(revision(version, action="pause") for version in range(3, 5_000)))
    assert steps() <= few + 2


@pytest.mark.parametrize(
    "name",
    ["with space.db", "n\u00e4chts.db", "hash#tag.db", "per%20cent.db", "a&b=c.db", "what?.db", "a;b'c\".db"],
)
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    store = filled(SqliteRevisionStore(tmp_path / name), revision(1))
    store.close()

    with sqlite3.connect(tmp_path / name) as connection:
        count = connection.execute("SELECT count(*) FROM revisions").fetchone()
    connection.close()
    assert count == (1,)
    assert {file.name for file in tmp_path.iterdir()} <= {name, f"{name}-journal", f"{name}.lock"}


def test_a_file_with_another_name_is_refused_because_its_lock_would_be_missed(path: Path) -> None:
    SqliteRevisionStore(path).close()
    (path.parent / "other.db").hardlink_to(path)

    with pytest.raises(StoreUnusable, match="another name"):
        SqliteRevisionStore(path)
    with pytest.raises(StoreUnusable, match="another name"):
        SqliteRevisionStore(path.parent / "other.db", "beside")


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "vivienne.db"
    SqliteRevisionStore(path).close()

    assert path.is_file()


def test_a_second_one_is_refused_while_the_first_is_open(path: Path, store: SqliteRevisionStore) -> None:
    with pytest.raises(StoreUnusable, match="in use by another Vivienne"):
        SqliteRevisionStore(path)

    filled(store, revision(1))
    assert versions(store.heads()) == [1]


def test_another_process_is_refused_while_the_first_is_open(path: Path, store: SqliteRevisionStore) -> None:
    filled(store, revision(1))
    program = (
        "import pathlib; from vivienne.store.sqlite import SqliteRevisionStore;"
        f"SqliteRevisionStore(pathlib.Path({str(path)!r}))"
    )

    done = run_program(before=program)

    assert done.returncode != 0
    assert "StoreUnusable" in done.stderr
    assert "in use by another Vivienne" in done.stderr


def test_it_can_be_opened_again_once_it_is_closed(path: Path) -> None:
    for version in (1, 2, 3):
        store = SqliteRevisionStore(path)
        filled(store, revision(version))
        store.close()

    store = SqliteRevisionStore(path)
    assert versions(store.heads()) == [3]
    store.close()


def refusal(path: Path) -> str:
    with pytest.raises(StoreUnusable) as refused:
        SqliteRevisionStore(path)
    return str(refused.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"time,open,high,low,close\n" * 100)

    message = refusal(path)

    assert str(path) in message
    assert "is not a SQLite database; name a new file" in message
    assert path.read_bytes() == b"time,open,high,low,close\n" * 100


def test_a_refused_file_is_not_kept_locked(path: Path) -> None:
    path.write_bytes(b"no database at all\n" * 100)
    refusal(path)
    path.unlink()

    store = filled(SqliteRevisionStore(path), revision(1))
    assert versions(store.heads()) == [1]
    store.close()


def test_a_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE revisions (version INTEGER PRIMARY KEY, name TEXT)")
    connection.close()
    before = path.read_bytes()

    assert "belongs to another program; name a new file" in refusal(path)
    assert path.read_bytes() == before


def test_a_database_in_which_somebody_made_a_trigger_is_refused(path: Path) -> None:
    """What is stored would not be what was changed."""
    filled(SqliteRevisionStore(path), revision(1)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TRIGGER t AFTER INSERT ON revisions BEGIN UPDATE revisions SET action='resume'; END")
    connection.close()

    assert "has a trigger, 't', which Vivienne did not make" in refusal(path)


def test_a_database_of_a_later_vivienne_is_refused_and_left_alone(path: Path) -> None:
    SqliteRevisionStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()

    assert f"written by a later version of Vivienne (schema {SCHEMA_VERSION + 1}" in refusal(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)
    connection.close()


def test_a_folder_in_place_of_the_file_is_refused(path: Path) -> None:
    path.mkdir()

    assert "cannot be" in refusal(path)


def test_a_file_in_place_of_the_folder_is_refused(path: Path) -> None:
    path.write_text("a file")

    assert "cannot be opened" in refusal(path / "vivienne.db")


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()

    store = filled(SqliteRevisionStore(path), revision(1))
    assert versions(store.heads()) == [1]
    store.close()


def damaged(path: Path, *, kept: int) -> None:
    """A database with revisions whose pages after the first so many are rubbish."""
    store = filled(SqliteRevisionStore(path), *(revision(version) for version in range(1, 60)))
    store.close()
    raw = bytearray(path.read_bytes())
    assert len(raw) > kept
    raw[kept:] = b"\xa5" * (len(raw) - kept)
    path.write_bytes(raw)


def opened_and_read(path: Path) -> list[Revision]:
    store = SqliteRevisionStore(path)
    try:
        return store.heads()
    finally:
        store.close()


@pytest.mark.parametrize("kept", [100, 4096])
def test_a_damaged_file_is_said_to_be_damaged(path: Path, kept: int) -> None:
    damaged(path, kept=kept)

    with pytest.raises((StoreUnusable, StoreUnavailable), match="is damaged; restore a copy of it"):
        opened_and_read(path)


def test_a_file_cut_short_is_refused(path: Path) -> None:
    damaged(path, kept=4096)
    path.write_bytes(path.read_bytes()[:6000])

    with pytest.raises((StoreUnusable, StoreUnavailable), match=r"damaged|not a SQLite database"):
        opened_and_read(path)


def test_a_revision_that_cannot_be_read_is_the_stores_failure(path: Path, store: SqliteRevisionStore) -> None:
    filled(store, revision(1))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE revisions SET document = CAST('{\"settings\":' AS BLOB)")
    connection.close()

    with pytest.raises(StoreUnavailable):
        store.heads()


def test_a_store_that_lost_its_table_does_not_answer(path: Path, store: SqliteRevisionStore) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE revisions")
    connection.close()

    with pytest.raises(StoreUnavailable):
        store.check()
    with pytest.raises(StoreUnavailable):
        store.append(revision(1))
    with pytest.raises(StoreUnavailable):
        store.active_ids()


def test_a_database_another_program_locks_is_said_to_be_locked_and_by_whom(
    path: Path, store: SqliteRevisionStore
) -> None:
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=20")
    program = (
        "import sqlite3, sys; other = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "other.execute('BEGIN EXCLUSIVE'); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(StoreUnavailable, match=rf"is locked by another program: process {other.pid} \(python"):
            store.append(revision(1))
        other.communicate()

    filled(store, revision(1))
    assert versions(store.heads()) == [1]


def modes(folder: Path) -> dict[str, str]:
    return {str(each.relative_to(folder)): oct(each.stat().st_mode)[-3:] for each in sorted(folder.rglob("*"))}


def test_the_files_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        filled(SqliteRevisionStore(tmp_path / "a" / "b" / "v.db"), revision(1)).close()
    finally:
        os.umask(umask)
    private = {"a/b/v.db": "600", "a/b/v.db-journal": "600", "a/b/v.db.lock": "600"}
    assert modes(tmp_path) == {"a": "700", "a/b": "700", **private}

    for name in private:
        (tmp_path / name).chmod(0o644)  # as earlier versions made them
    SqliteRevisionStore(tmp_path / "a" / "b" / "v.db").close()
    assert modes(tmp_path) == {"a": "700", "a/b": "700", **private}


def test_a_folder_in_which_everybody_may_replace_the_database_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for mode, warned in ((0o700, False), (0o1777, False), (0o777, True)):
        caplog.clear()
        tmp_path.chmod(mode)
        SqliteRevisionStore(tmp_path / "v.db").close()
        assert ("Every user may replace the database" in caplog.text) == warned


def test_files_the_superuser_makes_in_the_folder_of_a_service_belong_to_the_service(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only the superuser gives files away")
    os.chown(tmp_path, NOBODY, NOBODY)
    filled(SqliteRevisionStore(tmp_path / "a" / "v.db"), revision(1)).close()

    assert {each.stat().st_uid for each in tmp_path.rglob("*")} == {NOBODY}


# Permissions do not bind the superuser: these run as someone else, in a process of their own


NOBODY = 65534
AS_NOBODY = """
import os, pathlib, sys
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.errors import StoreUnusable
folder = pathlib.Path({folder!r})
warm = SqliteRevisionStore(folder / "warm" / "warm.db")  # so that all that is imported late is imported
warm.close()
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    store = SqliteRevisionStore(folder / "vivienne.db")
except StoreUnusable as refused:
    print(refused)
else:
    print("OPENED", store.heads())
sys.exit()
"""


def opened_by_nobody(folder: Path) -> str:
    done = run_program(before=AS_NOBODY.format(folder=str(folder)))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder everyone may look into, outside of the private one of the test run."""
    if sys.platform == "win32":
        pytest.skip("permissions are POSIX here")
    with tempfile.TemporaryDirectory(prefix="vivienne-store-") as name:
        folder = Path(name)
        (folder / "warm").mkdir()
        SqliteRevisionStore(folder / "vivienne.db").close()
        if os.geteuid() == 0:
            for file in [folder, *folder.iterdir()]:
                os.chown(file, NOBODY, NOBODY)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_a_file_and_a_folder_that_can_be_written_are_opened_by_anyone(open_folder: Path) -> None:
    assert opened_by_nobody(open_folder) == "OPENED []\n"


def test_a_read_only_file_is_refused_at_the_start(open_folder: Path) -> None:
    (open_folder / "vivienne.db").chmod(0o444)

    assert "is read-only; make the file and its folder writable" in opened_by_nobody(open_folder)


def test_a_file_that_cannot_be_read_is_refused(open_folder: Path) -> None:
    (open_folder / "vivienne.db").chmod(0o000)

    assert "cannot be opened; check that its folder exists and is writable" in opened_by_nobody(open_folder)


@pytest.mark.parametrize("name", ["vivienne.db", "vivienne.db.lock"])
def test_a_database_the_superuser_made_is_said_to_be_so(open_folder: Path, name: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only the superuser makes files of others")
    os.chown(open_folder / name, 0, 0)

    said = opened_by_nobody(open_folder)
    assert f"{open_folder / name} belongs to root, and this process runs as nobody, who may not write it" in said


def test_a_read_only_folder_is_refused_at_the_start(open_folder: Path) -> None:
    (open_folder / "vivienne.db.lock").unlink(missing_ok=True)
    (open_folder / "vivienne.db-journal").unlink(missing_ok=True)
    open_folder.chmod(0o555)

    answer = opened_by_nobody(open_folder)

    assert "OPENED" not in answer
    assert "vivienne.db cannot be" in answer


def test_a_file_may_have_the_name_that_sqlite_has_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteRevisionStore(Path(":memory:"))
    store.append(revision(1))
    store.close()
    store = SqliteRevisionStore(Path(":memory:"))
    assert versions(store.heads()) == [1]
    store.close()


def test_a_file_that_was_replaced_while_it_was_open_is_said_to_be(path: Path) -> None:
    store = SqliteRevisionStore(path)
    try:
        store.check()
        path.rename(path.with_suffix(".old"))
        with pytest.raises(StoreUnavailable, match="was deleted or replaced while it was open"):
            store.check()
        path.write_bytes(b"")
        with pytest.raises(StoreUnavailable, match="was deleted or replaced while it was open"):
            store.check()
    finally:
        store.close()


@pytest.mark.parametrize("changes", [0, 3])
def test_a_backup_that_was_copied_over_a_file_that_is_open_is_noticed(
    store: SqliteRevisionStore, path: Path, tmp_path: Path, changes: int
) -> None:
    """Otherwise changes would go on upon it, and those since the backup would be gone at the next start."""
    for number in range(1, changes + 1):
        store.append(revision(number))
    backup = tmp_path / "backup.db"
    shutil.copyfile(path, backup)
    store.append(revision(changes + 1), revision(changes + 2))
    store.check()
    shutil.copyfile(backup, path)
    for attempt in (store.check, lambda: store.append(revision(changes + 1)), store.check):
        with pytest.raises(StoreUnavailable, match="such as a backup that was copied over it; stop Vivienne"):
            attempt()


def test_a_file_is_its_own_after_a_commit_that_failed(store: SqliteRevisionStore) -> None:
    """Whether it was made is not known then."""
    store.append(revision(1))
    with pytest.raises(VersionTaken):
        store.append(revision(1))
    store.check()
    store.append(revision(2))
    store.check()


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_nothing_is_stored_once_another_process_could_have_the_database_too(path: Path, how: str) -> None:
    """Both said `ready`, with different configurations and pauses."""
    store = SqliteRevisionStore(path)
    lock = path.with_name(f"{path.name}.lock")
    try:
        store.append(revision(1))
        lock.unlink()
        if how == "replaced":
            lock.touch()
        for attempt in (store.check, lambda: store.append(revision(2))):
            with pytest.raises(StoreUnavailable, match="the file beside it that locks it was deleted or replaced"):
                attempt()
    finally:
        store.close()


def test_a_database_that_is_as_large_as_a_file_may_be_cannot_be_written(store: SqliteRevisionStore) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    store.prove()
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (store.path.stat().st_size + 100_000, hard))
        with pytest.raises(StoreUnavailable, match="cannot grow: File too large"):
            store.prove()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    store.prove()
    assert not list(store.path.parent.glob("*-probe"))

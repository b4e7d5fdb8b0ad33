"""A PostgreSQL database: what is wrong with it is said at the start, and a lost connection is made anew."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from postgres_server import PASSWORD
from revisions import filled, revision, versions
from vivienne.errors import StoreUnavailable, StoreUnusable
from vivienne.record.postgres import PostgresRecord
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.postgres_connection import BoundedConnection
from vivienne.store.tables import SCHEMA_VERSION
from vivienne.store.token import Token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgres_server import PostgresServer


def opened(address: str) -> PostgresRevisionStore:
    url = PostgresUrl.read(address)
    assert url is not None
    return PostgresRevisionStore(url)


def refusal(address: str) -> str:
    with pytest.raises(StoreUnusable) as refused:
        opened(address)
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def store(database: str) -> Iterator[PostgresRevisionStore]:
    store = opened(database)
    yield store
    store.close()


def setting(store: PostgresRevisionStore, name: str) -> Any:
    with store._engine.connect() as connection:
        return connection.exec_driver_sql(f"SHOW {name}").scalar_one()


# What is refused at the start, and how it is said


def test_a_database_that_is_missing_is_named_with_what_makes_it(postgres: PostgresServer) -> None:
    message = refusal(postgres.url("nowhere"))

    assert message == (
        f"The database postgresql://***@127.0.0.1:{postgres.port}/nowhere does not exist; "
        "correct --db, or create it: createdb NAME"
    )


def test_a_wrong_password_is_refused_and_none_asked_for(postgres: PostgresServer) -> None:
    assert "rejects this password; correct it in" in refusal(postgres.url("postgres", password=PASSWORD[::-1]))
    assert "requires a password; give it in" in refusal(postgres.url("postgres", password=None))


def test_a_server_that_is_absent_is_said_to_be(unused_port: int) -> None:
    there = f"postgresql://ann:{PASSWORD}@127.0.0.1:{unused_port}/v"
    assert "cannot be reached: nothing listens there; start it, or correct host and port" in refusal(there)
    socket = f"postgresql://ann:{PASSWORD}@/v?host=/no-such-folder"
    assert "cannot be reached: no server runs on this machine; start it" in refusal(socket)
    unknown = f"postgresql://ann:{PASSWORD}@no-such-host.invalid/v"
    assert "cannot be reached: its host is unknown" in refusal(unknown)


def test_an_address_the_driver_does_not_understand_is_refused_without_repeating_it() -> None:
    assert "is not a valid PostgreSQL address" in refusal(f"postgresql://ann:{PASSWORD}@db/v?no_such_option=1")
    assert "is not a valid PostgreSQL address" in refusal(f"postgresql://ann:{PASSWORD}@[::1/v")


def test_a_read_only_database_is_refused(postgres: PostgresServer, database: str) -> None:
    name = database.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    assert "is read-only; name one that can be written" in refusal(database)


def test_a_database_that_cannot_keep_every_text_is_refused(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")

    assert "cannot store every text: its encoding is LATIN1" in refusal(postgres.url("latin"))


def test_a_database_of_another_program_is_refused_and_left_alone(postgres: PostgresServer, database: str) -> None:
    postgres.execute("CREATE TABLE revisions (name text)", url=database)

    assert "has tables of another program; name another database" in refusal(database)
    assert postgres.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", url=database) == [
        ("revisions",)
    ]


def test_a_database_another_program_migrates_is_refused(postgres: PostgresServer, database: str) -> None:
    postgres.execute("CREATE TABLE alembic_version (version_num varchar(32))", url=database)
    postgres.execute("INSERT INTO alembic_version VALUES ('ae1027a6acf')", url=database)

    assert "has tables of another program" in refusal(database)


def test_a_database_of_a_later_vivienne_is_refused_and_left_alone(postgres: PostgresServer, database: str) -> None:
    opened(database).close()
    postgres.execute("UPDATE alembic_version SET version_num = version_num::int + 1", url=database)

    assert f"written by a later version of Vivienne (schema {SCHEMA_VERSION + 1}" in refusal(database)
    assert postgres.execute("SELECT version_num FROM alembic_version", url=database) == [(str(SCHEMA_VERSION + 1),)]


def test_a_user_who_may_not_write_is_refused_until_it_may(postgres: PostgresServer, database: str) -> None:
    postgres.execute(f"CREATE USER guest PASSWORD '{PASSWORD}'")
    try:
        guest = postgres.url(database.rpartition("/")[2], user="guest", password=PASSWORD)
        assert "permission denied for schema public; let its owner GRANT CREATE ON SCHEMA public" in refusal(guest)
        opened(database).close()
        postgres.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest", url=database)
        assert "cannot be written by this user; GRANT SELECT, INSERT ON revisions" in refusal(guest)
        postgres.execute("GRANT INSERT ON revisions TO guest", url=database)
        store = filled(opened(guest), revision(1))
        assert store.was_appended(revision(1))
        with pytest.raises(StoreUnavailable, match="GRANT SELECT, INSERT, UPDATE ON tokens to it") as denied:
            store.add_token(Token("ann", "d1", "admin", "2026-01-02T03:04:05.678Z"))
        assert not denied.value.is_temporary
        store.close()
        postgres.execute("REVOKE SELECT ON alembic_version FROM guest", url=database)
        assert "; GRANT SELECT ON alembic_version to it" in refusal(guest)
    finally:
        postgres.execute("DROP OWNED BY guest", url=database)
        postgres.execute("DROP USER guest")


def test_without_the_driver_the_extra_to_install_is_named(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ImportError('no pq wrapper available')")
    program = "import vivienne.store.postgres"

    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert "StoreUnusable" in done.stderr
    assert "pip install 'vivienne[postgres]'" in done.stderr


# A commit is on disk


def test_a_commit_is_on_disk_when_it_returns_whatever_the_server_says(postgres: PostgresServer, database: str) -> None:
    name = database.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    store = opened(database)
    try:
        assert setting(store, "synchronous_commit") == "on"
        assert setting(store, "fsync") == "on"
    finally:
        store.close()


def test_waiting_for_standbys_is_kept(postgres: PostgresServer, database: str) -> None:
    name = database.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = remote_apply")
    store = opened(database)
    try:
        assert setting(store, "synchronous_commit") == "remote_apply"
    finally:
        store.close()


# A server that goes away


def fails(store: PostgresRevisionStore) -> str:
    with pytest.raises(StoreUnavailable) as failure:
        store.check()
    assert PASSWORD not in str(failure.value)
    return str(failure.value)


def test_after_a_restart_of_the_server_the_next_call_connects_anew(
    postgres: PostgresServer, store: PostgresRevisionStore
) -> None:
    filled(store, revision(1))
    postgres.restart()

    assert "was shut down by its administrator" in fails(store)
    filled(store, revision(2))
    assert versions(store.after(0, 10)) == [1, 2]


def test_a_database_in_use_that_becomes_read_only_is_said_to_be_and_left_for_the_primary(
    store: PostgresRevisionStore, postgres: PostgresServer, database: str
) -> None:
    with store._engine.connect() as connection:
        connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.commit()
    with pytest.raises(StoreUnavailable, match="is read-only; make it the primary"):
        store.check()
    store.check()  # the next call connected again

    name = database.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}", url=database)  # noqa: S608
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            store.check()
    with pytest.raises(StoreUnavailable, match="is read-only; make it the primary"):
        store.check()
    postgres.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    store.check()
    store.append(revision(1))


def test_of_several_hosts_the_one_that_can_be_written_is_found(
    postgres: PostgresServer, database: str, unused_port: int
) -> None:
    several = database.replace(f"@127.0.0.1:{postgres.port}", f"@127.0.0.1:{unused_port},127.0.0.1:{postgres.port}")
    opened(several).close()
    postgres.execute(f"ALTER DATABASE {database.rpartition('/')[2]} SET default_transaction_read_only = on")
    assert "is read-only; name one that can be written, not a standby" in refusal(several)


def test_what_was_appended_survives_a_crash_of_the_server(
    postgres: PostgresServer, store: PostgresRevisionStore
) -> None:
    filled(store, revision(1), revision(2))
    postgres.stop("immediate")

    assert "the connection to the server is lost" in fails(store)
    with pytest.raises(StoreUnavailable):
        store.append(revision(3))
    assert not store.was_appended(revision(3)), "the server was not even asked to"
    postgres.start()
    assert versions(store.after(0, 10)) == [1, 2]


def test_a_server_that_stands_still_is_given_up_on(
    postgres: PostgresServer, store: PostgresRevisionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()  # so that the next call has a connection with less patience
    monkeypatch.setattr(BoundedConnection, "patience", 0.3)
    store.check()
    postgres.freeze()
    try:
        assert "no answer within 0.3 s" in fails(store)
    finally:
        postgres.freeze(thaw=True)
    store.check()


def test_a_table_that_is_locked_for_long_does_not_hold_a_caller_for_long(
    store: PostgresRevisionStore, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.store.postgres_connection._SESSION", "SET statement_timeout = '200ms'")
    store.close()
    other = opened(database)
    try:
        with other._engine.begin() as connection:
            connection.exec_driver_sql("LOCK TABLE revisions")
            assert "did not answer in time" in fails(store)
    finally:
        other.close()
    store.check()


def test_who_may_only_connect_holds_up_no_change_and_no_start(
    postgres: PostgresServer, store: PostgresRevisionStore, database: str
) -> None:
    postgres.execute("DROP ROLE IF EXISTS passer_by")
    postgres.execute(f"CREATE ROLE passer_by LOGIN PASSWORD '{PASSWORD}'")
    fresh = postgres.database()
    with ExitStack() as held:
        for name in (database, fresh):
            url = postgres.url(name.rpartition("/")[2], user="passer_by", password=PASSWORD)
            other = held.enter_context(psycopg.connect(url, autocommit=True))
            with pytest.raises(psycopg.errors.InsufficientPrivilege if name == database else psycopg.Error):
                other.execute("SELECT count(*) FROM revisions")
            # Locks on numbers, for which nobody needs rights: those that were used once.
            for key, most in (0x56495649, 2), (0x56495652, 2):
                for number in range(1, most + 1):
                    other.execute("SELECT pg_advisory_lock(%s, %s)", (key, number))
        filled(store, revision(1)).prove()
        assert store.was_appended(revision(1))
        with closing(filled(opened(fresh), revision(1))) as new:
            assert versions(new.heads()) == [1]
        address = PostgresUrl.read(fresh)
        assert address is not None
        with closing(PostgresRecord(address, "to write")) as record, record.transaction() as connection:
            assert record.is_alone(connection)
            with closing(PostgresRecord(address, "to write")) as second, second.transaction() as of_second:
                assert not second.is_alone(of_second)
    postgres.execute("DROP ROLE passer_by")


def test_a_store_in_which_no_change_can_be_made_does_not_prove_that_it_can(
    store: PostgresRevisionStore, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a change waits for, as for the same version of a process that hangs."""
    monkeypatch.setattr("vivienne.store.postgres_connection._SESSION", "SET statement_timeout = '200ms'")
    filled(store, revision(1))
    store.close()
    with psycopg.connect(database) as hanging:
        hanging.execute(
            "INSERT INTO revisions (version, config_id, layer, action, document, changed, author, channel, created_at) "
            "VALUES (2, 'x', 'BTC', 'update', '{}', '[]', 'a', 'rest', '2026-01-02T03:04:05.678Z')"
        )
        for doing in (store.prove, lambda: store.append(revision(2))):
            with pytest.raises(StoreUnavailable, match="did not answer in time"):
                doing()
        hanging.rollback()
    store.prove()
    assert versions(filled(store, revision(2)).after(0, 10)) == [1, 2]


def test_it_is_known_whether_a_change_that_broke_off_was_made(
    store: PostgresRevisionStore, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for while the server works on it; a server to which another one failed over never had it."""
    monkeypatch.setattr("vivienne.store.postgres.STATEMENT_SECONDS", 0.2)
    filled(store, revision(1))
    with psycopg.connect(database) as under_way:
        [number] = under_way.execute("SELECT txid_current()").fetchone() or [0]
        for own, transaction in (revision(2), number), (revision(1), number), (revision(2), number + 10**9):
            store._committing = own.config_id, transaction
            if transaction == number:
                with pytest.raises(StoreUnavailable, match="still works on a change that broke off"):
                    store.was_appended(own)
            else:
                assert not store.was_appended(own)
    store._committing = revision(1).config_id, number
    assert store.was_appended(revision(1))


def test_a_database_that_lost_revisions_is_not_taken_for_the_one_that_was_open(
    postgres: PostgresServer, store: PostgresRevisionStore, database: str
) -> None:
    filled(store, revision(1), revision(2))
    postgres.execute("DELETE FROM revisions WHERE version = 2", url=database)
    postgres.restart()
    fails(store)

    assert "has lost revisions or is another one: it had version 2" in fails(store)
    again = opened(database)
    assert versions(again.heads()) == [1]
    again.close()


def test_a_database_that_lost_its_table_is_said_to(
    postgres: PostgresServer, store: PostgresRevisionStore, database: str
) -> None:
    postgres.execute("DROP TABLE revisions", url=database)

    assert "has lost its tables; restore a copy of it" in fails(store)

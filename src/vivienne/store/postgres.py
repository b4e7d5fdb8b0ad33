"""Revisions in a PostgreSQL database, for several processes at once.

Nobody is locked out while another one appends: `version` is the primary key, so that of two who want the same version
one is told that it is taken. There are no advisory locks: everybody who may connect may take those, without a right to
any table, and could stop every change with them.
"""

from __future__ import annotations

from contextlib import contextmanager
from secrets import token_hex
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from sqlalchemy import column, func, select, table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from vivienne.errors import StoreReplaced, StoreUnavailable, StoreUnusable, VersionTaken
from vivienne.store.migrate import VERSION_TABLE
from vivienne.store.postgres_connection import STATEMENT_SECONDS, one_connection, parameters
from vivienne.store.postgres_exclusion import refuse_others
from vivienne.store.postgres_preparing import prepare, prepare_to_read
from vivienne.store.postgres_reasons import (
    READ_ONLY,
    is_lost,
    is_of_another_server,
    passes,
    reason_at_start,
    reason_later,
)
from vivienne.store.postgres_tickets import NOW, PostgresTickets
from vivienne.store.sql import SqlRevisionStore, as_row
from vivienne.store.sql_alerts import SqlAlerts
from vivienne.store.sql_tokens import expect_accepted
from vivienne.store.tables import SCHEMA_VERSION, alerts, revisions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from vivienne.store.address import PostgresUrl
    from vivienne.store.base import Opening, TicketStore
    from vivienne.store.revision import Revision

_LOOK_SECONDS = 0.05
"""Seconds between two looks at a transaction that the server still works on."""
_ATTEMPTS = 3
_PROBE, _PROBE_BYTES = "probe", 16 * 1024
for _table in (revisions, *alerts):
    for _index in _table.indexes:
        _index.dialect_options["postgresql"]["where"] = _index.dialect_options["sqlite"]["where"]


class PostgresRevisionStore(SqlRevisionStore, PostgresTickets):
    """Revisions in a PostgreSQL database.

    One connection, used from one thread at a time. When it is lost, the call that notices fails, and the next one
    reconnects.

    Raises:
        StoreUnusable: the server cannot be reached or rejects the login, or the database cannot be used.
    """

    is_shared = True

    def __init__(self, url: PostgresUrl, how: Opening = "alone") -> None:
        self.name = str(url)
        self._followed: tuple[int, str] | None = None
        self._committing: tuple[str, int] | None = None
        """Of the last append that the server was told to commit: its config_id, and its transaction there."""
        self._whole: Connection | None = None
        self.alerts = SqlAlerts(self._reading, insert, NOW)
        self._writes = how != "to read"
        how_to_connect = parameters(url, writes=self._writes)
        self._engine = one_connection(how_to_connect)
        try:
            if self._writes:
                prepare(self._engine, self.name, migrates=how == "alone")
            else:
                prepare_to_read(self._engine, self.name)
        except StoreUnusable:
            self.close()
            raise
        except DBAPIError as error:
            self.close()
            raise StoreUnusable(
                f"The database {self.name} {reason_at_start(error)}", is_temporary=passes(error)
            ) from error

    @property
    def tickets(self) -> TicketStore:
        """See `RevisionStore`."""
        return self

    def append(self, *appended: Revision, under: str | None = None, ends: tuple[int, str] | None = None) -> None:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            self._recognize(connection)
            _insert(connection, appended)
            expect_accepted(connection, under)
            self._expect_unshared(connection, ends)
            self._committing = appended[-1].config_id, connection.execute(select(func.txid_current())).scalar_one()
        self._follow(appended)

    def _lock_entry(self, connection: Connection, version: int, *, to_write: bool) -> bool:
        may = func.has_column_privilege("revisions", "created_at" if to_write else "answer", "UPDATE")
        if not connection.execute(select(may)).scalar_one():
            return False
        connection.execute(select(revisions.c.version).where(revisions.c.version == version).with_for_update())
        return True

    def append_to_replaced(self, *appended: Revision) -> None:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            _insert(connection, appended)

    def heads(self) -> list[Revision]:
        """See `RevisionStore`."""
        return self._follow(super().heads())

    def after(self, version: int, limit: int) -> list[Revision]:
        """See `RevisionStore`."""
        self.check()
        return self._follow(super().after(version, limit))

    def check(self) -> None:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            self._recognize(connection)

    def was_appended(self, revision: Revision) -> bool:
        """See `RevisionStore`. Waits for the append, if the server is still working on it."""
        if self._committing is None or self._committing[0] != revision.config_id:
            return False  # the server was never told to commit it
        until = monotonic() + STATEMENT_SECONDS
        while self._is_under_way(self._committing[1]):
            if monotonic() > until:
                raise StoreUnavailable(f"the database {self.name} still works on a change that broke off")
            sleep(_LOOK_SECONDS)
        return super().was_appended(revision)

    def _is_under_way(self, transaction: int) -> bool:
        try:
            with self._transaction() as connection:
                return bool(connection.execute(select(func.txid_status(transaction))).scalar_one() == "in progress")
        except StoreUnavailable as error:
            if is_of_another_server(error.__cause__):  # after a failover; it is over there too
                return False
            raise

    def prove(self) -> None:
        """See `RevisionStore`. The next version, which is taken back at once; that is synced like any change.

        So it waits for whatever a change would wait for. It is larger than the room that a page may have left, however
        well it is packed, so the file has to grow.
        """
        row = dict.fromkeys(("layer", "action", "author", "channel", "created_at"), _PROBE)
        row["config_id"] = f"{_PROBE}-{token_hex(8)}"
        for _ in range(_ATTEMPTS):
            with self._transaction() as connection, connection.begin_nested() as attempt:
                self._recognize(connection)
                newest = connection.execute(select(func.max(revisions.c.version))).scalar() or 0
                document = {_PROBE: token_hex(_PROBE_BYTES)}
                added = insert(revisions).on_conflict_do_nothing().returning(revisions.c.version)
                values: dict[str, Any] = {
                    **row,
                    "version": newest + 1,
                    "document": document,
                    "changed": [],
                    "requester": "",
                }
                is_added = connection.execute(added, values).first() is not None
                attempt.rollback()
            if is_added:
                return
        raise StoreUnavailable(f"the database {self.name} is changed by others so often that nothing could be tried")

    def check_pages(self, report: Callable[[str], None]) -> list[str]:  # noqa: ARG002  # the server does it
        """See `RevisionStore`."""
        return ["PostgreSQL checks its own files: with data checksums, and with pg_amcheck"]

    def close(self) -> None:
        """See `RevisionStore`."""
        self._engine.dispose()

    @contextmanager
    def as_a_whole(self) -> Iterator[None]:
        """Make the changes of the block together or not at all, in a database that nobody else uses.

        Who connects during the block wants the same versions, so its first change waits until the end of the block, and
        it then follows what the block made.

        Raises:
            StoreUnusable: others use it.
            StoreUnavailable: it does not answer.
        """
        with self._transaction() as connection:
            refuse_others(connection, self.name)
            self._whole = connection
            try:
                yield
            finally:
                self._whole = None

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        if self._whole is not None:
            yield self._whole
            return
        with self._engine.begin() as connection:
            yield connection

    def _reason(self, error: DBAPIError) -> str:
        return reason_later(error)

    def _passes(self, error: DBAPIError) -> bool:
        return passes(error)

    def _is_lost(self, error: DBAPIError) -> bool:
        return is_lost(error)

    def _follow(self, found: Sequence[Revision]) -> list[Revision]:
        """Remember the newest revision that was read to be put in force, or was appended."""
        newest = max(found, key=lambda revision: revision.version, default=None)
        if newest is not None and (self._followed is None or newest.version > self._followed[0]):
            self._followed = newest.version, newest.config_id
        return list(found)

    def _recognize(self, connection: Connection) -> None:
        """Refuse a database that is not the one that was read: what is in force here would not be what it has.

        Every revision was made on top of the one before it, so the newest one stands for all of them.
        """
        version, config_id = self._followed or (0, None)
        there = select(revisions.c.config_id).where(revisions.c.version == version).scalar_subquery()
        schema = select(column("version_num")).select_from(table(VERSION_TABLE)).scalar_subquery()
        read_only = func.current_setting("transaction_read_only")
        found, migrated, is_read_only = connection.execute(select(there, schema, read_only)).one()
        if self._writes and is_read_only == "on":
            connection.invalidate()  # the next call looks for the primary
            raise StoreUnavailable(f"the database {self.name} {READ_ONLY}")
        if migrated != str(SCHEMA_VERSION):
            raise StoreUnavailable(
                f"the database {self.name} was migrated to schema {migrated} while this process was running, which "
                f"works with {SCHEMA_VERSION}; restart it with the Vivienne that migrated it"
            )
        if found is None and config_id is not None:
            raise StoreReplaced(
                f"the database {self.name} has lost revisions or is another one: it had version {version}; "
                "if that is intended, restart Vivienne"
            )
        if found != config_id:
            raise StoreReplaced(
                f"the database {self.name} has lost revisions or is another one: it had another version {version}, "
                "which is in force here; restart Vivienne to put in force what the database has now"
            )


def _insert(connection: Connection, appended: Sequence[Revision]) -> None:
    for revision in appended:
        # Without an error on conflict, which would fill the log of the server.
        added = insert(revisions).on_conflict_do_nothing().returning(revisions.c.version)
        if connection.execute(added, as_row(revision)).first() is None:
            raise VersionTaken(f"version {revision.version}, its config_id or request_id exists already")

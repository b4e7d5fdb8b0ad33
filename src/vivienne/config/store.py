"""Revisions on disk, append-only, through SQLAlchemy Core.

SQLite with a rollback journal and ``synchronous=FULL``: when a commit returns, the revision survives a power cut. The
journal is kept and its header cleared on commit (``PERSIST``), which is synced; deleting the file would need a sync
of the directory that FULL does not make. No WAL: the SQLite of older Pythons loses data with it under several
connections.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import filelock
import orjson
from sqlalchemy import (
    URL,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    create_engine,
    event,
    exists,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from vivienne.config.revision import Revision
from vivienne.errors import StoreUnavailable, StoreUnusable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine, Row
    from sqlalchemy.sql import ColumnElement

APPLICATION_ID = 0x56495649
"""Marks the file as ours in its header ("VIVI")."""
SCHEMA_VERSION = 1
_LOCK_TIMEOUT = 2.0


class RevisionStore(Protocol):
    """Where revisions live. Methods block; they raise `StoreUnavailable` when the store does not answer."""

    def heads(self) -> list[Revision]:
        """The newest revision of each layer."""

    def active_ids(self) -> dict[str, str]:
        """By layer, the config_id in force: the newest that is neither deleted nor a deletion."""

    def append(self, revision: Revision) -> None:
        """Add a revision; on return it is on disk."""

    def by_config_id(self, config_id: str) -> Revision | None:
        """The revision with this name."""

    def by_request_id(self, request_id: str) -> Revision | None:
        """The revision made by this request."""

    def is_deleted(self, config_id: str) -> bool:
        """Whether a later revision deleted it."""

    def before(self, revision: Revision) -> Revision | None:
        """The configuration of the same layer before this one, leaving out deleted ones and deletions."""

    def page(
        self, *, layers: Sequence[str] | None, limit: int, before: int | None, configurations_only: bool
    ) -> list[Revision]:
        """Revisions, newest first.

        Args:
            layers: only these; None for all.
            limit: at most so many.
            before: only versions below it.
            configurations_only: leave out deletions and what was deleted.
        """

    def check(self) -> None:
        """Raise when the store does not answer."""

    def close(self) -> None:
        """Let go of it."""


class _Json(TypeDecorator[Any]):
    """JSON as orjson writes it."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> bytes | None:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else orjson.dumps(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else orjson.loads(value)


_metadata = MetaData()
_revisions = Table(
    "revisions",
    _metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("config_id", String(64), nullable=False, unique=True),
    Column("layer", String(32), nullable=False),
    Column("action", String(16), nullable=False),
    Column("document", _Json, nullable=False),
    Column("changed", _Json, nullable=False),
    Column("author", String(100), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("target", String(64)),
    Column("address", String(64)),
    Column("reason", String(1000)),
    Column("request_id", String(128)),
    Column("request_digest", String(64)),
    Column("answer", _Json),
    Index("revisions_by_layer", "layer", "version"),
    # Most revisions have neither: partial indexes leave them out, which is less to write at each change.
    Index("revisions_by_target", "target", "action", sqlite_where=text("target IS NOT NULL")),
    Index("revisions_by_request", "request_id", unique=True, sqlite_where=text("request_id IS NOT NULL")),
)
_names = tuple(_revisions.columns.keys())
_insert = _revisions.insert()
_deletions = _revisions.alias("deletions")
_is_deleted: ColumnElement[bool] = exists().where(
    _deletions.c.target == _revisions.c.config_id, _deletions.c.action == "delete"
)
_is_configuration: ColumnElement[bool] = (_revisions.c.action != "delete") & ~_is_deleted


class SqliteRevisionStore:
    """Revisions in one SQLite file.

    Used from one thread at a time, by one process: a second one is refused.

    Raises:
        StoreUnusable: the file is no database, is another program's, is read-only, or is in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = filelock.FileLock(f"{path}.lock", thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise StoreUnusable(
                f"The database {path} is in use by another Vivienne; give this one its own with --db"
            ) from error
        except OSError as error:
            raise StoreUnusable(f"The database {path} cannot be opened: {error.strerror}") from error
        self._engine = _engine(path)
        try:
            self._open = self._engine.connect()
            with self._open.begin():
                _prepare(self._open, path)
            self._inode = path.stat().st_ino
        except StoreUnusable:
            self.close()
            raise
        except DBAPIError as error:
            self.close()
            raise StoreUnusable(f"The database {path} cannot be used: {_reason(error)}") from error

    def heads(self) -> list[Revision]:
        """See `RevisionStore`."""
        newest = select(func.max(_revisions.c.version)).group_by(_revisions.c.layer)
        return self._read(select(_revisions).where(_revisions.c.version.in_(newest)))

    def active_ids(self) -> dict[str, str]:
        """See `RevisionStore`."""
        with self._connection() as connection:
            layers = connection.execute(select(_revisions.c.layer).distinct()).scalars().all()
            found = {}
            for layer in layers:
                newest = (
                    select(_revisions.c.config_id)
                    .where(_revisions.c.layer == layer, _is_configuration)
                    .order_by(_revisions.c.version.desc())
                    .limit(1)
                )
                config_id = connection.execute(newest).scalar_one_or_none()
                if config_id is not None:
                    found[layer] = config_id
            return found

    def append(self, revision: Revision) -> None:
        """See `RevisionStore`."""
        with self._connection() as connection:
            connection.execute(_insert, {name: getattr(revision, name) for name in _names})

    def by_config_id(self, config_id: str) -> Revision | None:
        """See `RevisionStore`."""
        return self._one(select(_revisions).where(_revisions.c.config_id == config_id))

    def by_request_id(self, request_id: str) -> Revision | None:
        """See `RevisionStore`."""
        return self._one(select(_revisions).where(_revisions.c.request_id == request_id))

    def is_deleted(self, config_id: str) -> bool:
        """See `RevisionStore`."""
        with self._connection() as connection:
            found = select(_revisions.c.version).where(_revisions.c.config_id == config_id, _is_deleted)
            return connection.execute(found).first() is not None

    def before(self, revision: Revision) -> Revision | None:
        """See `RevisionStore`."""
        return self._one(
            select(_revisions)
            .where(_revisions.c.layer == revision.layer, _revisions.c.version < revision.version, _is_configuration)
            .order_by(_revisions.c.version.desc())
            .limit(1)
        )

    def page(
        self, *, layers: Sequence[str] | None, limit: int, before: int | None, configurations_only: bool
    ) -> list[Revision]:
        """See `RevisionStore`."""
        query = select(_revisions).order_by(_revisions.c.version.desc()).limit(limit)
        if layers is not None:
            query = query.where(_revisions.c.layer.in_(layers))
        if before is not None:
            query = query.where(_revisions.c.version < before)
        if configurations_only:
            query = query.where(_is_configuration)
        return self._read(query)

    def check(self) -> None:
        """See `RevisionStore`."""
        with self._connection() as connection:
            connection.execute(select(func.max(_revisions.c.version))).scalar()
        if self._is_gone():
            raise StoreUnavailable(f"the database {self.path} {_GONE}")

    def close(self) -> None:
        """See `RevisionStore`."""
        self._engine.dispose()
        self._lock.release()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._open.begin():
                yield self._open
        except DBAPIError as error:
            reason = _GONE if self._is_gone() else _reason(error)
            raise StoreUnavailable(f"the database {self.path} {reason}") from error
        except (SQLAlchemyError, OverflowError) as error:
            raise StoreUnavailable(f"the database {self.path} failed: {error}") from error

    def _is_gone(self) -> bool:
        """Whether the file that was opened is not the one at its path any more."""
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return True

    def _read(self, query: Any) -> list[Revision]:
        try:
            with self._connection() as connection:
                return [_revision(row) for row in connection.execute(query)]
        except orjson.JSONDecodeError as error:
            raise StoreUnavailable(f"the database {self.path} {_REASONS['malformed']}") from error

    def _one(self, query: Any) -> Revision | None:
        found = self._read(query)
        return found[0] if found else None


def _revision(row: Row[Any]) -> Revision:
    return Revision(**row._mapping)  # noqa: SLF001  # SQLAlchemy's documented way to a row's columns by name


def _engine(path: Path) -> Engine:
    # One connection, kept: it is used by one thread at a time, though not always by the same one.
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        poolclass=StaticPool,
        connect_args={"timeout": _LOCK_TIMEOUT, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so, below
        connection.execute("PRAGMA journal_mode=PERSIST").close()
        connection.execute("PRAGMA synchronous=FULL").close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _prepare(connection: Connection, path: Path) -> None:
    """Make sure the file is ours, of a schema we know, and can be written."""
    application_id = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    schema_version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    if application_id != APPLICATION_ID and tables:
        raise StoreUnusable(f"The database {path} belongs to another program; name a new file")
    if schema_version > SCHEMA_VERSION:
        raise StoreUnusable(
            f"The database {path} was written by a later version of Vivienne (schema {schema_version}, "
            f"this one knows {SCHEMA_VERSION}); update Vivienne or name another file"
        )
    _metadata.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")


_GONE = "was deleted or replaced while it was open; put it back and start Vivienne again"
_REASONS = {
    "not a database": "is not a SQLite database; name a new file",
    "malformed": "is damaged; restore a copy of it",
    "readonly": "is read-only; make the file and its folder writable",
    "unable to open": "cannot be opened; check that its folder exists and is writable",
    "locked": "is locked by another program",
    "full": "cannot grow: the disk is full",
    "disk I/O": "cannot be read or written: the disk reports an error",
}


def _reason(error: DBAPIError) -> str:
    """What SQLite said, for a person."""
    text = str(error.orig)
    return next((reason for key, reason in _REASONS.items() if key in text), f"failed: {text.rstrip('.')}")

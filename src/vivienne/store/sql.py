"""Revisions in a relational database, append-only, through SQLAlchemy Core: the same queries on every engine."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import and_, exists, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from vivienne.errors import StoreUnavailable, VersionTaken
from vivienne.store.base import Outline
from vivienne.store.revision import ACTIONS, Begun, Revision
from vivienne.store.sql_tokens import SqlTokens, expect_accepted
from vivienne.store.tables import configured, of_alerts, revisions, switches

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Column
    from sqlalchemy.engine import Connection, Row
    from sqlalchemy.sql import ColumnElement, Select

    from vivienne.store.alert import AlertStore

_names = tuple(revisions.columns.keys())
_deletions = revisions.alias("deletions")
_is_deleted: ColumnElement[bool] = exists().where(
    _deletions.c.target == revisions.c.config_id, _deletions.c.action == "delete"
)
_is_configuration: ColumnElement[bool] = and_(configured, ~_is_deleted)

_LOOKED_THROUGH = 1_000
"""Newest revisions among which a pause is looked for."""


class SqlRevisionStore(SqlTokens):
    """The part all engines share. See `RevisionStore` for the methods."""

    name: str
    """The name of the database in messages."""
    alerts: AlertStore

    @abstractmethod
    def _begin(self) -> AbstractContextManager[Connection]:
        """A transaction, committed at the end."""

    @abstractmethod
    def append(self, *appended: Revision, under: str | None = None, ends: tuple[int, str] | None = None) -> None:
        """See `RevisionStore`."""

    @abstractmethod
    def _reason(self, error: DBAPIError) -> str:
        """The engine's error in words: the rest of a sentence that begins with "the database"."""

    @abstractmethod
    def _passes(self, error: DBAPIError) -> bool:
        """Tell whether it may end without anybody changing anything."""

    @abstractmethod
    def check_pages(self, report: Callable[[str], None]) -> list[str]:
        """See `RevisionStore`."""

    @abstractmethod
    def close(self) -> None:
        """See `RevisionStore`."""

    def _is_lost(self, error: DBAPIError) -> bool:  # noqa: ARG002  # a file is not out of reach
        return False

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._begin() as connection:
                yield connection
        except DBAPIError as error:
            reason = f"the database {self.name} {self._reason(error)}"
            raise StoreUnavailable(reason, is_lost=self._is_lost(error), is_temporary=self._passes(error)) from error
        except (SQLAlchemyError, OverflowError) as error:
            raise StoreUnavailable(f"the database {self.name} failed: {error}") from error

    def heads(self) -> list[Revision]:
        """See `RevisionStore`."""
        newest = select(func.max(revisions.c.version)).group_by(revisions.c.layer)
        return self._known(self._read(select(revisions).where(revisions.c.version.in_(newest))))

    def switches(self) -> list[Revision]:
        """See `RevisionStore`."""
        newest = select(func.max(revisions.c.version)).where(switches).group_by(revisions.c.layer)
        return self._read(select(revisions).where(revisions.c.version.in_(newest)))

    def alerts_begun(self) -> dict[str, Begun]:
        """See `RevisionStore`."""
        first = select(func.min(revisions.c.version)).where(of_alerts).group_by(revisions.c.layer)
        begun = select(revisions.c.layer, revisions.c.created_at, revisions.c.author)
        with self._transaction() as connection:
            found = connection.execute(begun.where(revisions.c.version.in_(first)))
            return {layer: Begun(created_at, author) for layer, created_at, author in found}

    def active_ids(self) -> dict[str, str]:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            layers = connection.execute(select(revisions.c.layer).where(configured).distinct()).scalars().all()
            found = {}
            for layer in layers:
                newest = (
                    select(revisions.c.config_id)
                    .where(revisions.c.layer == layer, _is_configuration)
                    .order_by(revisions.c.version.desc())
                    .limit(1)
                )
                config_id = connection.execute(newest).scalar_one_or_none()
                if config_id is not None:
                    found[layer] = config_id
            return found

    def active_id(self, layer: str, version: int) -> str | None:
        """See `RevisionStore`."""
        deleted = exists().where(
            _deletions.c.target == revisions.c.config_id,
            _deletions.c.action == "delete",
            _deletions.c.version <= version,
        )
        newest = (
            select(revisions.c.config_id)
            .where(revisions.c.layer == layer, revisions.c.version <= version, configured, ~deleted)
            .order_by(revisions.c.version.desc())
            .limit(1)
        )
        with self._transaction() as connection:
            return connection.execute(newest).scalar_one_or_none()

    def was_appended(self, revision: Revision) -> bool:
        """See `RevisionStore`."""
        return self.by_config_id(revision.config_id) is not None

    def after(self, version: int, limit: int) -> list[Revision]:
        """See `RevisionStore`."""
        newer = select(revisions).where(revisions.c.version > version)
        return self._known(self._read(newer.order_by(revisions.c.version).limit(limit)))

    def by_config_id(self, config_id: str) -> Revision | None:
        """See `RevisionStore`."""
        return self._named(revisions.c.config_id, config_id)

    def pause_of(self, trace_id: str, layer: str, since: str) -> Revision | None:
        """See `RevisionStore`."""
        columns = revisions.c
        oldest = select(func.max(columns.version) - _LOOKED_THROUGH).scalar_subquery()
        found = select(revisions).where(
            columns.version > oldest,
            columns.action == "pause",
            columns.layer == layer,
            columns.trace_id == trace_id,
            columns.created_at >= since,
        )
        return next(iter(self._known(self._read(found.order_by(columns.version.desc()).limit(1)))), None)

    def name_of(self, version: int) -> str | None:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            named = select(revisions.c.config_id).where(revisions.c.version == version)
            return connection.execute(named).scalar_one_or_none()

    def repeat_pause(self, version: int, config_id: str, created_at: str, under: str | None = None) -> str | None:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            self._recognize(connection)
            if not self._lock_entry(connection, version, to_write=True):
                return None
            newer = revisions.alias()
            is_newer = (newer.c.layer == revisions.c.layer) & (newer.c.version > version)
            is_over = select(newer.c.version).where(is_newer, newer.c.action.in_(("pause", "resume"))).exists()
            is_it = (revisions.c.version == version) & (revisions.c.config_id == config_id)
            it = select(revisions.c.created_at).where(is_it, revisions.c.action == "pause", ~is_over)
            before: str | None = connection.execute(it).scalar_one_or_none()
            if before is not None and before < created_at:
                connection.execute(revisions.update().where(is_it).values(created_at=created_at))
            expect_accepted(connection, under)
            return None if before is None else max(before, created_at)

    def _lock_entry(self, connection: Connection, version: int, *, to_write: bool) -> bool:  # noqa: ARG002  # a file has no rights of its own
        """Keep the entry of a version as it is, for others, until the end of a transaction that writes.

        Args:
            connection: with the transaction. One that writes a file has all of it.
            version: of the entry.
            to_write: whether it is written.

        Returns:
            False if this user may not.
        """
        return True

    def _expect_unshared(self, connection: Connection, ends: tuple[int, str] | None) -> None:
        """Expect the entry of a pause to be as it was looked at until the end of a transaction that ends the pause.

        Raises:
            VersionTaken: a later pause shares it.
        """
        if ends is None:
            return
        version, created_at = ends
        self._lock_entry(connection, version, to_write=False)
        looked_at = select(revisions.c.created_at).where(revisions.c.version == version)
        if connection.execute(looked_at).scalar_one_or_none() not in (created_at, None):
            raise VersionTaken(f"a later pause shares the entry of version {version}")

    def _recognize(self, connection: Connection) -> None:
        """Expect the database to be the one that was followed, where it may be another one."""

    def append_to_replaced(self, *appended: Revision) -> None:
        """See `RevisionStore`. Of engines that find a database replaced."""
        raise NotImplementedError

    def times_of(self, versions: Collection[int]) -> dict[int, str]:
        """See `RevisionStore`."""
        wanted = select(revisions.c.version, revisions.c.created_at).where(revisions.c.version.in_(sorted(versions)))
        with self._transaction() as connection:
            return dict(connection.execute(wanted).all())

    def switches_named(self, config_ids: Collection[str]) -> dict[tuple[str, str], int]:
        """See `RevisionStore`."""
        columns = revisions.c.config_id, revisions.c.layer, revisions.c.version
        wanted = select(*columns).where(revisions.c.config_id.in_(sorted(config_ids)), switches)
        with self._transaction() as connection:
            return {(config_id, layer): version for config_id, layer, version in connection.execute(wanted)}

    def by_request_id(self, requester: str, request_id: str) -> Revision | None:
        """See `RevisionStore`."""
        if "\0" in request_id:  # as in `_named`
            return None
        whose = revisions.c.requester.in_((requester, ""))
        named = select(revisions).where(revisions.c.request_id == request_id, whose)
        return self._one(named.order_by(revisions.c.requester.desc()).limit(1))

    def is_deleted(self, config_id: str) -> bool:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            found = select(revisions.c.version).where(revisions.c.config_id == config_id, _is_deleted)
            return connection.execute(found).first() is not None

    def before(self, revision: Revision) -> Revision | None:
        """See `RevisionStore`."""
        return self._one(
            select(revisions)
            .where(revisions.c.layer == revision.layer, revisions.c.version < revision.version, _is_configuration)
            .order_by(revisions.c.version.desc())
            .limit(1)
        )

    def outlines(self, *, layers: Sequence[str] | None, limit: int, before: int | None) -> list[Outline]:
        """See `RevisionStore`."""
        columns = [revisions.c[name] for name in Outline._fields]
        query = _listed(select(*columns), layers, limit, before, configurations_only=False)
        with self._reading() as connection:
            return [Outline(*row) for row in connection.execute(query)]

    def page(
        self,
        *,
        layers: Sequence[str] | None,
        limit: int,
        before: int | None,
        configurations_only: bool,
        among: Sequence[int] | None = None,
    ) -> list[Revision]:
        """See `RevisionStore`."""
        query = _listed(select(revisions), layers, limit, before, among, configurations_only=configurations_only)
        return self._read(query)

    def fitting(
        self,
        *,
        layers: Sequence[str] | None,
        limit: int,
        before: int | None,
        configurations_only: bool,
        most_bytes: int,
        among: Sequence[int] | None = None,
    ) -> int:
        """See `RevisionStore`."""
        size = func.length(revisions.c.document) + func.length(revisions.c.changed)
        query = _listed(select(size), layers, limit, before, among, configurations_only=configurations_only)
        with self._transaction() as connection:
            sizes: Iterator[int] = accumulate(connection.execute(query).scalars())
            return max(1, sum(size <= most_bytes for size in sizes))

    def prune_answers(self, before: str, limit: int) -> int:
        """See `RevisionStore`."""
        # As the index has it, so that it is used.
        has_answer = revisions.c.answer.is_not(None)
        old = select(revisions.c.version).where(has_answer, revisions.c.created_at < before)
        oldest = old.order_by(revisions.c.version).limit(limit)
        with self._transaction() as connection:
            pruned = revisions.update().where(revisions.c.version.in_(oldest)).values(answer=None)
            return connection.execute(pruned).rowcount

    def check(self) -> None:
        """See `RevisionStore`."""
        with self._transaction() as connection:
            connection.execute(select(func.max(revisions.c.version))).scalar()

    def _read(self, query: Select[Any]) -> list[Revision]:
        with self._reading() as connection:
            return [_revision(row) for row in connection.execute(query)]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._transaction() as connection:
                yield connection
        except orjson.JSONDecodeError as error:
            reason = f"the database {self.name} is damaged; restore a copy of it"
            raise StoreUnavailable(reason, is_temporary=False) from error

    def _known(self, found: list[Revision]) -> list[Revision]:
        """Refuse revisions that cannot be put in force, because a later version of Vivienne made them."""
        for revision in found:
            if revision.action not in ACTIONS:
                raise StoreUnavailable(
                    f"version {revision.version} in the database {self.name} is of the kind {revision.action!r}, which "
                    "this version of Vivienne does not know; update it and restart"
                )
        return found

    def _named(self, column: Column[str], name: str) -> Revision | None:
        # PostgreSQL takes no text with this sign, and none of ours has it.
        return None if "\0" in name else self._one(select(revisions).where(column == name))

    def _one(self, query: Select[Any]) -> Revision | None:
        found = self._read(query)
        return found[0] if found else None


_BEYOND_ALL = 2**31 - 1
"""PostgreSQL compares a version with no greater number."""


def _listed(
    query: Select[Any],
    layers: Sequence[str] | None,
    limit: int,
    before: int | None,
    among: Sequence[int] | None = None,
    *,
    configurations_only: bool,
) -> Select[Any]:
    """A query of revisions, limited to those of a page."""
    query = query.order_by(revisions.c.version.desc()).limit(limit)
    if layers is not None:
        query = query.where(revisions.c.layer.in_(layers))
    if before is not None:
        query = query.where(revisions.c.version < min(before, _BEYOND_ALL))
    if among is not None:
        query = query.where(revisions.c.version.in_(among))
    return query.where(_is_configuration) if configurations_only else query


def as_row(revision: Revision) -> dict[str, Any]:
    """A revision as a row of its table."""
    return {name: getattr(revision, name) for name in _names}


def _revision(row: Row[Any]) -> Revision:
    return Revision(**row._mapping)  # noqa: SLF001  # SQLAlchemy's documented way to a row's columns by name

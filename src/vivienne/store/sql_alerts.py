"""Alerts in a relational database: the same queries on every engine."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, or_, select

from vivienne.store.alert import Fired, StoredDelivery, StoredEvent, Stuck, Waiting
from vivienne.store.tables import (
    alert_deliveries,
    alert_events,
    alert_owners,
    alert_standings,
    is_undelivered,
    is_waiting,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.engine import Connection, Row
    from sqlalchemy.sql import Select

    from vivienne.wire.alert import ChannelType, DeliveryStatus

    Insert = Callable[[Table], sqlite.Insert] | Callable[[Table], postgresql.Insert]
    """The statement of an engine that inserts, with what is done on a conflict."""

_EVENT = tuple(each.name for each in fields(StoredEvent))
_DELIVERY = tuple(each.name for each in fields(StoredDelivery))
_BECOMES = (
    "status",
    "due_at",
    "first_at",
    "attempts",
    "delivered_at",
    "latency_ms",
    "status_code",
    "answer",
    "together",
)
"""What of a delivery may change."""
_NOT_ARRIVED = ("waiting", "retrying", "dead", "dropped")
"""Statuses of what should have arrived; named one by one, so that the index is used."""
_events = [alert_events.c[name].label(f"event__{name}") for name in _EVENT]
_both = select(*(alert_deliveries.c[name] for name in _DELIVERY), *_events).join(
    alert_events, alert_events.c.event_id == alert_deliveries.c.event_id
)


class SqlAlerts:
    """See `AlertStore` for the methods.

    Args:
        transaction: begins one, committed at the end; errors of the engine leave it as `StoreUnavailable`.
        insert: the statement of the engine.
        now: the clock of the database, seconds since the epoch.
    """

    def __init__(
        self, transaction: Callable[[], AbstractContextManager[Connection]], insert: Insert, now: ColumnElement[Any]
    ) -> None:
        self._transaction = transaction
        self._insert = insert
        self._now = now

    def add_alerts(
        self,
        events: Sequence[StoredEvent],
        deliveries: Sequence[StoredDelivery],
        standings: Mapping[str, str],
        run: str,
        owner: str,
    ) -> frozenset[str]:
        """See `AlertStore`."""
        with self._transaction() as connection:
            added = frozenset(self._added(connection, events)) if events else frozenset()
            rows = [{**_row(each), "owner": owner} for each in deliveries if each.event_id in added]
            if rows:
                connection.execute(alert_deliveries.insert(), rows)
            if standings:
                self._stand(connection, run, standings)
            return added

    def _added(self, connection: Connection, events: Sequence[StoredEvent]) -> Sequence[str]:
        once = self._insert(alert_events).on_conflict_do_nothing(index_elements=["event_id"])
        rows = [{name: getattr(each, name) for name in _EVENT if name != "number"} for each in events]
        return connection.execute(once.returning(alert_events.c.event_id), rows).scalars().all()

    def _stand(self, connection: Connection, run: str, standings: Mapping[str, str]) -> None:
        added = self._insert(alert_standings).values(stored_at=self._now)
        replaced = added.on_conflict_do_update(
            index_elements=["run", "asset"],
            set_={"standing": added.excluded.standing, "stored_at": added.excluded.stored_at},
        )
        rows = [{"run": run, "asset": asset, "standing": standings[asset]} for asset in sorted(standings)]
        connection.execute(replaced, rows)

    def standings(self, run: str) -> dict[str, str]:
        """See `AlertStore`."""
        stored = select(alert_standings.c.asset, alert_standings.c.standing).where(alert_standings.c.run == run)
        with self._transaction() as connection:
            return dict(connection.execute(stored).all())

    def runs(self) -> list[str]:
        """See `AlertStore`."""
        with self._transaction() as connection:
            return list(connection.execute(select(alert_standings.c.run).distinct()).scalars())

    def adopt(self, owner: str, dead_after: float | None) -> int:
        """See `AlertStore`."""
        alive = alert_owners.c.owner == owner
        if dead_after is not None:
            alive |= alert_owners.c.alive_at > self._now - dead_after
        others = alert_deliveries.c.owner.not_in(select(alert_owners.c.owner).where(alive))
        orphaned = alert_deliveries.update().where(is_waiting, alert_deliveries.c.owner != owner, others)
        with self._transaction() as connection:
            adopted = connection.execute(orphaned.values(owner=owner)).rowcount
            connection.execute(alert_owners.delete().where(~alive))
            return adopted

    def say_alive(self, owner: str) -> None:
        """See `AlertStore`."""
        added = self._insert(alert_owners).values(owner=owner, alive_at=self._now)
        with self._transaction() as connection:
            connection.execute(
                added.on_conflict_do_update(index_elements=["owner"], set_={"alive_at": added.excluded.alive_at})
            )

    def waiting(self, owner: str, limit: int, after: int = 0) -> list[Waiting]:
        """See `AlertStore`."""
        owned = _both.where(is_waiting, alert_deliveries.c.owner == owner, alert_deliveries.c.number > after)
        return self._found(owned.order_by(alert_deliveries.c.number).limit(limit))

    def update_deliveries(self, deliveries: Sequence[StoredDelivery], owner: str | None = None) -> None:
        """See `AlertStore`."""
        named = alert_deliveries.update().where(alert_deliveries.c.delivery_id == bindparam("named"))
        owned = {} if owner is None else {"owner": owner}
        rows = [{"named": each.delivery_id, **_became(each), **owned} for each in deliveries]
        if rows:
            with self._transaction() as connection:
                connection.execute(named, rows)

    def last_fired(self, run: str) -> list[Fired]:
        """See `AlertStore`."""
        newest = (
            select(func.max(alert_events.c.number))
            .where(alert_events.c.run == run)
            .group_by(alert_events.c.alert_id, alert_events.c.asset)
        )
        columns = [alert_events.c[name] for name in Fired._fields]
        with self._transaction() as connection:
            found = connection.execute(select(*columns).where(alert_events.c.number.in_(newest)))
            return [Fired(*row) for row in found]

    def last_fired_at(self) -> dict[str, str]:
        """See `AlertStore`."""
        newest = select(func.max(alert_events.c.number)).group_by(alert_events.c.alert_id)
        made = select(alert_events.c.alert_id, alert_events.c.created_at).where(alert_events.c.number.in_(newest))
        with self._transaction() as connection:
            return dict(connection.execute(made).all())

    def stuck(self) -> list[Stuck]:
        """See `AlertStore`."""
        telling = _telling().subquery()
        described = _both.add_columns(telling.c.waiting).join(telling, telling.c.number == alert_deliveries.c.number)
        with self._transaction() as connection:
            found = connection.execute(described.order_by(alert_deliveries.c.number))
            return [Stuck(_delivery(row), row.event__created_at, row.waiting) for row in found]

    def bring_forward(self, delivery_id: str, due_at: float) -> None:
        """See `AlertStore`."""
        named = alert_deliveries.c.delivery_id == delivery_id
        with self._transaction() as connection:
            connection.execute(alert_deliveries.update().where(named, is_waiting).values(due_at=due_at))

    def delivery(self, delivery_id: str) -> Waiting | None:
        """See `AlertStore`."""
        if "\0" in delivery_id:  # PostgreSQL takes no text with this sign, and none of ours has it
            return None
        found = self._found(_both.where(alert_deliveries.c.delivery_id == delivery_id))
        return found[0] if found else None

    def deliveries_page(
        self,
        *,
        alert_id: str | None,
        statuses: Collection[DeliveryStatus] | None,
        asset: str | None,
        limit: int,
        before: int | None,
    ) -> list[Waiting]:
        """See `AlertStore`."""
        if "\0" in f"{alert_id}{asset}":  # as in `delivery`
            return []
        query = _both.order_by(alert_deliveries.c.number.desc()).limit(limit)
        if alert_id is not None:
            query = query.where(alert_deliveries.c.alert_id == alert_id)
        if statuses is not None:
            query = query.where(alert_deliveries.c.status.in_(sorted(statuses)))
        if asset is not None:
            query = query.where(alert_events.c.asset == asset)
        if before is not None:
            query = query.where(alert_deliveries.c.number < before)
        return self._found(query)

    def events_page(self, *, channel_type: ChannelType | None, limit: int, before: int | None) -> list[StoredEvent]:
        """See `AlertStore`."""
        query = select(alert_events).order_by(alert_events.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(alert_events.c.number < before)
        if channel_type is not None:
            sent = select(alert_deliveries.c.number).where(
                alert_deliveries.c.event_id == alert_events.c.event_id, alert_deliveries.c.channel_type == channel_type
            )
            query = query.where(sent.exists())
        with self._transaction() as connection:
            return [_event(row) for row in connection.execute(query)]

    def delivery_counts(self) -> dict[tuple[ChannelType, DeliveryStatus], int]:
        """See `AlertStore`."""
        by = alert_deliveries.c.channel_type, alert_deliveries.c.status
        with self._transaction() as connection:
            counted = connection.execute(select(*by, func.count()).where(is_undelivered).group_by(*by))
            return {(channel_type, status): number for channel_type, status, number in counted}

    def prune_alerts(self, before: str, most: int, limit: int) -> int:
        """See `AlertStore`."""
        number, event_id = alert_events.c.number, alert_events.c.event_id
        to_do = select(alert_deliveries.c.number).where(is_waiting, alert_deliveries.c.event_id == event_id)
        beyond = select(number).order_by(number.desc()).offset(most).limit(1).scalar_subquery()
        old = or_(alert_events.c.created_at < before, number <= beyond)
        oldest = select(number, event_id).where(old, ~to_do.exists()).order_by(number).limit(limit)
        moment = datetime.fromisoformat(before).timestamp()
        with self._transaction() as connection:
            connection.execute(alert_standings.delete().where(alert_standings.c.stored_at < moment))
            found = connection.execute(oldest).all()
            ids = [each.event_id for each in found]
            connection.execute(alert_deliveries.delete().where(alert_deliveries.c.event_id.in_(ids)))
            connection.execute(alert_events.delete().where(number.in_([each.number for each in found])))
            return len(found)

    def in_order(self, after: int, limit: int) -> list[tuple[StoredEvent, list[StoredDelivery]]]:
        """See `AlertStore`."""
        next_ones = select(alert_events).where(alert_events.c.number > after)
        of_them = select(*(alert_deliveries.c[name] for name in _DELIVERY)).order_by(alert_deliveries.c.number)
        with self._transaction() as connection:
            rows = connection.execute(next_ones.order_by(alert_events.c.number).limit(limit))
            found: dict[str, tuple[StoredEvent, list[StoredDelivery]]] = {
                row.event_id: (_event(row), []) for row in rows
            }
            for row in connection.execute(of_them.where(alert_deliveries.c.event_id.in_(list(found)))):
                found[row.event_id][1].append(_delivery(row))
            return list(found.values())

    def problems(self) -> list[str]:
        """See `AlertStore`."""
        alone = (
            select(func.count())
            .select_from(
                alert_deliveries.outerjoin(alert_events, alert_events.c.event_id == alert_deliveries.c.event_id)
            )
            .where(alert_events.c.event_id.is_(None))
        )
        with self._transaction() as connection:
            count = connection.execute(alone).scalar_one()
        return [f"deliveries that belong to no alert: {count}"] if count else []

    def _found(self, query: Select[Any]) -> list[Waiting]:
        with self._transaction() as connection:
            return [Waiting(_delivery(row), _event(row, "event__")) for row in connection.execute(query)]


def _telling() -> Select[Any]:
    """Of each rule and channel that fails: number of the delivery that tells how, and of those that wait."""
    each = alert_deliveries.c
    lane = each.alert_id, each.channel

    def numbered(*statuses: str) -> ColumnElement[Any]:
        return case((each.status.in_(statuses), each.number))

    retrying, waiting = func.min(numbered("retrying")), func.min(numbered("waiting"))
    ended = func.max(numbered("dead", "dropped"))
    of_lanes = (
        select(
            *lane,
            func.coalesce(retrying, waiting, ended).label("number"),
            func.count(numbered("waiting", "retrying")).label("waiting"),
        )
        .where(is_undelivered, each.status.in_(_NOT_ARRIVED))
        .group_by(*lane)
        .subquery()
    )
    later = alert_deliveries.alias("later")
    # Of what ended, only what nothing arrived after.
    arrived = select(later.c.number).where(
        later.c.alert_id == of_lanes.c.alert_id,
        later.c.number > of_lanes.c.number,
        later.c.channel == of_lanes.c.channel,
        later.c.status == "delivered",
    )
    return select(of_lanes.c.number, of_lanes.c.waiting).where(or_(of_lanes.c.waiting > 0, ~arrived.exists()))


def _row(delivery: StoredDelivery) -> dict[str, Any]:
    """A delivery as a row of its table, without the number, which the database gives."""
    row = {name: getattr(delivery, name) for name in _DELIVERY if name != "number"}
    if delivery.answer is not None:  # of a receiver, so it may be anything; a database takes no halves of characters
        row["answer"] = delivery.answer.encode(errors="replace").decode().replace("\0", "\ufffd")
    return row


def _became(delivery: StoredDelivery) -> dict[str, Any]:
    """The part of a row that changes."""
    row = _row(delivery)
    return {name: row[name] for name in _BECOMES}


def _event(row: Row[Any], prefix: str = "") -> StoredEvent:
    return StoredEvent(**{name: row._mapping[prefix + name] for name in _EVENT})  # noqa: SLF001  # documented by SQLAlchemy


def _delivery(row: Row[Any]) -> StoredDelivery:
    return StoredDelivery(**{name: row._mapping[name] for name in _DELIVERY})  # noqa: SLF001  # likewise

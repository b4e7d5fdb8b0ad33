"""Alerts in a relational database: the same queries on every engine."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, or_, select

from vivienne.store.alert import (
    MOST_EXAMINED,
    DeliveriesPage,
    EventsPage,
    Fired,
    Lane,
    StoredDelivery,
    StoredEvent,
    Stuck,
    Waiting,
)
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

    def owners(self) -> list[str]:
        """See `AlertStore`."""
        with self._transaction() as connection:
            return list(connection.execute(select(alert_owners.c.owner)).scalars())

    def adopt(self, owner: str, dead_after: float | None, dead: Collection[str] = ()) -> int:
        """See `AlertStore`."""
        alive = alert_owners.c.owner == owner
        if dead_after is not None:
            alive |= (alert_owners.c.alive_at > self._now - dead_after) & alert_owners.c.owner.not_in(list(dead))
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

    def say_gone(self, owner: str) -> None:
        """See `AlertStore`."""
        with self._transaction() as connection:
            connection.execute(alert_owners.delete().where(alert_owners.c.owner == owner))

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

    def drop_waiting(self, reason: str) -> int:
        """See `AlertStore`."""
        with self._transaction() as connection:
            dropped = alert_deliveries.update().where(is_waiting).values(status="dropped", answer=reason)
            return connection.execute(dropped).rowcount

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

    def stuck(self, most: int) -> list[Stuck] | None:
        """See `AlertStore`."""
        telling = _telling().subquery()
        described = _both.add_columns(telling.c.waiting).join(telling, telling.c.number == alert_deliveries.c.number)
        examined = select(alert_deliveries.c.number).where(is_undelivered).limit(most + 1).subquery()
        with self._transaction() as connection:
            if connection.execute(select(func.count()).select_from(examined)).scalar_one() > most:
                return None
            found = connection.execute(described.order_by(alert_deliveries.c.number))
            return [Stuck(_delivery(row), row.event__created_at, row.waiting) for row in found]

    def lanes(self, after: int, limit: int) -> tuple[dict[tuple[str, str], Lane], int | None]:
        """See `AlertStore`."""
        each = alert_deliveries.c
        following = select(each.number).where(each.number > after).order_by(each.number).offset(limit - 1).limit(1)
        columns = (
            func.min(_numbered("retrying")),
            func.min(_numbered("waiting")),
            func.max(_numbered("dead", "dropped")),
            func.max(_numbered("delivered")),
            func.count(_numbered("waiting", "retrying")),
        )
        grouped = select(each.alert_id, each.channel, *columns).where(each.number > after)
        with self._transaction() as connection:
            last = connection.execute(following).scalar()
            part = grouped if last is None else grouped.where(each.number <= last)
            found = connection.execute(part.group_by(each.alert_id, each.channel))
            return {(rule, channel): Lane(*numbers) for rule, channel, *numbers in found}, last

    def stuck_of(self, unsent: Mapping[int, int]) -> list[Stuck]:
        """See `AlertStore`."""
        number = alert_deliveries.c.number
        named = _both.where(number.in_(list(unsent)), alert_deliveries.c.status.in_(_NOT_ARRIVED))
        found = self._found(named.order_by(number))
        return [Stuck(each.delivery, each.event.created_at, unsent[each.delivery.number]) for each in found]

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
    ) -> DeliveriesPage:
        """See `AlertStore`."""
        if "\0" in f"{alert_id}{asset}":  # as in `delivery`
            return DeliveriesPage([], None)
        each = alert_deliveries.c
        # An index has these; all others are looked through.
        places: list[ColumnElement[bool]] = [] if before is None else [each.number < before]
        if alert_id is not None:
            places.append(each.alert_id == alert_id)
        wanted: list[ColumnElement[bool]] = [] if statuses is None else [each.status.in_(sorted(statuses))]
        if asset is not None:
            wanted.append(alert_events.c.asset == asset)
        newest_first = _both.where(*places, *wanted).order_by(each.number.desc()).limit(limit)
        with self._transaction() as connection:
            last = _last_examined(connection, each.number, places) if wanted else None
            page = newest_first if last is None else newest_first.where(each.number >= last)
            found = [Waiting(_delivery(row), _event(row, "event__")) for row in connection.execute(page)]
        return DeliveriesPage(found, found[-1].delivery.number if len(found) == limit else last)

    def events_page(self, *, channel_type: ChannelType | None, limit: int, before: int | None) -> EventsPage:
        """See `AlertStore`."""
        number = alert_events.c.number
        places = [] if before is None else [number < before]
        newest_first = select(alert_events).where(*places).order_by(number.desc()).limit(limit)
        if channel_type is not None:
            sent = select(alert_deliveries.c.number).where(
                alert_deliveries.c.event_id == alert_events.c.event_id, alert_deliveries.c.channel_type == channel_type
            )
            newest_first = newest_first.where(sent.exists())
        with self._transaction() as connection:
            last = None if channel_type is None else _last_examined(connection, number, places)
            page = newest_first if last is None else newest_first.where(number >= last)
            found = [_event(row) for row in connection.execute(page)]
        return EventsPage(found, found[-1].number if len(found) == limit else last)

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
            # Of assets only: an entry of another kind is as old as what it is about, such as the last change.
            of_asset = alert_standings.c.asset.not_like("~%")
            connection.execute(alert_standings.delete().where(alert_standings.c.stored_at < moment, of_asset))
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


def _last_examined(
    connection: Connection, number: ColumnElement[int], places: Sequence[ColumnElement[bool]]
) -> int | None:
    """The number of the last row that a page looks through; None if it comes to the end of all before."""
    examined = select(number).where(*places).order_by(number.desc())
    return connection.execute(examined.offset(MOST_EXAMINED - 1).limit(1)).scalar()


def _numbered(*statuses: str) -> ColumnElement[Any]:
    """The number of a delivery of these statuses, of others nothing."""
    return case((alert_deliveries.c.status.in_(statuses), alert_deliveries.c.number))


def _telling() -> Select[Any]:
    """Of each rule and channel that fails: number of the delivery that tells how, and of those that wait."""
    each = alert_deliveries.c
    lane = each.alert_id, each.channel
    retrying, waiting = func.min(_numbered("retrying")), func.min(_numbered("waiting"))
    ended = func.max(_numbered("dead", "dropped"))
    of_lanes = (
        select(
            *lane,
            func.coalesce(retrying, waiting, ended).label("number"),
            func.count(_numbered("waiting", "retrying")).label("waiting"),
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

"""Alerts and their deliveries as they are kept, and the interface of the store that keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from vivienne.wire.alert import AlertEvent, ChannelType, DeliveryStatus


MOST_EXAMINED = 2_000
"""Alerts or deliveries that one page looks through; where it ends, the next one goes on."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An alert.

    Attributes:
        event_id: names it for ever; the same event has the same id whoever decides it.
        alert_id: of its rule.
        run: key of the course of market time.
        bar_time: open time of the bar, ms since the epoch; None for an event that has none.
        created_at: ISO 8601 UTC.
        event: as it is sent.
        number: in the order of storing; 0 before it is stored.
    """

    event_id: str
    alert_id: str
    run: str
    asset: str | None
    bar_time: int | None
    created_at: str
    event: AlertEvent
    number: int = 0


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A message of an alert to one channel.

    Attributes:
        delivery_id: `event_id` and channel.
        channel: id of the channel in its rule.
        target: masked address, for people.
        due_at: time of the next attempt, seconds since the epoch.
        first_at: time of its creation, likewise; after 24 h it is given up.
        together: number of alerts that were sent in one message with it; 1 for it alone.
        number: in the order of storing; 0 before it is stored.
    """

    delivery_id: str
    event_id: str
    alert_id: str
    alert_name: str
    channel: str
    channel_type: ChannelType
    target: str
    status: DeliveryStatus
    due_at: float
    first_at: float
    attempts: int = 0
    delivered_at: str | None = None
    latency_ms: float | None = None
    status_code: int | None = None
    answer: str | None = None
    together: int = 1
    number: int = 0


class Waiting(NamedTuple):
    """A delivery that is not done, and its alert."""

    delivery: StoredDelivery
    event: StoredEvent


class Stuck(NamedTuple):
    """A message that tells how a channel of a rule fails.

    Attributes:
        delivery: the oldest that was attempted and waits; without one, the oldest that waits; otherwise the last
            message, which was given up or dropped.
        created_at: of its alert.
        waiting: number of messages that wait.
    """

    delivery: StoredDelivery
    created_at: str
    waiting: int


class DeliveriesPage(NamedTuple):
    """Deliveries, newest first; `following` is the `before` of the next page, None after the last."""

    deliveries: list[Waiting]
    following: int | None


class EventsPage(NamedTuple):
    """Alerts, newest first; `following` is the `before` of the next page, None after the last."""

    events: list[StoredEvent]
    following: int | None


class Lane(NamedTuple):
    """What became of the messages of a rule to a channel, in a part of them, by numbers of deliveries.

    Attributes:
        retrying: the oldest that was attempted and waits.
        waiting: the oldest that waits for its first attempt.
        ended: the last one that was given up or dropped.
        delivered: the last one that arrived.
        unsent: number of those that wait.
    """

    retrying: int | None
    waiting: int | None
    ended: int | None
    delivered: int | None
    unsent: int

    def followed_by(self, later: Lane) -> Lane:
        """Together with a part of later ones."""
        return Lane(
            later.retrying if self.retrying is None else self.retrying,
            later.waiting if self.waiting is None else self.waiting,
            self.ended if later.ended is None else later.ended,
            self.delivered if later.delivered is None else later.delivered,
            self.unsent + later.unsent,
        )

    @property
    def telling(self) -> int | None:
        """The one that tells how the channel fails; None if it does not. Of what ended, what nothing arrived after."""
        if self.unsent:
            return self.waiting if self.retrying is None else self.retrying
        is_last = self.ended is not None and self.ended > (self.delivered or 0)
        return self.ended if is_last else None


NOTHING_SENT = Lane(None, None, None, None, 0)


class Fired(NamedTuple):
    """The last alert of a rule for an asset."""

    alert_id: str
    asset: str | None
    created_at: str
    bar_time: int | None


class AlertStore(Protocol):
    """Where alerts live. Methods block; they raise `StoreUnavailable` when the store does not answer.

    Several processes may share it. Each has its own deliveries: their `owner`.
    """

    def add_alerts(
        self,
        events: Sequence[StoredEvent],
        deliveries: Sequence[StoredDelivery],
        standings: Mapping[str, str],
        run: str,
        owner: str,
    ) -> frozenset[str]:
        """Add alerts with their deliveries, and replace standings, all or none; on return they are on disk.

        Deliveries of alerts that are kept already are not added.

        Args:
            events: may be kept already, also by another process.
            deliveries: of these.
            standings: by asset, its last known bar, as JSON.
            run: key of the course of market time.
            owner: the process that delivers them.

        Returns:
            Ids of the alerts that were not kept yet.
        """

    def standings(self, run: str) -> dict[str, str]:
        """By asset, the standing that was stored last."""

    def owners(self) -> list[str]:
        """Names of the processes that have said that they are alive, and were not found dead."""

    def adopt(self, owner: str, dead_after: float | None, dead: Collection[str] = ()) -> int:
        """Take over deliveries whose owner has not said that it is alive for so many seconds; tell how many.

        Args:
            owner: the new one.
            dead_after: None for those of everybody else.
            dead: others that are known to be dead.
        """

    def say_alive(self, owner: str) -> None:
        """Note that a process is alive, by the clock of the database."""

    def say_gone(self, owner: str) -> None:
        """Note that a process ends: the next one that asks may take over what it leaves."""

    def waiting(self, owner: str, limit: int, after: int = 0) -> list[Waiting]:
        """Deliveries that a process has to do, in the order of storing, at most so many, after a number."""

    def drop_waiting(self, reason: str) -> int:
        """Let nobody do the deliveries that wait; tell how many they are."""

    def update_deliveries(self, deliveries: Sequence[StoredDelivery], owner: str | None = None) -> None:
        """Replace deliveries by what has become of them, all or none; with an owner, they are its own from now on."""

    def last_fired(self, run: str) -> list[Fired]:
        """Of each rule and asset, the newest alert."""

    def last_fired_at(self) -> dict[str, str]:
        """By rule, when its newest alert was made."""

    def stuck(self, most: int) -> list[Stuck] | None:
        """Of each rule and channel whose messages wait, or whose last one did not arrive, one that tells why.

        None if more than `most` would have to be looked through; `lanes` finds them a part at a time.
        """

    def lanes(self, after: int, limit: int) -> tuple[dict[tuple[str, str], Lane], int | None]:
        """By rule and channel, what became of messages in the order of storing: so many, after a number.

        Returns:
            That, and after which number the next part begins; None after the last.
        """

    def stuck_of(self, unsent: Mapping[int, int]) -> list[Stuck]:
        """Messages that have not arrived, by their numbers, each with the number of those that wait."""

    def bring_forward(self, delivery_id: str, due_at: float) -> None:
        """Set the time of the next attempt of a delivery that is not done, in seconds since the epoch."""

    def delivery(self, delivery_id: str) -> Waiting | None:
        """A delivery and its alert."""

    def deliveries_page(
        self,
        *,
        alert_id: str | None,
        statuses: Collection[DeliveryStatus] | None,
        asset: str | None,
        limit: int,
        before: int | None,
    ) -> DeliveriesPage:
        """Deliveries, newest first, at most so many, with numbers below `before`.

        At most `MOST_EXAMINED` are looked through, so a page may have fewer, or none, and a following one.
        """

    def events_page(self, *, channel_type: ChannelType | None, limit: int, before: int | None) -> EventsPage:
        """Alerts, newest first, at most so many, with numbers below `before`; with a type, those for such a channel.

        As many are looked through as for a page of deliveries.
        """

    def delivery_counts(self) -> dict[tuple[ChannelType, DeliveryStatus], int]:
        """Number of deliveries by type and status, without delivered ones."""

    def prune_alerts(self, before: str, most: int, limit: int) -> int:
        """Remove alerts whose deliveries are all done: those made before a moment, and the oldest beyond `most`.

        Standings that were not stored anew since that moment are removed too.

        Returns:
            The number of alerts that were removed, at most `limit`.
        """

    def in_order(self, after: int, limit: int) -> list[tuple[StoredEvent, list[StoredDelivery]]]:
        """Alerts with their deliveries in the order of storing, at most so many, after a number; for copies."""

    def runs(self) -> list[str]:
        """Keys of the courses of market time that have standings."""

    def problems(self) -> list[str]:
        """What does not belong together, in words."""

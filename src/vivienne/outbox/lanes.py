"""Lanes: the messages of one rule to one channel, strictly in order, of which one is attempted at a time."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from vivienne.alerts.channels import Webhook
from vivienne.alerts.texts import text_of_several
from vivienne.outbox.sending import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.outbox.sending import AnyChannel
    from vivienne.store.alert import Waiting
    from vivienne.wire.alert import SeveralAlerts

MOST_IN_LANE, MOST_IN_ALL = 1_000, 20_000
"""Messages that wait; beyond them the oldest are dropped: of the lane, or of the author whose rules have most."""
MOST_OF_ONE = 2
"""Pauses and resumptions of an asset, or of all, that wait: the last ones. Who makes more, as fast as a receiver takes
them, keeps those of others waiting, and the receiver behind what is so."""
MOST_TOGETHER = 100
"""Alerts in a message of several. All of them are in it: what is counted only would never be told."""


class LaneKey(NamedTuple):
    """Names a lane."""

    alert_id: str
    channel: str


@dataclass(slots=True, eq=False)
class Item:
    """A message that waits.

    Attributes:
        waiting: the delivery as it was stored last, and its alert.
        since: time of its creation, by the monotonic clock.
        author: of its rule.
        is_tried: it is part of what is attempted.
        is_former: it was left by another process, or by a former run.
    """

    waiting: Waiting
    since: float
    author: str = ""
    is_tried: bool = False
    is_former: bool = False

    @property
    def id(self) -> str:
        """Id of the delivery."""
        return self.waiting.delivery.delivery_id

    @property
    def asset(self) -> str | None:
        """The asset that it is about; None for all."""
        return self.waiting.event.event["asset"]

    @property
    def is_switch(self) -> bool:
        """Whether it tells of a pause or a resumption."""
        return self.waiting.event.event["type"] == "pause"


@dataclass(slots=True, eq=False)
class Lane:
    """Messages of a rule to a channel.

    Attributes:
        key: names it.
        queue: those that wait, oldest first.
        batch: of these the first ones, which are attempted now as one message; fixed until they are done, so that
            every attempt has the same id.
        failures: attempts that failed in a row.
        due: time before which nothing is attempted, by the monotonic clock.
        channel: as it was at the last look.
        changed: set when the rule may have changed.
        task: sends them.
    """

    key: LaneKey
    queue: deque[Item] = field(default_factory=deque)
    batch: int = 0
    failures: int = 0
    due: float = 0.0
    channel: AnyChannel | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def has_pause(self) -> bool:
        """Whether a pause or a resumption waits."""
        return any(item.is_switch for item in self.queue)

    def attempt_now(self) -> None:
        """End the delay before the next attempt."""
        self.due = 0.0
        self.changed.set()

    def upcoming(self, channel: AnyChannel) -> int:
        """Number of messages at the beginning that are attempted next."""
        if isinstance(channel, Webhook) and channel.body is not None:
            return 1  # a bot reads one alert in a message; the channel may have been another one before
        count = len(self.queue)
        return self.batch or (min(count, MOST_TOGETHER) if count > channel.coalesce_above else 1)

    def next_batch(self, channel: AnyChannel) -> list[Item]:
        """The messages to attempt now: the first one, or the first of them together where too many wait."""
        self.batch = self.upcoming(channel)
        found = [self.queue[place] for place in range(self.batch)]
        for item in found:
            item.is_tried = True
        return found

    def done(self) -> list[Item]:
        """Take out the messages that were attempted."""
        found = [self.queue.popleft() for _ in range(self.batch)]
        self.batch = 0
        return found


class Lanes:
    """All lanes with messages."""

    def __init__(self) -> None:
        self.by_key: dict[LaneKey, Lane] = {}
        self._all: OrderedDict[str, tuple[Lane, Item]] = OrderedDict()
        self._of_author: Counter[str] = Counter()
        self._untried: dict[str, OrderedDict[str, tuple[Lane, Item]]] = {}
        """By author, those that were not attempted, and some that were: looking through all would take too long."""
        self._untried_switches: dict[str, OrderedDict[str, tuple[Lane, Item]]] = {}
        """The same of pauses and resumptions."""
        self._failing: OrderedDict[LaneKey, int] = OrderedDict()
        """Lanes without messages whose last attempt failed."""

    def __len__(self) -> int:
        return len(self._all)

    def items(self) -> Iterable[Item]:
        """All messages that wait."""
        return (item for _, item in self._all.values())

    def put(self, item: Item) -> tuple[Lane, list[Item], list[Item]]:
        """Add a message.

        Args:
            item: the message; a former one was decided before all that wait here.

        Returns:
            Its lane, messages that had to make room, and pauses and resumptions that later ones follow.
        """
        delivery = item.waiting.delivery
        key = LaneKey(delivery.alert_id, delivery.channel)
        lane = self.by_key.get(key)
        if lane is None:
            lane = self.by_key[key] = Lane(key, failures=self._failing.pop(key, 0))
        if item.is_former:
            lane.queue.insert(_place(lane, delivery.number), item)
        else:
            lane.queue.insert(_behind(lane, item), item)
        self._all[item.id] = lane, item
        untried = self._untried if not item.is_switch else self._untried_switches
        untried.setdefault(item.author, OrderedDict())[item.id] = (lane, item)
        self._of_author[item.author] += 1
        dropped = []
        if len(lane.queue) - lane.batch > MOST_IN_LANE:
            waiting = [*islice(lane.queue, lane.batch, None)]
            dropped.append(next((each for each in waiting if not each.is_switch), waiting[0]))
            self._remove(lane, dropped[0])
        if len(self._all) > MOST_IN_ALL and (oldest := self._oldest()) is not None:
            self._remove(*oldest)
            dropped.append(oldest[1])
        return lane, dropped, self._followed(lane, item)

    def _followed(self, lane: Lane, item: Item) -> list[Item]:
        """Take out the oldest pauses and resumptions of an asset, or of all, where more wait than may."""
        if not item.is_switch:
            return []
        alike = [each for each in islice(lane.queue, lane.batch, None) if each.is_switch and each.asset == item.asset]
        followed = [each for each in alike[:-MOST_OF_ONE] if not each.is_tried]
        for each in followed:
            self._remove(lane, each)
        return followed

    def find(self, delivery_id: str) -> tuple[Lane, Item] | None:
        """A message that waits, and its lane."""
        return self._all.get(delivery_id)

    def done(self, lane: Lane) -> list[Item]:
        """Take out the messages of a lane that were attempted."""
        found = lane.done()
        self._forget(found)
        return found

    def take_out(self, lane: Lane, item: Item) -> None:
        """Take out a message that is not to be sent; it was perhaps among those that were attempted together."""
        lane.batch = 0
        self._remove(lane, item)

    def end(self, lane: Lane) -> list[Item]:
        """Remove a lane; gives the messages that still waited in it."""
        self.by_key.pop(lane.key, None)
        if lane.failures:
            self._failing[lane.key] = lane.failures
            while len(self._failing) > MOST_IN_ALL:
                self._failing.popitem(last=False)
        found = list(lane.queue)
        lane.queue.clear()
        self._forget(found)
        return found

    def _oldest(self) -> tuple[Lane, Item] | None:
        """Of the author who has most messages, the one that waits for longest and is not attempted yet.

        Pauses are the last to go.
        """
        for author, _ in self._of_author.most_common():
            for of_authors in (self._untried, self._untried_switches):
                untried = of_authors.get(author)
                while untried:
                    name, (lane, item) = next(iter(untried.items()))
                    if not item.is_tried:
                        return lane, item
                    del untried[name]
        return None

    def _remove(self, lane: Lane, item: Item) -> None:
        lane.queue.remove(item)
        self._forget([item])

    def _forget(self, items: Iterable[Item]) -> None:
        for item in items:
            if self._all.pop(item.id, None) is None:
                continue
            of_authors = self._untried_switches if item.is_switch else self._untried
            of_authors[item.author].pop(item.id, None)
            self._of_author[item.author] -= 1
            if not self._of_author[item.author]:
                del self._of_author[item.author]
                for each in (self._untried, self._untried_switches):
                    each.pop(item.author, None)


def _behind(lane: Lane, item: Item) -> int:
    """The place of a new message: behind all others. A pause comes before changes of values that were not attempted."""
    place = len(lane.queue)
    while item.is_switch and place > lane.batch and _may_wait(lane.queue[place - 1]):
        place -= 1
    return place


def _may_wait(item: Item) -> bool:
    return not item.is_tried and item.waiting.event.event["type"] == "config"


def _place(lane: Lane, number: int) -> int:
    """The place of a former message: in the order of storing, and before those that were not read from the store."""
    return next(
        (
            place
            for place, item in enumerate(lane.queue)
            if place >= lane.batch and not 0 < item.waiting.delivery.number < number
        ),
        len(lane.queue),
    )


def message_of(items: list[Item], channel: AnyChannel) -> Message:
    """The message of one alert, or of several together."""
    first = items[0].waiting.event
    if len(items) == 1:
        return Message(first.event_id, first.event, channel)
    events = [item.waiting.event.event for item in items]
    digest = hashlib.sha256("|".join(item.waiting.event.event_id for item in items).encode()).hexdigest()
    newest = events[-1]
    several: SeveralAlerts = {
        "id": f"evt_{digest[:26]}",
        "type": "several",
        "alert": newest["alert"],
        "count": len(events),
        "text": text_of_several(events),
        "time": newest["time"],
        "feed": newest["feed"],
        "market": newest["market"],
        "expires_at": newest["expires_at"],
        "events": events,
    }
    return Message(several["id"], several, channel)


def with_delivery(item: Item, **changed: object) -> Item:
    """The same message after something became of its delivery."""
    item.waiting = item.waiting._replace(delivery=replace(item.waiting.delivery, **changed))  # type: ignore[arg-type]
    return item


def expires_at(item: Item) -> float:
    """The moment after which nobody should act on an alert, in seconds since the epoch."""
    return datetime.fromisoformat(item.waiting.event.event["expires_at"]).timestamp()

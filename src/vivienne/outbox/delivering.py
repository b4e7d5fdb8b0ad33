"""Delivers alerts: at least once each, with retries, in order for each rule and channel. No receiver delays another.

Times between attempts are measured by the monotonic clock. Times that are stored are for people, and for a process that
starts.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import replace
from itertools import product
from time import monotonic, time
from typing import TYPE_CHECKING, Protocol

from vivienne import open_files
from vivienne.errors import StoreUnavailable
from vivienne.metrics.registry import Sample
from vivienne.outbox.lanes import Item, Lane, Lanes, message_of, with_delivery
from vivienne.outbox.overtaken import InForce, NewestBars, hangs_on_pauses, why_not
from vivienne.outbox.results import Results
from vivienne.outbox.sending import Attempt, HasConnections, kept
from vivienne.outbox.slots import MOST_FILES, SLOW_SECONDS, Receiver, Slots
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from vivienne.alerts.rule import Rule
    from vivienne.metrics.registry import Metrics
    from vivienne.outbox.sending import AnyChannel, Sender
    from vivienne.store.alert import AlertStore, StoredDelivery, Waiting
    from vivienne.store.thread import StoreCalls
    from vivienne.wire.alert import ChannelType, DeliveryStatus

_log = logging.getLogger(__name__)

FIRST_DELAY, LONGEST_DELAY = 1.0, 900.0
"""Bounds of the delay before the next attempt, in seconds. It doubles; of it, a random part is waited."""
LONGEST_WITH_PAUSE = 10.0
"""The upper bound of it while a pause waits: once its receiver is back, it is to know soon."""
GIVEN_UP_SECONDS = 86_400.0
"""Age of a message after which an attempt that fails is the last one."""
LONGEST_FIRST_WAIT = 3_600.0
"""Longest wait for the time that a former process stored."""
GATHER_SECONDS: Mapping[ChannelType, float] = {"apprise": 0.5, "browser": 0.05}
"""Time in which alerts of the same moment gather before the first attempt, where people read them."""
HELD_BACK_SECONDS = 1.0
"""Time after which a message is looked at again that is held back, because nothing can be known of pauses."""
WHILE_STOPPING_SECONDS = 2.0
COUNTED: tuple[DeliveryStatus, ...] = ("delivered", "retrying", "dead", "dropped")
UNDONE: frozenset[DeliveryStatus] = frozenset({"waiting", "retrying"})
_FOLLOWED = "Later pauses and resumptions of the same kind waited behind it"
_TOO_MANY = "Too many messages waited; the oldest were left out"


class RuleInForce(Protocol):
    """A rule as it is now."""

    @property
    def rule(self) -> Rule:
        """Its content."""

    @property
    def made_by(self) -> str:
        """The author who made it."""


async def paused(changed: asyncio.Event, seconds: float) -> None:
    """Wait so many seconds, or until something has changed."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await changed.wait()


async def _are_known() -> bool:
    """Nobody else pauses."""
    return True


class Deliveries:
    """Sends what waits, and notes what became of it.

    Args:
        store: keeps deliveries.
        calls: of the store, other than those of changes.
        senders: see below.
        rule_of: gives the rule of an id as it is now; None if it was deleted.
        switch_off: switches a rule off for a reason, unless this channel was changed: its receiver wants no more.
        in_force: the pauses in force.
        read_pauses: sees to it that these are no older than a second, if it can; takes no longer than another one.
            False if nothing can be known of them: what hangs on them is held back.
        metrics: count deliveries.
        clock: monotonic, in seconds.
        wall: seconds since the epoch, to be stored.
        pause: waits so many seconds, or until an event is set.

    Attributes:
        senders: by type of channel.
        results: that are not in the store yet.
    """

    def __init__(
        self,
        store: AlertStore,
        calls: StoreCalls,
        senders: Mapping[ChannelType, Sender],
        *,
        rule_of: Callable[[str], RuleInForce | None],
        switch_off: Callable[[str, AnyChannel, str], Awaitable[object]],
        in_force: Callable[[], InForce] = InForce,
        read_pauses: Callable[[], Awaitable[bool]] = _are_known,
        metrics: Metrics,
        clock: Callable[[], float] = monotonic,
        wall: Callable[[], float] = time,
        pause: Callable[[asyncio.Event, float], Awaitable[None]] = paused,
    ) -> None:
        self.results = Results(store, calls)
        self.senders = senders
        self._rule_of = rule_of
        self._switch_off = switch_off
        self._in_force = in_force
        self._read_pauses = read_pauses
        self._newest = NewestBars()
        self._metrics = metrics
        self._clock = clock
        self._wall = wall
        self._pause = pause
        self._lanes = Lanes()
        self._slots = Slots(open_files.for_messages(open_files.allowed(), MOST_FILES))
        self._is_running = False
        for kind, status in product(senders, COUNTED):
            metrics.expect("vivienne_alert_deliveries_total", kind, status)
        metrics.source(
            lambda: [
                Sample("vivienne_alert_deliveries_waiting", (kind,), count) for kind, count in self.waiting().items()
            ]
        )

    def take(self, waiting: Iterable[Waiting], *, are_former: bool = False) -> None:
        """Deliver messages; those that are done, or taken already, are passed over. Never blocks.

        Args:
            waiting: in the order in which they were decided.
            are_former: they were decided before all that was taken so far.
        """
        for each in waiting:
            delivery = each.delivery
            if delivery.status not in UNDONE:
                continue
            if (known := self._lanes.find(delivery.delivery_id)) is not None:
                self._compare(*known, delivery)
                continue
            if self.results.get(delivery.delivery_id) is not None:
                continue  # the store does not know yet that it is done
            age = max(0.0, self._wall() - delivery.first_at)
            item = Item(each, self._clock() - age, self._author(delivery.alert_id), is_former=are_former)
            lane, dropped, followed = self._lanes.put(item)
            if len(lane.queue) == 1 and delivery.status == "retrying":
                lane.failures = max(lane.failures, delivery.attempts)
                left = min(delivery.due_at - self._wall(), LONGEST_FIRST_WAIT)
                lane.due = max(lane.due, self._clock() + left)
            self._dropped(dropped, _TOO_MANY)
            self._dropped(followed, _FOLLOWED)
            if item.is_switch and not are_former:
                lane.attempt_now()  # it waits for no delay of what failed before it, perhaps long ago
            self._start(lane)

    def attempt_now(self, delivery_id: str) -> bool:
        """Attempt the first message of a lane without further delay; False if this message does not wait here."""
        found = self._lanes.find(delivery_id)
        if found is None:
            return False
        found[0].attempt_now()
        return True

    def rule_changed(self, alert_id: str) -> None:
        """Look at a rule again: messages of one that is off, or gone, are not sent any more."""
        for key, lane in self._lanes.by_key.items():
            if key.alert_id == alert_id:
                lane.changed.set()

    def waiting(self) -> dict[ChannelType, int]:
        """Number of messages that wait, by type of channel."""
        found: dict[ChannelType, int] = dict.fromkeys(self.senders, 0)
        for item in self._lanes.items():
            kind = item.waiting.delivery.channel_type
            found[kind] = found.get(kind, 0) + 1
        return found

    async def run(self) -> None:
        """Deliver until cancelled."""
        for sender in self._connected():
            await sender.open()
        self._is_running = True
        for lane in list(self._lanes.by_key.values()):
            self._start(lane)
        try:
            await self.results.run()
        finally:
            self._is_running = False
            tasks = [lane.task for lane in self._lanes.by_key.values() if lane.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(TimeoutError, StoreUnavailable):
                async with asyncio.timeout(WHILE_STOPPING_SECONDS):
                    await self.results.flush()
                    for sender in self._connected():
                        await sender.close()

    def _compare(self, lane: Lane, item: Item, stored: StoredDelivery) -> None:
        """Attempt a message at once whose time another process has set in the store."""
        held = item.waiting.delivery
        # With another number of attempts the store does not have the newest one yet.
        if stored.attempts == held.attempts and stored.due_at != held.due_at:
            with_delivery(item, due_at=stored.due_at)
            lane.attempt_now()

    def _connected(self) -> list[HasConnections]:
        return [sender for sender in self.senders.values() if isinstance(sender, HasConnections)]

    def _start(self, lane: Lane) -> None:
        if self._is_running and lane.queue and (lane.task is None or lane.task.done()):
            lane.task = asyncio.create_task(self._owned(lane), name=f"alerts of {lane.key.alert_id} {lane.key.channel}")

    async def _owned(self, lane: Lane) -> None:
        """Work on a lane, also after a defect."""
        while True:
            try:
                await self._work(lane)
            except Exception:  # noqa: BLE001  # any defect: alerts that wait would never be sent
                _log.critical("Delivering alerts of %s failed by a defect", lane.key.alert_id, exc_info=True)
                await asyncio.sleep(FIRST_DELAY)
            else:
                return

    async def _work(self, lane: Lane) -> None:
        """Send the messages of a lane one after the other until there are none."""
        kind = lane.queue[0].waiting.delivery.channel_type
        if gather := GATHER_SECONDS.get(kind):
            await self._pause(lane.changed, gather)
        while lane.queue:
            lane.changed.clear()
            channel, reason = self._channel(lane)
            if channel is None:
                self._dropped(self._lanes.end(lane), reason)
                return
            if (wait := lane.due - self._clock()) > 0:
                await self._pause(lane.changed, wait)
                continue  # the rule may be another one now
            await self._attempt(lane, channel)
        self._lanes.end(lane)

    async def _attempt(self, lane: Lane, channel: AnyChannel) -> None:
        sender = self.senders[channel.type]
        receiver = Receiver(self._author(lane.key.alert_id), sender.destination(channel))
        async with self._slots.one(channel.type, receiver, is_failing=lane.failures > 0):
            # What it was before it had its turn may be over.
            if not await self._are_still_true(lane, channel):
                lane.due = self._clock() + HELD_BACK_SECONDS
                return
            if not lane.queue:
                return
            items, begin = lane.next_batch(channel), self._clock()
            try:
                attempt = await sender.send(message_of(items, channel))
            except Exception:  # noqa: BLE001  # any defect: the other lanes go on, and this one tries again
                _log.critical("Sending an alert of %s failed by a defect", lane.key.alert_id, exc_info=True)
                attempt = Attempt("failed", "A defect of Vivienne; see the log")
            is_soon = self._clock() - begin < SLOW_SECONDS
        self._slots.note(channel.type, receiver, took_it_soon=is_soon and attempt.outcome == "delivered")
        if attempt.outcome == "gone" and self._channel(lane)[0] != channel:
            attempt = replace(attempt, outcome="failed")  # somebody has corrected the address meanwhile
        self._note(lane, attempt)
        if attempt.outcome == "gone":
            await self._gone(lane, channel)

    def _author(self, alert_id: str) -> str:
        found = self._rule_of(alert_id)
        return "" if found is None else found.made_by

    def _note(self, lane: Lane, attempt: Attempt) -> None:
        """Note what came of an attempt: done, or once more after a while."""
        if attempt.outcome == "delivered":
            lane.failures, lane.due = 0, 0.0
            for place in range(lane.batch):
                self._newest.note(lane.key, lane.queue[place].waiting.event.event)
            self._finished(self._lanes.done(lane), "delivered", attempt)
            return
        lane.failures += 1
        due_at = self._next(lane, attempt)
        if attempt.outcome == "gone" or self._is_too_old(lane.queue[0]):
            self._finished(self._lanes.done(lane), "dead", attempt)
            while lane.queue and self._is_too_old(lane.queue[0]):
                lane.batch = 1
                self._finished(self._lanes.done(lane), "dead", attempt, attempts=0)
            return
        for place in range(lane.batch):
            self._changed(lane.queue[place], "retrying", attempt, due_at=due_at)
        self._metrics.count("vivienne_alert_deliveries_total", _kind(lane), "retrying")

    async def _are_still_true(self, lane: Lane, channel: AnyChannel) -> bool:
        """Take out what would be sent next and tells what is over; False if that cannot be known of what is left."""
        are_read, are_known = False, True
        while lane.queue:
            count = lane.upcoming(channel)
            if not are_read and any(hangs_on_pauses(lane.queue[place], channel) for place in range(count)):
                are_read, are_known = True, await self._read_pauses()
                continue  # others may be next by now
            in_force, now = self._in_force(), self._wall()
            reasons = [why_not(place, lane, channel, now, in_force, self._newest) for place in range(count)]
            over = [(lane.queue[place], reason) for place, reason in enumerate(reasons) if reason is not None]
            for item, reason in over:
                self._lanes.take_out(lane, item)
                self._dropped([item], reason)
            if len(over) < count:
                return are_known
        return True

    def _is_too_old(self, item: Item) -> bool:
        return self._clock() - item.since >= GIVEN_UP_SECONDS

    def _next(self, lane: Lane, attempt: Attempt) -> float:
        """Set the time of the next attempt; gives it in seconds since the epoch."""
        longest = LONGEST_DELAY if not lane.has_pause else LONGEST_WITH_PAUSE
        bound = min(longest, FIRST_DELAY * 2.0 ** min(lane.failures - 1, 20))
        delay = random.uniform(0.0, bound)  # noqa: S311  # no secret
        if attempt.retry_after is not None:
            delay = attempt.retry_after + min(delay, 1.0)
        lane.due = self._clock() + delay
        return self._wall() + delay

    async def _gone(self, lane: Lane, channel: AnyChannel) -> None:
        problem = f"switched off: the receiver of {lane.key.channel} answered 410 Gone"
        try:
            await self._switch_off(lane.key.alert_id, channel, problem)
        except Exception:  # noqa: BLE001  # the lane goes on, and so does the rule
            _log.exception("The rule %s was not switched off, though its receiver answered 410", lane.key.alert_id)

    def _channel(self, lane: Lane) -> tuple[AnyChannel | None, str]:
        """The channel of a lane as it is now, or why nothing is sent to it any more."""
        found = self._rule_of(lane.key.alert_id)
        if found is None:
            return None, "The rule was deleted"
        if not found.rule.enabled:
            return None, "The rule was switched off"
        channel = next((each for each in found.rule.channels if each.id == lane.key.channel), None)
        if channel is None or channel.type != lane.queue[0].waiting.delivery.channel_type:
            return None, "The channel was removed from the rule"
        if lane.channel is not None and channel != lane.channel:
            lane.due = 0.0  # somebody has corrected it
        lane.channel = channel
        return channel, ""

    def _finished(self, items: list[Item], status: DeliveryStatus, attempt: Attempt, attempts: int = 1) -> None:
        for item in items:
            took = self._clock() - item.since
            delivery = self._changed(item, status, attempt, attempts, together=len(items))
            if status == "delivered":
                delivery = with_delivery(
                    item, delivered_at=written(now()), latency_ms=round(took * 1_000, 1)
                ).waiting.delivery
                self._metrics.histogram("vivienne_alert_delivery_duration_seconds", delivery.channel_type).observe(took)
            self.results.put([delivery])
            self._metrics.count("vivienne_alert_deliveries_total", delivery.channel_type, status)

    def _changed(
        self, item: Item, status: DeliveryStatus, attempt: Attempt, attempts: int = 1, **more: object
    ) -> StoredDelivery:
        delivery = with_delivery(
            item,
            status=status,
            attempts=item.waiting.delivery.attempts + attempts,
            status_code=attempt.status_code,
            answer=attempt.answer,
            **more,
        ).waiting.delivery
        self.results.put([delivery])
        return delivery

    def _dropped(self, items: list[Item], reason: str) -> None:
        for item in items:
            delivery = with_delivery(item, status="dropped", answer=kept(reason)).waiting.delivery
            self.results.put([delivery])
            self._metrics.count("vivienne_alert_deliveries_total", delivery.channel_type, "dropped")


def _kind(lane: Lane) -> ChannelType:
    return lane.queue[0].waiting.delivery.channel_type

"""Keeps alerts in the store, and hands them over to be sent.

An alert is stored before it is sent, so that it is sent even if the process is killed between. While the store does not
take it, it is sent all the same, and stored later: an alert that comes is worth more than one that is known to come
once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.errors import StoreUnavailable
from vivienne.metrics.registry import Sample
from vivienne.store.alert import StoredDelivery, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vivienne.metrics.registry import Metrics
    from vivienne.outbox.backlog import FiredAlert
    from vivienne.outbox.delivering import Deliveries
    from vivienne.store.alert import AlertStore, StoredEvent
    from vivienne.store.thread import StoreCalls

_log = logging.getLogger(__name__)

STORE_SECONDS = 2.0
"""Time that an alert waits for the store before it is sent without it."""
_AGAIN_SECONDS = 1.0
MOST_UNSTORED = 20_000
"""Alerts that wait for a store that does not take them; beyond them the oldest are not stored."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Alerts that are stored together.

    Attributes:
        events: the alerts.
        deliveries: of these.
        standings: after them.
    """

    events: list[StoredEvent]
    deliveries: list[StoredDelivery]
    standings: Mapping[str, str]


class Keeping:
    """Stores alerts and hands them over.

    Args:
        store: keeps them.
        calls: in which way it is called.
        deliveries: sends them.
        run: key of the course of market time.
        owner: name of this process.
        metrics: show what is counted.
        added: is told how many were stored.
    """

    def __init__(
        self,
        store: AlertStore,
        calls: StoreCalls,
        deliveries: Deliveries,
        *,
        run: str,
        owner: str,
        metrics: Metrics,
        added: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._calls = calls
        self._deliveries = deliveries
        self._run = run
        self._owner = owner
        self._added = added
        self._unstored: deque[_Batch] = deque()
        self._lost = 0
        metrics.source(self._samples)

    async def put(self, fired: list[FiredAlert], standings: Mapping[str, str]) -> None:
        """Store alerts and the standings after them, and begin to send those that are new."""
        batch = _Batch([each.stored for each in fired], [each for one in fired for each in _deliveries(one)], standings)
        new = None if self._unstored else await self._stored(batch)
        if new is None:
            self._wait(batch)
            new = {event.event_id for event in batch.events}
        events = {event.event_id: event for event in batch.events if event.event_id in new}
        self._deliveries.take(
            Waiting(each, events[each.event_id]) for each in batch.deliveries if each.event_id in events
        )

    async def run(self) -> None:
        """Store, until cancelled, what the store has not taken."""
        while True:
            await asyncio.sleep(_AGAIN_SECONDS)
            while self._unstored and await self._stored(self._unstored[0]) is not None:
                batch = self._unstored.popleft()
                self._deliveries.results.release(each.delivery_id for each in batch.deliveries)
                if not self._unstored:
                    _log.info("All alerts are stored again")

    async def _stored(self, batch: _Batch) -> set[str] | None:
        """Store alerts; give the ids of those that were new, or None if the store did not take them."""
        try:
            async with asyncio.timeout(STORE_SECONDS):
                new = await self._calls.run(
                    self._store.add_alerts, batch.events, batch.deliveries, batch.standings, self._run, self._owner
                )
            self._added(len(new))
            return set(new)
        except (StoreUnavailable, TimeoutError) as error:
            if not self._unstored:
                reason = str(error) or f"it did not answer within {STORE_SECONDS:g} s"
                _log.warning("Alerts are sent without being stored first, because the store failed: %s", reason)
            return None

    def _wait(self, batch: _Batch) -> None:
        self._deliveries.results.hold(each.delivery_id for each in batch.deliveries)
        self._unstored.append(batch)
        while len(self._unstored) > 1 and self.waiting > MOST_UNSTORED:
            lost = self._unstored.popleft()
            self._lost += len(lost.events)
            self._deliveries.results.release(each.delivery_id for each in lost.deliveries)

    @property
    def waiting(self) -> int:
        """Number of alerts and standings that the store has not taken yet."""
        return sum(len(batch.events) + 1 for batch in self._unstored)

    def _samples(self) -> Iterator[Sample]:
        yield Sample("vivienne_alerts_unstored", (), float(sum(len(batch.events) for batch in self._unstored)))
        yield Sample("vivienne_alerts_never_stored_total", (), float(self._lost))


def _deliveries(fired: FiredAlert) -> list[StoredDelivery]:
    stored, named = fired.stored, fired.named
    return [
        StoredDelivery(
            delivery_id=f"{stored.event_id}.{channel.id}",
            event_id=stored.event_id,
            alert_id=named.alert_id,
            alert_name=named.rule.name,
            channel=channel.id,
            channel_type=channel.type,
            target=channel.target,
            status="quiet" if fired.is_quiet else "waiting",
            due_at=fired.at,
            first_at=fired.at,
        )
        for channel in named.rule.channels
    ]

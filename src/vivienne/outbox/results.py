"""What became of deliveries, on its way into the store: in batches, and kept while the store does not answer."""

from __future__ import annotations

import asyncio
import logging
from itertools import islice
from typing import TYPE_CHECKING

from vivienne.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vivienne.store.alert import AlertStore, StoredDelivery
    from vivienne.store.thread import StoreCalls

_log = logging.getLogger(__name__)

MOST_KEPT = 50_000
"""Results that wait for the store; beyond them the oldest are left out: their messages are sent again after a restart,
with the same id."""
MOST_AT_ONCE = 100
"""Results that are written in one transaction, which a pause may have to wait for."""
PAUSE_SECONDS = 0.1
"""Time between two batches, in which results gather."""
AGAIN_SECONDS = 2.0
"""Time after which the store is asked again."""


class Results:
    """Results that are not in the store yet.

    Args:
        store: takes them.
        calls: of the store.
        left_out: called for each one that was left out.
    """

    def __init__(self, store: AlertStore, calls: StoreCalls, left_out: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._calls = calls
        self._left_out = left_out
        self._waiting: dict[str, StoredDelivery] = {}
        self._held: set[str] = set()
        self._filled = asyncio.Event()
        self._is_out = False

    def put(self, deliveries: Iterable[StoredDelivery]) -> None:
        """Note what became of deliveries; of one delivery, the newest counts."""
        for delivery in deliveries:
            self._waiting.pop(delivery.delivery_id, None)
            self._waiting[delivery.delivery_id] = delivery
        while len(self._waiting) > MOST_KEPT:
            del self._waiting[next(iter(self._waiting))]
            self._left_out()
        self._filled.set()

    def hold(self, delivery_ids: Iterable[str]) -> None:
        """Keep results of deliveries that the store does not have yet: there would be nothing to replace."""
        self._held.update(delivery_ids)

    def release(self, delivery_ids: Iterable[str]) -> None:
        """Let the results of deliveries go to the store, which has these deliveries now."""
        self._held.difference_update(delivery_ids)
        self._filled.set()

    def get(self, delivery_id: str) -> StoredDelivery | None:
        """What became of a delivery, if the store does not know it yet."""
        return self._waiting.get(delivery_id)

    async def run(self) -> None:
        """Write results until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            await asyncio.sleep(AGAIN_SECONDS if not await self.flush() else PAUSE_SECONDS)

    async def flush(self) -> bool:
        """Write all results; False if the store does not take them now."""
        while batch := [
            *islice((each for name, each in self._waiting.items() if name not in self._held), MOST_AT_ONCE)
        ]:
            try:
                await self._calls.run(self._store.update_deliveries, batch)
            except StoreUnavailable as error:
                if not self._is_out:
                    _log.warning("Results of deliveries wait for the store: %s", error)
                self._is_out = True
                self._filled.set()
                return False
            for each in batch:
                if self._waiting.get(each.delivery_id) is each:
                    del self._waiting[each.delivery_id]
            self._is_out = False
        return True

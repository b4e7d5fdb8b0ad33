"""Removes alerts that are old and done, so that they do not fill the database."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from vivienne.errors import StoreUnavailable
from vivienne.times import now, written

if TYPE_CHECKING:
    from vivienne.store.alert import AlertStore
    from vivienne.store.thread import StoreCalls

_log = logging.getLogger(__name__)

KEPT = timedelta(days=30)
MOST_KEPT = 100_000
"""Alerts that are kept; older ones are removed, once their deliveries are done."""
_BATCH = 200
"""Alerts that are removed in one transaction; changes go on between two of them."""
_EVERY_SECONDS = 600.0
_EVERY_ALERTS = 1_000
"""So many that were stored are a reason to look before that time: a change may cause an alert of each rule."""
_REST_SECONDS = 1.0
"""Time without a look, however many are stored."""


class AlertPruning:
    """Removes old alerts.

    Args:
        store: has them.
        calls: in which way it is called.
        most: alerts that are kept.
    """

    def __init__(self, store: AlertStore, calls: StoreCalls, most: int = MOST_KEPT) -> None:
        self._store = store
        self._calls = calls
        self._most = most
        self._added = 0
        self._are_many = asyncio.Event()
        self._is_failing = False

    def added(self, count: int) -> None:
        """Note that so many were stored."""
        self._added += count
        if self._added >= _EVERY_ALERTS:
            self._are_many.set()

    async def run(self) -> None:
        """Remove old alerts now, every ten minutes, and when many were stored, until cancelled."""
        while True:
            self._added = 0
            self._are_many.clear()
            await self._prune()
            await asyncio.sleep(_REST_SECONDS)
            try:
                async with asyncio.timeout(_EVERY_SECONDS):
                    await self._are_many.wait()
            except TimeoutError:
                continue

    async def _prune(self) -> None:
        try:
            count = _BATCH
            while count == _BATCH:
                before = written(now() - KEPT)
                count = await self._calls.run(self._store.prune_alerts, before, self._most, _BATCH)
            self._is_failing = False
        except StoreUnavailable as error:
            if not self._is_failing:
                _log.warning("Old alerts stay in the database: %s", error)
            self._is_failing = True

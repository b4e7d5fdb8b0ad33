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


async def prune_alerts(store: AlertStore, calls: StoreCalls) -> None:
    """Remove old alerts now and every ten minutes, until cancelled."""
    is_failing = False
    while True:
        try:
            count = _BATCH
            while count == _BATCH:
                count = await calls.run(store.prune_alerts, written(now() - KEPT), MOST_KEPT, _BATCH)
            is_failing = False
        except StoreUnavailable as error:
            if not is_failing:
                _log.warning("Old alerts stay in the database: %s", error)
            is_failing = True
        await asyncio.sleep(_EVERY_SECONDS)

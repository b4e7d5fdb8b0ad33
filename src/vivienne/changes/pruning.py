"""Removes stored answers that nobody will ask for again: they are half of what a revision takes on disk."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from vivienne.errors import StoreUnavailable
from vivienne.times import now, written

if TYPE_CHECKING:
    from datetime import timedelta

    from vivienne.store.base import RevisionStore
    from vivienne.store.thread import StoreThread

_log = logging.getLogger(__name__)

BATCH = 200
"""Answers that are removed in one transaction; changes go on between two of them."""
_EVERY_SECONDS = 3600.0


async def prune(store: RevisionStore, thread: StoreThread, keep: timedelta) -> None:
    """Remove answers of requests longer ago than `keep`.

    Raises:
        StoreUnavailable: they cannot be removed.
    """
    before, count = written(now() - keep), BATCH
    while count == BATCH:
        count = await thread.reads.run(store.prune_answers, before, BATCH)


async def follow(store: RevisionStore, thread: StoreThread, keep: timedelta | None) -> None:
    """Remove old answers now and every hour, until cancelled. None keeps all."""
    is_failing = False
    while keep is not None:
        try:
            await prune(store, thread, keep)
            is_failing = False
        except StoreUnavailable as error:
            if not is_failing:
                _log.warning("Answers to old requests stay in the database: %s", error)
            is_failing = True
        await asyncio.sleep(_EVERY_SECONDS)

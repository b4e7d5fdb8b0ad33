"""Alerts that are done do not fill the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from vivienne.outbox import pruning
from vivienne.outbox.pruning import AlertPruning
from vivienne.store.alert import StoredEvent
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.thread import StoreThread

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from vivienne.store.base import RevisionStore


SENT: Any = {}


def stored(store: RevisionStore, begin: int, count: int) -> None:
    """Store so many alerts without deliveries."""
    events = [
        StoredEvent(f"evt_{number}", "al_1", "run", "BTC", number, "2999-01-01T00:00:00.000Z", SENT)
        for number in range(begin, begin + count)
    ]
    store.alerts.add_alerts(events, [], {}, "run", "a process")


def kept(store: RevisionStore) -> list[str]:
    return [each.event_id for each in store.alerts.events_page(channel_type=None, limit=5_000, before=None).events]


async def test_alerts_beyond_the_number_are_removed_when_many_were_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change may cause an alert of each of a thousand rules, and ten minutes later there were millions."""
    monkeypatch.setattr(pruning, "_REST_SECONDS", 0.01)
    store, calls = SqliteRevisionStore(tmp_path / "v.db"), StoreThread(10.0)
    removing = AlertPruning(store.alerts, calls, most=500)
    task = asyncio.create_task(removing.run())
    try:
        async with asyncio.timeout(20):
            for begin in (0, 1_000):
                await calls.run(stored, store, begin, 1_000)
                removing.added(1_000)
                while len(await calls.run(kept, store)) > 500:  # noqa: ASYNC110  # it has no event
                    await asyncio.sleep(0.01)
        assert await calls.run(kept, store) == [f"evt_{number}" for number in range(1_999, 1_499, -1)]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await calls.run(store.close)

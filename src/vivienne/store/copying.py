"""Copies a database into another one, of either engine, while others use the one that is copied.

Revisions are never altered, so that they can be read in small parts: nobody waits for a copy, however long it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.errors import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.store.alert import AlertStore, StoredDelivery, StoredEvent
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Revision

_BATCH = 500
"""Revisions or alerts that are read at a time."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied.

    Attributes:
        version: the newest one; 0 if there are no revisions.
    """

    revisions: int
    version: int
    tokens: int
    alerts: int = 0


def copy(source: RevisionStore, target: RevisionStore) -> Copied:
    """Copy all revisions, tokens and alerts into an empty store.

    Raises:
        StoreUnusable: the target is not empty.
        StoreUnavailable: one of them does not answer, or is damaged.
    """
    if target.after(0, 1) or target.tokens():
        raise StoreUnusable("The target is not empty; name a new database")
    count = version = 0
    for batch in in_batches(source):
        target.append(*batch)
        count, version = count + len(batch), batch[-1].version
    tokens = source.tokens()
    for token in tokens:
        target.add_token(token)
    return Copied(count, version, len(tokens), _copy_alerts(source.alerts, target.alerts))


def _copy_alerts(source: AlertStore, target: AlertStore) -> int:
    """Copy all alerts with their deliveries. Those that wait are taken over by the process that starts first."""
    count = 0
    for batch in alerts_in_batches(source):
        deliveries = [delivery for _, those in batch for delivery in those]
        target.add_alerts([event for event, _ in batch], deliveries, {}, run="", owner="")
        count += len(batch)
    for run in source.runs():
        target.add_alerts((), (), source.standings(run), run, owner="")
    return count


def in_batches(source: RevisionStore) -> Iterator[list[Revision]]:
    """All revisions of a store, oldest first, never all of them at once."""
    version = 0
    while batch := source.after(version, _BATCH):
        version = batch[-1].version
        yield batch


def alerts_in_batches(source: AlertStore) -> Iterator[list[tuple[StoredEvent, list[StoredDelivery]]]]:
    """All alerts of a store with their deliveries, oldest first, likewise."""
    number = 0
    while batch := source.in_order(number, _BATCH):
        number = batch[-1][0].number
        yield batch

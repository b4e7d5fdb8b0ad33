"""Pauses in force here that the database lost, in a failover or because an older copy was restored.

Such a database is neither followed nor written until a restart, which reads it. That would end the pauses, though
nobody resumed; so they are stored again before, by their own names. Those that another process announced are among
them, whether somebody stored them or not, unless somebody resumed there a moment ago: see `adopting.py`.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from vivienne.changes.pause.adopting import REASON, was_resumed
from vivienne.changes.pause.state import PausesInForce
from vivienne.errors import StoreUnavailable, VersionTaken
from vivienne.store.revision import Revision
from vivienne.times import now

if TYPE_CHECKING:
    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.pause.state import PauseInForce
    from vivienne.store.base import RevisionStore
    from vivienne.store.thread import StoreThread

_log = logging.getLogger(__name__)


class Restoring:
    """Stores pauses again.

    Args:
        in_force: what is paused.
        store: where they are stored.
        thread: in which.
    """

    def __init__(self, in_force: LayersInForce, store: RevisionStore, thread: StoreThread) -> None:
        self._in_force = in_force
        self._store = store
        self._thread = thread
        self._has_failed = False

    async def restore(self) -> None:
        """Store what the database lacks. A failure is logged once: this is called at every look."""
        pauses = self._in_force.pauses
        own = [pause for pause in pauses.all() if pause not in pauses.heard]
        announced = [replace(pause, reason=REASON) for pause in pauses.heard]
        if not own and not announced:
            return
        try:
            restored = await self._thread.run(_restore, self._store, own, announced)
        except VersionTaken:
            return  # another process was first; what it left is stored at the next look
        except StoreUnavailable as error:
            if not self._has_failed:
                _log.error("A pause that the database lost cannot be stored again, retrying: %s", error)
            self._has_failed = True
            return
        self._has_failed = False
        for revision in restored:
            pause = PausesInForce.load([revision]).stored[revision.layer]
            _log.warning("Stored a pause again that the database had lost: %s", pause.sentence())


def _restore(store: RevisionStore, own: list[PauseInForce], announced: list[PauseInForce]) -> list[Revision]:
    """Append those that it does not have, and that nobody resumed there since."""
    # Before what is paused there: what another process stores between the two is found in either of them.
    named = store.switches_named({config_id for pause in (*own, *announced) for config_id, _ in pause.names})
    there = PausesInForce.load(store.switches())
    wanted = [*own, *(pause for pause in announced if not was_resumed(there, pause.layer, now()))]
    # A resumption that is there ended nothing of these: it cannot be told whether who resumed knew of them.
    lost = [each for each in wanted if each.layer not in there.stored and named.keys().isdisjoint(each.names)]
    if not lost:
        return []
    newest = _newest(store)
    version = 0 if newest is None else newest.version
    # One of each layer, which is paused by it: rather one of this process, which knows who paused.
    by_layer: dict[str, PauseInForce] = {}
    for pause in lost:
        by_layer.setdefault(pause.layer, pause)
    revisions = [_revision(store, pause, version + number) for number, pause in enumerate(by_layer.values(), 1)]
    store.append_to_replaced(*revisions)
    return revisions


def _newest(store: RevisionStore, *layers: str) -> Revision | None:
    found = store.page(layers=layers or None, limit=1, before=None, configurations_only=False)
    return found[0] if found else None


def _revision(store: RevisionStore, pause: PauseInForce, version: int) -> Revision:
    before = _newest(store, pause.layer)
    return Revision(
        version=version,
        config_id=pause.config_id,
        layer=pause.layer,
        action="pause",
        document={} if before is None else before.document,
        changed=[],
        author=pause.author,
        claimed_author=pause.claimed_author,
        channel=pause.channel,
        created_at=pause.created_at,
        reason=pause.reason,
    )

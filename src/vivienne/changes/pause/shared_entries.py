"""Entries of pauses that other processes let be those of later pauses too: they have the time of these by now.

Those who read at one process which pause there is, and resume at another one, name the entry and its time. So all
processes have to know the same time, or that resumption would be refused for ever.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from vivienne.changes.in_force import LayersInForce
    from vivienne.store.base import RevisionStore
    from vivienne.store.thread import StoreThread

MOST_AT_ONCE = 500
"""Entries that are read in one look; beyond them it takes several looks."""


def next_ones(layers: Collection[str], last: str, most: int) -> list[str]:
    """The layers that are looked at after the last one, in their order, and then from the first one on again."""
    ordered = sorted(layers)
    place = bisect_right(ordered, last)
    return [*ordered[place:], *ordered[:place]][:most]


class SharedEntries:
    """Reads the times of pauses in force again.

    Args:
        in_force: what is paused.
        store: where the entries are.
        thread: in which.
        clock: the time, ISO 8601 UTC.
    """

    def __init__(
        self, in_force: LayersInForce, store: RevisionStore, thread: StoreThread, clock: Callable[[], str]
    ) -> None:
        self._in_force = in_force
        self._store = store
        self._thread = thread
        self._clock = clock
        self._last = ""
        """The layer that was looked at last."""

    async def look(self) -> None:
        """Look at the pauses in force; of very many at the next ones.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        layers = next_ones(self._in_force.pauses.stored, self._last, MOST_AT_ONCE)
        if layers:
            await self.look_at(layers)
            self._last = layers[-1]

    async def look_at(self, layers: Collection[str]) -> None:
        """Look at those of these layers themselves.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        stored = self._in_force.pauses.stored
        known = {each.version: each for layer in layers if (each := stored.get(layer)) and each.version is not None}
        if not known or not self._store.is_shared:
            return
        times = await self._thread.look_up(self._store.times_of, known)
        for version, pause in known.items():
            time = times.get(version)
            is_as_before = self._in_force.pauses.stored.get(pause.layer) is pause  # else this process knows more
            if is_as_before and time is not None and time != pause.created_at:
                self._in_force.repeat(replace(pause, created_at=time, place=None, heard_at=self._clock()))

"""Telling: listeners are told of what came into force. What takes them long is done a little at a time.

A change for all of thousands of assets has each of them decided again. Others have their turn between, and what follows
from a pause goes first.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from vivienne.slices import SLICE_SECONDS, SPARING, URGENCY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vivienne.store.revision import AppliedRevision

    Listener = Callable[[AppliedRevision], Iterator[None] | None]
    """Is told of a change. What it yields is the rest of its work, a step for each item."""

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Rest:
    """The rest of what a listener does about a change."""

    version: int
    steps: Iterator[None]
    is_urgent: bool


class Telling:
    """Tells listeners, in the order of the versions.

    Attributes:
        listeners: called with every change once it is in force.
    """

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self._rests: list[_Rest] = []
        self._turn = asyncio.Lock()

    def tell(self, change: AppliedRevision) -> None:
        """Tell everybody. The rest of their work waits for `told`."""
        version, is_urgent = change.revision.version, change.revision.is_switch
        for listener in self.listeners:
            try:
                steps = listener(change)
            except Exception:  # noqa: BLE001  # the change is in force and must be acknowledged
                self._failed(version)
                continue
            if steps is not None:
                at = sum(rest.is_urgent for rest in self._rests) if is_urgent else len(self._rests)
                self._rests.insert(at, _Rest(version, steps, is_urgent))

    async def told(self, *, is_urgent: bool = False) -> None:
        """Wait until the rest is done too; with `is_urgent` only that of pauses and resumptions.

        Each caller that waits does slices of the work itself, in turn, so that the time is charged to it.
        """
        mine = [rest for rest in self._rests if rest.is_urgent or not is_urgent]
        while any(rest in self._rests for rest in mine):
            if is_urgent:  # it waits for no other caller
                self._slice(is_urgent=True)
                await asyncio.sleep(0)
                continue
            async with self._turn:  # also while others have theirs: however many wait here, a pass has one slice
                self._slice()
                if self._rests:
                    await URGENCY.rest()

    def _slice(self, *, is_urgent: bool = False) -> None:
        """Do steps until the time is over, at least one; with `is_urgent` only those of pauses and resumptions."""
        SPARING.slice_over()
        end = perf_counter() + SLICE_SECONDS
        while self._rests:
            rest = self._rests[0]
            if is_urgent and not rest.is_urgent:
                return
            try:
                next(rest.steps)
            except StopIteration:
                self._rests.remove(rest)
            except Exception:  # noqa: BLE001  # as in `tell`
                self._rests.remove(rest)
                self._failed(rest.version)
            if perf_counter() >= end:
                return

    def _failed(self, version: int) -> None:
        _log.exception("A listener failed at version %d", version)

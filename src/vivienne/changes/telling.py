"""Telling: listeners are told of what came into force. What takes them long is done a little at a time.

A change for all of thousands of assets has each of them decided again. Others have their turn between, and what follows
from a pause goes first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
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
    is_done: bool = False


class Telling:
    """Tells listeners, in the order of the versions.

    Attributes:
        listeners: called with every change once it is in force.
    """

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        # In order, of pauses and resumptions and of everything else: when one is done, so are those before it.
        self._urgent: deque[_Rest] = deque()
        self._others: deque[_Rest] = deque()
        self._turn = asyncio.Lock()

    def tell(self, change: AppliedRevision) -> None:
        """Tell everybody. The rest of their work waits for `told`."""
        version, rests = change.revision.version, self._urgent if change.revision.is_switch else self._others
        for listener in self.listeners:
            try:
                steps = listener(change)
            except Exception:  # noqa: BLE001  # the change is in force and must be acknowledged
                self._failed(version)
                continue
            if steps is not None:
                rests.append(_Rest(version, steps))

    async def told(self, *, is_urgent: bool = False) -> None:
        """Wait until the rest is done too; with `is_urgent` only that of pauses and resumptions.

        Each caller that waits does slices of the work itself, in turn, so that the time is charged to it.
        """
        waited_for = (self._urgent,) if is_urgent else (self._urgent, self._others)
        last = [rests[-1] for rests in waited_for if rests]
        while not all(rest.is_done for rest in last):
            if is_urgent:  # it waits for no other caller
                self._slice(is_urgent=True)
                await asyncio.sleep(0)
                continue
            async with self._turn:  # also while others have theirs: however many wait here, a pass has one slice
                self._slice()
                if self._urgent or self._others:
                    await URGENCY.rest()

    def _slice(self, *, is_urgent: bool = False) -> None:
        """Do steps until the time is over, at least one; with `is_urgent` only those of pauses and resumptions."""
        SPARING.slice_over()
        end = perf_counter() + SLICE_SECONDS
        while rests := self._urgent or (None if is_urgent else self._others):
            rest = rests[0]
            try:
                next(rest.steps)
            except StopIteration:
                self._end(rests)
            except Exception:  # noqa: BLE001  # as in `tell`
                self._end(rests)
                self._failed(rest.version)
            if perf_counter() >= end:
                return

    def _end(self, rests: deque[_Rest]) -> None:
        rests.popleft().is_done = True

    def _failed(self, version: int) -> None:
        _log.exception("A listener failed at version %d", version)

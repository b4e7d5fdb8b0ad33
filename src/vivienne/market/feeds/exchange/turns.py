"""The time that an exchange has in a pass of the event loop, however many connections, answers and markets it has."""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from vivienne.slices import SharedSlices

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.slices import Pieces

_T = TypeVar("_T")
_TURN_SECONDS = 0.002


class Turns:
    """See above. One exchange has one."""

    def __init__(self) -> None:
        self._slices = SharedSlices(replaces=False)  # trades are kept for a while
        self._works: deque[Callable[[], bool]] = deque()
        self._is_next = False

    async def rest(self) -> None:
        """Wait before a piece of work of a task until others have had their turn, if the slice of time is over."""
        await self._slices.rest()

    async def done(self, work: Pieces[_T]) -> _T:
        """Do work and give its result, with a rest after each piece of it."""
        return await self._slices.done(work)

    def add(self, work: Callable[[], bool]) -> None:
        """Do work soon, in turn with other work that was added.

        Args:
            work: does a piece of it each time it is called, and gives whether there is more.
        """
        self._works.append(work)
        self._go_on()

    def _go_on(self) -> None:
        if self._works and not self._is_next:
            self._is_next = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        self._is_next = False
        end = perf_counter() + _TURN_SECONDS
        try:
            while self._works:
                work = self._works.popleft()
                if work():
                    self._works.append(work)
                if perf_counter() >= end:
                    break
        finally:  # also after a defect of one of them
            self._go_on()

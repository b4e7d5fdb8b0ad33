"""Turns: one after the other; pauses and resumptions go before changes. The callers take turns within each kind."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_Queue = dict[str, deque[asyncio.Future[None]]]


class Turns:
    """A lock with two queues. Who is urgent waits for the turn that is taken, and at most one of each other caller."""

    def __init__(self) -> None:
        self._is_taken = False
        # By caller; the next one to have a turn stands first.
        self._urgent: _Queue = {}
        self._others: _Queue = {}

    @asynccontextmanager
    async def turn(self, whose: str = "", *, is_urgent: bool = False) -> AsyncIterator[None]:
        """Wait for a turn, and hand it on at the end."""
        await self._wait(self._urgent if is_urgent else self._others, whose)
        try:
            yield
        finally:
            self._hand_on()

    async def _wait(self, queue: _Queue, whose: str) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        mine = asyncio.get_running_loop().create_future()
        queue.setdefault(whose, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it has come in the same moment
                self._hand_on()
            raise

    def _hand_on(self) -> None:
        for queue in (self._urgent, self._others):
            while queue:
                whose = next(iter(queue))
                theirs = queue.pop(whose)
                following = theirs.popleft()
                if theirs:
                    queue[whose] = theirs  # behind the others
                if not following.done():
                    following.set_result(None)
                    return
        self._is_taken = False

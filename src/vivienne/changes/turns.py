"""Turns: a few at once; pauses and resumptions go before changes. The callers take turns within each kind."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from vivienne.errors import TooManyRequests

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_WAITING = 32
"""Charts, pages, trials, questions or pushes of one caller that may wait for their turn at once."""
_MOST_URGENT = 16
"""Urgent turns in a row; others have one then, however many are urgent."""
_Queue = dict[str, deque[asyncio.Future[None]]]


class Turns:
    """A lock with two queues. Who is urgent waits for the turn that is taken, and at most one of each other caller.

    Others have their turn too: one after many that were urgent.

    Args:
        at_once: number of turns that may be taken at once.
        most_waiting: turns that one caller may wait for; None for any number.
    """

    def __init__(self, *, at_once: int = 1, most_waiting: int | None = None) -> None:
        self._at_once = self._left = at_once
        self._most_waiting = most_waiting
        # By caller; the next one to have a turn stands first.
        self._urgent: _Queue = {}
        self._others: _Queue = {}
        self._urgent_in_a_row = 0

    @property
    def are_free(self) -> bool:
        """Whether no turn is taken."""
        return self._left == self._at_once

    @asynccontextmanager
    async def turn(self, whose: str = "", *, is_urgent: bool = False) -> AsyncIterator[None]:
        """Wait for a turn, and hand it on at the end.

        Raises:
            TooManyRequests: the caller waits for too many already.
        """
        await self.take(whose, is_urgent=is_urgent)
        try:
            yield
        finally:
            self.hand_on()

    async def take(self, whose: str = "", *, is_urgent: bool = False) -> None:
        """Wait for a turn, which lasts until `hand_on` is called.

        Raises:
            TooManyRequests: the caller waits for too many already.
        """
        await self._wait(self._urgent if is_urgent else self._others, whose)

    async def _wait(self, queue: _Queue, whose: str) -> None:
        if self._left > 0:
            self._left -= 1
            return
        waiting = queue.get(whose, ())
        if self._most_waiting is not None and len(waiting) >= self._most_waiting:
            raise TooManyRequests(
                f"{len(waiting)} of your requests of this kind wait already, which is the limit; retry in a second"
            )
        mine = asyncio.get_running_loop().create_future()
        queue.setdefault(whose, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it has come in the same moment
                self.hand_on()
            else:
                self._leave(queue, whose, mine)
            raise

    def _leave(self, queue: _Queue, whose: str, mine: asyncio.Future[None]) -> None:
        """Do not count who waits no longer."""
        theirs = queue.get(whose, deque())
        if mine in theirs:
            theirs.remove(mine)
            if not theirs:
                del queue[whose]

    def hand_on(self) -> None:
        """End a turn; the next one begins."""
        others_first = self._urgent_in_a_row >= _MOST_URGENT
        for queue in (self._others, self._urgent) if others_first else (self._urgent, self._others):
            if self._began_next(queue):
                self._urgent_in_a_row = self._urgent_in_a_row + 1 if queue is self._urgent else 0
                return
        self._urgent_in_a_row = 0
        self._left += 1

    def _began_next(self, queue: _Queue) -> bool:
        """Let the next one of a queue begin; whether there is one."""
        while queue:
            whose = next(iter(queue))
            theirs = queue.pop(whose)
            following = theirs.popleft()
            if theirs:
                queue[whose] = theirs  # behind the others
            if not following.done():
                following.set_result(None)
                return True
        return False

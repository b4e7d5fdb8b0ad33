"""Shares: turns that a caller has only while it has time left, and that take little of a pass of the event loop.

A `Turns` bounds the pieces of a pass. Here the pieces differ in length, so the time of a pass is bounded, over all
callers together. While nobody waits, a piece is done at once: a single client does not wait for a pass.
"""

from __future__ import annotations

import asyncio
from functools import partial
from heapq import heappush
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING

from vivienne.server.turns import Queue, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.access.budget import TimeBudgets

_SECONDS_PER_PASS = 0.004
"""Time of a pass of the event loop after which others have their turn."""


class Shares:
    """Work that waits for its turn and for time of its caller.

    Args:
        budgets: of the time of each caller; what is done here is charged there.
        clock: in seconds.
    """

    def __init__(self, budgets: TimeBudgets, clock: Callable[[], float] = perf_counter) -> None:
        self._budgets = budgets
        self._clock = clock
        self._ready: dict[str, Queue] = {}
        self._resting: dict[str, Queue] = {}
        """Callers without time. A queue stays here until its caller has some, even if all of it is dropped."""
        self._arrivals = count()
        self._used = 0.0
        """Seconds of this pass."""
        self._is_due = self._is_doing = False

    def take(self, whose: str, work: Callable[[], None], *, had: int = 0) -> Turn | None:
        """Do a piece of work at once if nobody waits and its caller has time, otherwise in its turn.

        Args:
            whose: the caller.
            work: must not block.
            had: how much its connection had already; the one of a caller that had least goes first.

        Returns:
            The turn, or None if the work is done.
        """
        queue = self._ready.get(whose) or self._resting.get(whose)
        if queue is None and self._has_room() and self._budgets.has_time(whose):
            self._pass_soon()  # this one ends there
            self._do(whose, work)
            return None
        if queue is None:
            queue = Queue()
            self._enqueue(whose, queue)
        turn = Turn(had, next(self._arrivals), whose, work, self)
        heappush(queue.turns, turn)
        return turn

    def drop(self, turn: Turn) -> None:
        """Forget a piece of work, because its connection is lost. Does nothing if it is done, or not here."""
        queue = self._ready.get(turn.whose) or self._resting.get(turn.whose)
        if turn.work is None or queue is None or turn.turns is not self:
            return
        turn.work = None
        queue.drop()

    def _has_room(self) -> bool:
        """Tell whether a piece may be done at once. A piece that asks for another one waits for that."""
        return not self._ready and not self._is_doing and self._used < _SECONDS_PER_PASS

    def _enqueue(self, whose: str, queue: Queue) -> None:
        """Let a caller wait: for a pass, or first for time."""
        if self._budgets.has_time(whose):
            self._ready[whose] = queue
            self._pass_soon()
        else:
            self._resting[whose] = queue
            self._budgets.when_due(whose, partial(self._rested, whose))

    def _rested(self, whose: str) -> None:
        queue = self._resting.pop(whose)
        if queue.turns:
            self._ready[whose] = queue
            self._pass_soon()

    def _do(self, whose: str, work: Callable[[], None]) -> None:
        begin, self._is_doing = self._clock(), True
        try:
            with self._budgets.charged(whose):
                work()
        finally:
            self._is_doing = False
            self._used += self._clock() - begin

    def _pass_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._pass)

    def _pass(self) -> None:
        self._is_due = False
        self._used = 0.0
        try:
            while self._ready and self._used < _SECONDS_PER_PASS:
                whose, queue = next(iter(self._ready.items()))
                work = queue.pop() if queue.turns else None
                try:
                    if work is not None:
                        self._do(whose, work)
                finally:
                    del self._ready[whose]
                    if queue.turns:
                        self._enqueue(whose, queue)  # behind the others
        finally:  # the event loop reports what fails, and the others go on
            if self._ready:
                self._pass_soon()

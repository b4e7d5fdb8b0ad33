"""Turns: a pass of the event loop does a little for each client, so that nobody waits for one who sends without end.

What cannot be done in a pass waits, by address, and the addresses take turns. In the turn of an address, the connection
that had the fewest goes first: a pause on a new connection waits for none that sends request after request.
"""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Turns:
    """Work that waits for its turn. Each connection may have a few pieces here, so their number is bounded.

    Args:
        per_pass: pieces that are done in a pass.
    """

    def __init__(self, per_pass: int) -> None:
        self._per_pass = per_pass
        self._waiting: dict[str, list[tuple[int, int, Callable[[], None]]]] = {}
        self._arrivals = count()
        self._is_due = False

    def take(self, whose: str, work: Callable[[], None], *, had: int = 0) -> None:
        """Do a piece of work in its turn.

        Args:
            whose: address that caused it.
            work: must not block.
            had: turns that its connection had already.
        """
        heappush(self._waiting.setdefault(whose, []), (had, next(self._arrivals), work))
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._pass)

    def _pass(self) -> None:
        try:
            for _ in range(self._per_pass):
                if not self._waiting:
                    break
                whose = next(iter(self._waiting))
                queue = self._waiting.pop(whose)
                _, _, work = heappop(queue)
                if queue:
                    self._waiting[whose] = queue  # behind the others
                work()
        finally:  # the event loop reports what fails, and the others go on
            self._is_due = bool(self._waiting)
            if self._is_due:
                asyncio.get_running_loop().call_soon(self._pass)

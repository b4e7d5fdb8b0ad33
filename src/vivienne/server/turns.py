"""Turns: a pass of the event loop does a little for each client, so that nobody waits for one who sends without end.

What cannot be done in a pass waits, by address, and the addresses take turns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PER_PASS = 10
"""Cost of what is done in a pass; the unit is the parsing of 2 kB, about 0.2 ms."""


class Turns:
    """Work that waits for its turn. Each connection may have a few pieces here, so their number is bounded."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[tuple[int, Callable[[], None]]]] = {}
        self._is_due = False

    def take(self, whose: str, work: Callable[[], None], cost: int = 1) -> None:
        """Do some work in its turn.

        Args:
            whose: address that caused it.
            work: must not block or raise.
            cost: in units of `_PER_PASS`.
        """
        self._waiting.setdefault(whose, deque()).append((cost, work))
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._pass)

    def _pass(self) -> None:
        left = _PER_PASS
        while self._waiting and left > 0:
            whose = next(iter(self._waiting))
            queue = self._waiting.pop(whose)
            cost, work = queue.popleft()
            if queue:
                self._waiting[whose] = queue  # behind the others
            left -= cost
            work()
        self._is_due = bool(self._waiting)
        if self._is_due:
            asyncio.get_running_loop().call_soon(self._pass)

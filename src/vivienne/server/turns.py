"""Turns: a pass of the event loop does a little for each client, so that nobody waits for one who sends without end.

What cannot be done in a pass waits, by address, and the addresses take turns.
"""

from __future__ import annotations

import asyncio
from collections import deque
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
        self._waiting: dict[str, deque[Callable[[], None]]] = {}
        self._is_due = False

    def take(self, whose: str, work: Callable[[], None]) -> None:
        """Do a piece of work in its turn.

        Args:
            whose: address that caused it.
            work: must not block.
        """
        self._waiting.setdefault(whose, deque()).append(work)
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
                work = queue.popleft()
                if queue:
                    self._waiting[whose] = queue  # behind the others
                work()
        finally:  # the event loop reports what fails, and the others go on
            self._is_due = bool(self._waiting)
            if self._is_due:
                asyncio.get_running_loop().call_soon(self._pass)

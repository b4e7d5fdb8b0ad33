"""Standstill of the process: what it reads afterwards may have been there since before.

A machine that is suspended, a disk that hangs, and one long piece of work have the same effect: the kernel goes on to
take connections and bytes, and nobody can tell afterwards when they came.
"""

from __future__ import annotations

import asyncio
from time import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_SECONDS = 0.05
LATE_SECONDS = 0.15
"""Seconds since the kernel was asked what there is to read after which the process stood still."""
_MARKS = 2
"""Passes in a row that are marked: the kernel is asked between two of them."""


class Standstill:
    """Knows when the event loop asked the kernel last: what is read now was not there to be read then.

    Args:
        clock: in seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._next_pass: Callable[[Callable[[], None]], Any] | None = None
        """Calls a function in the next pass of the event loop; None while nobody watches."""
        self._asked_at = self._marked_at = 0.0
        """The kernel was asked after the first; the second one is that of the newest mark."""
        self._marks_left = 0

    def begin(self, next_pass: Callable[[Callable[[], None]], Any]) -> None:
        """Watch from now on.

        Args:
            next_pass: calls a function in the next pass of the event loop.
        """
        self._next_pass, self._marks_left = next_pass, 0
        self._asked_at = self._marked_at = self._clock()

    def end(self) -> None:
        """Watch no more."""
        self._next_pass = None

    def since(self) -> float:
        """The time since when what is read now may have been there: now, unless the process stood still."""
        now = self._clock()
        if self._next_pass is None:
            return now
        if not self._marks_left:
            self._next_pass(self._mark)
        self._marks_left = _MARKS
        return self._asked_at if now - self._asked_at > LATE_SECONDS else now

    def _mark(self) -> None:
        self._asked_at, self._marked_at = self._marked_at, self._clock()
        self._marks_left = max(0, self._marks_left - 1)
        if self._marks_left and self._next_pass is not None:
            self._next_pass(self._mark)


STANDSTILL = Standstill()
"""That of this process."""


async def watch_for_standstill() -> None:
    """Look until cancelled, so that passes in which nothing is read count too."""
    STANDSTILL.begin(asyncio.get_running_loop().call_soon)
    try:
        while True:
            STANDSTILL.since()
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        STANDSTILL.end()

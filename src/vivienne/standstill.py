"""Whether the process stood still: what it reads afterwards may have come at any time since.

A machine that is suspended, a disk under the process that hangs, or one long piece of work: meanwhile the kernel takes
connections and bytes, and nobody can tell afterwards when they came.
"""

from __future__ import annotations

import asyncio
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_SECONDS = 0.05
LATE_SECONDS = 0.15
"""After so long without a look the process stood still."""


class Standstill:
    """Looks at the clock again and again, from the event loop.

    Args:
        clock: in seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._looked_at: float | None = None
        """None while nobody looks."""
        self._began_at: float | None = None
        """When the process stood still, if it did just now: until the next look not all is read that came meanwhile."""

    def look(self) -> None:
        """Note that the event loop goes on."""
        now = self._clock()
        self._began_at = self._looked_at if self._is_late(now) else None
        self._looked_at = now

    def end(self) -> None:
        """Look no more."""
        self._looked_at = self._began_at = None

    def since(self) -> float:
        """Since when what is read now may have been there: since now, unless the process stood still."""
        now = self._clock()
        if self._began_at is not None:
            return self._began_at
        return self._looked_at if self._looked_at is not None and self._is_late(now) else now

    def _is_late(self, now: float) -> bool:
        return self._looked_at is not None and now - self._looked_at > LATE_SECONDS


STANDSTILL = Standstill()
"""Of this process."""


async def watch_for_standstill() -> None:
    """Look until cancelled."""
    try:
        while True:
            STANDSTILL.look()
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        STANDSTILL.end()

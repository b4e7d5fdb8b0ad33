"""What an exchange allows in a minute, and its refusals: every request waits for its turn."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Budget:
    """So much weight a minute, of which some may be used at once.

    Args:
        weight_per_minute: what the exchange allows.
        clock: a monotonic clock, in seconds.
        burst: weight that may be used at once; None for a tenth of that of a minute.
    """

    def __init__(
        self, weight_per_minute: float, clock: Callable[[], float] = monotonic, burst: float | None = None
    ) -> None:
        self._a_second = weight_per_minute / 60.0
        self._burst = max(1.0, weight_per_minute / 10.0 if burst is None else burst)
        self._clock = clock
        self._left = self._burst
        self._seen = clock()
        self._turn = asyncio.Lock()
        self.blocked_until = 0.0
        """Nobody asks before; by the clock."""

    async def take(self, weight: int) -> None:
        """Wait until a request of this weight is allowed. Those who wait are let go in order."""
        async with self._turn:
            while (seconds := self._missing_seconds(weight)) > 0:  # noqa: ASYNC110  # a bound in time, not an event
                await asyncio.sleep(seconds)
            self._left -= weight

    def _missing_seconds(self, weight: int) -> float:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._seen) * self._a_second)
        self._seen = now
        blocked = self.blocked_until - now
        # A request heavier than the burst is let go with a full burst, and leaves a debt.
        return max(blocked, (min(weight, self._burst) - self._left) / self._a_second)

    def block(self, seconds: float) -> None:
        """Nobody asks for so long."""
        self.blocked_until = max(self.blocked_until, self._clock() + seconds)

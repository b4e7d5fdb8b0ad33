"""Arrivals: since when bytes that are read may have been there.

They wait in the kernel while a connection waits to be set up, while it is not read because it has to wait for its turn,
and while the process stands still. What somebody else asked for in the meantime may have come first.
"""

from __future__ import annotations

from time import time

from vivienne.standstill import LATE_SECONDS, STANDSTILL

_SHORT_SECONDS = 0.05
"""Whatever waited for less counts as read at once: two programs cannot tell who was first."""
_MANY = 16 * 1024
"""After so many bytes at once there may be more; the kernel keeps a few times as many."""


class Arrivals:
    """Of one connection, which is read from now on.

    Args:
        accepted_at: since when its client may have sent something, in seconds since 1970.
    """

    __slots__ = ("_is_stopped", "_read_on_at", "_stopped_at", "_waits_since")

    def __init__(self, accepted_at: float) -> None:
        self._waits_since: float | None = accepted_at
        """Since when something that is not read may be there."""
        self._stopped_at, self._read_on_at, self._is_stopped = accepted_at, 0.0, True
        self.read_on()

    def read(self, size: int) -> float:
        """Note that so many bytes were read; gives since when they may have been there."""
        since = STANDSTILL.since()
        if self._waits_since is not None and since <= self._read_on_at + LATE_SECONDS:
            since = min(since, self._waits_since)
        self._waits_since = None
        if size >= _MANY:
            self._waits_since, self._read_on_at = since, time()
        return since

    def stop(self) -> None:
        """Note that nothing is read until `read_on`."""
        if self._is_stopped:
            return
        self._is_stopped, self._stopped_at = True, time()
        if self._waits_since is None or self._stopped_at > self._read_on_at + LATE_SECONDS:
            self._waits_since = self._stopped_at

    def read_on(self) -> None:
        """Note that it is read again. All that waits is read soon, unless the process stands still."""
        if not self._is_stopped:
            return
        self._is_stopped, self._read_on_at = False, time()
        if self._waits_since is not None and self._read_on_at - self._waits_since <= _SHORT_SECONDS:
            self._waits_since = None

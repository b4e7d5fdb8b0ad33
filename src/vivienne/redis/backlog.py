"""What waited on a subscription: after this process, or Redis, stood still, it reads what was published long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LATE_SECONDS = 2.5
"""Of a message that may have waited for less nobody says so. Redis is pinged every second on the same connection."""


class Backlog:
    """The pings of a subscription. What comes before the answer to one may be as old as the one before.

    Args:
        clock: in seconds, of the event loop.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known_at = clock()
        """What comes now was published after that."""
        self.asked_at: float | None = None
        """When the ping was sent that is not answered."""

    def begin(self) -> None:
        """Note that the subscription begins."""
        self._known_at, self.asked_at = self._clock(), None

    def asked(self) -> None:
        """Note a ping."""
        self.asked_at = self._clock()

    def answered(self) -> None:
        """Note its answer."""
        if self.asked_at is not None:
            self._known_at, self.asked_at = self.asked_at, None

    @property
    def waited(self) -> float:
        """The longest time that what comes now may have waited, in seconds; 0 while little comes late."""
        waited = self._clock() - self._known_at
        return waited if waited > LATE_SECONDS else 0.0

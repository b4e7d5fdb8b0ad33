"""When Redis did not answer: what it takes in right after that may have been sent at any time since."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, NamedTuple

from vivienne.times import elapsed

if TYPE_CHECKING:
    from collections.abc import Callable

LATE_SECONDS = 0.1
"""After so long without an answer to a ping, or to the next one, Redis was silent."""
_CAUGHT_UP_SECONDS = 1.0
"""For as long as it was silent, and at most so long, it may still take in what came before."""
_MOST = 256
"""Standstills that are known; of more, the two oldest ones count as one."""


class _Standstill(NamedTuple):
    """When Redis stood still."""

    began: float
    ended: float

    def covers(self, at: float) -> bool:
        """Whether what was taken in then may have been sent before."""
        return self.began <= at <= self.ended + min(self.ended - self.began, _CAUGHT_UP_SECONDS)


class Silence:
    """The times that Redis, or the network to it, stood still, as the pings of a link show them.

    Args:
        every: seconds between two pings.
        clock: in seconds, never turned back.
        wall_clock: in seconds since 1970. It may be moved: what it said before says nothing.
    """

    def __init__(
        self, every: float, clock: Callable[[], float] = elapsed, wall_clock: Callable[[], float] = time
    ) -> None:
        self._every = every
        self._clock, self._wall_clock = clock, wall_clock
        self._asked_at: float | None = None
        """Of the ping that is not answered."""
        self._answered_at: float | None = None
        self._standstills: list[_Standstill] = []
        """Oldest first. What waits in a stream may be read long after it was taken in."""

    def asked(self) -> None:
        """Note a ping."""
        self._asked_at = self._clock()

    def answered(self) -> None:
        """Note its answer."""
        now = self._clock()
        if self._answered_at is not None and now - self._answered_at > self._every + LATE_SECONDS:
            self._note(_Standstill(self._answered_at, now))
        self._asked_at, self._answered_at = None, now

    def since(self, at: float) -> float:
        """Since when something that Redis took in at a time may have waited for that, in seconds since 1970."""
        if self._answered_at is None:
            return at
        now = self._clock()
        taken_in = earliest = now - (self._wall_clock() - at)
        is_silent = self._asked_at is not None and now - self._asked_at > LATE_SECONDS
        if is_silent and taken_in >= self._answered_at:
            earliest = self._answered_at
        for each in reversed(self._standstills):
            if each.covers(earliest):
                earliest = each.began
        return at - (taken_in - earliest)

    def _note(self, standstill: _Standstill) -> None:
        self._standstills.append(standstill)
        if len(self._standstills) > _MOST:
            oldest, second, *_ = self._standstills
            self._standstills[:2] = [_Standstill(oldest.began, second.ended)]

"""Rate limits: of what callers do, and of log records that others can cause at will."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

MOST_PER_MINUTE = 60
"""Records of one kind; the next one that is written says how many were left out."""
MOST_OF_AN_ASSET = 20
"""Records of one asset a minute, of each kind."""
MOST_KEPT = 10_000
"""Callers that are kept apart; beyond it those that were quiet for longest are forgotten."""


@dataclass(slots=True)
class _Allowance:
    left: float
    at: float


class Rate:
    """A rate limit for each caller. After a quiet time the whole allowance may be used at once.

    Args:
        most: the number that is allowed.
        seconds: the time in which it is allowed.
        clock: monotonic, in seconds.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self.most = most
        self.seconds = seconds
        self._clock = clock
        self._callers: dict[str, _Allowance] = {}

    def take(self, key: str = "") -> float:
        """Count one event.

        Returns:
            0 when it is allowed; otherwise the seconds until it is, and it was not counted.
        """
        found = self._allowance(key)
        if found.left < 1:
            return (1 - found.left) * self.seconds / self.most
        found.left -= 1
        return 0.0

    def wait(self, key: str) -> float:
        """The seconds until `take` allows one; nothing is counted."""
        return max(0.0, (1 - self._allowance(key).left) * self.seconds / self.most)

    def draw(self, key: str, count: float) -> None:
        """Count so many events that cannot be refused any more, even if that is more than is left."""
        self._allowance(key).left -= count

    def _allowance(self, key: str) -> _Allowance:
        now = self._clock()
        found = self._callers.pop(key, None) or _Allowance(self.most, now)
        # The one that was heard last stands last.
        self._callers[key] = found
        if len(self._callers) > MOST_KEPT:
            del self._callers[next(iter(self._callers))]
        found.left = min(self.most, found.left + (now - found.at) * self.most / self.seconds)
        found.at = now
        return found


class Quota:
    """Writes at most so many records of one kind.

    Args:
        logger: writes them.
        level: of the records.
        most: a minute; they may come at once.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, logger: logging.Logger, level: int, most: int = MOST_PER_MINUTE, clock: Callable[[], float] = monotonic
    ) -> None:
        self._logger = logger
        self._level = level
        self._rate = Rate(most, 60.0, clock)
        self._left_out = 0

    def log(
        self, message: str, *values: object, level: int | None = None, exc_info: BaseException | None = None
    ) -> None:
        """Write a record, or count it as left out. See `logging.Logger.log`; without `level`, that of the others."""
        if self._rate.take():
            self._left_out += 1
            return
        if self._left_out:
            message += " (%d more before it were left out)"
            values = (*values, self._left_out)
            self._left_out = 0
        self._logger.log(self._level if level is None else level, message, *values, exc_info=exc_info)

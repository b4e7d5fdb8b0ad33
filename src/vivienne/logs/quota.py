"""Records that others can cause at will, of which only so many are written."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from vivienne.access.rates import Rate

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

MOST_PER_MINUTE = 60
"""Records of one kind; the next one that is written says how many were left out."""


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

    def log(self, message: str, *values: object) -> None:
        """Write a record, or count it as left out."""
        if self._rate.take():
            self._left_out += 1
            return
        if self._left_out:
            message += " (%d more before it were left out)"
            values = (*values, self._left_out)
            self._left_out = 0
        self._logger.log(self._level, message, *values)

"""Marks for the chart of an asset: the times at which configurations came into force."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.wire.chart import ChangeMark


class ChangeMarks:
    """The last changes that came into force for an asset.

    Each is stored as two numbers, because there are many and they are rarely read.

    Args:
        most: largest number of changes that are kept; the oldest is dropped first.
    """

    def __init__(self, most: int) -> None:
        self._marks = np.zeros((most, 2), dtype=np.int64)
        self._count = 0

    def add(self, version: int, time: int) -> None:
        """Record that a version came into force at this time, in ms since the epoch."""
        self._marks[self._count % len(self._marks)] = version, time
        self._count += 1

    def listed(self) -> list[ChangeMark]:
        """All marks that are kept, oldest first."""
        first = max(0, self._count - len(self._marks))
        rows = np.arange(first, self._count) % len(self._marks)
        return [{"version": version, "time": iso(time)} for version, time in self._marks[rows].tolist()]

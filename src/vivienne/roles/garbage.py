"""Collection of cyclic garbage, in portions that nobody notices.

Python examines young objects often, a few thousand at once, and all older ones when many more objects were made than
freed. Thousands of assets replace their states and reasons one for one, which leaves no garbage, and a look at all of
them would stop the process for a second. So the older ones are examined when there are more of them than before, and in
proportion to the time that it takes. Objects that slices of work make count as older at once.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from time import perf_counter
from typing import TYPE_CHECKING

from vivienne.slices import SPARING, no_sparing

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_SECONDS = 1.0
"""Time between two looks whether the older objects are to be looked at."""
_YOUNG = 15
"""Looks at the newest objects after which those are looked at that outlived one: ten thousand at most."""
_NEVER = 1_000_000_000
_GROWTH = 1.2
"""The older objects are looked at once so many times as much is in use as after the last time."""
_REST = 100
"""Those are left alone for so many times the time that the last look took."""
_LONGEST_REST, _LONGEST_REST_SECONDS = 3_000, 60.0
"""After so many times that time they are looked at whatever is in use; but not more often than after these seconds."""


class Garbage:
    """Decides when the older objects are looked at.

    Args:
        now: seconds of a monotonic clock.
        blocks: number of blocks of memory that are in use.
    """

    def __init__(self, now: float, blocks: int) -> None:
        self._collected_at, self._blocks = now, blocks
        self._rest, self._longest_rest = 1.0, _LONGEST_REST_SECONDS

    def is_due(self, now: float, blocks: Callable[[], int]) -> bool:
        """True if the older ones are to be looked at.

        Args:
            now: as above.
            blocks: tells it as above; it takes milliseconds.
        """
        passed = now - self._collected_at
        return passed >= self._longest_rest or (passed >= self._rest and blocks() > self._blocks * _GROWTH)

    def collected(self, seconds: float, now: float, blocks: int) -> None:
        """Note that all of them were looked at, and how long it took."""
        self._collected_at, self._blocks = now, blocks
        self._rest, self._longest_rest = seconds * _REST, max(seconds * _LONGEST_REST, _LONGEST_REST_SECONDS)


async def collect_garbage() -> None:
    """Collect garbage until cancelled."""
    newest, *_ = before = gc.get_threshold()
    gc.set_threshold(newest, _YOUNG, _NEVER)
    garbage = Garbage(perf_counter(), sys.getallocatedblocks())
    SPARING.spare = gc.freeze
    try:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if garbage.is_due(begin := perf_counter(), sys.getallocatedblocks):
                gc.unfreeze()
                gc.collect()
                gc.freeze()
                end = perf_counter()
                garbage.collected(end - begin, end, sys.getallocatedblocks())
    finally:
        SPARING.spare = no_sparing
        gc.unfreeze()
        gc.set_threshold(*before)

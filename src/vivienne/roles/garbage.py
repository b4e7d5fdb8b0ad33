"""Collection of cyclic garbage, in portions that nobody notices.

Python examines young objects often, a few thousand at once, and all older ones when many more objects were made than
freed. Thousands of assets replace their states and reasons one for one, which leaves no garbage, and a look at all of
them would stop the process for a second. So the older ones are examined when there are more of them than before, and in
proportion to the time that it takes: first those since the last look, and later all. What was there at the start takes
0.15 s, while the clients of a server that comes back wait. Objects that slices of work make count as looked at.
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
"""Time between two questions whether older objects are to be looked at."""
_YOUNG = 15
"""Looks at the newest objects after which those are looked at that outlived one: ten thousand at most."""
_NEVER = 1_000_000_000
_GROWTH = 1.2
"""Objects are looked at once so many times as much is in use as after the last time."""
_FIRST_REST_SECONDS, _FIRST_REST_OF_ALL_SECONDS = 1.0, 20.0
_REST = 100
"""Those are left alone for so many times the time that the last look took."""
_LONGEST_REST, _LONGEST_REST_SECONDS = 3_000, 60.0
"""After so many times that time they are looked at whatever is in use; but not more often than after these seconds."""


class Garbage:
    """Decides when older objects are looked at.

    Args:
        now: seconds of a monotonic clock.
        blocks: number of blocks of memory that are in use.
        rest: seconds until the first time.
    """

    def __init__(self, now: float, blocks: int, rest: float = _FIRST_REST_SECONDS) -> None:
        self._collected_at, self._blocks = now, blocks
        self._rest, self._longest_rest = rest, _LONGEST_REST_SECONDS

    def is_due(self, now: float, blocks: Callable[[], int]) -> bool:
        """True if they are to be looked at.

        Args:
            now: as above.
            blocks: tells it as above; it takes milliseconds.
        """
        passed = now - self._collected_at
        return passed >= self._longest_rest or (passed >= self._rest and blocks() > self._blocks * _GROWTH)

    def collected(self, seconds: float, now: float, blocks: int) -> None:
        """Note that they were looked at, and how long it took."""
        self._collected_at, self._blocks = now, blocks
        self._rest, self._longest_rest = seconds * _REST, max(seconds * _LONGEST_REST, _LONGEST_REST_SECONDS)


async def collect_garbage() -> None:
    """Collect garbage until cancelled."""
    newest, *_ = before = gc.get_threshold()
    gc.set_threshold(newest, _YOUNG, _NEVER)
    start, blocks = perf_counter(), sys.getallocatedblocks()
    newer, whole = Garbage(start, blocks), Garbage(start, blocks, _FIRST_REST_OF_ALL_SECONDS)
    gc.freeze()
    SPARING.spare = gc.freeze
    try:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            begin = perf_counter()
            if whole.is_due(begin, sys.getallocatedblocks):
                gc.unfreeze()
                looked_at = [whole, newer]
            elif newer.is_due(begin, sys.getallocatedblocks):
                looked_at = [newer]
            else:
                continue
            gc.collect()
            gc.freeze()
            end, blocks = perf_counter(), sys.getallocatedblocks()
            for each in looked_at:
                each.collected(end - begin, end, blocks)
    finally:
        SPARING.spare = no_sparing
        gc.unfreeze()
        gc.set_threshold(*before)

"""Collection of cyclic garbage, in portions that nobody notices.

Python collects when many more objects were made than freed, and then looks at everything made since. Thousands of
assets replace their states and reasons all the time, one for one, so a collection came rarely, and stopped the process
for a second: longer than any other work here. Now the newest objects are looked at fifty times a second, while they are
few. Older ones are looked at all at once, but only if there may be much garbage among them, and in proportion to the
time it takes.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PORTION_SECONDS = 0.02
"""Time between two looks at the newest objects."""
_NEVER = 1_000_000_000
_MANY = 200_000
"""Objects made and not freed, by a count that errs on the high side, at which it is asked how many there are."""
_GROWTH = 2.0
"""The older objects are looked at once there are so many times as many as after the last look."""
_REST = 100
"""Those are left alone for so many times the time that the last look took."""
_LONGEST_REST_SECONDS = 3_600.0
"""They are looked at after this time, however few they are."""


class Garbage:
    """Decides when the older objects are looked at.

    Args:
        now: seconds of a monotonic clock.
        blocks: number of blocks of memory that are in use.
    """

    def __init__(self, now: float, blocks: int) -> None:
        self._collected_at, self._blocks = now, blocks
        self._rest = 1.0
        self._made = 0

    def is_due(self, made: int, now: float, blocks: Callable[[], int]) -> bool:
        """Note how many objects were made and not freed; True if the older ones are to be looked at.

        Args:
            made: since the last call. What was freed of objects made before is not taken off.
            now: as above.
            blocks: tells it as above; it takes milliseconds.
        """
        self._made += made
        passed = now - self._collected_at
        if passed >= _LONGEST_REST_SECONDS:
            return True
        if self._made < _MANY or passed < self._rest:
            return False
        self._made = 0
        return blocks() > self._blocks * _GROWTH

    def collected(self, seconds: float, now: float, blocks: int) -> None:
        """Note that all of them were looked at, and how long it took."""
        self._collected_at, self._blocks = now, blocks
        self._rest, self._made = seconds * _REST, 0


async def collect_garbage() -> None:
    """Collect garbage until cancelled."""
    newest, *_ = before = gc.get_threshold()
    gc.set_threshold(newest, _NEVER, _NEVER)
    garbage = Garbage(perf_counter(), sys.getallocatedblocks())
    try:
        while True:
            await asyncio.sleep(PORTION_SECONDS)
            made = gc.get_count()[0]
            if garbage.is_due(made - gc.collect(0), begin := perf_counter(), sys.getallocatedblocks):
                gc.collect()
                end = perf_counter()
                garbage.collected(end - begin, end, sys.getallocatedblocks())
    finally:
        gc.set_threshold(*before)

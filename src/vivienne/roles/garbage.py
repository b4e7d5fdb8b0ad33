"""Collection of cyclic garbage, in portions that nobody notices.

Python examines young objects when a few thousand more were made than freed, and all older ones when many more were.
Thousands of assets replace their states and reasons one for one, which leaves no garbage, and a look at all of them
would stop the process for a second. So the older ones are examined when there are more of them than before: first those
that do not count as looked at, and later all. What counts so is what was there at the start, what a long look left, and
what slices of work made; Python cannot tell these apart. The start alone takes 0.1 s and is hardly ever garbage, so all
are looked at only if the others came to it.

Trades replace each other one for one as well, so that Python waits until a hundred thousand of them are young; the
young ones are examined by the clock. A few large objects are hardly more than before, so the older ones are also
examined when the process takes much more memory: an error that is kept has all that the functions had which it left.
All this, and the count of what is in use, is done in proportion to the time that it takes.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
from pathlib import Path
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
_REST_OF_COUNTS = 1_000
"""What is in use is counted again after so many times the time that it took: 15 ms where trades are kept."""
_SWOLLEN_BYTES = 48 * 1024 * 1024
"""They are looked at, too, once so much more memory is taken than after the last time."""
_LONG_SECONDS = 0.02
"""What a look leaves that took so long counts as looked at."""
_LONGEST_REST, _LONGEST_REST_SECONDS = 3_000, 60.0
"""After so many times that time they are looked at whatever is in use; but not more often than after these seconds."""
_LONGEST_FIRST_REST_OF_ALL_SECONDS = 300.0
"""The same, before all were looked at once."""


class Garbage:
    """Decides when older objects are looked at.

    Args:
        now: seconds of a monotonic clock.
        amount: what there is, such as the blocks of memory that are in use; None for what there is after the rest.
        rest: seconds until the first time.
        longest_rest: seconds until the first time, if it does not grow.
    """

    def __init__(
        self,
        now: float,
        amount: int | None,
        rest: float = _FIRST_REST_SECONDS,
        longest_rest: float = _LONGEST_REST_SECONDS,
    ) -> None:
        self._collected_at, self._amount = now, amount
        self._rest, self._longest_rest = rest, longest_rest
        self._counted_again_at = now

    def is_due(self, now: float, amount: Callable[[], int]) -> bool:
        """True if they are to be looked at.

        Args:
            now: as above.
            amount: tells it as above. It takes milliseconds, and is not asked again for a while in proportion.
        """
        if now - self._collected_at >= self._longest_rest:
            return True
        if not self.is_rested(now) or now < self._counted_again_at:
            return False
        begin = perf_counter()
        there = amount()
        self._counted_again_at = now + (perf_counter() - begin) * _REST_OF_COUNTS
        if self._amount is None:
            self._amount = there
        return there > self._amount * _GROWTH

    def is_rested(self, now: float) -> bool:
        """True if the last look was long enough ago for the time that it took."""
        return now - self._collected_at >= self._rest

    def measure_anew(self) -> None:
        """Growth counts from what there is next."""
        self._amount = None

    def collected(self, seconds: float, now: float, amount: int | None) -> None:
        """Note that they were looked at, and how long it took."""
        self._collected_at, self._amount = now, amount
        self._rest, self._longest_rest = seconds * _REST, max(seconds * _LONGEST_REST, _LONGEST_REST_SECONDS)


class _Looks:
    """Looks at older objects: at those that do not count as looked at, or at all."""

    def __init__(self) -> None:
        now = perf_counter()
        gc.freeze()
        self._newer = Garbage(now, sys.getallocatedblocks())
        self._all = Garbage(now, None, _FIRST_REST_OF_ALL_SECONDS, _LONGEST_FIRST_REST_OF_ALL_SECONDS)
        self._only_start_counts = True
        self._young_again_at = now
        self._resident = _resident_bytes()

    def count_as_looked_at(self) -> None:
        """Count what is there as looked at, until all are looked at."""
        gc.freeze()
        self._only_start_counts = False

    def look(self) -> None:
        """Look at what is due, if anything is."""
        begin = perf_counter()
        if begin >= self._young_again_at:
            gc.collect(0)
            self._young_again_at = begin + (perf_counter() - begin) * _REST
            begin = perf_counter()
        # What is in use grows with what the program is there for; what counts as looked at grows by garbage too.
        if not self._only_start_counts and self._all.is_due(begin, gc.get_freeze_count):
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            self._only_start_counts = True
            self._all.collected(perf_counter() - begin, perf_counter(), None)
        elif self._newer.is_due(begin, sys.getallocatedblocks) or self._is_swollen(begin):
            gc.collect()
            if perf_counter() - begin >= _LONG_SECONDS:
                self.count_as_looked_at()
                self._all.measure_anew()  # they were looked at just now
        else:
            return
        self._newer.collected(perf_counter() - begin, perf_counter(), sys.getallocatedblocks())
        self._resident = _resident_bytes()

    def _is_swollen(self, now: float) -> bool:
        return self._newer.is_rested(now) and _resident_bytes() > self._resident + _SWOLLEN_BYTES


def _resident_bytes() -> int:
    """Memory that the process takes; 0 where the system does not say it in this way."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


async def collect_garbage() -> None:
    """Collect garbage until cancelled."""
    newest, *_ = before = gc.get_threshold()
    gc.set_threshold(newest, _YOUNG, _NEVER)
    looks = _Looks()
    SPARING.spare = looks.count_as_looked_at
    try:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks.look()
    finally:
        SPARING.spare = no_sparing
        gc.unfreeze()
        gc.set_threshold(*before)

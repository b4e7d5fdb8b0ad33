"""Times as they go out on the wire: ISO 8601, UTC, milliseconds, ``Z``. And a clock that nobody moves."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CLOCKS_DIFFER = 2.0
"""Seconds by which the clocks of two processes may differ before that is said."""

elapsed: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)
"""Seconds since some moment, never turned back. If the system has such a clock, also while the machine sleeps."""


@lru_cache(maxsize=4_096)
def iso(milliseconds: int) -> str:
    """A time in ms since the epoch. Thousands of assets show the same one at the same moment."""
    return of_epoch(milliseconds / 1000)


def of_epoch(seconds: float) -> str:
    """A time in seconds since the epoch."""
    return written(datetime.fromtimestamp(seconds, UTC))


def written(moment: datetime) -> str:
    """A moment in UTC."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def later(moment: str, seconds: float) -> str:
    """So many seconds after a time."""
    return written(datetime.fromisoformat(moment) + timedelta(seconds=seconds))


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)

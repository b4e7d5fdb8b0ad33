"""Times as they go out on the wire: ISO 8601, UTC, milliseconds, ``Z``."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=4_096)
def iso(milliseconds: int) -> str:
    """A time in ms since the epoch. Thousands of assets show the same one at the same moment."""
    return written(datetime.fromtimestamp(milliseconds / 1000, UTC))


def written(moment: datetime) -> str:
    """A moment in UTC."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)

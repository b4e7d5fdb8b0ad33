"""Timeframes of bars."""

from __future__ import annotations

from enum import StrEnum

from vivienne.market.types import MINUTE_MS

LONGEST_FILLED_GAP = 60
"""Minutes; see `Timeframe.longest_filled_gap`."""
_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440}


class Timeframe(StrEnum):
    """Length of a bar. Bars start at whole multiples of it since the epoch, UTC."""

    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def minutes(self) -> int:
        """Length in minutes."""
        return _MINUTES[self.value]

    @property
    def milliseconds(self) -> int:
        """Length in milliseconds."""
        return self.minutes * MINUTE_MS

    @property
    def longest_filled_gap(self) -> int:
        """Largest number of missing minutes that are filled. A longer gap restarts the history of an asset.

        It is an hour, or the length of a bar if that is longer. A gap within one bar does not restart a daily agent.
        """
        return max(LONGEST_FILLED_GAP, self.minutes)

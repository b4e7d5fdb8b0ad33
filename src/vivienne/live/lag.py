"""Lag of data by its own times. On arrival, late data looks like new data."""

from __future__ import annotations

from vivienne.live.trouble import Trouble
from vivienne.market.types import MINUTE_MS

DRIFT = 0.001
"""Fraction by which a feed clock may run too slow without ever counting as behind."""


class Lag:
    """Compares the time of data with the most advanced data so far, relative to the time of arrival.

    Args:
        pace: market seconds per real second.
        most: largest allowed lag, in real seconds.
    """

    def __init__(self, pace: float, most: float) -> None:
        self._pace_ms = pace * 1000
        self._most_ms = most * self._pace_ms
        self._furthest: float | None = None
        self._since = 0.0
        self._minute_came = 0.0
        self._minute_was_late = False
        self.trouble: Trouble | None = None
        """Set if the newest data lags by more than `most`."""

    def restart(self) -> None:
        """Take the next data as the new reference."""
        self._furthest = None

    def minute(self, end: int, came: float) -> None:
        """Compare a closed minute.

        Args:
            end: end of the minute, ms since the epoch.
            came: time of arrival, in seconds of a monotonic clock.
        """
        # Late minutes that arrive at the normal pace do not catch up: the feed simply runs at this time.
        if self._minute_was_late and (came - self._minute_came) * self._pace_ms >= MINUTE_MS / 2:
            self.restart()
        self.compare(end, came)
        self._minute_came, self._minute_was_late = came, self.trouble is not None

    def compare(self, time: int, came: float) -> None:
        """Compare newer data with the reference; see `minute`."""
        position = time - came * self._pace_ms
        drifted = (came - self._since) * self._pace_ms * DRIFT
        if self._furthest is None or position >= self._furthest - drifted:
            self._furthest, self._since = position, came
            self.trouble = None
            return
        behind = self._furthest - drifted - position
        self.trouble = None
        if behind > self._most_ms:
            self.trouble = Trouble("behind", f"the data is {behind / 1000:.0f} s of market time behind")

"""How far data is behind, by its own times: late data looks like new data when it comes."""

from __future__ import annotations

from vivienne.live.trouble import Trouble
from vivienne.market.types import MINUTE_MS

DRIFT = 0.001
"""By which part the clock of a feed may be slower than it should be without ever counting as behind."""


class Lag:
    """Compares data with the data that was furthest for when it came.

    Args:
        pace: market seconds per real second.
        most: real seconds that data may be behind.
    """

    def __init__(self, pace: float, most: float) -> None:
        self._pace_ms = pace * 1000
        self._most_ms = most * self._pace_ms
        self._furthest: float | None = None
        self._since = 0.0
        self._minute_came = 0.0
        self._minute_was_late = False
        self.trouble: Trouble | None = None
        """That the newest data is older, by its own time, than it can be when it comes."""

    def begin_anew(self) -> None:
        """What comes next is as far as it should be."""
        self._furthest = None

    def minute(self, end: int, came: float) -> None:
        """A minute closed.

        Args:
            end: of it, in ms since the epoch.
            came: when, in seconds of a clock.
        """
        # Minutes that are behind and come as slowly as they should catch up with nothing: that is their time.
        if self._minute_was_late and (came - self._minute_came) * self._pace_ms >= MINUTE_MS / 2:
            self.begin_anew()
        self.compare(end, came)
        self._minute_came, self._minute_was_late = came, self.trouble is not None

    def compare(self, time: int, came: float) -> None:
        """Newer data came; see `minute`."""
        position = time - came * self._pace_ms
        drifted = (came - self._since) * self._pace_ms * DRIFT
        if self._furthest is None or position >= self._furthest - drifted:
            self._furthest, self._since = position, came
            self.trouble = None
            return
        behind = self._furthest - drifted - position
        self.trouble = None
        if behind > self._most_ms:
            self.trouble = Trouble("behind", f"its data is {behind / 1000:.0f} s of the market behind")

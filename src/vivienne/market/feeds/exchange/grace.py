"""How long after the end of a minute its trades are waited for, where only the exchange's clock says that it is over.

Everything is by the exchange's own times: the clock of this machine has no part in it.
"""

from __future__ import annotations

from vivienne.market.types import MINUTE_MS

GRACE_MS = 1_000
"""How much later than the end of a minute the exchange's clock must be, where nothing else says that it is over."""
MOST_GRACE_MS = 10_000
"""The same, where trades come late."""
_MARGIN_MS = 1_000
"""So much longer than the latest trade took is waited."""
_TOO_LATE_MS = 2 * MOST_GRACE_MS
"""Trades that come later than that are no reason to wait: they would not come in time."""
_KEPT_MINUTES = 15
"""A trade that came late is remembered for so long."""


class Grace:
    """The grace of one instrument: as long as its trades were late during the last quarter of an hour.

    Args:
        least: it is never shorter, in ms.

    Attributes:
        milliseconds: how long it is now.
    """

    def __init__(self, least: int = GRACE_MS) -> None:
        self._least = least
        self._clock = self._minute = 0
        self._latest: dict[int, int] = {}  # by the minute in which the trade came
        self.milliseconds = least

    def hear(self, time: int) -> None:
        """The exchange's clock shows this time."""
        self._clock = max(self._clock, time)
        minute = self._clock // MINUTE_MS
        if minute != self._minute:
            self._minute = minute
            if self._latest:
                self._latest = {each: late for each, late in self._latest.items() if each > minute - _KEPT_MINUTES}
                self._set()

    def see(self, time: int) -> None:
        """A new trade of this time came, on the connection that the clock is heard on."""
        late = self._clock - time
        if self._clock and self.milliseconds < late + _MARGIN_MS and late <= _TOO_LATE_MS:
            self._latest[self._minute] = max(late, self._latest.get(self._minute, 0))
            self._set()

    def _set(self) -> None:
        longest = max(self._latest.values(), default=0) + _MARGIN_MS
        self.milliseconds = max(self._least, min(longest, MOST_GRACE_MS))

"""How old the data of an asset is, and whether it follows on what came before.

No clock is asked what time it is. What counts is how much real time has passed since newer data came, and by how much
the data's own times moved meanwhile. So the clock of an exchange, or of this machine, may be wrong; one that jumps is
noticed. Data is newer by its own time only: what comes twice or late makes nothing younger.
"""

from __future__ import annotations

import math
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.live.lag import Lag
from vivienne.live.trouble import Trouble
from vivienne.market.checks import check_candle, check_price
from vivienne.market.timeframe import LONGEST_FILLED_GAP
from vivienne.market.types import MINUTE_MS
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.market.types import Candle

LEAP_MS = 2 * MINUTE_MS
"""What data may be ahead of the time that has passed; more is a clock that jumped."""
UNCLOSED_MS = 3 * MINUTE_MS
"""How long prices may come, by their own times, without a minute closing."""


class Freshness:
    """Judges the data of one asset as it comes.

    Args:
        longest_silence: real seconds without newer data beyond which it is stale.
        pace: market seconds per real second; None where it is not known. See `vivienne.market.feeds.base.Feed`.
        clock: seconds, never turned back.
    """

    def __init__(
        self, longest_silence: float = math.inf, pace: float | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self.longest_silence = longest_silence
        self._pace = pace
        self._clock = clock
        self._waiting_since = clock()
        self._newest: int | None = None
        self._came: float | None = None
        self._minute_end: int | None = None
        self._minute_came = 0.0
        self._unclosed_since: int | None = None
        self._leapt: int | None = None
        self._left_out = 0
        self._is_unheard = False
        self._lag = None if pace is None else Lag(pace, longest_silence)
        self.silent: Trouble | None = None
        """That nothing newer came for too long, or that some of what should have come then is missing."""
        self.wrong: Trouble | None = None
        """What is wrong with the newest data, which was left out."""

    @property
    def trouble(self) -> Trouble | None:
        """Why the data cannot be relied on; None while it can."""
        return self.silent or self.wrong or (None if self._lag is None else self._lag.trouble)

    @property
    def age(self) -> float | None:
        """Real seconds since newer data came; None before there is any."""
        return None if self._came is None else self._clock() - self._came

    def wait(self) -> None:
        """From now on data should come."""
        self._waiting_since = self._clock()
        if self._lag is not None:
            self._lag.begin_anew()

    def look(self) -> bool:
        """Whether the data has become stale since the last look."""
        waited = self._clock() - max(self._waiting_since, self._came or -math.inf)
        if self.silent is not None or waited <= self.longest_silence:
            return False
        self._is_unheard = True
        besides = f"; {self.wrong}" if self.wrong is not None else ""
        self.silent = Trouble("no_data", f"no data came for more than {self.longest_silence:.0f} s{besides}")
        return True

    def admit_price(self, price: float, time: int) -> bool:
        """Judge a price within a minute; whether it is to be shown. One that is none, or late, is left out."""
        try:
            check_price(price, time)
        except ValueError as error:
            self.wrong = Trouble("bad_price", f"a price was left out: {error}")
            return False
        if self._newest is not None and time < self._newest:
            return False
        if self._leaps(time):
            self.wrong = self._leap(time)
            return False
        self._unclosed_since = time if self._unclosed_since is None else self._unclosed_since
        if self._minute_end is not None and time - self._unclosed_since > UNCLOSED_MS:
            self._is_unheard = True
            self.wrong = Trouble(
                "no_minute_closed", f"prices come, but no minute has closed since {iso(self._minute_end)}"
            )
        if self._minute_end is None or time < self._minute_end + MINUTE_MS:
            self.silent = None
        elif self.silent is not None:
            self.silent = Trouble("minutes_missing", f"minutes are missing since {iso(self._minute_end)}")
        self._take(time)
        return True

    def admit_minute(self, candle: Candle, longest_filled: int = LONGEST_FILLED_GAP) -> int | None:
        """Judge a closed minute.

        Args:
            candle: the minute.
            longest_filled: missing minutes before it that may be filled at most.

        Returns:
            How many missing minutes before it may be filled; None where it is to be left out.
        """
        try:
            check_candle(candle)
        except ValueError as error:
            self.wrong = Trouble("bad_minute", f"a minute was left out: {error}")
            self._left_out += 1
            return None
        end = candle.open_time + MINUTE_MS
        if self._minute_end is not None and end <= self._minute_end:
            return None
        fillable = longest_filled
        if self._leaps(end):
            # One such minute may be a slip of the exchange. A second one that follows on it is a new reckoning.
            is_believed = self._leapt == candle.open_time
            self._leapt = end
            if not is_believed:
                self.wrong = self._leap(end)
                return None
            fillable = 0
            if self._lag is not None:
                self._lag.begin_anew()
        if self._is_unheard or self._left_out > 1:
            fillable = 0  # what happened meanwhile is not known, so it is not made up either
        self.silent = self.wrong = self._leapt = self._unclosed_since = None
        self._is_unheard, self._left_out = False, 0
        self._minute_end, self._minute_came = end, self._clock()
        if self._lag is not None:
            self._lag.minute(end, self._minute_came)
        self._newest = end  # a price that was ahead of it is none to compare with any more
        self._came = self._minute_came
        return fillable

    def _take(self, time: int) -> None:
        """Newer data came; what has the time of what is there already makes it no younger."""
        if self._newest is None or time > self._newest:
            self._newest, self._came = time, self._clock()
            if self._lag is not None:
                self._lag.compare(time, self._came)

    def _leaps(self, time: int) -> bool:
        if self._pace is None or self._minute_end is None:
            return False
        passed = (self._clock() - self._minute_came) * self._pace * 1000
        return time - self._minute_end > passed + LEAP_MS

    def _leap(self, time: int) -> Trouble:
        begin = iso(self._minute_end or time)
        return Trouble("clock_jumped", f"the feed clock jumped from {begin} to {iso(time)}; data ignored")

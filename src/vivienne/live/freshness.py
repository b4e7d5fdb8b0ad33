"""Freshness of the data of an asset: its age, and whether it continues the data before it.

No wall clock is read. Two durations are compared: the real time since newer data arrived, and the difference between
the times that the data carries. The clock of an exchange or of this machine may therefore be wrong, but a jump is
detected. Data is newer only if its own time is later, so repeated or late data does not reduce the age.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Literal

from vivienne.live.lag import Lag
from vivienne.live.trouble import Trouble
from vivienne.market.checks import check_candle, check_price
from vivienne.market.timeframe import LONGEST_FILLED_GAP
from vivienne.market.types import MINUTE_MS
from vivienne.times import elapsed, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vivienne.market.types import Candle

LEAP_MS = 2 * MINUTE_MS
"""Time by which data may be ahead of the elapsed time; beyond it, the feed clock has jumped."""
UNCLOSED_MS = 3 * MINUTE_MS
"""Longest time, by their own times, for which prices may arrive without a closed minute."""


class Freshness:
    """Judges the data of one asset as it arrives.

    Args:
        longest_silence: real seconds without newer data after which the asset is stale.
        pace: market seconds per real second; None if unknown. See `vivienne.market.feeds.base.Feed`.
        clock: in seconds, never turned back; one that goes on while the machine sleeps.
        catches_up: whether times may jump ahead; see there too.
    """

    def __init__(
        self,
        longest_silence: float = math.inf,
        pace: float | None = None,
        clock: Callable[[], float] = elapsed,
        *,
        catches_up: bool = False,
    ) -> None:
        self.longest_silence = longest_silence
        self._pace = pace
        self._catches_up = catches_up
        self._clock = clock
        self._waiting_since = clock()
        self._newest: int | None = None
        self._came: float | None = None
        self._minute_end: int | None = None
        self._minute_came = 0.0
        self._unclosed_since: int | None = None
        self._leapt: int | None = None
        self._leapt_came = 0.0
        self._left_out = 0
        self._is_unheard = False
        self._is_history = False
        self._lag = None if pace is None else Lag(pace, longest_silence)
        self.silent: Trouble | None = None
        """Set if no newer data arrived for too long, or if minutes from that time are still missing."""
        self.wrong: Trouble | None = None
        """The reason why the newest data was ignored; None if it was accepted."""

    @property
    def trouble(self) -> Trouble | None:
        """The reason why the data is unreliable; None while it is reliable."""
        return self.silent or self.wrong or (None if self._lag is None else self._lag.trouble)

    @property
    def age(self) -> float | None:
        """Real seconds since newer data arrived; None before the first data."""
        return None if self._came is None else self._clock() - self._came

    def wait(self) -> None:
        """Start to expect data."""
        self._waiting_since = self._clock()
        if self._lag is not None:
            self._lag.restart()

    def apart(self) -> Freshness:
        """Another judge that knows the same, and can go on without this one."""
        found = copy(self)
        found.__dict__.update(_lag=copy(self._lag))
        return found

    def become(self, other: Freshness) -> None:
        """Know what another judge knows, which is not used any longer."""
        self.__dict__.update(other.__dict__)

    @contextmanager
    def history(self) -> Iterator[None]:
        """Take the minutes within as history. They come all at once, so a gap between them is no jump of a clock."""
        self._is_history = True
        try:
            yield
        finally:
            self._is_history = False

    def look(self) -> bool:
        """Check for silence; True if the data has become stale since the last call."""
        waited = self._clock() - max(self._waiting_since, self._came or -math.inf)
        if self.silent is not None or waited <= self.longest_silence:
            return False
        self._is_unheard = True
        besides = f"; {self.wrong}" if self.wrong is not None else ""
        self.silent = Trouble("no_data", f"no data received for more than {self.longest_silence:.0f} s{besides}")
        return True

    def refuse(self, kind: Literal["minute", "price"], reason: str) -> None:
        """The feed could not use newer data, so what is known is not of now."""
        self.wrong = Trouble("bad_minute" if kind == "minute" else "bad_price", f"{kind} refused: {reason}")
        self._left_out += kind == "minute"

    def admit_price(self, price: float, time: int) -> bool:
        """Judge a price within the open minute; False if it is invalid or late and must be ignored."""
        try:
            check_price(price, time)
        except ValueError as error:
            self.wrong = Trouble("bad_price", f"price ignored: {error}")
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
                "no_minute_closed", f"prices arrive, but no minute has closed since {iso(self._minute_end)}"
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
            longest_filled: largest number of missing minutes before it that may be filled.

        Returns:
            The number of missing minutes before it that may be filled; None if it must be ignored.
        """
        try:
            check_candle(candle)
        except ValueError as error:
            self.wrong = Trouble("bad_minute", f"minute ignored: {error}")
            self._left_out += 1
            return None
        end = candle.open_time + MINUTE_MS
        if self._minute_end is not None and end <= self._minute_end:
            return None
        fillable = longest_filled
        if self._leaps(end):
            # A single such minute may be an error of the exchange. A second one that continues it means a new clock.
            # Of many that come at once, none is believed.
            is_believed = self._leapt == candle.open_time and self._passed(self._leapt_came) > MINUTE_MS / 2
            self._leapt, self._leapt_came = end, self._clock()
            if not is_believed:
                self.wrong = self._leap(end)
                return None
            fillable = 0
            if self._lag is not None:
                self._lag.restart()
        if self._is_unheard or self._left_out > 1:
            fillable = 0  # the market may have moved in the missing minutes, so they must not be filled
        self.continue_to(end)
        return fillable

    def continue_to(self, end: int) -> None:
        """Admit valid minutes that follow the newest one without a gap. The last of them ends at `end`."""
        self.silent = self.wrong = self._leapt = self._unclosed_since = None
        self._is_unheard, self._left_out = False, 0
        self._minute_end, self._minute_came = end, self._clock()
        if self._lag is not None:
            self._lag.minute(end, self._minute_came)
        self._newest = end  # prices are no longer compared with one that was ahead of this minute
        self._came = self._minute_came

    def forget(self) -> None:
        """Forget which minute is the newest: a history says it anew."""
        self._minute_end = None

    def _take(self, time: int) -> None:
        """Record the arrival of data. Data that is not newer by its own time does not reduce the age."""
        if self._newest is None or time > self._newest:
            self._newest, self._came = time, self._clock()
            if self._lag is not None:
                self._lag.compare(time, self._came)

    def _leaps(self, time: int) -> bool:
        if self._pace is None or self._minute_end is None or self._is_history or self._catches_up:
            return False
        return time - self._minute_end > self._passed(self._minute_came) + LEAP_MS

    def _passed(self, since: float) -> float:
        """Time of the market since a moment of the clock, in ms; without a pace, all that there is."""
        return math.inf if self._pace is None else (self._clock() - since) * self._pace * 1000

    def _leap(self, time: int) -> Trouble:
        begin = iso(self._minute_end or time)
        return Trouble("clock_jumped", f"the feed clock jumped from {begin} to {iso(time)}; data ignored")

"""The exchange's clock, as it is heard on the stream of one instrument."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from vivienne.market.feeds.exchange.adapter import Heard, Traded
from vivienne.market.feeds.exchange.delay import Delay
from vivienne.market.feeds.exchange.plausible import LEAP_MS

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import StreamEvent


class StreamClock:
    """See above.

    Args:
        pace: seconds of the exchange in a second.
    """

    def __init__(self, pace: float) -> None:
        self._pace = pace * 1_000
        self._delay = Delay()
        self._heard, self._ahead = 0, -math.inf

    @property
    def delay(self) -> float | None:
        """Seconds by which the newest message came later than the quickest; None while none is heard."""
        return self._delay.seconds

    @property
    def newest(self) -> float:
        """The newest time that was heard, in ms since the epoch; without a limit where none is."""
        return self._heard or math.inf

    @property
    def latest(self) -> float:
        """The latest time that data may have now, in ms since the epoch; without a limit where none is heard."""
        return math.inf if not self._heard else self._ahead + self._now() + LEAP_MS

    def hear(self, event: StreamEvent) -> None:
        """Take an event of the stream."""
        if isinstance(event, Heard):
            self._delay.hear(event.time)
            self._heard = max(self._heard, event.time)
            self._ahead = max(self._ahead, event.time - self._now())
        elif isinstance(event, Traded) and event.is_snapshot and event.trades:
            self._delay.skip(event.trades[-1].trade.time)

    def lose(self) -> None:
        """Nothing is heard any longer."""
        self._heard, self._ahead = 0, -math.inf
        self._delay.lose()

    def _now(self) -> float:
        """Time of the market by a monotonic clock, in ms."""
        return asyncio.get_running_loop().time() * self._pace

"""Checks that what an exchange says can be true. What cannot be is left out like a message of unknown shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.market.checks import LARGEST, check_candle, check_price
from vivienne.market.feeds.exchange.adapter import CandleSeen, Heard, Traded, UnknownMessage

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import StreamEvent
    from vivienne.market.types import Candle, Trade

LEAP_MS = 120_000
"""How much later than expected by the exchange's own clock a time may be."""


_DRIFT = 0.001
"""Fraction by which the clock of the exchange may run faster than that of this machine."""


class TooLate(UnknownMessage):
    """A time is later than can be."""


class Latest:
    """The latest time that a message may have: what the exchange said when it was asked, and the time since.

    A message that is ahead of that, as far as it may be, does not move it; else many of them would move it far.

    Args:
        pace: seconds of the exchange in a second.
    """

    def __init__(self, pace: float) -> None:
        self._pace = pace * 1_000
        self._ahead: float | None = None
        self._since = 0.0

    def ask(self, time: int, asked: float) -> None:
        """The exchange was asked for its time.

        Args:
            time: what it said, in ms since the epoch.
            asked: when, by a monotonic clock, in seconds.
        """
        self._ahead, self._since = time - asked * self._pace, asked

    def hear(self, time: int, came: float) -> bool:
        """Take the exchange's clock in a message.

        Returns:
            Whether it is so far ahead that the exchange should be asked.
        """
        if self._ahead is None:
            self.ask(time, came)
            return False
        ahead = time - came * self._pace - self._ahead
        self._ahead += min(max(0.0, ahead), (came - self._since) * self._pace * _DRIFT)
        self._since = came
        return ahead > LEAP_MS / 2

    def limit(self, now: float) -> float:
        """The latest time at a moment, in ms since the epoch; without a limit before the first."""
        return math.inf if self._ahead is None else self._ahead + now * self._pace + LEAP_MS


def check_event(event: StreamEvent, latest: float) -> None:
    """Check an event of the stream.

    Args:
        event: the event.
        latest: no time may be later, in ms since the epoch.

    Raises:
        UnknownMessage: it cannot be true.
    """
    if isinstance(event, Traded):
        for numbered in event.trades:
            check_trade(numbered.trade)
            check_time(numbered.trade.time, latest)
    elif isinstance(event, CandleSeen):
        check_row(event.candle)
        check_time(event.candle.open_time, latest)
    elif isinstance(event, Heard):
        check_time(event.time, latest)


def check_trade(trade: Trade) -> None:
    """Check a trade.

    Raises:
        UnknownMessage: it cannot be true.
    """
    try:
        check_price(trade.price, trade.time)
    except ValueError as error:
        raise UnknownMessage(str(error)) from error
    if not 0 <= trade.quantity < LARGEST:
        raise UnknownMessage(f"a quantity of {trade.quantity}; it must be a number from 0 and below {LARGEST:.0e}")
    _check_size(trade.price)


def check_row(candle: Candle) -> None:
    """Check a candle.

    Raises:
        UnknownMessage: it cannot be true.
    """
    try:
        check_candle(candle)
    except ValueError as error:
        raise UnknownMessage(str(error)) from error
    for value in candle[1:]:
        _check_size(value)


def _check_size(value: float) -> None:
    if value >= LARGEST:
        raise UnknownMessage(f"{value} is not a valid price or amount; it must be below {LARGEST:.0e}")


def check_time(time: int, latest: float) -> None:
    """Check a time.

    Raises:
        TooLate: it is later than can be.
    """
    if time > latest:
        raise TooLate("a time that is later than its clock")

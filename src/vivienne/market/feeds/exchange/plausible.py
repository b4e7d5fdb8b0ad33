"""Checks that what an exchange says can be true. What cannot be is left out like a message of unknown shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.market.checks import check_candle, check_price
from vivienne.market.feeds.exchange.adapter import CandleSeen, Heard, Traded, UnknownMessage

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import StreamEvent
    from vivienne.market.types import Candle, Trade

LEAP_MS = 120_000
"""How much later than expected by the exchange's own clock a time may be."""


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
            _check_time(numbered.trade.time, latest)
    elif isinstance(event, CandleSeen):
        check_row(event.candle)
        _check_time(event.candle.open_time, latest)
    elif isinstance(event, Heard):
        _check_time(event.time, latest)


def check_trade(trade: Trade) -> None:
    """Check a trade.

    Raises:
        UnknownMessage: it cannot be true.
    """
    try:
        check_price(trade.price, trade.time)
    except ValueError as error:
        raise UnknownMessage(str(error)) from error
    if not trade.quantity >= 0:
        raise UnknownMessage(f"a quantity of {trade.quantity}; it must be a number from 0")


def check_row(candle: Candle) -> None:
    """Check a candle.

    Raises:
        UnknownMessage: it cannot be true.
    """
    try:
        check_candle(candle)
    except ValueError as error:
        raise UnknownMessage(str(error)) from error


def _check_time(time: int, latest: float) -> None:
    if time > latest:
        raise UnknownMessage("a time that is later than its clock")

"""Checks of candles and prices from any source."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.market.types import END_OF_TIME_MS, MINUTE_MS

if TYPE_CHECKING:
    from vivienne.market.types import Candle


def check_candle(candle: Candle) -> None:
    """Check a base minute.

    Raises:
        ValueError: the candle is not valid; the message gives the reason.
    """
    open_time, opened, high, low, close, volume, quote_volume, count, taker = candle
    if not (0 < low <= opened <= high < math.inf and low <= close <= high):
        raise ValueError(
            f"open {opened}, high {high}, low {low}, close {close} are not a valid candle; prices must be above 0, "
            "high the highest and low the lowest of them"
        )
    if not (0 <= volume < math.inf and 0 <= quote_volume < math.inf):
        raise ValueError(f"volume {volume}, quote volume {quote_volume} are not valid; both must be numbers from 0")
    # An unknown count or taker volume is NaN, for which every comparison is false.
    if not (math.isnan(count) or 0 <= count < math.inf) or not (math.isnan(taker) or 0 <= taker < math.inf):
        raise ValueError(f"trade count {count}, taker-buy volume {taker} are not valid; both must be numbers from 0")
    _check_time(open_time)
    if open_time % MINUTE_MS:
        raise ValueError(f"open time {open_time} ms is not valid; a one-minute candle must open at a full minute")


def check_price(price: float, time: int) -> None:
    """Check a price within a minute.

    Raises:
        ValueError: the price or its time is not valid; the message gives the reason.
    """
    if not 0 < price < math.inf:
        raise ValueError(f"{price} is not a valid price; it must be a number above 0")
    _check_time(time)


def _check_time(time: int) -> None:
    if not 0 <= time < END_OF_TIME_MS:
        raise ValueError(f"{time} is not a valid time; it must be in ms since 1970 and before 2100")

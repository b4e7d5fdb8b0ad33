"""What a candle and a price must be, wherever they come from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.market.types import END_OF_TIME_MS, MINUTE_MS

if TYPE_CHECKING:
    from vivienne.market.types import Candle


def check_candle(candle: Candle) -> None:
    """Check a base minute.

    Raises:
        ValueError: it is none; says why.
    """
    open_time, opened, high, low, close, volume, quote_volume, count, taker = candle
    if not (0 < low <= opened <= high < math.inf and low <= close <= high):
        raise ValueError(
            f"open {opened}, high {high}, low {low}, close {close} are no candle: prices are above 0, the high is the "
            "highest and the low the lowest"
        )
    if not (0 <= volume < math.inf and 0 <= quote_volume < math.inf):
        raise ValueError(f"volume {volume}, quote volume {quote_volume}: a volume is a number from 0 on")
    # An unknown count or taker volume is NaN, which no comparison holds for.
    if not (math.isnan(count) or 0 <= count < math.inf) or not (math.isnan(taker) or 0 <= taker < math.inf):
        raise ValueError(f"trade count {count}, taker-buy volume {taker}: both are numbers from 0 on")
    _check_time(open_time)
    if open_time % MINUTE_MS:
        raise ValueError("a one-minute candle opens at a full minute")


def check_price(price: float, time: int) -> None:
    """Check a price within a minute.

    Raises:
        ValueError: it is none, or its time is none; says why.
    """
    if not 0 < price < math.inf:
        raise ValueError(f"{price} is no price: one is a number above 0")
    _check_time(time)


def _check_time(time: int) -> None:
    if not 0 <= time < END_OF_TIME_MS:
        raise ValueError(f"{time} is no time in ms between 1970 and 2100")

"""Checks of candles and prices from any source."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vivienne.market.types import END_OF_TIME_MS, MINUTE_MS

if TYPE_CHECKING:
    from vivienne.market.types import Bars, BoolArray, Candle


LEAST_PRICE = 1e-18
"""Far below the price of any market; below it, quotients of prices can leave the range of floating-point numbers."""


LARGEST = 1e18
"""No price or amount that is told is as large; their products and sums stay finite."""


def check_candle(candle: Candle) -> None:
    """Check a base minute.

    Raises:
        ValueError: the candle is not valid; the message gives the reason.
    """
    open_time, opened, high, low, close, volume, quote_volume, count, taker = candle
    if not _are_prices(opened, high, low, close):
        raise ValueError(
            f"open {opened}, high {high}, low {low}, close {close} are not a valid candle; prices must be "
            f"above 0 (from {LEAST_PRICE:.0e} on), high the highest and low the lowest of them"
        )
    if not _are_volumes(volume, quote_volume):
        raise ValueError(f"volume {volume}, quote volume {quote_volume} are not valid; both must be numbers from 0")
    if not _are_counts(count, taker):
        raise ValueError(f"trade count {count}, taker-buy volume {taker} are not valid; both must be numbers from 0")
    _check_time(open_time)
    if open_time % MINUTE_MS:
        raise ValueError(f"open time {open_time} ms is not valid; a one-minute candle must open at a full minute")


def valid_minutes(minutes: Bars) -> BoolArray:
    """The rows that `check_candle` accepts."""
    times = minutes.open_time
    valid: BoolArray = (
        _are_prices(minutes.open, minutes.high, minutes.low, minutes.close)
        & _are_volumes(minutes.volume, minutes.quote_volume)
        & _are_counts(minutes.trade_count, minutes.taker_buy_volume)
        & _is_time(times)
        & (times % MINUTE_MS == 0)
    )
    return valid


def last_unusable(bars: Bars, length: int) -> int:
    """The number of bars up to the last one that is invalid or does not follow the bar before it; 0 without any.

    The bars after them are valid and in order, without a gap. Sums of volumes may be unknown (NaN).

    Args:
        bars: in any order.
        length: of a bar, in ms.
    """
    times = bars.open_time
    is_valid = (
        _are_prices(bars.open, bars.high, bars.low, bars.close)
        & _are_counts(bars.volume, bars.quote_volume)
        & _are_counts(bars.trade_count, bars.taker_buy_volume)
        & _is_time(times)
        & (times % length == 0)
    )
    is_valid[1:] &= (times[1:] > times[:-1]) | ~is_valid[:-1]
    ends = (~is_valid).nonzero()[0] + 1
    begins = (times[1:] - times[:-1] != length).nonzero()[0] + 1
    return int(max(ends.max(initial=0), begins.max(initial=0)))


def check_price(price: float, time: int) -> None:
    """Check a price within a minute.

    Raises:
        ValueError: the price or its time is not valid; the message gives the reason.
    """
    if not LEAST_PRICE <= price < math.inf:
        raise ValueError(f"{price} is not a valid price; it must be a number above 0 (from {LEAST_PRICE:.0e} on)")
    _check_time(time)


def _check_time(time: int) -> None:
    if not _is_time(time):
        raise ValueError(f"{time} is not a valid time; it must be in ms since 1970 and before 2100")


# The rules below hold for a number and for a column alike: every comparison with NaN is false.


def _are_prices(opened: Any, high: Any, low: Any, close: Any) -> Any:
    in_order = (low <= opened) & (opened <= high) & (low <= close) & (close <= high)
    return in_order & (low >= LEAST_PRICE) & (high < math.inf)


def _are_volumes(volume: Any, quote_volume: Any) -> Any:
    return (volume >= 0) & (volume < math.inf) & (quote_volume >= 0) & (quote_volume < math.inf)


def _are_counts(count: Any, taker: Any) -> Any:
    """An unknown one is NaN, the only value that is unequal to itself."""
    is_count = (count >= 0) & (count < math.inf) | (count != count)  # noqa: PLR0124
    is_taker = (taker >= 0) & (taker < math.inf) | (taker != taker)  # noqa: PLR0124
    return is_count & is_taker


def _is_time(time: Any) -> Any:
    return (time >= 0) & (time < END_OF_TIME_MS)

"""Indicators over a window of bars, by TA-Lib.

Recursive averages (EMA, RSI, ATR, MACD) run over the whole window; only the last rows are kept, which is all a
decision looks at. Row 0 of every column is the bar before the first row asked for, because two signals compare a bar
with the one before it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import talib

if TYPE_CHECKING:
    from vivienne.config.schema import Indicators
    from vivienne.market.types import Bars, FloatArray

EMPTY_BAND = 1e-6
"""Bandwidth below which the bands are one line: %B and deviations have no meaning there, only rounding noise."""

_FORGOTTEN = math.log(10)
"""A recursive average is taken at its word once nine tenths of its seed are forgotten."""


class IndicatorRows(NamedTuple):
    """Columns of equal length: the bar before, then the rows asked for. NaN where there is no value yet.

    Attributes:
        ema_fast, ema_slow, bollinger_upper, bollinger_middle, bollinger_lower, vwap, atr: in quote currency.
        macd, macd_signal: in quote currency.
        rsi: 0 to 100, 50 when nothing moved for a whole period.
        bandwidth: (upper - lower) / middle, a fraction.
        percent_b: 0 at the lower band, 1 at the upper one, 0.5 when there is no band.
        deviations: distance of the close from the middle band in standard deviations, signed.
    """

    close: FloatArray
    ema_fast: FloatArray
    ema_slow: FloatArray
    macd: FloatArray
    macd_signal: FloatArray
    rsi: FloatArray
    atr: FloatArray
    bollinger_upper: FloatArray
    bollinger_middle: FloatArray
    bollinger_lower: FloatArray
    bandwidth: FloatArray
    percent_b: FloatArray
    deviations: FloatArray
    vwap: FloatArray


def bars_needed(periods: Indicators, timeframe_minutes: int) -> int:
    """Bars until every indicator has a value that does not hang on where the window began.

    An average of period n over its own seed still carries (1 - 2/(n + 1))^k of it after k bars (Wilder's:
    (1 - 1/n)^k); k is chosen so that a tenth is left. With the default periods that is 64, all of it MACD's.
    """
    exponential = _FORGOTTEN / 2
    slowest = max(periods.macd_slow_period, periods.macd_signal_period)
    return max(
        periods.ema_slow_period + math.ceil(exponential * periods.ema_slow_period),
        periods.macd_slow_period + periods.macd_signal_period - 1 + math.ceil(exponential * slowest),
        periods.rsi_period + 1 + math.ceil(_FORGOTTEN * periods.rsi_period),
        periods.atr_period + 1 + math.ceil(_FORGOTTEN * periods.atr_period),
        periods.bollinger_period + 1,
        2 * periods.pivot_bars + 1,
        vwap_bars(periods, timeframe_minutes),
    )


def vwap_bars(periods: Indicators, timeframe_minutes: int) -> int:
    """Bars under the VWAP; at least one, where a bar is longer than its span."""
    return max(1, round(periods.vwap_minutes / timeframe_minutes))


def vwap(quote_volume: FloatArray, volume: FloatArray, bars: int) -> FloatArray:
    """Volume-weighted average price over a rolling span: quote volume traded per unit of base volume.

    Args:
        quote_volume: per bar, in quote currency. With no quote volume at hand, typical price times volume.
        volume: per bar, in base currency.
        bars: length of the span.

    Returns:
        A column of the same length; NaN in the first ``bars - 1`` rows and where nothing traded.
    """
    result = np.full(len(volume), np.nan)
    if len(volume) >= bars:
        # Summed window by window: a running sum would leave a rounding residue where nothing traded.
        span = np.ones(bars)
        traded = np.convolve(volume, span, "valid")
        result[bars - 1 :] = np.convolve(quote_volume, span, "valid") / np.where(traded > 0, traded, np.nan)
    return result


def rsi(close: FloatArray, period: int, rows: int | None = None) -> FloatArray:
    """Relative strength index, Wilder's smoothing; 50 where the last `period` changes were all zero.

    TA-Lib gives 0 for a series that never moved, which would read as a maximal buy.

    Args:
        close: closing prices.
        period: of the smoothing.
        rows: how many values are wanted, from the end; None for all.
    """
    rows = len(close) if rows is None else rows
    values = _last(talib.RSI(close, period), rows)
    span = close[-(rows + period) :]
    flat = talib.MAX(span, period + 1) == talib.MIN(span, period + 1)
    known = min(rows, len(flat))
    values[rows - known :][flat[-known:]] = 50.0
    return values


def _last(column: FloatArray, rows: int) -> FloatArray:
    """The last `rows` values, led by NaN where the column is shorter."""
    if len(column) >= rows:
        return column[-rows:]
    return np.concatenate([np.full(rows - len(column), np.nan), column])


def indicators(bars: Bars, periods: Indicators, timeframe_minutes: int, rows: int) -> IndicatorRows:
    """Compute every indicator for the last `rows` bars.

    Args:
        bars: at least one closed bar.
        periods: the tunables.
        timeframe_minutes: length of a bar.
        rows: how many bars are wanted; at most ``len(bars)``.

    Returns:
        Columns of ``rows + 1`` values, see `IndicatorRows`.
    """
    close, tail = bars.close, rows + 1
    macd, macd_signal, _ = talib.MACD(
        close, periods.macd_fast_period, periods.macd_slow_period, periods.macd_signal_period
    )
    k = periods.bollinger_deviations
    upper, middle, lower = talib.BBANDS(close, periods.bollinger_period, k, k)
    upper, middle, lower = _last(upper, tail), _last(middle, tail), _last(lower, tail)
    last_close = _last(close, tail)
    width = upper - lower
    bandwidth = width / middle
    empty = bandwidth < EMPTY_BAND
    if empty.any():
        bandwidth[empty] = 0.0
        width[empty] = np.inf  # %B and deviations become their neutral values below
    percent_b = 0.5 + (last_close - middle) / width
    span = vwap_bars(periods, timeframe_minutes)
    history = tail + span - 1
    return IndicatorRows(
        close=last_close,
        ema_fast=_last(talib.EMA(close, periods.ema_fast_period), tail),
        ema_slow=_last(talib.EMA(close, periods.ema_slow_period), tail),
        macd=_last(macd, tail),
        macd_signal=_last(macd_signal, tail),
        rsi=rsi(close, periods.rsi_period, tail),
        atr=_last(talib.ATR(bars.high, bars.low, close, periods.atr_period), tail),
        bollinger_upper=upper,
        bollinger_middle=middle,
        bollinger_lower=lower,
        bandwidth=bandwidth,
        percent_b=percent_b,
        deviations=(percent_b - 0.5) * (2 * k),
        vwap=_last(vwap(bars.quote_volume[-history:], bars.volume[-history:], span), tail),
    )

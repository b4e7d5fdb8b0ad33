"""Indicators over bars.

TA-Lib computes the recursive averages (EMA, RSI, ATR, MACD) over all bars. Only the last rows are kept, because a
decision uses no others. Indicators with a fixed window (bands, VWAP, mean volume) are computed window by window: a
running sum would accumulate rounding errors.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.agent.arithmetic import any_row
from vivienne.agent.technical import talib
from vivienne.agent.tolerance import EQUAL, settled

if TYPE_CHECKING:
    from vivienne.agent.arithmetic import Values
    from vivienne.agent.schema import Indicators
    from vivienne.market.types import Bars, FloatArray, IntArray

LEAD = 3
"""Number of bars before the first row that signals may compare with."""
EMPTY_BAND = 1e-6
"""Bandwidth below which the bands count as one line, because %B and deviations would be rounding noise."""

_FORGOTTEN = math.log(10_000)
"""A recursive average counts as settled once a ten-thousandth of its seed is left."""


class IndicatorRows(NamedTuple):
    """Indicators as columns of equal length, or as floats of one bar; NaN until the first value exists.

    Attributes:
        open, close, volume: of the bars.
        ema_fast, ema_slow, bollinger_upper, bollinger_middle, bollinger_lower, vwap, atr: in quote currency.
        ema_spread: fast minus slow average, in quote currency, without rounding noise.
        macd, macd_histogram: MACD, and MACD minus its signal line; in quote currency, without rounding noise.
        rsi: 0 to 100; 50 until the first price change.
        bandwidth: (upper - lower) / middle, a fraction.
        percent_b: 0 at the lower band, 1 at the upper band, 0.5 if the bands are one line.
        deviations: signed distance of the close from the middle band, in standard deviations.
        over_vwap, rise: close minus VWAP, and minus the close before; in quote currency, without rounding noise.
    """

    open: Values
    close: Values
    volume: Values
    ema_fast: Values
    ema_slow: Values
    ema_spread: Values
    macd: Values
    macd_histogram: Values
    rsi: Values
    atr: Values
    bollinger_upper: Values
    bollinger_middle: Values
    bollinger_lower: Values
    bandwidth: Values
    percent_b: Values
    deviations: Values
    vwap: Values
    over_vwap: Values
    rise: Values


class Led(NamedTuple):
    """The indicators that signals compare with those of earlier bars, see `IndicatorRows`.

    Each column has the values of the `LEAD` bars before the rows, followed by those of the rows.
    """

    rsi: Values
    bandwidth: Values
    percent_b: Values


class Columns(NamedTuple):
    """The input of signals and filters.

    Attributes:
        bars: from the first bar used to the last row.
        led: indicators that begin `LEAD` bars before the rows.
        now: indicators of the rows.
    """

    bars: Bars
    led: Led
    now: IndicatorRows

    @property
    def rows(self) -> int:
        """Number of bars that are decided."""
        return len(self.now.close)


def ago(led: Values, bars: int) -> Values:
    """The values `bars` bars before each row, from a column of `Columns.led`; of one row, that value."""
    return led[LEAD - bars] if isinstance(led, list) else led[LEAD - bars : len(led) - bars]


def bars_needed(periods: Indicators, timeframe_minutes: int) -> int:
    """Number of bars beyond which more bars change a level only through older support and resistance.

    After k bars, an average of period n still contains (1 - 2/(n + 1))^k of its seed, Wilder's (1 - 1/n)^k. The number
    k is chosen so that a ten-thousandth is left. With the default periods the result is 154, which the MACD needs.
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
    """Number of bars in the span of the VWAP; 1 if a bar is longer than the span."""
    return max(1, round(periods.vwap_minutes / timeframe_minutes))


@lru_cache(maxsize=64)
def _places(rows: int, length: int) -> IntArray:
    """Indexes of the values of each window."""
    return np.arange(rows)[:, np.newaxis] + np.arange(length)


def windows(values: FloatArray, length: int, rows: int) -> FloatArray:
    """The last `length` values of each of the last rows, as rows of a matrix; fewer rows if there are too few values.

    The matrix is contiguous, so every row is summed in the same order, whatever the number of rows.
    """
    tail = values[-(rows + length - 1) :]
    if rows == 1 and len(tail) == length:
        return tail[np.newaxis]
    return tail.take(_places(max(0, len(tail) - length + 1), length))


def vwap(quote_volume: FloatArray, volume: FloatArray, bars: int, rows: int) -> FloatArray:
    """Volume-weighted average price over a rolling span: quote volume traded per unit of base volume.

    Args:
        quote_volume: of each bar, in quote currency.
        volume: of each bar, in base currency.
        bars: length of the span.
        rows: number of values to return, from the end.

    Returns:
        A column of `rows` values; NaN where the span is not full or had no trades.
    """
    traded = np.add.reduce(windows(volume, bars, rows), axis=1)
    paid = np.add.reduce(windows(quote_volume, bars, rows), axis=1)
    return _last(paid / np.where(traded > 0.0, traded, np.nan), rows)


def mean_volume(columns: Columns, bars: int) -> Values:
    """Mean volume of the last `bars` bars up to each row; NaN if there are fewer, or if they had no trades."""
    if isinstance(columns.now.close, float):
        value = total(columns.bars.volume, bars) / bars
        return value if value > 0 else math.nan
    mean = np.add.reduce(windows(columns.bars.volume, bars, columns.rows), axis=1) / bars
    return _last(np.where(mean > 0, mean, np.nan), columns.rows)


def rsi(close: FloatArray, period: int, rows: int | None = None) -> FloatArray:
    """Relative strength index with Wilder's smoothing; 50 until a close differs from the one before.

    TA-Lib returns 0 for a series that never moved, which would read as a maximal buy, and for averages that have become
    very small. While the close does not change, both averages shrink by the same factor, so Wilder's value stays valid.

    Args:
        close: closing prices.
        period: period of the smoothing.
        rows: number of values to return, from the end; None for all.
    """
    rows = len(close) if rows is None else rows
    if len(close) <= period:
        return np.full(rows, np.nan)
    last = close[-rows - 1 :].tolist()
    is_moving = rows < len(close) and all(abs(now - before) > EQUAL * now for before, now in pairwise(last))
    if is_moving and min(last) >= 1.0:  # moves of this size are far above TA-Lib's threshold for zero
        return _last(talib.RSI(close, period), rows)
    # Scaling makes TA-Lib's threshold for zero relative to the price. A power of two changes no digit.
    values = talib.RSI(close * math.ldexp(1.0, -math.frexp(close[0])[1]), period)
    if is_moving:
        return _last(values, rows)
    moved = np.concatenate([[False], settled(np.diff(close), close[1:]) != 0])
    at = np.maximum.accumulate(np.where(moved, np.arange(len(close)), 0))
    stood = values[np.maximum(at, period)]
    stood[at == 0] = 50.0
    stood[:period] = np.nan
    return _last(stood, rows)


class Bands(NamedTuple):
    """Bollinger bands; see `IndicatorRows`."""

    upper: FloatArray
    middle: FloatArray
    lower: FloatArray
    bandwidth: FloatArray
    percent_b: FloatArray
    deviations: FloatArray


def bands(close: FloatArray, period: int, deviations: float, rows: int) -> Bands:
    """Bollinger bands with the population deviation.

    Args:
        close: closing prices.
        period: number of bars in the mean and the deviation.
        deviations: distance of each band from the middle, in standard deviations.
        rows: number of values to return, from the end.

    Returns:
        Columns of `rows` values.
    """
    spans = windows(close, period, rows)
    middle = np.add.reduce(spans, axis=1) / period
    apart = spans - middle[:, np.newaxis]
    half = deviations * np.sqrt(np.add.reduce(apart * apart, axis=1) / period)
    middle, half = _last(middle, rows), _last(half, rows)
    width = 2.0 * half
    bandwidth = width / middle
    empty = bandwidth < EMPTY_BAND
    if any_row(empty):
        bandwidth[empty] = 0.0
        width[empty] = np.inf  # %B and deviations become their neutral values below
    away = (_last(close, rows) - middle) / width
    return Bands(middle + half, middle, middle - half, bandwidth, 0.5 + away, away * (2.0 * deviations))


def total(column: FloatArray, bars: int) -> float:
    """Sum of the last `bars` values, added in the same order as in `windows`; NaN if there are fewer."""
    return float(np.add.reduce(column[-bars:])) if len(column) >= bars else math.nan


def _last(column: FloatArray, rows: int) -> FloatArray:
    """The last `rows` values, padded with NaN in front if the column is shorter."""
    if len(column) >= rows:
        return column[-rows:]
    return np.concatenate([np.full(rows - len(column), np.nan), column])


def indicators(bars: Bars, periods: Indicators, timeframe_minutes: int, rows: int) -> Columns:
    """Compute every indicator for the last `rows` bars.

    Args:
        bars: at least one closed bar.
        periods: the tunables of the indicators.
        timeframe_minutes: length of a bar.
        rows: number of bars; at most ``len(bars)``.
    """
    close, tail = bars.close, rows + LEAD
    macd, _, histogram = talib.MACD(
        close, periods.macd_fast_period, periods.macd_slow_period, periods.macd_signal_period
    )
    last_close = close[-rows:]
    ema_fast = talib.EMA(close, periods.ema_fast_period)[-rows:]
    ema_slow = talib.EMA(close, periods.ema_slow_period)[-rows:]
    average_price = vwap(bars.quote_volume, bars.volume, vwap_bars(periods, timeframe_minutes), rows)
    # One call removes rounding noise from all values whose sign matters.
    spread, macd, histogram, over_vwap, rise = settled(
        np.array(
            [
                ema_fast - ema_slow,
                macd[-rows:],
                histogram[-rows:],
                last_close - average_price,
                last_close - _last(close, rows + 1)[:-1],
            ]
        ),
        last_close,
    )
    led = bands(close, periods.bollinger_period, periods.bollinger_deviations, tail)
    band = Bands._make([column[LEAD:] for column in led])
    led_rsi = rsi(close, periods.rsi_period, tail)
    now = IndicatorRows(
        open=bars.open[-rows:],
        close=last_close,
        volume=bars.volume[-rows:],
        ema_fast=ema_fast,
        ema_slow=ema_slow,
        ema_spread=spread,
        macd=macd,
        macd_histogram=histogram,
        rsi=led_rsi[LEAD:],
        atr=talib.ATR(bars.high, bars.low, close, periods.atr_period)[-rows:],
        bollinger_upper=band.upper,
        bollinger_middle=band.middle,
        bollinger_lower=band.lower,
        bandwidth=band.bandwidth,
        percent_b=band.percent_b,
        deviations=band.deviations,
        vwap=average_price,
        over_vwap=over_vwap,
        rise=rise,
    )
    return Columns(bars, Led(led_rsi, led.bandwidth, led.percent_b), now)

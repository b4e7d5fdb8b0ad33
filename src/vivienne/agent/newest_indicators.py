"""The indicators of the newest bar as plain values, equal to the last bit to the last row of `indicators`.

TA-Lib and the sums over windows work on arrays here too. What is left is done with floats; see
`vivienne.agent.arithmetic`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from vivienne.agent.indicators import (
    EMPTY_BAND,
    LEAD,
    Columns,
    IndicatorRows,
    Led,
    rsi,
    total,
    vwap_bars,
    windows,
)
from vivienne.agent.technical import talib
from vivienne.agent.tolerance import settled

if TYPE_CHECKING:
    from vivienne.agent.schema import Indicators
    from vivienne.market.types import Bars, FloatArray

_TAIL = LEAD + 1


def newest_indicators(bars: Bars, periods: Indicators, timeframe_minutes: int) -> Columns:
    """Compute every indicator for the last bar.

    Args:
        bars: at least one closed bar.
        periods: the tunables of the indicators.
        timeframe_minutes: length of a bar.

    Returns:
        Columns with floats in place of arrays; those of `led` are lists.
    """
    closes, atr_period = bars.close, periods.atr_period
    macd, _, histogram = talib.MACD(
        closes, periods.macd_fast_period, periods.macd_slow_period, periods.macd_signal_period
    )
    fast = talib.EMA(closes, periods.ema_fast_period).item(-1)
    slow = talib.EMA(closes, periods.ema_slow_period).item(-1)
    close = closes.item(-1)
    average_price = _vwap(bars, vwap_bars(periods, timeframe_minutes))
    led_rsi = rsi(closes, periods.rsi_period, _TAIL).tolist()
    bands = _bands(closes, periods.bollinger_period, periods.bollinger_deviations)
    upper, middle, lower, bandwidth, percent_b, deviations = bands[-1]
    now = IndicatorRows(
        open=bars.open.item(-1),
        close=close,
        volume=bars.volume.item(-1),
        ema_fast=fast,
        ema_slow=slow,
        ema_spread=settled(fast - slow, close),
        macd=settled(macd.item(-1), close),
        macd_histogram=settled(histogram.item(-1), close),
        rsi=led_rsi[-1],
        atr=talib.ATR(bars.high, bars.low, closes, atr_period).item(-1),
        bollinger_upper=upper,
        bollinger_middle=middle,
        bollinger_lower=lower,
        bandwidth=bandwidth,
        percent_b=percent_b,
        deviations=deviations,
        vwap=average_price,
        over_vwap=settled(close - average_price, close),
        rise=settled(close - closes.item(-2), close) if len(closes) > 1 else math.nan,
    )
    led = Led(led_rsi, [band[3] for band in bands], [band[4] for band in bands])
    return Columns(bars, led, now)


def _vwap(bars: Bars, span: int) -> float:
    """See `vivienne.agent.indicators.vwap`."""
    traded = total(bars.volume, span)
    return total(bars.quote_volume, span) / traded if traded > 0.0 else math.nan


def _bands(closes: FloatArray, period: int, deviations: float) -> list[tuple[float, ...]]:
    """The values of `vivienne.agent.indicators.Bands` for the newest bar and those of the lead before it."""
    spans = windows(closes, period, _TAIL)
    middles = np.add.reduce(spans, axis=1, keepdims=True)
    middles /= period
    squared = spans - middles
    squared *= squared
    squares = np.add.reduce(squared, axis=1).tolist()
    last = closes[-len(squares) :] if squares else closes[:0]
    found = [
        _band(close, middle, of_squares, period, deviations)
        for close, middle, of_squares in zip(last.tolist(), middles.ravel().tolist(), squares, strict=True)
    ]
    return [(math.nan,) * 6] * (_TAIL - len(found)) + found if len(found) < _TAIL else found


def _band(close: float, middle: float, squares: float, period: int, deviations: float) -> tuple[float, ...]:
    half = deviations * math.sqrt(squares / period)
    width = 2.0 * half
    bandwidth = width / middle
    if bandwidth < EMPTY_BAND:
        bandwidth, width = 0.0, math.inf  # %B and deviations become their neutral values below
    away = (close - middle) / width
    return middle + half, middle, middle - half, bandwidth, 0.5 + away, away * (2.0 * deviations)

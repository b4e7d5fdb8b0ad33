"""Indicators, and the reading of one bar that signals and filters look at."""

from __future__ import annotations

from itertools import pairwise
from math import fsum, nan, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from plain.equality import EQUAL, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.types import Candle


def smoothed(values: Sequence[float], period: int, factor: float, seeded_at: int) -> list[float]:
    """An exponential average; at `seeded_at` it is the mean of the `period` values that end there, before it NaN."""
    averages = [nan] * min(seeded_at, len(values))
    if seeded_at < len(values):
        averages.append(fsum(values[seeded_at - period + 1 : seeded_at + 1]) / period)
    for value in values[seeded_at + 1 :]:
        averages.append(averages[-1] + factor * (value - averages[-1]))
    return averages


def ema(values: Sequence[float], period: int, seeded_at: int | None = None) -> list[float]:
    return smoothed(values, period, 2 / (period + 1), period - 1 if seeded_at is None else seeded_at)


def wilder(changes: Sequence[float], period: int) -> list[float]:
    """The first bar has no change, so the first value to be averaged is that of the second bar."""
    return smoothed(changes, period, 1 / period, period)


def macd_lines(closes: Sequence[float], periods: dict[str, Any]) -> tuple[list[float], list[float]]:
    """MACD and its signal line."""
    begin = periods["macd_slow_period"] - 1
    slow = ema(closes, periods["macd_slow_period"])
    fast = ema(closes, periods["macd_fast_period"], begin)
    macd = [quick - calm for quick, calm in zip(fast, slow, strict=True)]
    return macd, [nan] * min(begin, len(macd)) + ema(macd[begin:], periods["macd_signal_period"])


def rsi_line(closes: Sequence[float], period: int) -> list[float]:
    changes = [0.0, *(close - before for before, close in pairwise(closes))]
    up = wilder([max(0.0, change) for change in changes], period)
    down = wilder([max(0.0, -change) for change in changes], period)
    line, has_moved = list[float](), False
    for place, close in enumerate(closes):
        is_still = abs(changes[place]) <= EQUAL * close
        has_moved = has_moved or not is_still
        if place < period:
            line.append(nan)
        elif not has_moved:
            line.append(50.0)
        elif is_still and place > period:
            line.append(line[-1])
        else:
            line.append(100 * up[place] / (up[place] + down[place]))
    return line


def atr_line(bars: Sequence[Candle], period: int) -> list[float]:
    ranges = [0.0]
    for before, bar in pairwise(bars):
        ranges.append(max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close)))
    return wilder(ranges, period)


class Bands(NamedTuple):
    """Bollinger bands around one bar."""

    width: float
    percent_b: float
    deviations: float


def bands(closes: Sequence[float], factor: float) -> Bands:
    """The bands over these closes, for the last of them."""
    middle = fsum(closes) / len(closes)
    deviation = sqrt(fsum((close - middle) ** 2 for close in closes) / len(closes))
    width = 2 * factor * deviation / middle
    if width < 1e-6:
        return Bands(0.0, 0.5, 0.0)
    away = (closes[-1] - middle) / deviation
    return Bands(width, (away + factor) / (2 * factor), away)


class Lines(NamedTuple):
    """The recursive indicators of all bars from one anchor on."""

    ema_fast: list[float]
    ema_slow: list[float]
    macd: list[float]
    macd_signal: list[float]
    rsi: list[float]
    atr: list[float]


def lines(bars: Sequence[Candle], periods: dict[str, Any]) -> Lines:
    closes = [bar.close for bar in bars]
    return Lines(
        ema(closes, periods["ema_fast_period"]),
        ema(closes, periods["ema_slow_period"]),
        *macd_lines(closes, periods),
        rsi_line(closes, periods["rsi_period"]),
        atr_line(bars, periods["atr_period"]),
    )


class Reading(NamedTuple):
    """All that the signals and filters of one bar look at.

    Attributes:
        bar, before: the bar and the one before it.
        body: close minus open.
        ema_spread, macd, histogram: in quote currency, 0 where only noise is left.
        recent_rsi: of the three bars before.
        vwap: None if nothing was traded.
        mean_volume: of 20 bars.
    """

    bar: Candle
    before: Candle
    body: float
    ema_spread: float
    ema_slow: float
    macd: float
    histogram: float
    rsi: float
    recent_rsi: list[float]
    atr: float
    bands: Bands
    bands_before: Bands
    vwap: float | None
    mean_volume: float


def vwap_length(periods: dict[str, Any], minutes: int) -> int:
    """Bars of the VWAP."""
    rounded: int = round(periods["vwap_minutes"] / minutes)
    return max(1, rounded)


def reading(bars: Sequence[Candle], known: Lines, at: int, periods: dict[str, Any], minutes: int) -> Reading:
    """The reading of the bar at this place; there must be as many bars as a decision needs."""
    bar, before = bars[at], bars[at - 1]
    closes = [each.close for each in bars[at - periods["bollinger_period"] : at + 1]]
    traded = bars[at + 1 - vwap_length(periods, minutes) : at + 1]
    volume, paid = fsum(each.volume for each in traded), fsum(each.quote_volume for each in traded)
    return Reading(
        bar=bar,
        before=before,
        body=difference(bar.close, bar.open, bar.close),
        ema_spread=difference(known.ema_fast[at], known.ema_slow[at], bar.close),
        ema_slow=known.ema_slow[at],
        macd=difference(known.macd[at], 0.0, bar.close),
        histogram=difference(known.macd[at], known.macd_signal[at], bar.close),
        rsi=known.rsi[at],
        recent_rsi=known.rsi[at - 3 : at],
        atr=known.atr[at],
        bands=bands(closes[1:], periods["bollinger_deviations"]),
        bands_before=bands(closes[:-1], periods["bollinger_deviations"]),
        vwap=paid / volume if volume > 0 and paid > 0 else None,  # not so where it is unknown, NaN
        mean_volume=fsum(each.volume for each in bars[at - 19 : at + 1]) / 20,
    )

"""The five signals: each gives a direction (+1 long, -1 short, 0 no vote) and a strength from 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from vivienne.agent.indicators import IndicatorRows
    from vivienne.config.schema import Signals
    from vivienne.market.types import BoolArray, FloatArray


class SignalRows(NamedTuple):
    """One signal over rows.

    Attributes:
        name: as in the weights.
        direction: +1, -1 or 0, as floats.
        strength: 0 to 1.
        reading: the value the signal was read from, for the explanation.
        measure: what that value is.
    """

    name: str
    direction: FloatArray
    strength: FloatArray
    reading: FloatArray
    measure: str


def _in_atr(difference: FloatArray, atr: FloatArray) -> FloatArray:
    """A price difference in units of ATR; 0 where nothing moves, so that a dead market does not vote."""
    return difference / np.where(atr > 0, atr, np.inf)


def _vote(name: str, reading: FloatArray, full: float, measure: str) -> SignalRows:
    """Sign and size of a reading, strength 1 from `full` on."""
    return SignalRows(name, np.sign(reading), np.minimum(np.abs(reading) / full, 1.0), reading, measure)


def ema_cross(rows: IndicatorRows, tunables: Signals) -> SignalRows:
    """Sign of the fast average over the slow one; strength by their distance in ATR."""
    distance = _in_atr(rows.ema_fast[1:] - rows.ema_slow[1:], rows.atr[1:])
    return _vote("ema_cross", distance, tunables.ema_cross_full_strength, "EMA distance in ATR")


def macd(rows: IndicatorRows, tunables: Signals) -> SignalRows:
    """Sign of the MACD histogram; strength by its size in ATR."""
    histogram = _in_atr(rows.macd[1:] - rows.macd_signal[1:], rows.atr[1:])
    return _vote("macd", histogram, tunables.macd_full_strength, "MACD histogram in ATR")


def rsi(rows: IndicatorRows, tunables: Signals) -> SignalRows:
    """Reversal: long when oversold, short when overbought, stronger the further it went."""
    reading = rows.rsi[1:]
    depth = np.minimum(reading, 100.0 - reading)
    strength = np.interp(depth, (tunables.rsi_full, tunables.rsi_half, tunables.rsi_begin), (1.0, 0.5, 0.0))
    direction = np.where(depth < tunables.rsi_begin, np.sign(50.0 - reading), 0.0)
    return SignalRows("rsi", direction, strength, reading, "RSI")


def bb_bounce(rows: IndicatorRows, bars_open: FloatArray, tunables: Signals) -> SignalRows:
    """Back inside a band with a candle that turns: %B was below 0, is not any more, and the bar is green; mirrored."""
    before, now = rows.percent_b[:-1], rows.percent_b[1:]
    body = rows.close[1:] - bars_open
    up = (before < 0) & (now >= 0) & (body > 0)
    down = (before > 1) & (now <= 1) & (body < 0)
    return _excursion("bb_bounce", up, down, before, tunables.bb_bounce_full_strength, "%B of the bar before")


def bb_breakout(rows: IndicatorRows, tunables: Signals) -> SignalRows:
    """Close outside a band while the bands widen: a vote in the direction of the break."""
    now = rows.percent_b[1:]
    widening = rows.bandwidth[1:] > rows.bandwidth[:-1]
    up, down = widening & (now > 1), widening & (now < 0)
    return _excursion("bb_breakout", up, down, now, tunables.bb_breakout_full_strength, "%B")


def _excursion(
    name: str, up: BoolArray, down: BoolArray, percent_b: FloatArray, full: float, measure: str
) -> SignalRows:
    """A vote of at least half strength, more the further %B went outside 0..1."""
    direction = up.astype(np.float64) - down
    overshoot = np.maximum(-percent_b, percent_b - 1.0)
    strength = np.where(up | down, 0.5 + 0.5 * np.minimum(overshoot / full, 1.0), 0.0)
    return SignalRows(name, direction, strength, percent_b, measure)


def signals(rows: IndicatorRows, bars_open: FloatArray, tunables: Signals) -> tuple[SignalRows, ...]:
    """All five, in the order of the weights."""
    return (
        ema_cross(rows, tunables),
        macd(rows, tunables),
        rsi(rows, tunables),
        bb_bounce(rows, bars_open, tunables),
        bb_breakout(rows, tunables),
    )

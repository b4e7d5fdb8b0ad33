"""Measures that several filters use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vivienne.agent.filters.base import Check, Measure

if TYPE_CHECKING:
    from vivienne.agent.filters.base import Scene
    from vivienne.agent.indicators import IndicatorRows
    from vivienne.market.types import FloatArray


def trend_of(now: IndicatorRows) -> FloatArray:
    """Trend of each row: +1 if MACD is above its signal line and above 0, -1 if it is below both, else 0."""
    side = np.sign(now.macd)
    return np.where(side * np.sign(now.macd_histogram) > 0.0, side, 0.0)


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """The part divided by the whole; NaN where the whole is not above 0."""
    return part / np.where(whole > 0.0, whole, np.nan)


def _trades_per_minute(scene: Scene) -> FloatArray:
    return scene.columns.bars.trade_count[-len(scene.side) :] / scene.timeframe_minutes


def _average_trade(scene: Scene) -> FloatArray:
    bars, rows = scene.columns.bars, len(scene.side)
    return ratio(bars.quote_volume[-rows:], bars.trade_count[-rows:])


TREND_AHEAD = Measure(
    "trend_ahead",
    "trend in the direction of the entry",
    "direction",
    lambda scene: scene.trend * scene.side,
)
TRADES_PER_MINUTE = Measure("trades_per_minute", "trades per minute", "per_minute", _trades_per_minute)
AVERAGE_TRADE = Measure("average_trade", "average trade", "quote", _average_trade)
OVER_VWAP = Measure("over_vwap", "close over VWAP", "price_difference", lambda scene: scene.columns.now.over_vwap)

AGAINST_TREND = Check(TREND_AHEAD, "<", 0.0, ("against the trend", "not against the trend"))

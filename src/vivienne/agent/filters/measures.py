"""Measures that several filters use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.agent.arithmetic import sign, where
from vivienne.agent.filters.base import Check, Measure

if TYPE_CHECKING:
    from vivienne.agent.arithmetic import Values
    from vivienne.agent.filters.base import Scene
    from vivienne.agent.indicators import IndicatorRows
    from vivienne.market.types import FloatArray


def trend_of(now: IndicatorRows) -> Values:
    """Trend of each row: +1 if MACD is above its signal line and above 0, -1 if it is below both, else 0."""
    side = sign(now.macd)
    return where(side * sign(now.macd_histogram) > 0.0, side, 0.0)


def ratio(part: Values, whole: Values) -> Values:
    """The part divided by the whole; NaN where the whole is not above 0."""
    return part / where(whole > 0.0, whole, math.nan)


def of_rows(scene: Scene, column: FloatArray) -> Values:
    """The values of the rows, from a column of the bars."""
    return column.item(-1) if isinstance(scene.side, float) else column[-len(scene.side) :]


def _trades_per_minute(scene: Scene) -> Values:
    return of_rows(scene, scene.columns.bars.trade_count) / scene.timeframe_minutes


def _average_trade(scene: Scene) -> Values:
    bars = scene.columns.bars
    return ratio(of_rows(scene, bars.quote_volume), of_rows(scene, bars.trade_count))


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

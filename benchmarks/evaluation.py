"""Deciding one asset on a window of 1,000 bars, with its explanation, against the calls of TA-Lib on the same arrays.

Processor time, all in turns within each round: what else the machine does meets all of them.
"""

from __future__ import annotations

import gc
import statistics
from time import thread_time
from typing import TYPE_CHECKING

import orjson

from measuring import Figure, spread
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import explain
from vivienne.agent.levels import newest_levels
from vivienne.agent.newest import evaluate_newest
from vivienne.agent.newest_indicators import newest_indicators
from vivienne.agent.schema import Configuration
from vivienne.agent.technical import talib
from vivienne.market.bars import BarBuilder
from vivienne.market.feeds.simulated import simulated_minutes
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars, Candle

if TYPE_CHECKING:
    from collections.abc import Callable

_BARS = 1_000
_ROUNDS = 60
_CALLS = 100
_MINUTES = 15
_WANTED_US, _WANTED_RATIO = 250.0, 4.0


def measure() -> list[Figure]:
    """Measure a decision with its explanation, and its parts."""
    windows, config = _windows(), Configuration()
    decided = [evaluate_newest(window, config, _MINUTES) for window in windows]
    pairs = list(zip(decided, windows, strict=True))
    explained = [explain(one, window, config) for one, window in pairs]
    periods, buffer = config.indicators, config.filters.levels.levels_buffer_percent
    times = _in_turns(
        {
            "everything": lambda: [explain(evaluate_newest(one, config, _MINUTES), one, config) for one in windows],
            "talib": lambda: [_talib(one, config) for one in windows],
            "indicators": lambda: [newest_indicators(one, periods, _MINUTES) for one in windows],
            "levels": lambda: [newest_levels(one, periods.pivot_bars, buffer) for one in windows],
            "decision": lambda: [evaluate_newest(one, config, _MINUTES) for one in windows],
            "explanation": lambda: [explain(one, window, config) for one, window in pairs],
            "encoded": lambda: [orjson.dumps(each) for each in explained],
            "columns": lambda: [evaluate(one, config, _MINUTES).decision() for one in windows],
        }
    )
    ratios = [whole / alone for whole, alone in zip(times["everything"], times["talib"], strict=True)]
    own = [whole / alone for whole, alone in zip(times["everything"], times["indicators"], strict=True)]
    typical, ratio = statistics.median(times["everything"]), statistics.median(ratios)
    return [
        Figure(
            f"a decision on {_BARS:,} bars with its explanation", spread(times["everything"], "us", 0),
            f"<= {_WANTED_US:g} us", typical <= _WANTED_US,
        ),
        Figure("the calls of TA-Lib for all its indicators", spread(times["talib"], "us", 0)),
        Figure("the first over the second", spread(ratios, "x", 1), f"<= {_WANTED_RATIO:g} x", ratio <= _WANTED_RATIO),
        Figure("the first over the indicators as they are made here", spread(own, "x", 1)),
        Figure("the indicators as they are made here", spread(times["indicators"], "us", 0)),
        Figure("support and resistance", spread(times["levels"], "us", 0)),
        Figure("the decision, with both", spread(times["decision"], "us", 0)),
        Figure("the explanation", spread(times["explanation"], "us", 0)),
        Figure("the explanation as JSON", spread(times["encoded"], "us", 1)),
        Figure("the decision by columns, as a chart has it", spread(times["columns"], "us", 0)),
    ]  # fmt: skip


def _talib(bars: Bars, config: Configuration) -> object:
    """The same indicators of all bars: averages, MACD, RSI, ATR, bands, VWAP, and the extremes that pivots are."""
    periods, close, around = config.indicators, bars.close, 2 * config.indicators.pivot_bars + 1
    talib.EMA(close, periods.ema_fast_period)
    talib.EMA(close, periods.ema_slow_period)
    talib.MACD(close, periods.macd_fast_period, periods.macd_slow_period, periods.macd_signal_period)
    talib.RSI(close, periods.rsi_period)
    talib.ATR(bars.high, bars.low, close, periods.atr_period)
    talib.BBANDS(close, periods.bollinger_period, periods.bollinger_deviations, periods.bollinger_deviations)
    span = periods.vwap_minutes // _MINUTES
    talib.SUM(bars.quote_volume, span)
    talib.SUM(bars.volume, span)
    talib.MAX(bars.high, around)
    return talib.MIN(bars.low, around)


def _in_turns(works: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Microseconds of a call of each, round by round."""
    times: dict[str, list[float]] = {name: [] for name in works}
    before = gc.get_threshold()
    gc.set_threshold(10_000)  # about as in a server
    gc.freeze()
    for _ in range(_ROUNDS):
        for name, work in works.items():
            begin = thread_time()
            work()
            times[name].append((thread_time() - begin) / _CALLS * 1e6)
    gc.unfreeze()
    gc.set_threshold(*before)
    return times


def _windows() -> list[Bars]:
    """Windows that move on by a bar each."""
    builder = BarBuilder(Timeframe.M15)
    minutes = simulated_minutes("BTC", 1)
    closed: list[Candle] = []
    while len(closed) < _BARS + _CALLS:
        bar = builder.add(next(minutes))
        if bar is not None:
            closed.append(bar)
    whole = Bars.from_candles(closed)
    return [whole[begin : begin + _BARS] for begin in range(_CALLS)]

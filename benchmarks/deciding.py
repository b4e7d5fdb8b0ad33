"""Decisions of one asset on 1,000 bars with their explanations, and the calls of TA-Lib on the same arrays.

    python benchmarks/deciding.py ROUNDS

Prints the microseconds of both in each round as JSON. It runs with the interpreter of any checkout: a version that
cannot decide the newest bar alone decides by columns.
"""

from __future__ import annotations

import gc
import json
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from time import thread_time
from typing import TYPE_CHECKING, Any

from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import explain
from vivienne.agent.schema import Configuration
from vivienne.market.bars import BarBuilder
from vivienne.market.feeds.simulated import simulated_minutes
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars, Candle

if TYPE_CHECKING:
    from collections.abc import Callable

BARS = 1_000
CALLS = 100
MINUTES = 15
_NEWEST = "vivienne.agent.newest"


def indicators_alone(bars: Bars, config: Configuration) -> object:
    """The same indicators of all bars: averages, MACD, RSI, ATR, bands, VWAP, and the extremes that pivots are."""
    periods, close, around = config.indicators, bars.close, 2 * config.indicators.pivot_bars + 1
    _bare("EMA")(close, periods.ema_fast_period)
    _bare("EMA")(close, periods.ema_slow_period)
    _bare("MACD")(close, periods.macd_fast_period, periods.macd_slow_period, periods.macd_signal_period)
    _bare("RSI")(close, periods.rsi_period)
    _bare("ATR")(bars.high, bars.low, close, periods.atr_period)
    _bare("BBANDS")(close, periods.bollinger_period, periods.bollinger_deviations, periods.bollinger_deviations)
    span = periods.vwap_minutes // MINUTES
    _bare("SUM")(bars.quote_volume, span)
    _bare("SUM")(bars.volume, span)
    _bare("MAX")(bars.high, around)
    return _bare("MIN")(bars.low, around)


@cache
def _bare(name: str) -> Any:
    """A function of TA-Lib, without the check for series of pandas that it has where pandas is loaded."""
    found = getattr(sys.modules["talib._ta_lib"], name)  # as the program has loaded it
    return getattr(found, "__wrapped__", found)


def in_rounds(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Microseconds of a call of each, round by round."""
    times: dict[str, list[float]] = {name: [] for name in works}
    before = gc.get_threshold()
    gc.set_threshold(10_000)  # about as in a server
    gc.freeze()
    for _ in range(rounds):
        for name, work in works.items():
            begin = thread_time()
            work()
            times[name].append((thread_time() - begin) / CALLS * 1e6)
    gc.unfreeze()
    gc.set_threshold(*before)
    return times


def windows() -> list[Bars]:
    """Windows that move on by a bar each."""
    builder = BarBuilder(Timeframe.M15)
    minutes = simulated_minutes("BTC", 1)
    closed: list[Candle] = []
    while len(closed) < BARS + CALLS:
        bar = builder.add(next(minutes))
        if bar is not None:
            closed.append(bar)
    whole = Bars.from_candles(closed)
    return [whole[begin : begin + BARS] for begin in range(CALLS)]


def main() -> None:
    """Measure and print."""
    bars, config = windows(), Configuration()
    decide: Callable[..., Any] = import_module(_NEWEST).evaluate_newest if find_spec(_NEWEST) else evaluate
    works: dict[str, Callable[[], object]] = {
        "everything": lambda: [explain(decide(one, config, MINUTES), one, config) for one in bars],
        "indicators": lambda: [indicators_alone(one, config) for one in bars],
    }
    print(json.dumps(in_rounds(works, int(sys.argv[1]))))


if __name__ == "__main__":
    main()

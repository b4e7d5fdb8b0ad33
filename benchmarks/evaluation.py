"""Evaluating one asset on a window of 1,000 bars: indicators, signals, filters, decision, explanation."""

from __future__ import annotations

import statistics
import time

from measuring import Figure, spread
from vivienne.agent.explain import explain
from vivienne.agent.indicators import indicators
from vivienne.agent.newest import evaluate_newest
from vivienne.agent.schema import Configuration
from vivienne.market.bars import BarBuilder
from vivienne.market.feeds.simulated import simulated_minutes
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars, Candle

_BARS = 1_000
_ROUNDS = 25
_CALLS = 100
_WANTED_US = 250.0


def measure() -> list[Figure]:
    """Measure whole evaluations, and the indicators among them."""
    builder = BarBuilder(Timeframe.M15)
    minutes = simulated_minutes("BTC", 1)
    closed: list[Candle] = []
    while len(closed) < _BARS + _CALLS:
        bar = builder.add(next(minutes))
        if bar is not None:
            closed.append(bar)
    whole = Bars.from_candles(closed)
    bars = [whole[begin : begin + _BARS] for begin in range(_CALLS)]
    config = Configuration()
    everything, figures = [], []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        for window in bars:
            explain(evaluate_newest(window, config, 15), window, config)
        everything.append((time.perf_counter() - begin) / _CALLS * 1e6)
        begin = time.perf_counter()
        for window in bars:
            indicators(window, config.indicators, 15, 1)
        figures.append((time.perf_counter() - begin) / _CALLS * 1e6)
    typical = statistics.median(everything)
    return [
        Figure(
            f"evaluation of one asset, {_BARS:,} bars, all included", spread(everything, "us", 0),
            f"<= {_WANTED_US:g} us", typical <= _WANTED_US,
        ),
        Figure("indicators alone", spread(figures, "us", 0)),
        Figure("evaluation over indicators", f"{typical / statistics.median(figures):.1f} x"),
    ]  # fmt: skip

"""Deciding one asset on a window of 1,000 bars, with its explanation, against the calls of TA-Lib on the same arrays.

Processor time, all in turns within each round: what else the machine does meets all of them.
"""

from __future__ import annotations

import statistics

import orjson

from deciding import BARS, MINUTES, in_rounds, indicators_alone, windows
from measuring import Figure, spread
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import explain
from vivienne.agent.levels import newest_levels
from vivienne.agent.newest import evaluate_newest
from vivienne.agent.newest_indicators import newest_indicators
from vivienne.agent.schema import Configuration

_ROUNDS = 60
_WANTED_US, WANTED_RATIO = 250.0, 4.0


def measure() -> list[Figure]:
    """Measure a decision with its explanation, and its parts."""
    bars, config = windows(), Configuration()
    decided = [evaluate_newest(window, config, MINUTES) for window in bars]
    pairs = list(zip(decided, bars, strict=True))
    explained = [explain(one, window, config) for one, window in pairs]
    periods, buffer = config.indicators, config.filters.levels.levels_buffer_percent
    times = in_rounds(
        {
            "everything": lambda: [explain(evaluate_newest(one, config, MINUTES), one, config) for one in bars],
            "talib": lambda: [indicators_alone(one, config) for one in bars],
            "indicators": lambda: [newest_indicators(one, periods, MINUTES) for one in bars],
            "levels": lambda: [newest_levels(one, periods.pivot_bars, buffer) for one in bars],
            "decision": lambda: [evaluate_newest(one, config, MINUTES) for one in bars],
            "explanation": lambda: [explain(one, window, config) for one, window in pairs],
            "encoded": lambda: [orjson.dumps(each) for each in explained],
            "columns": lambda: [evaluate(one, config, MINUTES).decision() for one in bars],
        },
        _ROUNDS,
    )
    ratios = [whole / alone for whole, alone in zip(times["everything"], times["talib"], strict=True)]
    own = [whole / alone for whole, alone in zip(times["everything"], times["indicators"], strict=True)]
    typical, ratio = statistics.median(times["everything"]), statistics.median(ratios)
    return [
        Figure(
            f"a decision on {BARS:,} bars with its explanation", spread(times["everything"], "us", 0),
            f"<= {_WANTED_US:g} us", typical <= _WANTED_US,
        ),
        Figure("the calls of TA-Lib for all its indicators", spread(times["talib"], "us", 0)),
        Figure("the first over the second", spread(ratios, "x", 1), f"<= {WANTED_RATIO:g} x", ratio <= WANTED_RATIO),
        Figure("the first over the indicators as they are made here", spread(own, "x", 1)),
        Figure("the indicators as they are made here", spread(times["indicators"], "us", 0)),
        Figure("support and resistance", spread(times["levels"], "us", 0)),
        Figure("the decision, with both", spread(times["decision"], "us", 0)),
        Figure("the explanation", spread(times["explanation"], "us", 0)),
        Figure("the explanation as JSON", spread(times["encoded"], "us", 1)),
        Figure("the decision by columns, as a chart has it", spread(times["columns"], "us", 0)),
    ]  # fmt: skip

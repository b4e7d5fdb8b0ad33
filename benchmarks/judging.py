"""Judging: how often a change is judged wrongly in markets without any edge, and how long judging takes."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from measuring import Figure, spread
from vivienne.agent.evaluate import MOST_HISTORY
from vivienne.agent.schema import Configuration
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars
from vivienne.record.columns import DecidedBars
from vivienne.record.judging.account import account
from vivienne.record.judging.anew import Deciding, decided_anew, usual_size
from vivienne.record.judging.comparing import compare
from vivienne.record.judging.confidence import ERROR_RATE
from vivienne.record.judging.costs import Costs
from vivienne.record.judging.scores import Pair
from vivienne.record.judging.version_outcome import Predecessor, version_outcome
from vivienne.slices import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_TIMEFRAME = Timeframe.M15
_LENGTH = _TIMEFRAME.milliseconds
_MONTH_BARS = 30 * 96
_ROUNDS = 15
_EDGES = 60
_RIGHT = 0.58
"""How often the version with an edge has the right side."""
_COSTS = Costs(fee=5, slippage=1)
_FREE = Costs(0, 0)
_Document = dict[str, dict[str, object]]
_EAGER: _Document = {"settings": {"state_threshold_loaded": 20, "state_threshold_aim": 40, "state_threshold_bang": 60}}
_OPEN: _Document = {
    "filters": {
        "volatility": {"enable_bollinger_filter_for_entry": False},
        "trend": {"enable_trend_filter_for_entry": False},
        "levels": {"enable_levels_filter_for_entry": False},
        "underused_alpha": {"enabled": False},
        "combined_vwap": {"enabled": False},
    }
}
_FOLLOWING: _Document = {"signal_weights": {"rsi": 0, "bb_bounce": 0}}
_SIZES = {"position_size_loaded": 5, "position_size_aim": 10, "position_size_bang": 25}
"""Sizes that a trader might use."""
_CHANGES: tuple[tuple[_Document, _Document], ...] = (
    ({}, _OPEN),
    (_EAGER | _OPEN, _OPEN),
    (_EAGER | _OPEN, _EAGER | _OPEN | _FOLLOWING),
    (_EAGER, _EAGER | _OPEN),
)
"""Pairs of configurations that are compared: filters off, thresholds, weights, and filters off with many entries."""


class _Wrong(NamedTuple):
    """Counts over many histories.

    Attributes:
        better, worse: histories with that verdict after some bar, without costs.
        missed: histories whose band, with costs, misses the true mean after some bar.
        different: mean number of bars on which the positions differ.
        cut: mean number of bars beyond the bound.
    """

    better: int
    worse: int
    missed: int
    different: float
    cut: float


def measure_errors(histories: float = 1_000, bars: float = 3_000) -> list[Figure]:
    """Compare configurations in markets that give neither an edge, looking after every bar."""
    begin = time.perf_counter()
    wrong = _wrong(int(histories), int(bars))
    most = ERROR_RATE * histories
    return [
        Figure(
            f"wrong verdicts, {histories:,.0f} histories of {bars:,.0f} bars, no costs",
            f"{wrong.better} better, {wrong.worse} worse",
            f"<= {most:g}",
            wrong.better + wrong.worse <= most,
        ),
        Figure("bands that miss the true mean, with costs", str(wrong.missed), f"<= {most:g}", wrong.missed <= most),
        Figure("bars on which the two positions differ, mean", f"{wrong.different:,.0f} of {bars:,.0f}"),
        Figure("bars beyond the bound, mean", f"{wrong.cut:.2f}"),
        *_edges(int(bars)),
        Figure("time", f"{time.perf_counter() - begin:.0f} s"),
    ]


def _wrong(histories: int, count: int) -> _Wrong:
    better = worse = missed = 0
    different, cut = [], []
    for seed in range(histories):
        rng = np.random.default_rng(seed)
        recorded = _recorded(_without_edge(rng, MOST_HISTORY + count + 2))
        pair = _pair(recorded, *_CHANGES[seed % len(_CHANGES)])
        free = whole(compare({"BTC": pair}, _LENGTH, _FREE))
        paid = whole(compare({"BTC": pair}, _LENGTH, _COSTS))
        rows = np.arange(len(free.time))
        band = free.band(rows)
        better += bool((free.difference > band).any())
        worse += bool((free.difference < -band).any())
        # The true mean is minus the costs: prices are as likely to rise as to fall.
        expected = (paid.now - free.now) - (paid.before - free.before)
        missed += bool((np.abs(paid.difference - expected) > paid.band(rows)).any())
        different.append(_different(pair))
        cut.append(free.cut)
    return _Wrong(better, worse, missed, statistics.fmean(different), statistics.fmean(cut))


def _edges(count: int) -> list[Figure]:
    """How long it takes to tell a version with an edge from one that never has a position."""
    told, means = [], []
    for seed in range(_EDGES):
        rng = np.random.default_rng(seed)
        recorded = _recorded(_without_edge(rng, MOST_HISTORY + count + 2))
        flat = whole(decided_anew(recorded, Deciding(Configuration(), 0, 100.0, _TIMEFRAME), MOST_HISTORY, is_cut=True))
        opened = flat.bars.open
        coming = np.sign(np.append(opened[2:] / opened[1:-1] - 1, [0.0, 0.0]))
        side = np.where(rng.random(len(opened)) < _RIGHT, coming, -coming)
        level, size = np.full(len(opened), 2), np.full(len(opened), 10.0)
        now, then = (replace(flat, level=level, size=size, side=each) for each in (side, 0 * side))
        found = whole(compare({"BTC": Pair(now, then, MOST_HISTORY, 10.0)}, _LENGTH, _FREE))
        differences = np.diff(found.difference)
        means.append(float(differences.mean() / differences.std()))
        beyond = np.flatnonzero(found.difference > found.band(np.arange(len(found.time))))
        told.append(beyond.item(0) + 1 if len(beyond) else count + 1)
    return [
        Figure(
            f"bars until an edge of {statistics.fmean(means):.2f} deviations is told, median of {_EDGES}",
            f"{statistics.median(told):,.0f} ({sum(each <= count for each in told)} within {count:,})",
        )
    ]


def _different(pair: Pair) -> int:
    now, then = (each[pair.first :].side * each[pair.first :].size for each in (pair.now, pair.before))
    return int(np.count_nonzero(now != then))


def _pair(recorded: DecidedBars, before: _Document, now: _Document) -> Pair:
    """The bars decided with two configurations."""
    decidings = [
        Deciding(_configuration(document), number, 100.0, _TIMEFRAME) for number, document in enumerate((now, before))
    ]
    decided = [whole(decided_anew(recorded, each, MOST_HISTORY, is_cut=True)) for each in decidings]
    return Pair(decided[0], decided[1], MOST_HISTORY, max(map(usual_size, decidings)))


def _configuration(document: _Document) -> Configuration:
    return Configuration.model_validate(document | {"settings": document.get("settings", {}) | _SIZES})


def _without_edge(rng: np.random.Generator, count: int) -> Bars:
    """Bars of a market whose next price is as likely to be above the last one as below, whatever came before.

    Moves have fat tails, and calm and wild times follow each other, so that bounds and filters have something to do.
    """
    steps = 5
    noise = rng.normal(0, 0.08, count)
    calm = np.zeros(count)
    for row in range(1, count):
        calm[row] = 0.98 * calm[row - 1] + noise[row]
    deviation = 0.0025 * np.exp(calm)
    moves = rng.standard_t(4, (count, steps)) / np.sqrt(2 * steps) * deviation[:, np.newaxis]
    price = 100 * np.exp(np.cumsum(np.log1p(np.clip(moves, -0.2, 0.2)).ravel())).reshape(count, steps)
    close = price[:, -1]
    opened = np.append(100.0, close[:-1])
    trades = np.round(15 * rng.lognormal(4.5, 0.8, count) * np.exp(calm))
    quote_volume = trades * rng.lognormal(5.5, 0.8, count)
    volume = quote_volume / close
    return Bars(
        1_735_689_600_000 + _LENGTH * np.arange(count),
        opened,
        np.maximum(price.max(axis=1), opened),
        np.minimum(price.min(axis=1), opened),
        close,
        volume,
        quote_volume,
        trades,
        volume * rng.beta(8, 8, count),
    )


def _recorded(bars: Bars) -> DecidedBars:
    """Bars as they are recorded, before they are decided anew."""
    count = len(bars)
    zeros, whole_numbers = np.zeros(count), np.zeros(count, np.int64)
    yes = np.ones(count, np.bool_)
    return DecidedBars(
        bars, ~yes, yes, whole_numbers, whole_numbers, zeros, zeros, zeros, zeros, zeros, whole_numbers,
        whole_numbers, ((),),
    )  # fmt: skip


def measure() -> list[Figure]:
    """Measure the outcome of a version over 30 days of 15m bars, as a server would compute it."""
    recorded = _recorded(_without_edge(np.random.default_rng(1), MOST_HISTORY + _MONTH_BARS))
    pair = _pair(recorded, *_CHANGES[1])
    before = Deciding(Configuration(), 1, 100.0, _TIMEFRAME)

    def anew() -> Generator[None, None, DecidedBars]:
        return decided_anew(recorded, before, MOST_HISTORY, is_cut=True)

    def outcome() -> Generator[None, None, object]:
        predecessor = Predecessor(1, pair.before, pair.usual_size)
        return version_outcome("BTC", _TIMEFRAME, 0, pair.now, predecessor, _COSTS)

    def paper() -> Generator[None, None, object]:
        return account({"BTC": pair.now}, _LENGTH, _COSTS)

    def together() -> Generator[None, None, object]:
        yield from anew()
        return (yield from outcome())

    figures = []
    for name, work, wanted in (
        ("30 days decided anew with the version before", anew, None),
        ("their outcome and comparison", outcome, None),
        ("both: the outcome of a version", together, 200.0),
        ("paper account of 30 days", paper, None),
    ):
        total, pieces = _timed(work)
        typical, longest = statistics.median(total), statistics.median(pieces)
        limit = f"<= {wanted:g} ms" if wanted else ""
        figures.append(Figure(name, spread(total, "ms", 1), limit, typical <= wanted if wanted else None))
        figures.append(Figure(f"{name}: longest piece, processor", spread(pieces, "ms", 1), "<= 5 ms", longest <= 5))
    return figures


def _timed(work: Callable[[], Generator[None, None, object]]) -> tuple[list[float], list[float]]:
    """Milliseconds of each round, and of processor time of its longest piece, which other programs do not lengthen."""
    total, longest = [], []
    for _ in range(_ROUNDS):
        begin, start = time.perf_counter(), time.thread_time()
        ends = [start, *(time.thread_time() for _piece in work()), time.thread_time()]
        total.append((time.perf_counter() - begin) * 1e3)
        longest.append(max(end - before for before, end in pairwise(ends)) * 1e3)
    return total, longest

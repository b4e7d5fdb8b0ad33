"""What counting costs: a decision and a broadcast with and without it, in turns; and writing it down for `/metrics`."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

from prometheus_client import generate_latest

from measuring import Figure, percentile
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import explain
from vivienne.agent.schema import Configuration
from vivienne.market.bars import BarBuilder
from vivienne.market.feeds.simulated import simulated_minutes
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars, Candle
from vivienne.metrics.registry import Metrics
from vivienne.stream.frame import Frame
from vivienne.stream.hub import Hub
from vivienne.stream.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BARS = 1_000
_ROUNDS = 60
_DECISIONS = 20
_BROADCASTS = 500
_CLIENTS = 100
_ASSETS = 50
_LOOKS = 50


class _Uncounted(Mailbox):
    """A mailbox as it was before anything was counted."""

    def offer(self, asset: str, frame: Frame) -> None:
        if self._wants(asset):
            self._frames[asset] = frame
            self._tell()


def measure() -> list[Figure]:
    """Measure all three."""
    return [*_decisions(), *asyncio.run(_broadcasts()), *_looks()]


def _decisions() -> list[Figure]:
    bars, config, metrics = _window(), Configuration(), Metrics()

    def bare() -> None:
        for _ in range(_DECISIONS):
            evaluation = evaluate(bars, config, 15)
            explain(evaluation.row(), bars, config)
            evaluation.decision()

    def measured() -> None:
        for _ in range(_DECISIONS):
            begin = time.perf_counter()
            evaluation = evaluate(bars, config, 15)
            explain(evaluation.row(), bars, config)
            metrics.decided("BTC", evaluation.decision().level.word, time.perf_counter() - begin)

    def alone() -> None:
        for _ in range(_DECISIONS):
            metrics.decided("BTC", "idle", time.perf_counter() - time.perf_counter())

    without, with_it, counting = _in_turns(bare, measured, alone)
    return [
        Figure("a decision, measured over unmeasured", f"{with_it / without:.3f} x"),
        Figure("measuring it alone, over the decision", f"{counting / without * 100:.2f} %"),
    ]


async def _broadcasts() -> list[Figure]:
    message: Any = {"type": "asset_data", "asset": "BTC", "config_version": 1}
    frame = Frame(message)
    hub = Hub(Metrics())
    mailboxes = [hub.join() for _ in range(_CLIENTS)]
    uncounted = [_Uncounted() for _ in range(_CLIENTS)]

    def bare() -> None:
        for _ in range(_BROADCASTS):
            for mailbox in uncounted:
                mailbox.offer("BTC", frame)
            for mailbox in uncounted:
                mailbox.take_frames()

    def measured() -> None:
        for _ in range(_BROADCASTS):
            hub.broadcast("BTC", frame)
            for mailbox in mailboxes:
                mailbox.take_frames()

    without, with_it = _in_turns(bare, measured)
    return [Figure(f"a state offered to {_CLIENTS} clients, counted over not", f"{with_it / without:.2f} x")]


def _looks() -> list[Figure]:
    metrics = Metrics()
    for number in range(_ASSETS):
        for level in ("idle", "loaded", "aim", "bang"):
            metrics.decided(f"A{number}", level, 0.0003)
    times = []
    for _ in range(_LOOKS):
        begin = time.perf_counter()
        generate_latest(metrics.registry)
        times.append((time.perf_counter() - begin) * 1000)
    return [Figure(f"decisions of {_ASSETS} assets written down for /metrics, p50", f"{percentile(times, 50):.1f} ms")]


def _in_turns(*works: Callable[[], None]) -> list[float]:
    """Median seconds of each; one after the other in every round, so that what else goes on meets all of them."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(_ROUNDS):
        for work, taken in zip(works, times, strict=True):
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
    return [statistics.median(taken) for taken in times]


def _window() -> Bars:
    builder = BarBuilder(Timeframe.M15)
    minutes = simulated_minutes("BTC", 1)
    closed: list[Candle] = []
    while len(closed) < _BARS:
        bar = builder.add(next(minutes))
        if bar is not None:
            closed.append(bar)
    return Bars.from_candles(closed)

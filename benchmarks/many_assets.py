"""Thousands of assets in one process: what a state costs."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING

import psutil
from websockets.sync.client import connect

from measuring import Figure, serving, spread

if TYPE_CHECKING:
    from measuring import Serving

_ASSETS = 2_000
_ROUNDS = 5
_ROUND_SECONDS = 8.0
"""Time over which a round measures what the server uses by itself."""
_START_SECONDS = 600.0
_SETTLE_SECONDS = 5.0
"""Until nothing is left to be done of the start."""
_WANTED_US, _WANTED_ASSETS = 125.0, 8_000
_ONE_STATE_A_SECOND = ("--speed", "15")
"""The simulated market moves four times a minute."""


def names_of(count: int) -> str:
    """The names of so many assets, as `--assets` takes them."""
    return ",".join(f"A{number}" for number in range(count))


def measure(assets: float = _ASSETS) -> list[Figure]:
    """Measure processor time of the whole server over the states that it published, in rounds."""
    count = int(assets)
    with serving("--assets", names_of(count), *_ONE_STATE_A_SECOND, patience=_START_SECONDS) as running:
        time.sleep(_SETTLE_SECONDS)
        rounds = [_round(running, count) for _ in range(_ROUNDS)]
        memory = psutil.Process(running.process.pid).memory_info().rss
    costs = [cost for cost, _ in rounds]
    kept_up = statistics.median(rate for _, rate in rounds)
    cost = statistics.median(costs)
    return [
        Figure(
            f"a state of one of {count:,} assets, processor time", spread(costs, "us", 0), f"<= {_WANTED_US:g} us",
            cost <= _WANTED_US,
        ),
        Figure("states in a second, of each asset", f"{kept_up / count:.2f}"),
        Figure(
            "assets at one state a second in one process, from it", f"{1e6 / cost:,.0f}", f">= {_WANTED_ASSETS:,}",
            1e6 / cost >= _WANTED_ASSETS,
        ),
        Figure("memory of an asset, 2,500 bars", f"{memory / count / 1e6:.2f} MB"),
    ]  # fmt: skip


def _round(running: Serving, count: int) -> tuple[float, float]:
    """Microseconds of a state, and states in a second."""
    process = psutil.Process(running.process.pid)
    before, used, begin = _numbers(running.port, count), _processor_seconds(process), time.perf_counter()
    time.sleep(_ROUND_SECONDS)
    used, passed = _processor_seconds(process) - used, time.perf_counter() - begin
    states = _numbers(running.port, count) - before
    return used / states * 1e6, states / passed


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _numbers(port: int, count: int) -> int:
    """The sum of the numbers of the newest states of all assets: so many were published."""
    numbers: dict[str, int] = {}
    with connect(f"ws://127.0.0.1:{port}/ws/state", max_size=None) as client:
        while len(numbers) < count:
            message = json.loads(client.recv())
            if message["type"] == "asset_data":
                numbers[message["asset"]] = message["seq"]
    return sum(numbers.values())

"""Thousands of assets in one process: what a state costs, and whom a change for all of them keeps waiting."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
from websockets.sync.client import connect

from measuring import Figure, percentile, serving, spread

if TYPE_CHECKING:
    from measuring import Serving

_ASSETS = 2_000
_CHANGED = 10_000
_ROUNDS = 5
_ROUND_SECONDS = 8.0
_CHANGES = 5
_START_SECONDS = 600.0
_SETTLE_SECONDS = 5.0
_WANTED_US, _WANTED_ASSETS, _WANTED_MS = 125.0, 8_000, 10.0
_PATH = "/phoenix/config/vivienne/comprehensive/partial-update"
_ONE_STATE_A_SECOND = ("--speed", "15")
"""The simulated market moves four times a minute."""


def measure(assets: float = _ASSETS, changed: float = _CHANGED) -> list[Figure]:
    """Measure both, each in a server of its own."""
    return [*_states(int(assets)), *_waiting(int(changed))]


def _names(count: int) -> str:
    return ",".join(f"A{number}" for number in range(count))


def _states(count: int) -> list[Figure]:
    """Processor time of the whole server over the states that it published, in rounds."""
    with serving("--assets", _names(count), *_ONE_STATE_A_SECOND, patience=_START_SECONDS) as running:
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


def _waiting(count: int) -> list[Figure]:
    """How long a small request waits while all assets are decided with another configuration."""
    flags = ("--assets", _names(count), "--speed", "1", "--timeframe", "1m", "--window", "1500")
    with serving(*flags, patience=_START_SECONDS) as running:
        time.sleep(_SETTLE_SECONDS)
        quiet = _probed(running.port, lambda: time.sleep(1.0))
        changes = [_probed(running.port, partial(_change, running.port, number)) for number in range(_CHANGES)]
    longest = [max(waits) for waits, _ in changes]
    every = sorted(wait for waits, _ in changes for wait in waits)
    typical = statistics.median(longest)
    return [
        Figure(f"a change for all of {count:,} assets", spread([seconds for _, seconds in changes], "s")),
        Figure(
            "the longest wait of another request meanwhile", spread(longest, "ms", 1), f"<= {_WANTED_MS:g} ms",
            typical <= _WANTED_MS,
        ),
        Figure("a wait meanwhile, p50 / p99", f"{percentile(every, 50):.1f} / {percentile(every, 99):.1f} ms"),
        Figure("the longest wait in a second without a change", f"{max(quiet[0]):.1f} ms"),
    ]  # fmt: skip


def _probed(port: int, work: Any) -> tuple[list[float], float]:
    """Do work, and ask for the health every millisecond; how long the answers took, in ms, and the work, in seconds."""
    waits: list[float] = []
    is_over = threading.Event()

    def probe() -> None:
        # Of another address, and so of another caller: whoever asks for a change waits for the time that it took.
        connection = http.client.HTTPConnection("127.0.0.1", port, source_address=("127.0.0.2", 0))
        while not is_over.is_set():
            begin = time.perf_counter()
            connection.request("GET", "/health")
            connection.getresponse().read()
            waits.append((time.perf_counter() - begin) * 1000)
            time.sleep(0.001)
        connection.close()

    probing = threading.Thread(target=probe)
    probing.start()
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    is_over.set()
    probing.join()
    return waits, seconds


def _change(port: int, number: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"bang_threshold": 85 + number})
    connection.request("POST", _PATH, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(answer.read().decode())
    answer.read()
    connection.close()

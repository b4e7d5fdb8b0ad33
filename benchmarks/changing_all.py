"""A change for all of thousands of assets: how long nothing else is done during it.

Twice: a small request to a server, of another caller, in real time; and the longest piece of work between two passes of
the event loop, in processor time, which other programs on the machine do not make longer.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from many_assets import names_of
from measuring import Figure, percentile, serving, spread
from vivienne.changes.requests import ChangeRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.live.market import Market
from vivienne.market.feeds.simulated import SimulatedFeed
from vivienne.market.timeframe import Timeframe
from vivienne.roles.garbage import collect_garbage
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import Callable

_ASSETS = 10_000
_CHANGES = 5
_START_SECONDS = 600.0
_SETTLE_SECONDS = 5.0
"""Until nothing is left to be done of the start."""
_QUIET_SECONDS, _BETWEEN_SECONDS = 1.0, 0.001
"""For which it is asked without a change, and between two requests."""
_SWITCH_SECONDS = 0.0001
"""That of the server."""
_SHORT_SECONDS = 0.0002
"""Pieces that are shorter are not counted: a pass in which nothing is done is one."""
_WANTED_MS = 10.0
_PATH = "/phoenix/config/vivienne/comprehensive/partial-update"


def measure(assets: float = _ASSETS) -> list[Figure]:
    """Measure both."""
    return [*asyncio.run(_pieces(int(assets))), *_waiting(int(assets))]


async def _pieces(count: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        names = tuple(names_of(count).split(","))
        service = ConfigService(SqliteRevisionStore(Path(folder) / "bench.db"), names)
        feed = SimulatedFeed(names, seed=1, speed=1.0, timeframe_minutes=1)
        board = StateBoard(Hub(service.metrics))
        market = Market(feed, service, board, timeframe=Timeframe.M1, window=1_500, price_interval=0.1)
        gc.freeze()  # as in a server
        sys.setswitchinterval(_SWITCH_SECONDS)
        collecting = asyncio.create_task(collect_garbage())
        await asyncio.sleep(1.0)
        changes = [await _longest_piece(service, number) for number in range(_CHANGES)]
        collecting.cancel()
        gc.unfreeze()
        await service.close()
        assert market.assets == names
    longest = [piece for piece, _ in changes]
    typical = statistics.median(longest)
    return [
        Figure(
            f"a change for all of {count:,}, its longest piece", spread(longest, "ms", 1), f"<= {_WANTED_MS:g} ms",
            typical <= _WANTED_MS,
        ),
        Figure("the whole of it for each asset, processor time", spread([each for _, each in changes], "us", 0)),
    ]  # fmt: skip


async def _longest_piece(service: ConfigService, number: int) -> tuple[float, float]:
    """Milliseconds of the longest piece of a change, and microseconds for each asset."""
    pieces: list[float] = []

    async def passes() -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            if now - before > _SHORT_SECONDS:
                pieces.append((now - before) * 1000)
            before = now

    watching = asyncio.create_task(passes())
    await asyncio.sleep(0.1)
    pieces.clear()
    await service.change(ChangeRequest(Update({"bang_threshold": 85 + number}, partial=True), channel="bench"))
    watching.cancel()
    return max(pieces), sum(pieces) * 1000 / len(service.assets)


def _waiting(count: int) -> list[Figure]:
    """How long a small request waits while all assets are decided with another configuration."""
    flags = ("--assets", names_of(count), "--speed", "1", "--timeframe", "1m", "--window", "1500")
    with serving(*flags, patience=_START_SECONDS) as running:
        time.sleep(_SETTLE_SECONDS)
        quiet = _probed(running.port, partial(time.sleep, _QUIET_SECONDS))
        changes = [_probed(running.port, partial(_change, running.port, number)) for number in range(_CHANGES)]
    longest = [max(waits) for waits, _ in changes]
    every = sorted(wait for waits, _ in changes for wait in waits)
    typical = statistics.median(longest)
    return [
        Figure(f"a change for all of {count:,} assets", spread([seconds for _, seconds in changes], "s")),
        Figure(
            "the longest wait of another request during it", spread(longest, "ms", 1), f"<= {_WANTED_MS:g} ms",
            typical <= _WANTED_MS,
        ),
        Figure("a wait during it, p50 / p99", f"{percentile(every, 50):.1f} / {percentile(every, 99):.1f} ms"),
        Figure("the longest wait in a second without a change", f"{max(quiet[0]):.1f} ms"),
    ]  # fmt: skip


def _probed(port: int, work: Callable[[], object]) -> tuple[list[float], float]:
    """Do work, and ask for the health every millisecond; how long the answers took, in ms, and the work, in seconds."""
    waits: list[float] = []
    is_over = threading.Event()

    def probe() -> None:
        # Of another address, and so of another caller: the one that asks for a change waits for the time that it took.
        connection = http.client.HTTPConnection("127.0.0.1", port, source_address=("127.0.0.2", 0))
        while not is_over.is_set():
            begin = time.perf_counter()
            connection.request("GET", "/health")
            connection.getresponse().read()
            waits.append((time.perf_counter() - begin) * 1000)
            time.sleep(_BETWEEN_SECONDS)
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

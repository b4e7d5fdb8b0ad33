"""Handshakes a second, and the memory of clients that are connected."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psutil

from fanout.candidates import REFERENCE
from fanout.rows import Row
from turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanout.candidates import Candidate, Running, Vivienne
    from fanout.scene import Scene

_ASSETS = ("BTC", "ETH", "SOL")
_SUBSCRIPTION = '{"type":"subscribe","assets":["BTC"]}'
_FIRST = 100
"""Clients before those whose memory is measured: what is made once is not theirs."""
_HANDSHAKES = 500
"""In a turn, at most."""
_MOST_KB, _MEMORY_ROUNDS = 16.0, 3
_SETTLE_SECONDS = 1.0
"""Until clients have got all there is, and the server has nothing left to do for them."""
_LOOK_SECONDS, _MOST_SECONDS = 0.2, 60.0
"""Time over which a server that has noticed that its clients have left is idle, and longest time until it is."""
_IDLE = 0.02
"""Part of the time of a core that a server takes whose clients have left."""
_LEAST_HANDSHAKES = 2_500.0


def measure_handshakes(scene: Scene) -> Iterator[Row]:
    """Many clients connect, and get a first state."""
    clients = min(_HANDSHAKES, scene.sizes.clients)
    rates = {each.name: list[float]() for each in scene.candidates}
    by_clock = {each.name: list[float]() for each in scene.candidates}
    with ExitStack() as opened:
        running: dict[str, tuple[Candidate, Running]] = {
            each.name: (each, opened.enter_context(each.saturated(_ASSETS[:1]))) for each in scene.candidates
        }
        for name in in_turns(list(running), scene.sizes.rounds):
            candidate, server = running[name]
            begin = server.processor_seconds()
            with scene.crowd(candidate, server, clients) as crowd:
                rates[name].append(clients / (server.processor_seconds() - begin))
                by_clock[name].append(clients / crowd.opened)
            _wait_until_idle(server)
    besides = {name: f"{statistics.median(found):,.0f} by the clock" for name, found in by_clock.items()}
    yield Row("handshakes", "/s", rates, at_least=_LEAST_HANDSHAKES, besides=besides)


def _wait_until_idle(server: Running) -> None:
    """Wait until a server has noticed that its clients have left."""
    used, deadline = server.processor_seconds(), time.monotonic() + _MOST_SECONDS
    while time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        used, before = server.processor_seconds(), used
        if used - before <= _LOOK_SECONDS * _IDLE:
            return
    raise RuntimeError(f"the server is not idle {_MOST_SECONDS:g} s after its clients have left")


def measure_memory(scene: Scene) -> Iterator[Row]:
    """Memory of clients that have got their states and are told nothing more."""
    sizes = {each.name: list[float]() for each in scene.candidates if each.name != REFERENCE}
    programs = {each.name: each for each in scene.programs}
    for name in in_turns(list(programs), min(scene.sizes.rounds, _MEMORY_ROUNDS)):
        sizes[name].append(_memory(scene, programs[name]))
    yield Row("memory for each idle client", "kB", sizes, digits=1, most=_MOST_KB)


def _memory(scene: Scene, program: Vivienne) -> float:
    with program.saturated(_ASSETS) as server:
        process = psutil.Process(server.process)
        with scene.crowd(program, server, _FIRST, _SUBSCRIPTION):
            time.sleep(_SETTLE_SECONDS)
            before = process.memory_info().rss
            with scene.crowd(program, server, scene.sizes.idle, _SUBSCRIPTION):
                time.sleep(_SETTLE_SECONDS)
                return (process.memory_info().rss - before) / scene.sizes.idle / 1000

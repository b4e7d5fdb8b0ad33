"""A change for all of thousands of assets: how long nothing else is done during it.

Twice: a small request to a server, of another caller, in real time; and the longest piece of work between two passes of
the event loop (`changing_pieces.py`).
"""

from __future__ import annotations

import asyncio
import http.client
import json
import statistics
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from changing_pieces import pieces
from many_assets import names_of
from measuring import Figure, percentile, serving, spread

if TYPE_CHECKING:
    from collections.abc import Callable

_ASSETS = 10_000
_CHANGES = 5
START_SECONDS = 600.0
SETTLE_SECONDS = 5.0
"""Until nothing is left to be done of the start."""
_QUIET_SECONDS, _BETWEEN_SECONDS = 1.0, 0.001
"""For which it is asked without a change, and between two requests."""
WANTED_MS = 10.0
_PATH = "/phoenix/config/vivienne/comprehensive/partial-update"


def measure(assets: float = _ASSETS) -> list[Figure]:
    """Measure both."""
    return [*_pieces(int(assets)), *_waiting(int(assets))]


def _pieces(count: int) -> list[Figure]:
    changes = asyncio.run(pieces(count, _CHANGES))
    longest = [piece for piece, _ in changes]
    typical = statistics.median(longest)
    return [
        Figure(
            f"a change for all of {count:,}, its longest piece", spread(longest, "ms", 1), f"<= {WANTED_MS:g} ms",
            typical <= WANTED_MS,
        ),
        Figure("the whole of it for each asset, processor time", spread([each for _, each in changes], "us", 0)),
    ]  # fmt: skip


def _waiting(count: int) -> list[Figure]:
    """How long a small request waits while all assets are decided with another configuration."""
    with serving(*flags_of(count), patience=START_SECONDS) as running:
        time.sleep(SETTLE_SECONDS)  # the work of the start ends in it, and nothing tells when
        quiet = _probed(running.port, partial(time.sleep, _QUIET_SECONDS))
        changes = [waits_in_change(running.port, number) for number in range(_CHANGES)]
    longest = [max(waits) for waits, _ in changes]
    every = sorted(wait for waits, _ in changes for wait in waits)
    typical = statistics.median(longest)
    return [
        Figure(f"a change for all of {count:,} assets", spread([seconds for _, seconds in changes], "s")),
        Figure(
            "the longest wait of another request during it", spread(longest, "ms", 1), f"<= {WANTED_MS:g} ms",
            typical <= WANTED_MS,
        ),
        Figure("a wait during it, p50 / p99", f"{percentile(every, 50):.1f} / {percentile(every, 99):.1f} ms"),
        Figure("the longest wait in a second without a change", f"{max(quiet[0]):.1f} ms"),
    ]  # fmt: skip


def flags_of(count: int) -> tuple[str, ...]:
    """The flags of a server with so many assets whose prices hardly move."""
    return ("--assets", names_of(count), "--speed", "1", "--timeframe", "1m", "--window", "1500")


def waits_in_change(port: int, number: int) -> tuple[list[float], float]:
    """Milliseconds for which small requests wait during a change for all, and its seconds.

    Args:
        port: of the server.
        number: of the change; each sets something else.
    """
    return _probed(port, partial(_change, port, number))


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
            time.sleep(_BETWEEN_SECONDS)  # the requests must not load the server that they measure
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

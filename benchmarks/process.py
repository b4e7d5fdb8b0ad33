"""Start of the process and its memory, with ten assets."""

from __future__ import annotations

import statistics
import time

import psutil

from measuring import Figure, serving, spread

_ASSETS = "BTC,ETH,SOL,XRP,ADA,DOGE,DOT,LTC,LINK,AVAX"
_ROUNDS = 5
_SETTLE_SECONDS = 5
_WANTED_S, _WANTED_MB = 2.0, 150.0


def measure() -> list[Figure]:
    """Measure starts, and memory after a few seconds of a live market."""
    starts, small = [], []
    for _ in range(_ROUNDS):
        with serving() as running:
            small.append(running.seconds)
        with serving("--assets", _ASSETS) as running:
            starts.append(running.seconds)
    with serving("--assets", _ASSETS) as running:
        time.sleep(_SETTLE_SECONDS)
        memory = psutil.Process(running.process.pid).memory_info().rss / 1e6
    typical = statistics.median(small)
    return [
        Figure("process start to /health, 3 assets", spread(small, "s"), f"<= {_WANTED_S:g} s", typical <= _WANTED_S),
        Figure("process start to /health, 10 assets", spread(starts, "s")),
        Figure("resident memory, 10 assets", f"{memory:.0f} MB", f"<= {_WANTED_MB:g} MB", memory <= _WANTED_MB),
    ]

"""Start of the process and its memory, with ten assets; and the shortest command."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
from websockets.sync.client import connect

from measuring import Figure, serving, spread

if TYPE_CHECKING:
    from measuring import Serving

_ASSETS = "BTC,ETH,SOL,XRP,ADA,DOGE,DOT,LTC,LINK,AVAX"
_ROUNDS = 5
_SETTLE_SECONDS = 5
"""Until nothing is left to be done of the start, which takes memory for a while."""
_WANTED_S, WANTED_STATE_S, WANTED_HELP_S, _WANTED_MB = 2.0, 1.0, 0.2, 150.0


def measure() -> list[Figure]:
    """Measure starts, and memory after a few seconds of a live market."""
    starts, small, states, used = [], [], [], []
    for _ in range(_ROUNDS):
        with serving() as running:
            small.append(running.seconds)
            states.append(until_first_state(running))
            used.append(sum(psutil.Process(running.process.pid).cpu_times()[:2]))
        with serving("--assets", _ASSETS) as running:
            starts.append(running.seconds)
    with serving("--assets", _ASSETS) as running:
        time.sleep(_SETTLE_SECONDS)
        memory = psutil.Process(running.process.pid).memory_info().rss / 1e6
    typical, state = statistics.median(small), statistics.median(states)
    helps = [helping() for _ in range(2 * _ROUNDS + 1)]
    helped = statistics.median(wall for wall, _ in helps)
    return [
        Figure("process start to /health, 3 assets", spread(small, "s"), f"<= {_WANTED_S:g} s", typical <= _WANTED_S),
        Figure(
            "process start to the first state, 3 assets", spread(states, "s"), f"<= {WANTED_STATE_S:g} s",
            state <= WANTED_STATE_S,
        ),
        Figure("the same, processor time", spread(used, "s")),
        Figure(
            "vivienne --help", spread([wall for wall, _ in helps], "s"), f"<= {WANTED_HELP_S:g} s",
            helped <= WANTED_HELP_S,
        ),
        Figure("the same, processor time", spread([processor for _, processor in helps], "s")),
        Figure("process start to /health, 10 assets", spread(starts, "s")),
        Figure("resident memory, 10 assets", f"{memory:.0f} MB", f"<= {_WANTED_MB:g} MB", memory <= _WANTED_MB),
    ]  # fmt: skip


def until_first_state(running: Serving) -> float:
    """Seconds from the start of a server, which has just started, to the first state that a client gets."""
    begin = time.perf_counter()
    with connect(f"ws://127.0.0.1:{running.port}/ws/state", max_size=None) as client:
        while json.loads(client.recv())["type"] != "asset_data":
            pass
    return running.seconds + time.perf_counter() - begin


def helping(python: str = sys.executable) -> tuple[float, float]:
    """Seconds until `vivienne --help` has ended, and those of the processor.

    Args:
        python: that of the checkout whose program it is.
    """
    begin, before = time.perf_counter(), psutil.Process().cpu_times()
    subprocess.run([python, "-m", "vivienne", "--help"], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - begin, psutil.Process().cpu_times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system

"""Two thousand clients lose their server at once: all are served again soon, and REST answers meanwhile."""

from __future__ import annotations

import asyncio
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import httpx

from measuring import Figure, percentile
from running import COMPREHENSIVE, PLAIN, RunningServer
from torture.crowd import Crowd
from torture.pair import Pair
from torture.progress import Progress

_FLAGS = ("--assets", "BTC,ETH,SOL", "--max-websockets-per-caller", "2100")
_WANTED_SECONDS, _WANTED_MS = 15.0, 250.0
_MOST_SECONDS = 60.0
_PAUSE_SECONDS = 0.02
_AFTERWARDS_SECONDS = 1.0


def measure(*, clients: int = 2_000, rounds: int = 3) -> list[Figure]:
    """Kill the server under its clients and start it again at the same place.

    Args:
        clients: that are connected, each of which sees all assets.
        rounds: how often.
    """
    progress = Progress("restarts", rounds)
    seconds: list[float] = []
    times: list[float] = []
    missing = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningServer(*_FLAGS, db=Path(folder) / "restart.db") as server,
        # A process of its own: what this one is busy with must not count as the server's.
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as probes,
    ):
        pair = Pair(server.port)
        for number in range(rounds):
            taken, missed, answered = asyncio.run(
                _restart(server, pair, clients, probes, Path(folder) / f"end-{number}")
            )
            seconds.append(taken)
            missing += missed
            times += answered
            progress.at(number + 1, f"{taken:.1f} s")
    slowest = max(seconds)
    p99 = percentile(times, 99) * 1000
    return [
        Figure(f"{clients:,} clients dropped, {rounds} x: not served again", f"{missing}", "0", missing == 0),
        pair.figure(),
        Figure(
            "kill to a state at the last of them, slowest round",
            f"{slowest:.1f} s",
            f"<= {_WANTED_SECONDS:g} s",
            slowest <= _WANTED_SECONDS,
            is_speed=True,
        ),
        Figure(
            "REST meanwhile, p99",
            f"{p99:.0f} ms (p50 {percentile(times, 50) * 1000:.0f}, {len(times):,} requests)",
            f"<= {_WANTED_MS:g} ms",
            p99 <= _WANTED_MS,
            is_speed=True,
        ),
    ]


async def _restart(
    server: RunningServer, pair: Pair, clients: int, probes: ProcessPoolExecutor, end: Path
) -> tuple[float, int, list[float]]:
    """Seconds until all are served, how many are not, and how long REST took while they came back."""
    crowd = Crowd(server.port, clients)
    crowd.start()
    comparing = asyncio.create_task(pair.run())
    try:
        if not await crowd.all_served(0, _MOST_SECONDS):
            raise RuntimeError(f"{crowd.unserved(0)} clients of {clients} got no state before anything was done")
        killed = time.monotonic()
        await asyncio.to_thread(server.kill)
        probing = asyncio.get_running_loop().run_in_executor(probes, _probe, server.url, end, _MOST_SECONDS)
        await asyncio.to_thread(server.start)
        await crowd.all_served(killed, _MOST_SECONDS)
        missing, taken = crowd.unserved(killed), crowd.last_served() - killed
        await pair.has_compared(_MOST_SECONDS)
        await asyncio.to_thread(end.touch)
        return taken, missing, await probing
    finally:
        comparing.cancel()
        await asyncio.gather(comparing, return_exceptions=True)
        await crowd.stop()


def _probe(url: str, end: Path, seconds: float) -> list[float]:
    """Look, change, look and so on, once at least, until there is a file; give how long each took."""
    times: list[float] = []
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=url, timeout=seconds, trust_env=False, verify=PLAIN) as http:
        while not (times and end.exists()) and time.monotonic() < deadline:
            begin = time.monotonic()
            try:
                if len(times) % 2:
                    answer = http.post(f"{COMPREHENSIVE}/partial-update", json={"position_size_bang": begin % 100})
                else:
                    answer = http.get(f"{COMPREHENSIVE}/active")
            except httpx.ConnectError:
                time.sleep(_PAUSE_SECONDS)
                continue
            answer.raise_for_status()
            times.append(time.monotonic() - begin)
            time.sleep(_PAUSE_SECONDS)
    return times

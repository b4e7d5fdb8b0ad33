"""Clients and changes for a long time: memory and file descriptors stay what they are."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from measuring import Figure
from running import COMPREHENSIVE, PLAIN, RunningServer
from torture.crowd import Crowd
from torture.progress import Progress

_FLAGS = ("--assets", "BTC,ETH,SOL")
_WANTED_MB_PER_HOUR = 1.0
_MOST_FILES = 3
"""Descriptors more or less that are no trend: requests that are under way."""
_CONNECT_SECONDS = 60.0
_SAMPLE_SECONDS = 2.0


@dataclass
class _Samples:
    """What was seen: hours since the beginning, bytes, open files."""

    hours: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def add(self, seconds: float, process: psutil.Process) -> None:
        self.hours.append(seconds / 3600)
        self.memory.append(process.memory_info().rss)
        self.files.append(process.num_fds())

    def slope(self) -> float:
        """MB an hour, by the line of least squares."""
        return statistics.linear_regression(self.hours, self.memory).slope / 1e6


def measure(*, minutes: float = 30, warm_up: float = 10, clients: int = 100, changes: float = 1) -> list[Figure]:
    """Let it run.

    Args:
        minutes: how long.
        warm_up: of them, those at the beginning that do not count.
        clients: that watch all assets.
        changes: a second, of each asset in turn.
    """
    with tempfile.TemporaryDirectory() as folder, RunningServer(*_FLAGS, db=Path(folder) / "soak.db") as server:
        samples, made, ended = asyncio.run(_soak(server, minutes * 60, warm_up * 60, clients, changes))
    slope = samples.slope()
    files = samples.files
    kept = abs(files[-1] - files[0]) <= _MOST_FILES
    return [
        Figure(f"changes made over {minutes:g} min", f"{made:,}; {ended} clients were let go", "0 let go", ended == 0),
        Figure(
            f"memory after the first {warm_up:g} min, {samples.memory[-1] / 1e6:.0f} MB: slope",
            f"{slope:+.2f} MB/h",
            f"< {_WANTED_MB_PER_HOUR:g} MB/h",
            slope < _WANTED_MB_PER_HOUR,
            is_speed=True,
        ),
        Figure(
            "open files: first, last, least, most",
            f"{files[0]}, {files[-1]}, {min(files)}, {max(files)}",
            "flat",
            kept,
        ),
    ]


async def _soak(
    server: RunningServer, seconds: float, warm_up: float, clients: int, changes: float
) -> tuple[_Samples, int, int]:
    """Samples after the warm-up, how many changes were made, and how many connections ended."""
    process = psutil.Process(server.process.pid)
    progress = Progress("seconds", seconds)
    samples = _Samples()
    crowd = Crowd(server.port, clients)
    crowd.start()
    try:
        if not await crowd.all_served(0, _CONNECT_SECONDS):
            raise RuntimeError(f"{crowd.unserved(0)} clients of {clients} got no state")
        begin = time.monotonic()
        changing = asyncio.create_task(_change(server, changes, begin + seconds))
        while (passed := time.monotonic() - begin) < seconds and not changing.done():
            if passed >= warm_up:
                samples.add(passed, process)
            progress.at(passed, f"{process.memory_info().rss / 1e6:.1f} MB, {process.num_fds()} files")
            await asyncio.sleep(min(_SAMPLE_SECONDS, seconds / 20))
        return samples, await changing, crowd.ended
    finally:
        await crowd.stop()


async def _change(server: RunningServer, changes: float, end: float) -> int:
    """Change each asset in turn until a `monotonic` moment; how many changes were made."""
    made = 0
    async with httpx.AsyncClient(
        base_url=server.url + COMPREHENSIVE, trust_env=False, verify=PLAIN, timeout=30
    ) as rest:
        while time.monotonic() < end:
            asset = ("BTC", "ETH", "SOL")[made % 3]
            answer = await rest.post("/partial-update", json={"asset_symbol": asset, "bang_threshold": 75 + made % 20})
            answer.raise_for_status()
            made += 1
            await asyncio.sleep(1 / changes)
    return made

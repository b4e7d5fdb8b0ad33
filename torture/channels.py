"""Floods on the channels of Redis, by somebody who may publish on one of them: pauses over a gateway go through."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from measuring import Figure, percentile
from postgres_server import PostgresServer
from redis_running import RunningRedis
from several import Two
from torture.aside import running
from torture.progress import Progress
from vivienne.cluster.heartbeats import AGENTS
from vivienne.cluster.logs import LOGS
from vivienne.redis.pauses import PAUSES
from vivienne.redis.publishing import CONFIG

if TYPE_CHECKING:
    from running import RunningServer

FLOODS = {
    "heartbeats": (AGENTS, b'{"agent":"zz","shard":"","assets":[],"feed":"","timeframe":"","troubles":{}}'),
    "announced pauses that are none": (PAUSES, b"x"),
    "hints of changes": (CONFIG, b"x"),
    "records of logs": (LOGS, b"x"),
}
_AT_ONCE = 1_000
_PAUSE_SECONDS = 0.05
_WANTED_MS, _WANTED_MB = 250.0, 64.0


def measure(*, seconds: float = 20.0, kinds: str = ",".join(FLOODS)) -> list[Figure]:
    """Pause and resume beside each kind of flood, as fast as Redis takes it.

    Args:
        seconds: of each.
        kinds: of `FLOODS`, with commas between.
    """
    figures: list[Figure] = []
    progress, postgres = Progress("floods of channels", len(kinds.split(","))), PostgresServer()
    try:
        postgres.start()
        with RunningRedis() as redis, Two(postgres, redis) as two:
            for kind in kinds.split(","):
                figures += _beside(two, redis, kind, seconds)
                progress.add()
    finally:
        postgres.remove()
    progress.end()
    return figures


def _beside(two: Two, redis: RunningRedis, kind: str, seconds: float) -> list[Figure]:
    processes = [psutil.Process(server.process.pid) for server in (two.gateway, two.agent)]
    quiet, _ = _pauses(two.gateway, seconds / 5)
    before = sum(process.memory_info().rss for process in processes)
    with running(_publish, redis.port, *FLOODS[kind]):
        took, failed = _pauses(two.gateway, seconds)
    grown = (sum(process.memory_info().rss for process in processes) - before) / 1e6
    two.resume()
    p99 = percentile(took, 99)
    return [
        Figure(
            f"{kind}: a pause, p99 without and with",
            f"{percentile(quiet, 99):.0f} and {p99:.0f} ms",
            f"<= {_WANTED_MS:g} ms",
            p99 <= _WANTED_MS,
            is_speed=True,
        ),
        Figure(f"{kind}: pauses that failed", f"{failed} of {len(took)}", "0", failed == 0),
        Figure(
            f"{kind}: memory of both grows by",
            f"{grown:.0f} MB",
            f"<= {_WANTED_MB:g} MB",
            grown <= _WANTED_MB,
            is_speed=True,
        ),
    ]


def _pauses(gateway: RunningServer, seconds: float) -> tuple[list[float], int]:
    """Milliseconds until each pause was answered, and how many were not made."""
    took, failed, end = list[float](), 0, time.monotonic() + seconds
    while not took or time.monotonic() < end:
        begin = time.perf_counter()
        failed += gateway.post("pause", {}).json()["status"] != "success"
        took.append((time.perf_counter() - begin) * 1000)
        failed += gateway.post("resume", {}).json()["status"] != "success"
        time.sleep(_PAUSE_SECONDS)
    return took, failed


def _publish(port: int, channel: str, message: bytes) -> None:
    parts = (b"PUBLISH", channel.encode(), message)
    command = b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while True:
            connection.sendall(command * _AT_ONCE)
            with suppress(BlockingIOError):
                while connection.recv(1 << 20, socket.MSG_DONTWAIT):
                    pass

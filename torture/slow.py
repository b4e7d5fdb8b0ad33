"""Dead and slow clients beside healthy ones: the healthy ones do not notice, and the server does not grow."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections import Counter
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from measuring import Figure
from running import RunningServer
from torture.crowd import Crowd, age, ask_for_changes, handshake
from torture.pair import Pair
from torture.progress import Progress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ASSETS = ("BTC", "ETH", "SOL", "XRP")
# More prices than are published.
_FLAGS = ("--assets", ",".join(_ASSETS), "--timeframe", "15m", "--speed", "600")
_WANTED_PERCENT, _WANTED_MB = 20.0, 64.0
_CONNECT_SECONDS = 60.0
_SETTLE_SECONDS = 2.0
_BYTES_PER_SECOND = 1_000
_RECEIVE_BUFFER = 4_096
_DEAD_SECONDS = 45.0
"""A dead client is let go after 40 s; then another one dies."""


class _Ages:
    """How old states are when a client has them, by the tenth of a millisecond."""

    def __init__(self) -> None:
        self._count: Counter[int] = Counter()
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        self._count[round(seconds * 10_000)] += 1

    def passed(self, seconds: float) -> None:
        """So long states were counted."""
        self._seconds += seconds

    def percentile(self, percent: float) -> float:
        """In milliseconds."""
        left = self._count.total() * percent / 100
        for tenths in sorted(self._count):
            left -= self._count[tenths]
            if left <= 0:
                return tenths / 10
        raise RuntimeError("no state came")

    def __str__(self) -> str:
        rate = self._count.total() / self._seconds
        return f"{self.percentile(50):.1f}, {self.percentile(99):.1f} ms ({rate:,.0f} states a second)"


class _Meter:
    """Puts the ages of states where they belong at the moment."""

    def __init__(self) -> None:
        self._into: _Ages | None = None

    def see(self, text: bytes) -> None:
        if self._into is not None:
            self._into.add(age(text))

    async def count(self, into: _Ages, seconds: float) -> None:
        """After a moment that does not count, count for so long."""
        await asyncio.sleep(_SETTLE_SECONDS)
        self._into = into
        await asyncio.sleep(seconds)
        self._into = None
        into.passed(seconds)


def measure(
    *, healthy: int = 400, slow: int = 50, dead: int = 50, updates: int = 100, minutes: float = 3, rounds: int = 3
) -> list[Figure]:
    """Measure how old states are at healthy clients, without and with the others, in turn.

    Args:
        healthy: clients that read.
        slow: clients that read 1 kB a second.
        dead: clients that neither read nor answer.
        updates: states a second, of all assets together.
        minutes: with the others; as many without.
        rounds: how often they come and go: a machine that becomes slower in that time does so for both.
    """
    flags = (*_FLAGS, "--price-interval", f"{len(_ASSETS) / updates:g}")
    alone, beside = _Ages(), _Ages()
    with tempfile.TemporaryDirectory() as folder, RunningServer(*flags, db=Path(folder) / "slow.db") as server:
        pair = Pair(server.port)
        times = (minutes * 60, rounds)
        grown, ended = asyncio.run(_rounds(server, pair, healthy, (slow, dead), (alone, beside), times))
    more = (beside.percentile(99) / alone.percentile(99) - 1) * 100
    return [
        Figure(f"age of states at {healthy} healthy clients, p50, p99", str(alone)),
        Figure(f"the same beside {dead} dead and {slow} slow ones", str(beside)),
        Figure(
            "p99 beside them, against alone",
            f"{more:+.0f} %",
            f"<= {_WANTED_PERCENT:+g} %",
            more <= _WANTED_PERCENT,
            is_speed=True,
        ),
        pair.figure(),
        Figure("healthy clients let go", f"{ended}", "0", ended == 0),
        Figure("memory grows by", f"{grown:.0f} MB", f"<= {_WANTED_MB:g} MB", grown <= _WANTED_MB, is_speed=True),
    ]


async def _rounds(
    server: RunningServer,
    pair: Pair,
    healthy: int,
    others: tuple[int, int],
    ages: tuple[_Ages, _Ages],
    times: tuple[float, int],
) -> tuple[float, int]:
    """By how many MB the process grew at most, and how many healthy clients lost their connection."""
    process = psutil.Process(server.process.pid)
    (alone, beside), (seconds, rounds) = ages, times
    progress = Progress("rounds", rounds)
    meter = _Meter()
    crowd = Crowd(server.port, healthy, meter.see)
    crowd.start()
    comparing = asyncio.create_task(pair.run())
    try:
        if not await crowd.all_served(0, _CONNECT_SECONDS):
            raise RuntimeError(f"{crowd.unserved(0)} clients of {healthy} got no state")
        sizes = []
        for number in range(rounds):
            await meter.count(alone, seconds / rounds)
            sizes.append(process.memory_info().rss)
            async with _bad_clients(server.port, *others):
                await meter.count(beside, seconds / rounds)
                sizes.append(process.memory_info().rss)
            progress.at(number + 1, f"alone {alone}, beside others {beside}")
        return (max(sizes) - sizes[0]) / 1e6, crowd.ended
    finally:
        comparing.cancel()
        await asyncio.gather(comparing, return_exceptions=True)
        await crowd.stop()


@asynccontextmanager
async def _bad_clients(port: int, slow: int, dead: int) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_read_slowly(port, changes=number % 2 > 0)) for number in range(slow)]
    tasks += [asyncio.create_task(_die(port)) for _ in range(dead)]
    try:
        yield
        broken = [task.exception() for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if broken:
        raise RuntimeError(f"{len(broken)} slow or dead clients broke off") from broken[0]


async def _read_slowly(port: int, *, changes: bool) -> None:
    """Read 1 kB a second; when the server has enough of that, connect again."""
    while True:
        with await _connected(port) as plain, suppress(ConnectionError):
            if changes:
                await asyncio.get_running_loop().sock_sendall(plain, ask_for_changes())
            while True:
                await asyncio.sleep(1)
                with suppress(BlockingIOError):
                    if not plain.recv(_BYTES_PER_SECOND):
                        break


async def _die(port: int) -> None:
    """Connect and do nothing any more; then the next one."""
    while True:
        with await _connected(port):
            await asyncio.sleep(_DEAD_SECONDS)


async def _connected(port: int) -> socket.socket:
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    plain.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(plain, ("127.0.0.1", port))
        await loop.sock_sendall(plain, handshake())
    except BaseException:  # whatever it is, such as the end of the measurement
        plain.close()
        raise
    return plain

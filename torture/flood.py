"""Connections that never say what they want, and a caller who never stops: both are limited, and others are served."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from measuring import Figure, percentile
from running import COMPREHENSIVE, RunningServer

_FLAGS = ("--assets", "BTC,ETH,SOL", "--timeframe", "1m", "--window", "1500")
_FLOODING, _OTHERS, _SILENT = "127.0.0.2", "127.0.0.3", "127.0.0.4"
"""Addresses of this machine: callers without tokens are told apart by where they come from."""
_BEGINNINGS = (
    b"",
    b"GET /ws/state HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webso",
    b"POST /phoenix/config HTTP/1.1\r\n",
)
_FLOODERS = 4
_UNAFFECTED_MS = 250.0
_PAUSE_SECONDS = 0.05


@dataclass
class _Served:
    """How somebody else is served.

    Attributes:
        reads: milliseconds each took.
        changes: the same.
        refused: what was not served.
    """

    reads: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def measure(*, half_open: int = 500, seconds: float = 60.0, per_minute: int = 600, patience: int = 5) -> list[Figure]:
    """Look how others are served, without and with both.

    Args:
        half_open: connections that say nothing or half of it.
        seconds: how long there are both.
        per_minute: changes that the flood may make.
        patience: seconds that a connection may take for its beginning.
    """
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        flags = (
            *_FLAGS,
            *("--max-changes-per-minute", str(per_minute), "--max-half-open", str(max(1, half_open // 2))),
            *("--handshake-seconds", str(patience)),
        )
        with RunningServer(*flags, db=Path(folder) / "flood.db") as server:
            alone = asyncio.run(_serve_others(server, min(seconds, 10.0)))
            served, answers, silent, closed, handshakes = asyncio.run(_together(server, half_open, seconds))
            stopped = asyncio.run(_pause_in_the_flood(server))
            tracebacks = server.log.count("Traceback")
            freed = _freed(silent)
    most = per_minute * (1 + seconds / 60)
    return [
        Figure(f"half-open connections that were closed, of {half_open:,} held open all the time", f"{closed:,}",
               "> 0", closed > 0),
        Figure("of those left at the end, closed in time", f"{freed:,} of {len(silent):,}", "all",
               freed == len(silent)),
        Figure("changes of the flood: accepted, answered 429", f"{answers[200]:,}, {answers[429]:,}",
               f"<= {most:,.0f}, > 0", answers[200] <= most and answers[429] > 0),
        Figure("other answers to it", str({code: n for code, n in answers.items() if code not in (200, 429)} or 0), "0",
               not set(answers) - {200, 429}),
        Figure("the flood may still pause", "yes" if stopped else "no", "yes", stopped),
        Figure("requests and changes of others that were refused", f"{len(served.refused)} {served.refused[:2] or ''}",
               "0", not served.refused),
        Figure("WebSockets others opened meanwhile", f"{handshakes:,}", "> 0", handshakes > 0),
        _slowed("reads", alone.reads, served.reads),
        _slowed("changes", alone.changes, served.changes),
        Figure("tracebacks", f"{tracebacks}", "0", tracebacks == 0),
    ]  # fmt: skip


def _slowed(what: str, alone: list[float], served: list[float]) -> Figure:
    before, during = percentile(alone, 99), percentile(served, 99)
    name, value = f"{what} of others, p99 without and with", f"{before:.1f} and {during:.1f} ms"
    return Figure(name, value, f"<= {_UNAFFECTED_MS:g} ms", during <= _UNAFFECTED_MS, is_speed=True)


async def _together(
    server: RunningServer, half_open: int, seconds: float
) -> tuple[_Served, Counter[int], list[socket.socket], int, int]:
    answers: Counter[int] = Counter()
    silent: list[socket.socket] = []
    closed = [0]
    handshakes = [0]
    tasks = [
        asyncio.create_task(_hold_open(server, silent, half_open, closed)),
        asyncio.create_task(_open_websockets(server, handshakes)),
        *(asyncio.create_task(_flood(server, answers)) for _ in range(_FLOODERS)),
    ]
    try:
        served = await _serve_others(server, seconds)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
    return served, answers, silent, closed[0], handshakes[0]


async def _serve_others(server: RunningServer, seconds: float) -> _Served:
    """Read and change like somebody who tunes."""
    served = _Served()
    transport = httpx.AsyncHTTPTransport(local_address=_OTHERS)
    end = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=server.url, transport=transport, timeout=10.0) as http:
        number = 0
        while time.monotonic() < end:
            number += 1
            begin = time.perf_counter()
            answer = await http.get(f"{COMPREHENSIVE}/active", params={"asset_symbol": "BTC"})
            served.reads.append((time.perf_counter() - begin) * 1000)
            if not answer.is_success:
                served.refused.append(f"{answer.status_code} {answer.text[:200]}")
            if number % 10 == 1:
                begin = time.perf_counter()
                answer = await http.post(f"{COMPREHENSIVE}/partial-update", json={"position_size_aim": number % 90 + 1})
                served.changes.append((time.perf_counter() - begin) * 1000)
                if not answer.is_success:
                    served.refused.append(f"{answer.status_code} {answer.text[:200]}")
            await asyncio.sleep(_PAUSE_SECONDS)
    return served


async def _flood(server: RunningServer, answers: Counter[int]) -> None:
    transport = httpx.AsyncHTTPTransport(local_address=_FLOODING)
    async with httpx.AsyncClient(base_url=server.url, transport=transport, timeout=30.0) as http:
        for number in range(10**9):
            answer = await http.post(f"{COMPREHENSIVE}/partial-update", json={"position_size_bang": number % 90 + 1})
            answers[answer.status_code] += 1


async def _hold_open(server: RunningServer, silent: list[socket.socket], most: int, closed: list[int]) -> None:
    """Keep so many connections that began and did not go on; each that is closed is opened again."""
    while True:
        for one in [each for each in silent if _is_closed(each)]:
            silent.remove(one)
            one.close()
            closed[0] += 1
        while len(silent) < most:
            silent.append(_begun(server, _BEGINNINGS[len(silent) % len(_BEGINNINGS)]))
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)


def _begun(server: RunningServer, beginning: bytes) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", server.port), 10.0, source_address=(_SILENT, 0))
    plain.sendall(beginning)
    plain.setblocking(False)
    return plain


def _is_closed(plain: socket.socket) -> bool:
    try:
        return plain.recv(4096) == b"" or _is_closed(plain)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


async def _open_websockets(server: RunningServer, opened: list[int]) -> None:
    """As a page does that is loaded."""
    while True:
        with contextlib.suppress(InvalidStatus):
            async with connect(f"ws://127.0.0.1:{server.port}/ws/state", local_addr=(_OTHERS, 0)) as client:
                async with asyncio.timeout(10.0):  # `wait_for` may swallow the end of the task
                    await client.recv()
                opened[0] += 1
        await asyncio.sleep(0.5)


async def _pause_in_the_flood(server: RunningServer) -> bool:
    """Whether one that may change nothing more for now can stop everything."""
    transport = httpx.AsyncHTTPTransport(local_address=_FLOODING)
    async with httpx.AsyncClient(base_url=server.url, transport=transport, timeout=30.0) as http:
        for number in range(10_000):
            if (await http.post(f"{COMPREHENSIVE}/partial-update", json={"aim_threshold": 60})).status_code == 429:
                break
            if number == 9_999:
                return False
        return (await http.post(f"{COMPREHENSIVE}/pause", json={})).is_success


def _freed(silent: list[socket.socket]) -> int:
    """How many of them are closed within `--handshake-seconds` and a little."""
    end = time.monotonic() + 15.0
    while time.monotonic() < end and not all(map(_is_closed, silent)):
        time.sleep(0.2)
    freed = sum(map(_is_closed, silent))
    for one in silent:
        one.close()
    return freed

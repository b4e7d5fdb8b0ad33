"""WebSockets that send without end what is no message, or no good one: a pause gets through, and nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import orjson

from measuring import Figure, percentile
from running import COMPREHENSIVE, RunningServer
from torture.malformed import resident_mb

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = ("--assets", "BTC,ETH,SOL", "--timeframe", "1m", "--window", "1500")
_FLOODING, _OTHERS = "127.0.0.2", "127.0.0.3"
"""Addresses of this machine: callers without tokens are told apart by where they come from."""
_UNAFFECTED_MS = 250.0
_GROWTH_MB = 64.0
_BETWEEN_SECONDS = 0.1
_AT_ONCE = 256 * 1024
_OPEN = (
    b"GET /ws/state HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_CONT, _TEXT, _PING, _PONG, _LAST = 0x0, 0x1, 0x9, 0xA, 0x80


def measure(*, seconds: float = 15.0, sockets: int = 4) -> list[Figure]:
    """Flood with each kind in turn, from so many sockets at once; each that is closed is opened again."""
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd()) as folder,
        RunningServer(*_FLAGS, db=Path(folder) / "frames.db") as server,
    ):
        asyncio.run(_pauses(server, 1.0))
        figures = [
            figure
            for name, (first, then) in _floods().items()
            for figure in asyncio.run(_under(server, name, first, then, seconds, sockets))
        ]
        tracebacks = server.log.count("Traceback")
    return [*figures, Figure("tracebacks", f"{tracebacks}", "0", tracebacks == 0)]


def _floods() -> dict[str, tuple[bytes, bytes]]:
    """By its name, how a flood begins, and what is sent again and again after it."""
    names = {f"bang_threshold{number}": number for number in range(400)}
    unknown = {"type": "config_update", "config": names, "validate_only": True}
    good = {"type": "config_update", "config": {"bang_threshold": 86}, "validate_only": True}
    return {
        "empty pongs": (b"", frame(_LAST | _PONG)),
        "pings": (b"", frame(_LAST | _PING, b"x")),
        "empty continuation frames": (frame(_TEXT, b"{"), frame(_CONT)),
        "fragments of two bytes": (frame(_TEXT, b"{"), frame(_CONT, b"  ")),
        "malformed messages": (b"", frame(_LAST | _TEXT, b"{")),
        "malformed messages of 250 kB": (b"", frame(_LAST | _TEXT, b'{"a":[' + b"[]," * 83_000 + b"[]]}")),
        "validations": (b"", frame(_LAST | _TEXT, orjson.dumps(good))),
        "validations of 400 unknown names": (b"", frame(_LAST | _TEXT, orjson.dumps(unknown))),
    }


def frame(first: int, payload: bytes = b"") -> bytes:
    """A frame of a client, under a mask of zeros."""
    length = len(payload)
    if length < 126:
        head = bytes([first, 0x80 | length])
    elif length <= 0xFFFF:
        head = struct.pack("!BBH", first, 0xFE, length)
    else:
        head = struct.pack("!BBQ", first, 0xFF, length)
    return head + bytes(4) + payload


async def _under(
    server: RunningServer, name: str, first: bytes, then: bytes, seconds: float, sockets: int
) -> list[Figure]:
    before, opened = resident_mb(server), itertools.count()
    floods = [asyncio.create_task(_flood(server, first, then, opened)) for _ in range(sockets)]
    try:
        times = await _pauses(server, seconds)
    finally:
        for flood in floods:
            flood.cancel()
        ended = await asyncio.gather(*floods, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
    grown = resident_mb(server) - before
    p99 = percentile(times, 99)
    return [
        Figure(f"{name}: a pause of others, p50 and p99", f"{percentile(times, 50):.0f} and {p99:.0f} ms "
               f"({len(times)} pauses, {next(opened)} sockets)", f"<= {_UNAFFECTED_MS:g} ms", p99 <= _UNAFFECTED_MS,
               is_speed=True),
        Figure(f"{name}: growth of memory", f"{grown:+.1f} MB", f"<= {_GROWTH_MB:g} MB", grown <= _GROWTH_MB,
               is_speed=True),
    ]  # fmt: skip


async def _pauses(server: RunningServer, seconds: float) -> list[float]:
    """Pause again and again; gives the milliseconds each took.

    Raises:
        AssertionError: one was refused.
    """
    times: list[float] = []
    end = time.monotonic() + seconds
    transport = httpx.AsyncHTTPTransport(local_address=_OTHERS)
    async with httpx.AsyncClient(base_url=server.url, transport=transport, timeout=60.0) as http:
        while time.monotonic() < end:
            begin = time.perf_counter()
            answer = await http.post(f"{COMPREHENSIVE}/pause", json={})
            times.append((time.perf_counter() - begin) * 1000)
            assert answer.is_success, f"a pause was refused: {answer.status_code} {answer.text}"
            await asyncio.sleep(_BETWEEN_SECONDS)
    return times


async def _flood(server: RunningServer, first: bytes, then: bytes, opened: Iterator[int]) -> None:
    loop = asyncio.get_running_loop()
    flood = then * max(1, _AT_ONCE // len(then))
    while True:
        with socket.socket() as plain, contextlib.suppress(ConnectionError):
            plain.setblocking(False)
            plain.bind((_FLOODING, 0))
            await loop.sock_connect(plain, ("127.0.0.1", server.port))
            await loop.sock_sendall(plain, _OPEN)
            await loop.sock_recv(plain, 65_536)
            next(opened)
            reading = asyncio.create_task(_read(plain))
            try:
                await loop.sock_sendall(plain, first)
                while not reading.done():
                    await loop.sock_sendall(plain, flood)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
        await asyncio.sleep(_BETWEEN_SECONDS)


async def _read(plain: socket.socket) -> None:
    """Take what comes until the server closes."""
    with contextlib.suppress(ConnectionError):
        while await asyncio.get_running_loop().sock_recv(plain, 65_536):
            pass

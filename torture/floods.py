"""Clients that use HTTP itself against the server: others are served beside them, and the memory stays as it is.

Each kind comes from a process and an address of its own. Meanwhile somebody else pauses, on a new connection each time,
as one does who is in a hurry.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from measuring import Figure, percentile
from running import COMPREHENSIVE, RunningServer
from torture.aside import running
from torture.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

_FLAGS = ("--assets", "BTC,ETH,SOL", "--timeframe", "1m", "--handshake-seconds", "5")
_FLOODING, _OTHERS = "127.0.0.2", "127.0.0.3"
"""Addresses of this machine: callers without tokens are told apart by where they come from."""
_WANTED_MS, _WANTED_MB = 250.0, 64.0
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 30.0
_WRITTEN_AT_ONCE = 128 * 1024
_ESTABLISHED = 1
"""The state of a connection in `tcp_info`, which Linux has first."""
_REVISIONS = 200
_FILTERS = ("volatility", "trend", "levels", "underused_alpha", "combined_vwap")
_SECTIONS = ("settings", "filters", "signal_weights", "signals", "indicators")

_HEAD = "Host: localhost\r\nContent-Type: application/json\r\n"
_CHUNKED = f"POST {COMPREHENSIVE}/validate HTTP/1.1\r\n{_HEAD}Transfer-Encoding: chunked\r\n\r\n"
_SWITCH = (
    "GET /ws/state HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@dataclass(frozen=True)
class Flood:
    """A kind of them.

    Attributes:
        first: what each connection begins with; they take turns.
        then: what it goes on with, for ever; empty for silence.
        reads: whether it reads what it is answered.
        share: of the connections that are asked for.
        answered: what it says once, when it has an answer, before it goes on; None does not wait for one.
        every: seconds between two times that it goes on; 0 for without a break.
        reset_after: seconds after which it resets the connection and comes again; None never does.
    """

    first: tuple[str, ...]
    then: str = ""
    reads: bool = True
    share: float = 1.0
    answered: str | None = None
    every: float = 0.0
    reset_after: float | None = None


_GET = "GET /health HTTP/1.1\r\nHost: localhost\r\n"
_LOGS = f"{_SWITCH.replace('/ws/state', '/ws/logs')}\r\n"
_UNKNOWN = "{" + ",".join(f'"state_threshold_{number}":1' for number in range(450)) + "}"
_PREVIEW = f"POST /phoenix/assets/BTC/preview HTTP/1.1\r\n{_HEAD}Content-Length: {len(_UNKNOWN)}\r\n\r\n{_UNKNOWN}"
_ETH = '{"asset_symbol":"ETH"}'
_OTHER_PAUSE = f"POST {COMPREHENSIVE}/pause HTTP/1.1\r\n{_HEAD}Content-Length: {len(_ETH)}\r\n\r\n{_ETH}"
_REFUSED_PAUSE = _OTHER_PAUSE.replace("\r\n\r\n", "\r\nAuthorization: Bearer unknown\r\n\r\n")

FLOODS = {
    "unfinished heads": Flood((f"{_GET}\r\n",), answered=_GET + f"a: {'b' * 650}\r\n" * 90),
    "trailers": Flood((f"{_CHUNKED}0\r\n",), "a: b\r\n" * 1_000, share=0.1),
    "handshakes with a body or an endless line": Flood(
        (
            f"{_SWITCH}Content-Length: 10\r\n\r\n",
            f"{_SWITCH}Transfer-Encoding: chunked\r\n\r\n",
            f"{_SWITCH}X: {'y' * 9_000}\r\n\r\n",
        )
    ),
    "unread pages": Flood(
        (f"GET {COMPREHENSIVE}/history?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n",), reads=False, share=0.1
    ),
    "unread files": Flood(
        ("GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n",), reads=False
    ),
    "unfinished bodies": Flood(
        (f"POST {COMPREHENSIVE}/validate HTTP/1.1\r\n{_HEAD}Content-Length: 250000\r\n\r\n{'x' * 200_000}",)
    ),
    "pipelined requests": Flood(("",), f"{_GET}\r\n" * 100, share=0.1),
    "chunks of a byte": Flood((_CHUNKED,), "1\r\n \r\n" * 1_000, share=0.1),
    "bodies of pauses byte by byte": Flood(
        (f"POST {COMPREHENSIVE}/pause HTTP/1.1\r\n{_HEAD}Content-Length: 200000\r\n\r\n",), " ", share=0.4
    ),
    "previews of 450 unknown names": Flood(("",), _PREVIEW, share=0.1),
    "pauses of another caller": Flood(("",), _OTHER_PAUSE, share=0.05),
    "pauses that are refused": Flood((_REFUSED_PAUSE,), reset_after=0.3),
    "requests that are reset": Flood((f"{_GET}\r\n",), reset_after=0.3),
    "connections that are reset": Flood(("",), reset_after=0.0),
    "log streams": Flood((_LOGS,)),
    "log streams that come again and again": Flood((_LOGS,), share=0.05, reset_after=0.1),
}


@dataclass
class _Pauses:
    """Pauses that were asked for.

    Attributes:
        milliseconds: until each was answered.
        processor: milliseconds that the server computed meanwhile; the rest it waited, for the disk or a processor.
        failed: what was answered instead.
    """

    milliseconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def measure(*, connections: int = 1_000, seconds: float = 30.0, kinds: str = ",".join(FLOODS)) -> list[Figure]:
    """Pause again and again, alone and beside each kind of flood.

    Args:
        connections: of a flood at once; some kinds have a tenth of them.
        seconds: of each.
        kinds: of `FLOODS`, with commas between.
    """
    figures: list[Figure] = []
    progress = Progress("floods", len(kinds.split(",")))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for kind in kinds.split(","):
            with RunningServer(*_FLAGS, db=Path(folder) / f"{kind}.db") as server:
                if "pages" in kind:
                    _write_history(server)
                figures += beside(server, kind, FLOODS[kind], connections, seconds)
            progress.add()
    progress.end()
    return figures


def _write_history(server: RunningServer) -> None:
    """Revisions as long as there may be, 65 kB each: every section with another note."""
    for number in range(_REVISIONS):
        note: dict[str, str] = {"description": chr(0x1F300 + number) * 500}
        document: dict[str, object] = {"description": note["description"]} | dict.fromkeys(_SECTIONS, note)
        document["filters"] = note | dict.fromkeys(_FILTERS, note)
        server.post("partial-update", document).raise_for_status()


def beside(
    server: RunningServer, kind: str, flood: Flood, connections: int, seconds: float, pause: str = "{}"
) -> list[Figure]:
    """Pause alone, and beside a flood; `pause` says what."""
    process = psutil.Process(server.process.pid)
    alone = asyncio.run(_pause(server, seconds / 5, lambda: None, pause))
    before = most = process.memory_info().rss

    def look() -> None:
        nonlocal most
        most = max(most, process.memory_info().rss)

    with running(_flood, server.port, flood, max(1, int(connections * flood.share))):
        during = asyncio.run(_pause(server, seconds, look, pause))
    look()
    p99, grown = percentile(during.milliseconds or [float("inf")], 99), (most - before) / 1e6
    quiet = percentile(alone.milliseconds or [float("inf")], 99)
    processor = percentile(during.processor or [float("inf")], 99)
    tracebacks = server.log.count("Traceback")
    return [
        Figure(
            f"{kind}: a pause, p99 without and with",
            f"{quiet:.0f} and {p99:.0f} ms ({processor:.0f} ms computed)",
            f"<= {_WANTED_MS:g} ms",
            p99 <= _WANTED_MS,
            is_speed=True,
        ),
        Figure(
            f"{kind}: memory grows by", f"{grown:.0f} MB", f"<= {_WANTED_MB:g} MB", grown <= _WANTED_MB, is_speed=True
        ),
        Figure(
            f"{kind}: pauses that failed, tracebacks",
            f"{len(during.failed)} of {len(during.milliseconds)}, {tracebacks} {''.join(during.failed)[:200]}",
            "0, 0",
            not during.failed and not tracebacks and bool(during.milliseconds),
        ),
    ]


async def _pause(server: RunningServer, seconds: float, look: Callable[[], None], what: str) -> _Pauses:
    """Pause and resume, each on a connection of its own."""
    found, process = _Pauses(), psutil.Process(server.process.pid)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        look()
        for name in ("pause", "resume"):
            begin, computed = time.perf_counter(), _computed(process)
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    wrong = await _post(server.port, name, what)
            except (OSError, TimeoutError) as error:
                wrong = repr(error)
            if name == "pause":
                found.processor.append((_computed(process) - computed) * 1000)
                found.milliseconds.append((time.perf_counter() - begin) * 1000)
            if wrong:
                found.failed.append(wrong)
        await asyncio.sleep(_PAUSE_SECONDS)
    return found


def _computed(process: psutil.Process) -> float:
    """Seconds of a processor that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def _post(port: int, name: str, what: str) -> str:
    """Pause or resume; gives what went wrong."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(_OTHERS, 0))
    try:
        head = (
            f"POST {COMPREHENSIVE}/{name} HTTP/1.1\r\n{_HEAD}Content-Length: {len(what)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(f"{head}{what}".encode())
        answer = (await reader.read()).decode()
    finally:
        writer.close()
    return "" if answer.startswith("HTTP/1.1 200 ") else answer or "no answer"


def _flood(port: int, flood: Flood, connections: int) -> None:
    asyncio.run(_connect_for_ever(port, flood, connections))


async def _connect_for_ever(port: int, flood: Flood, connections: int) -> None:
    await asyncio.gather(*(_one_after_the_other(port, flood, number) for number in range(connections)))


async def _one_after_the_other(port: int, flood: Flood, number: int) -> None:
    """A connection again and again, as soon as the server has closed the one before."""
    first = flood.first[number % len(flood.first)].encode("latin-1")
    while True:
        with contextlib.suppress(OSError), socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WRITTEN_AT_ONCE if flood.reads else 4_096)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setblocking(False)
            plain.bind((_FLOODING, 0))
            await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
            await _talk(plain, first, flood)
        await asyncio.sleep(0.05)


async def _talk(plain: socket.socket, first: bytes, flood: Flood) -> None:
    """Say all there is to say, until the server closes the connection."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(plain, first)
    if flood.reset_after is not None:
        await asyncio.sleep(flood.reset_after)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    then = flood.then.encode("latin-1")
    if flood.answered is not None:
        await loop.sock_recv(plain, 65_536)
        await loop.sock_sendall(plain, flood.answered.encode("latin-1"))
    if flood.reads:
        tasks = {asyncio.create_task(_read_on(plain))}
        if then:
            tasks.add(asyncio.create_task(_write_on(plain, then, flood.every)))
        _, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    else:
        while not _is_reset(plain):  # noqa: ASYNC110  # the kernel tells nobody who does not read
            await asyncio.sleep(0.2)


def _is_reset(plain: socket.socket) -> bool:
    """Whether the server has ended the connection, without reading from it."""
    return plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED


async def _read_on(plain: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(plain, 65_536):
        pass


async def _write_on(plain: socket.socket, then: bytes, every: float) -> None:
    while True:
        await asyncio.get_running_loop().sock_sendall(plain, then)
        await asyncio.sleep(every)

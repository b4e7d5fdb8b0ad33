"""From a change by REST to the matching `asset_data` at a connected client, the durable write included."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from measuring import Figure, percentile, serving

_CHANGES = 500
_WARM_UP = 20
_P50_MS, _P99_MS = 5.0, 20.0
_PATH = "/phoenix/config/vivienne/comprehensive/partial-update"


def measure() -> list[Figure]:
    """Measure, with a bare SQLite commit on the same disk beside it."""
    with serving("--assets", "BTC,ETH,SOL") as running:
        seen, acknowledged = asyncio.run(_changes(running.port))
    commit = _bare_commits()
    p50, p99 = percentile(seen, 50), percentile(seen, 99)
    return [
        Figure("change by REST to asset_data, p50", f"{p50:.2f} ms", f"<= {_P50_MS:g} ms", p50 <= _P50_MS),
        Figure("change by REST to asset_data, p99", f"{p99:.2f} ms", f"<= {_P99_MS:g} ms", p99 <= _P99_MS),
        Figure("the same, to the acknowledgement, p50", f"{percentile(acknowledged, 50):.2f} ms"),
        Figure("a bare SQLite commit on this disk, p50", f"{statistics.median(commit):.2f} ms"),
        Figure("change to asset_data over bare commit", f"{p50 / statistics.median(commit):.1f} x"),
    ]


async def _changes(port: int) -> tuple[list[float], list[float]]:
    seen, acknowledged = [], []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with connect(f"ws://127.0.0.1:{port}/ws/state", max_size=None) as client:
        for number in range(_WARM_UP + _CHANGES):
            body = json.dumps({"asset_symbol": "BTC", "bang_threshold": 75 + number % 20 / 10}).encode()
            head = f"POST {_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            begin = time.perf_counter()
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answered, shown = await asyncio.gather(_answer(reader), _state(client, number + 1))
            if number >= _WARM_UP:
                acknowledged.append((answered - begin) * 1000)
                seen.append((shown - begin) * 1000)
            await asyncio.sleep(0.002)
    writer.close()
    return seen, acknowledged


async def _answer(reader: asyncio.StreamReader) -> float:
    head = await reader.readuntil(b"\r\n\r\n")
    moment = time.perf_counter()
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(head.decode())
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return moment


async def _state(client: ClientConnection, version: int) -> float:
    while True:
        text = await client.recv()
        moment = time.perf_counter()
        message = json.loads(text)
        if message["asset"] == "BTC" and message["config_version"] >= version:
            return moment


def _bare_commits() -> list[float]:
    times = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        database = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=PERSIST")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE revisions (version INTEGER PRIMARY KEY, document TEXT)")
        for _ in range(200):
            begin = time.perf_counter()
            database.execute("INSERT INTO revisions (document) VALUES (?)", ("x" * 500,))
            times.append((time.perf_counter() - begin) * 1000)
        database.close()
    return times

"""Clients that go at any moment, in any way, and come again: what they see is right, and what they missed shows."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import secrets
import tempfile
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from measuring import Figure
from merging import Follower
from running import COMPREHENSIVE, PLAIN, RunningServer
from torture.malformed import resident_mb
from torture.progress import Progress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.client import ClientConnection

_ASSETS = ("BTC", "ETH", "SOL")
_FLAGS = (
    *("--assets", ",".join(_ASSETS), "--timeframe", "1m", "--window", "1500", "--speed", "300"),
    *("--price-interval", "0.02", "--max-handshakes-per-second", "1000000", "--max-changes-per-minute", "10000000"),
)
_CLIENTS = 24
_MOST_READ = 12
"""Messages before a client goes."""
_CHANGE_SECONDS = 0.2
_ANSWER_SECONDS = 30.0
_FLAT_MB = 16.0

Seen = dict[str, dict[int, bytes]]
"""By asset and `seq`, what the state looked like."""


@dataclass
class _Book:
    """What was seen.

    Attributes:
        reference: by one client that stays and reads everything.
        seen: by all others; a state that two of them saw differently is in `wrong`.
        gaps: steps between two states of a connection or over a reconnection, by how many states were passed over.
        wrong: in words, the first ones.
        version: of the newest change that was acknowledged.
    """

    reference: Seen = field(default_factory=lambda: defaultdict(dict))
    seen: Seen = field(default_factory=lambda: defaultdict(dict))
    gaps: Counter[bool] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    version: int = 0
    ways: Counter[str] = field(default_factory=Counter)

    def fault(self, text: str) -> None:
        """Note what should not be."""
        if len(self.wrong) < 100:
            self.wrong.append(text)


def measure(*, disconnects: int = 10_000, seed: int = 0) -> list[Figure]:
    """Let clients come and go while prices move and the configuration changes."""
    seed = seed or secrets.randbelow(2**31)
    book = _Book()
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd()) as folder,
        RunningServer(*_FLAGS, db=Path(folder) / "resumes.db") as server,
    ):
        before = resident_mb(server)
        asyncio.run(_run(server, book, disconnects, seed))
        left = _clients(server)
        grown = resident_mb(server) - before
        tracebacks = server.log.count("Traceback")
    _compare(book)
    states = sum(map(len, book.reference.values()))
    seen = sum(map(len, book.seen.values()))
    return [
        Figure("disconnects: " + ", ".join(f"{way} {count:,}" for way, count in sorted(book.ways.items())),
               f"{book.ways.total():,}", f"{disconnects:,}", book.ways.total() == disconnects),
        Figure("states the one who stayed saw, without a gap", f"{states:,}"),
        Figure("different states the others saw", f"{seen:,}", "some", seen > 0),
        Figure("gaps that `seq` shows", f"{book.gaps[True]:,} of {book.gaps.total():,} steps"),
        Figure("wrong, silent or old states", f"{len(book.wrong)} {'; '.join(book.wrong[:3])}".strip(), "0",
               not book.wrong),
        Figure("clients the server believes to have afterwards", f"{left:g}", "0", left == 0),
        Figure("tracebacks", f"{tracebacks}", "0", tracebacks == 0),
        Figure("memory", f"{before:.0f} MB, {grown:+.1f} MB", f"< +{_FLAT_MB:g} MB", grown < _FLAT_MB, is_speed=True),
    ]  # fmt: skip


async def _run(server: RunningServer, book: _Book, disconnects: int, seed: int) -> None:
    url = f"ws://127.0.0.1:{server.port}/ws/state"
    progress = Progress("disconnects", disconnects)
    begun = asyncio.Event()
    staying = asyncio.create_task(_stay(url, book, begun))
    await asyncio.wait_for(begun.wait(), _ANSWER_SECONDS)
    changing = asyncio.create_task(_change(server, book))
    share, rest = divmod(disconnects, _CLIENTS)
    try:
        await asyncio.gather(
            *(_come_and_go(url, book, share + (number < rest), f"{seed} {number}", progress)
              for number in range(_CLIENTS))
        )  # fmt: skip
    finally:
        changing.cancel()
        await asyncio.gather(changing, return_exceptions=True)
        # What the last ones saw is on its way to the one who stays too.
        await asyncio.sleep(0.5)
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)
        progress.end()
    for task in (staying, changing):
        if not task.cancelled() and (error := task.exception()):
            book.fault(f"a client that stays failed: {error!r}")


async def _stay(url: str, book: _Book, begun: asyncio.Event) -> None:
    """Read everything."""
    async with connect(url, max_size=None, compression=None, max_queue=None) as client:
        async for text in client:
            message = orjson.loads(text)
            if message["type"] == "asset_data":
                book.reference[message["asset"]][message["seq"]] = _print(message)
                begun.set()


async def _change(server: RunningServer, book: _Book) -> None:
    """Change something a few times a second."""
    url = f"{server.url}{COMPREHENSIVE}/partial-update"
    async with httpx.AsyncClient(timeout=_ANSWER_SECONDS, trust_env=False, verify=PLAIN) as http:
        for number in range(10**9):
            answer = await http.post(url, json={"position_size_bang": number % 90 + 1})
            book.version = answer.json()["version"]
            await asyncio.sleep(_CHANGE_SECONDS)


async def _come_and_go(url: str, book: _Book, times: int, seed: str, progress: Progress) -> None:
    chance = random.Random(seed)  # noqa: S311  # repeatable, on purpose
    last: dict[str, int] = {}
    for _ in range(times):
        version = book.version
        async with asyncio.timeout(_ANSWER_SECONDS):
            client = await connect(url, max_size=None, compression=None)
        first = dict.fromkeys(_ASSETS, True)
        try:
            async for state in _states(client, chance):
                _note(book, state, last, version if first.pop(state["asset"], False) else 0)
        except ConnectionClosed as closed:
            book.fault(f"a connection ended by itself: {closed}")
        except AssertionError as wrong:
            book.fault(f"a change that does not fit: {wrong}")
        if first:
            book.fault(f"no state of {', '.join(first)} came with the connection")
        way = chance.choice(("closed", "cut off", "cut off in a message"))
        book.ways[way] += 1
        await _leave(client, way)
        progress.add()
        await asyncio.sleep(chance.random() * 0.05)


async def _states(client: ClientConnection, chance: random.Random) -> AsyncIterator[dict[str, Any]]:
    """The first states that a client has, which asks for changes half of the time."""
    follower, left = Follower(), chance.randint(len(_ASSETS), _MOST_READ)
    if chance.random() < 0.5:
        await client.send('{"type": "subscribe", "assets": ["*"], "updates": "changes"}')
        left += len(_ASSETS)
    while left:
        async with asyncio.timeout(_ANSWER_SECONDS):
            message = orjson.loads(await client.recv())
        if (state := follower.hear(message)) is not None:
            left -= 1
            yield state


async def _leave(client: ClientConnection, way: str) -> None:
    if way == "closed":
        with suppress(ConnectionClosed):
            await client.close()
        return
    if way == "cut off in a message":
        client.transport.write(b"\x81\xfe\x01\x00\x01\x02\x03\x04half")
    client.transport.abort()


def _note(book: _Book, state: dict[str, Any], last: dict[str, int], version: int) -> None:
    """One state: newer than the one before, decided with what was acknowledged before the client came."""
    asset, seq, looks = state["asset"], state["seq"], _print(state)
    if looks != book.seen[asset].setdefault(seq, looks):
        book.fault(f"{asset} {seq} is not the same for everyone")
    if state["config_version"] < version:
        book.fault(f"{asset} {seq} was decided with {state['config_version']}, and {version} was in force already")
    before = last.get(asset)
    if before is not None:
        if seq < before:
            book.fault(f"{asset} went back from {before} to {seq}")
        book.gaps[seq > before + 1] += 1
    last[asset] = seq


def _compare(book: _Book) -> None:
    """The one who stayed has every state, and each looked the same to the others: so every step in `seq` is true."""
    for asset, states in book.reference.items():
        missing = sorted(set(range(min(states), max(states) + 1)) - set(states))
        if missing:
            book.fault(f"{asset}: the one who stayed and read everything misses {missing[:3]}")
        for seq, shown in book.seen[asset].items():
            if seq in states and states[seq] != shown:
                book.fault(f"{asset} {seq} looked different to the one who stayed")


def _print(state: dict[str, Any]) -> bytes:
    """What a state looks like, in whatever order its fields came."""
    return hashlib.blake2b(orjson.dumps(state, option=orjson.OPT_SORT_KEYS), digest_size=12).digest()


def _clients(server: RunningServer) -> float:
    found = re.search(r'^vivienne_stream_clients\{stream="state"\} (\S+)$', server.get("/metrics").text, re.MULTILINE)
    if found is None:
        raise RuntimeError("/metrics does not say how many clients there are")
    return float(found[1])

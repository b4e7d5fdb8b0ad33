"""Messages that must not be taken, over WebSockets and over Redis: all refused, nothing changed, nothing grows."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import struct
import tempfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from websockets.asyncio.client import connect

from measuring import Figure
from redis_running import CONTROL, RESULTS, STREAM, RunningRedis, wait_for_redis
from running import RunningServer
from torture.corruption import broken
from torture.pair import Pair
from torture.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.asyncio.client import ClientConnection

_FLAGS = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500", "--max-changes-per-minute", "10000000")
_CLIENTS = 4
_BATCH = 50
"""So many messages are sent before their answers are read."""
_PAIR_ADDRESS = "127.0.0.250"
_ANSWER_SECONDS = 60.0
_FLAT_MB = 16.0
"""What a process may grow by from a tenth of the messages to the last; one that kept 100 bytes of each would by 90."""
_FRAME_SECONDS = 5.0
_HELD_UP = frozenset({"internal_error", "not_stored", "too_many_requests"})
"""Refusals that do not say what is wrong with the message."""


@dataclass
class _Answers:
    """What came back.

    Attributes:
        by_kind: how many of each kind of broken message were refused.
        wrong: messages that were taken, or refused for another reason than what is wrong with them; the first ones.
    """

    by_kind: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def keep(self, kind: str, sent: str, answer: dict[str, object]) -> None:
        """Note an answer."""
        if answer.get("type") == "error" and answer.get("code") not in _HELD_UP:
            self.by_kind[kind] += 1
        elif len(self.wrong) < 100:
            self.wrong.append(f"{kind}: {sent[:200]!r} was answered {answer}")

    @property
    def refused(self) -> int:
        """How many."""
        return self.by_kind.total()


def measure(*, messages: int = 1_000_000, control: int = 100_000, frames: int = 2_000, seed: int = 0) -> list[Figure]:
    """Send them, then look whether anything is different."""
    seed = seed or secrets.randbelow(2**31)
    print(f"  the seed is {seed}: seed={seed} sends the same messages", flush=True)
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd()) as folder,
        RunningRedis() as redis,
        RunningServer(*_FLAGS, "--redis", redis.url, db=Path(folder) / "malformed.db") as server,
    ):
        wait_for_redis(server)
        return [
            *_over_websockets(server, messages, seed),
            *_over_redis(server, redis, control, seed + 1),
            *_frames(server, frames, random.Random(seed + 2)),  # noqa: S311  # repeatable, on purpose
            *_afterwards(server),
        ]


def _over_websockets(server: RunningServer, messages: int, seed: int) -> list[Figure]:
    answers, pair = _Answers(), Pair(server.port, _PAIR_ADDRESS)
    early = asyncio.run(_send_all(server, answers, pair, messages, seed))
    grown = resident_mb(server) - early
    return [
        Figure(
            "malformed WebSocket messages refused, each with what is wrong",
            f"{answers.refused:,} of {messages:,}, in {len(answers.by_kind)} ways",
            "all",
            answers.refused == messages,
        ),
        *_listed(answers.wrong),
        pair.figure(),
        Figure("memory after a tenth of them, and after all", f"{early:.0f} MB, {grown:+.1f} MB", f"< +{_FLAT_MB:g} MB",
               grown < _FLAT_MB, is_speed=True),
    ]  # fmt: skip


async def _send_all(server: RunningServer, answers: _Answers, pair: Pair, messages: int, seed: int) -> float:
    """Send from several clients at once; gives the memory after a tenth, in MB."""
    progress = Progress("malformed WebSocket messages", messages)
    url = f"ws://127.0.0.1:{server.port}/ws/state"
    tenth = max(messages // 10, 1)
    share, rest = divmod(messages - tenth, _CLIENTS)
    comparing = asyncio.create_task(pair.run())
    async with connect(url, max_size=None, compression=None) as client:
        await _exchange(client, answers, tenth, random.Random(seed), progress)  # noqa: S311  # repeatable, on purpose
    early = resident_mb(server)

    async def one(number: int) -> None:
        # Each has an address of its own: the time that is spent on the messages of one caller is limited.
        address = (f"127.0.0.{2 + number}", 0)
        async with connect(url, max_size=None, compression=None, local_addr=address) as client:
            if number % 2:
                await client.send('{"type": "subscribe", "assets": ["*"], "updates": "changes"}')
                await _answer(client)
            chance = random.Random(f"{seed} {number}")  # noqa: S311  # the same
            await _exchange(client, answers, share + (number < rest), chance, progress)

    await asyncio.gather(*map(one, range(_CLIENTS)))
    await pair.has_compared(_ANSWER_SECONDS)
    comparing.cancel()
    await asyncio.gather(comparing, return_exceptions=True)
    progress.end()
    return early


async def _exchange(
    client: ClientConnection, answers: _Answers, messages: int, chance: random.Random, progress: Progress
) -> None:
    left = messages
    while left:
        batch = [broken(chance) for _ in range(min(_BATCH, left))]
        for _, text in batch:
            await client.send(text)
        for kind, text in batch:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answers.keep(kind, text, await _answer(client))
        left -= len(batch)
        progress.add(len(batch))


async def _answer(client: ClientConnection) -> dict[str, object]:
    """The next message that is no state; answers come in the order of what was sent."""
    while (answer := orjson.loads(await client.recv()))["type"] in ("asset_data", "asset_changed"):
        pass
    found: dict[str, object] = answer
    return found


def _over_redis(server: RunningServer, redis: RunningRedis, control: int, seed: int) -> list[Figure]:
    """By pub/sub and by the stream in turn, which have one place for their results."""
    chance, answers = random.Random(seed), _Answers()  # noqa: S311  # repeatable, on purpose
    progress = Progress("malformed control messages", control)
    early = resident_mb(server)
    with redis.listener(RESULTS) as results:
        sent = 0
        while sent < control:
            batch = [broken(chance) for _ in range(min(_BATCH, control - sent))]
            with redis.client.pipeline(transaction=False) as pipe:
                for _, text in batch:
                    raw = text.encode("utf-8", "surrogatepass")
                    if sent // _BATCH % 2:
                        pipe.xadd(STREAM, {"message": raw})
                    else:
                        pipe.publish(CONTROL, raw)
                pipe.execute()
            for kind, text in batch:
                answers.keep(kind, text, results.hear(_ANSWER_SECONDS))
            sent += len(batch)
            progress.add(len(batch))
            if early == 0 or sent <= control // 10:
                early = resident_mb(server)
    progress.end()
    grown = resident_mb(server) - early
    return [
        Figure("malformed control messages refused (Redis: pub/sub and stream)", f"{answers.refused:,} of {control:,}",
               "all", answers.refused == control),
        *_listed(answers.wrong),
        Figure("memory after a tenth of them, and after all", f"{early:.0f} MB, {grown:+.1f} MB", f"< +{_FLAT_MB:g} MB",
               grown < _FLAT_MB, is_speed=True),
    ]  # fmt: skip


def _frames(server: RunningServer, frames: int, chance: random.Random) -> list[Figure]:
    """Frames no WebSocket may have: the connection that sent one is closed, with a reason."""
    progress = Progress("malformed WebSocket frames", frames)
    open_still = 0
    for _ in range(frames):
        open_still += not _is_closed_after(server, chance.choice(tuple(bad_frames(chance))))
        progress.add(1)
    progress.end()
    return [
        Figure("connections closed after a frame that is none (bombs, no mask, not UTF-8)",
               f"{frames - open_still:,} of {frames:,}", "all", open_still == 0)
    ]  # fmt: skip


def bad_frames(chance: random.Random) -> Iterator[bytes]:
    """What breaks the protocol underneath the messages; compression was not agreed upon."""
    yield _frame(0x81, b"\xff\xfe{")  # text that is not UTF-8
    yield _frame(0x81, b'{"type": "\xed\xa0\x80"}')  # half a character, as bytes
    yield _frame(0xC1, zlib.compress(b"\0" * 10_000_000, 9))  # a bomb: said to be packed
    yield _frame(0x83, b"{}")  # an opcode there is not
    yield _frame(0x89, b"x" * 200)  # a ping longer than one may be
    yield _frame(0x80, b"{}")  # goes on with what was never begun
    yield b"\x81\x02{}"  # not masked
    yield _frame(0x88, b"\x00")  # half a close code
    yield struct.pack("!BBQ", 0x81, 0xFF, 2**63 + chance.randrange(2**20)) + secrets.token_bytes(64)  # endless
    yield struct.pack("!BBQ", 0x81, 0xFF, 2**40) + secrets.token_bytes(64)  # a terabyte to come


def _frame(first: int, payload: bytes) -> bytes:
    mask = secrets.token_bytes(4)
    length = len(payload)
    head = bytes([first, 0x80 | length]) if length < 126 else struct.pack("!BBH", first, 0xFE, length)
    if length > 0xFFFF:
        head = struct.pack("!BBQ", first, 0xFF, length)
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


def _is_closed_after(server: RunningServer, frame: bytes) -> bool:
    """Whether the server ends the connection when it reads this; states may come first."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=_FRAME_SECONDS) as plain:
        plain.sendall(
            b"GET /ws/state HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        if not plain.recv(65_536).startswith(b"HTTP/1.1 101 "):
            return False
        plain.sendall(frame)
        try:
            while plain.recv(65_536):
                pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True


def _afterwards(server: RunningServer) -> list[Figure]:
    """Nothing is different, and a good message is taken."""
    log = server.log
    crashed = server.process.poll() is not None
    revisions = [] if crashed else server.history()
    taken = False
    if not crashed:
        with server.client() as client:
            taken = client.ask({"type": "config_update", "config": {"bang_threshold": 81}})["status"] == "success"
    defects = log.count("Traceback")
    return [
        Figure("accepted", f"{len(revisions)}", "0", not revisions),
        Figure("crashes and tracebacks", f"{int(crashed)} and {defects}", "0 and 0", not crashed and not defects),
        Figure("a good message afterwards", "accepted" if taken else "not accepted", "accepted", taken),
    ]


def _listed(wrong: list[str]) -> list[Figure]:
    return [Figure("wrong", text, "none", met=False) for text in wrong[:5]]


def resident_mb(server: RunningServer) -> float:
    """Memory of the process, in MB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024

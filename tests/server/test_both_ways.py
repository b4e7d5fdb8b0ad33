"""The two ways in which a client gets its messages, by tasks of the application and without them, are the same."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import random
import re
import zlib
from contextlib import asynccontextmanager
from struct import pack, unpack
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect

from vivienne.access.budget import TimeBudgets
from vivienne.access.limits import Limits
from vivienne.changes.service import ConfigService
from vivienne.metrics.registry import Metrics
from vivienne.outbox.stream import AlertStream
from vivienne.server.conversing import Times
from vivienne.server.direct import LINE, Direct
from vivienne.server.incoming import Incoming
from vivienne.server.listen import bind, server
from vivienne.server.websockets import state_endpoint, websocket_routes
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.logs import LogStream
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.types import ASGIApp

    from vivienne.server.listen import Server
    from vivienne.wire.state import AssetState

SECONDS = 20.0
ASSETS = ("BTC", "ETH", "SOL")
HANDSHAKE = (
    b"GET /ws/state HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
TEXT, CONTINUED, PING = 1, 0, 9
_AT_ONCE = 60.0
_READ_SECONDS = 0.05
"""Time in which the server reads a piece, so that the next one comes by itself."""
_SPLIT_AT_ONCE = 64
LEFT = ("WatchedWebSocket", "LimitedConnection", "Direct", "OpenSocket", "ServerProtocol", "Mailbox", "_Conversation")
"""Objects of a connection."""


class Program:
    """A program with states that a test publishes, served in both ways."""

    def __init__(self, service: ConfigService) -> None:
        self._budgets = TimeBudgets(monotonic, share=1.0, at_once=_AT_ONCE)
        self.hub = Hub()
        self.board = StateBoard(self.hub)
        self.ports: dict[str, int] = {}
        self.clients: list[Plain] = []
        self._running: dict[str, tuple[Server, asyncio.Task[None]]] = {}
        self.metrics = Metrics()
        self.incoming = Incoming(self._budgets, self.metrics)
        self._app = FastAPI()
        times = Times(self._budgets, self._budgets)
        state = state_endpoint(service, self.hub, self.board, times)
        websocket_routes(state, times, LogStream(), AlertStream(), service.metrics).add_to(self._app)

    async def by_tasks(self, scope: Any, receive: Any, send: Any) -> None:
        """The application behind a server that can hand nothing over."""
        scope.pop(LINE, None)
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        ways: dict[str, ASGIApp] = {"by tasks": self.by_tasks, "directly": self._app}
        for way, app in ways.items():
            web, sockets = server(app, Limits(), self.incoming), bind("127.0.0.1", 0)
            self._running[way] = web, asyncio.create_task(web.serve(sockets))
            self.ports[way] = sockets[0].getsockname()[1]
        yield
        for client in self.clients:
            client.writer.close()
        for way in ways:
            await self.stop(way)

    async def stop(self, way: str) -> None:
        """Stop the server of a way."""
        web, serving = self._running[way]
        web.should_exit = True
        await asyncio.wait_for(serving, SECONDS)

    async def client(self, way: str = "directly", headers: bytes = b"") -> Plain:
        client = await Plain.connected(self.ports[way], headers)
        self.clients.append(client)
        return client

    def use_up(self, seconds: float) -> None:
        """Let clients wait so long until they are answered."""
        self._budgets.charge("address 127.0.0.1", _AT_ONCE + seconds)

    def publish(self, *assets: str, text: str = "") -> None:
        for asset in assets:
            content = {"bar": None, "price": random.random(), "text": text, "kept": {"a": [1, None]}}  # noqa: S311
            self.board.publish(asset, data=cast("AssetState", content), config={}, config_version=1)


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ASSETS)
    made = Program(service)
    async with made.served():
        yield made
    await service.close()


class Plain:
    """A client that sees bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def connected(cls, port: int, headers: bytes = b"") -> Plain:
        return await cls.begun(port, [HANDSHAKE % headers])

    @classmethod
    async def begun(cls, port: int, pieces: list[bytes]) -> Plain:
        """A client that sends the handshake, and what comes with it, in these pieces."""
        client = cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**24))
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(_READ_SECONDS)
            client.writer.write(piece)
        head = await asyncio.wait_for(client._reader.readuntil(b"\r\n\r\n"), SECONDS)
        assert head.startswith(b"HTTP/1.1 101")
        return client

    def say(self, payload: bytes, opcode: int = TEXT, *, fin: bool = True, compressed: bool = False) -> None:
        self.writer.write(said(payload, opcode, fin=fin, compressed=compressed))

    async def frame(self) -> bytes:
        """The next frame, whole."""
        async with asyncio.timeout(SECONDS):
            head = await self._reader.readexactly(2)
            length = head[1]
            if length == 126:
                head += await self._reader.readexactly(2)
                [length] = unpack("!H", head[2:])
            elif length == 127:
                head += await self._reader.readexactly(8)
                [length] = unpack("!Q", head[2:])
            return head + await self._reader.readexactly(length)


def said(payload: bytes, opcode: int = TEXT, *, fin: bool = True, compressed: bool = False) -> bytes:
    """A frame of a client."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else pack("!BH", 0x80 | 126, len(payload))
    first = opcode | (0x80 if fin else 0) | (0x40 if compressed else 0)
    return bytes([first]) + length + bytes(4) + payload  # a mask of zeros changes nothing


def payload(frame: bytes) -> bytes:
    """What is in a frame."""
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]


def state(frame: bytes) -> Any:
    """The state in a frame that is not compressed."""
    return json.loads(payload(frame))


def timeless(frame: bytes) -> bytes:
    """A frame without the time of an answer."""
    return re.sub(rb'("timestamp":")[^"]*', rb"\1", frame)


Said = tuple[bytes, int, bool]
"""A frame of a client: payload, opcode, and whether it is the last one of its message."""


def whole(*messages: bytes) -> list[Said]:
    return [(message, TEXT, True) for message in messages]


def asked(chance: random.Random) -> tuple[list[Said], int]:
    """What a client may say besides a subscription, and the number of frames that answer it."""
    wrong = chance.choice((b"{", b"[]", b'{"type":"nothing"}', b'{"type":"subscribe","assets":["NO"]}'))
    pings = [json.dumps({"type": "ping", "request_id": str(number)}).encode() for number in range(9)]
    parts = [(b'{"type":', TEXT, False), (b"", CONTINUED, False), (b"now", PING, True), (b'"ping"}', CONTINUED, True)]
    return chance.choice(((whole(wrong), 1), (whole(*pings), 9), ([(b"there?", PING, True)], 1), (parts, 2)))


class Both:
    """A client of each way, and what they watch."""

    def __init__(self, program: Program, chance: random.Random, clients: list[Plain]) -> None:
        self.program, self.chance, self.clients = program, chance, clients
        self.watched: tuple[str, ...] = ASSETS

    async def same(self, count: int) -> None:
        """Get so many frames on both, which are the same."""
        for _ in range(count):
            one, other = [await client.frame() for client in self.clients]
            assert timeless(one) == timeless(other)

    async def say(self, frames: list[Said], answers: int) -> None:
        for client in self.clients:
            for payload, opcode, fin in frames:
                client.say(payload, opcode, fin=fin)
        await self.same(answers)

    async def publish(self) -> None:
        moved = self.chance.sample(ASSETS, self.chance.randint(1, 3))
        self.program.publish(*moved, text="long" * self.chance.choice((1, 10, 20_000)))
        await self.same(len(set(moved) & set(self.watched)))

    async def subscribe(self) -> None:
        self.watched = tuple(self.chance.sample(ASSETS, self.chance.randint(1, 3)))
        more = self.chance.choice(({}, {"updates": "changes"}, {"updates": "states"}))
        message = json.dumps({"type": "subscribe", "assets": self.watched, **more}).encode()
        await self.say(whole(message), 1 + len(self.watched))


@pytest.mark.parametrize("seed", range(4))
async def test_both_ways_send_the_same_bytes_whatever_a_client_asks(program: Program, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    program.publish(*ASSETS)
    await program.board.handed_over("BTC")
    both = Both(program, chance, [await program.client(way) for way in program.ports])
    await both.same(len(ASSETS))
    for _ in range(60):
        step = chance.choice(("publish", "publish", "subscribe", "ask"))
        if step == "publish":
            await both.publish()
        elif step == "subscribe":
            await both.subscribe()
        else:
            await both.say(*asked(chance))


async def test_frames_in_the_packet_of_the_handshake_are_answered_as_those_after_it(program: Program) -> None:
    program.publish(*ASSETS)
    await program.board.handed_over("BTC")
    asked = [*whole(b'{"type":"subscribe","assets":["ETH"]}'), (b"there?", PING, True), *whole(b"{")]
    asked += whole(*[b'{"type":"ping","request_id":"%d"}' % number for number in range(500)])
    early = b"".join(said(payload, opcode, fin=fin) for payload, opcode, fin in asked)
    heard = list[list[bytes]]()
    for port in program.ports.values():
        for pieces in ([HANDSHAKE % b"" + early], [HANDSHAKE % b"", early], [HANDSHAKE % b"" + early[:70], early[70:]]):
            program.clients.append(client := await Plain.begun(port, pieces))
            frames = [timeless(await client.frame()) for _ in range(len(ASSETS) + 2 + len(asked) - 1)]
            heard.append([each for each in frames if b'"asset_data"' not in each])
    pongs = [json.loads(payload(each)) for each in heard[0] if b'"pong"' in each]
    assert [pong["request_id"] for pong in pongs] == [str(number) for number in range(500)]
    assert all(each == heard[0] for each in heard)


@pytest.mark.parametrize("way", ["by tasks", "directly"])
async def test_a_handshake_and_its_first_frame_may_be_split_anywhere(program: Program, way: str) -> None:
    text = json.dumps({"type": "ping", "request_id": "\r\n\r\n" * 10})
    sent = HANDSHAKE % b"" + said(text.encode()) + said(b'{"type":"ping","request_id":"second"}')

    async def answered(at: int) -> list[str]:
        program.clients.append(client := await Plain.begun(program.ports[way], [sent[:at], sent[at:]]))
        return [json.loads(payload(await client.frame()))["request_id"] for _ in range(2)]

    for first in range(1, len(sent), _SPLIT_AT_ONCE):
        places = range(first, min(len(sent), first + _SPLIT_AT_ONCE))
        for found in await asyncio.gather(*map(answered, places)):
            assert found == ["\r\n\r\n" * 10, "second"]


@pytest.mark.parametrize("way", ["by tasks", "directly"])
async def test_a_stop_ends_those_who_do_not_read_and_says_so_once(
    program: Program, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also those that wait for the answer to what they have said."""
    caplog.set_level(logging.INFO)
    clients = [await program.client(way) for _ in range(6)]
    for client in clients[:-1]:
        cast("Any", client.writer.transport).pause_reading()
    for _ in range(60):
        program.publish(*ASSETS, text="x" * 50_000)
        await asyncio.sleep(0)
        await clients[-1].frame()
    for client in clients[:2]:
        for _ in range(100):
            client.say(b'{"type":"ping","request_id":"%s"}' % (b"x" * 100))
    begun = monotonic()
    await program.stop(way)
    lines = [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]
    lines += [record.getMessage() for record in caplog.records if "did not read" in record.getMessage()]
    assert lines == ["Connections ended at the stop because their clients did not read, or did not finish a request: 5"]
    assert monotonic() - begun < 3


@pytest.mark.parametrize("way", ["by tasks", "directly"])
async def test_who_does_not_read_gets_the_newest_state_later_and_delays_nobody(program: Program, way: str) -> None:
    sleeper, reader = [await program.client(way) for _ in range(2)]
    cast("Any", sleeper.writer.transport).pause_reading()
    seen = list[int]()
    for _ in range(80):
        program.publish("BTC", text="x" * 50_000)
        seen.append(state(await reader.frame())["seq"])
    cast("Any", sleeper.writer.transport).resume_reading()
    missed = list[int]()
    while not missed or missed[-1] != seen[-1]:
        missed.append(state(await sleeper.frame())["seq"])

    assert seen == list(range(1, 81))
    assert missed == sorted(set(missed))
    assert len(missed) < len(seen)
    assert program.hub.metrics.traffic("state").conflated > 0


@pytest.mark.parametrize("way", ["by tasks", "directly"])
async def test_a_client_that_leaves_in_the_middle_is_forgotten_and_the_others_go_on(program: Program, way: str) -> None:
    stays, vanishes, closes = [await program.client(way) for _ in range(3)]
    for number in range(20):
        program.publish("BTC", text="x" * 200_000)
        if number == 5:
            vanishes.writer.transport.abort()
            closes.say(pack("!H", 1000), 8)
        assert state(await stays.frame())["seq"] == number + 1
    async with asyncio.timeout(SECONDS):
        while len(program.hub) > 1:  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", ["by tasks", "directly"])
async def test_a_client_that_takes_compressed_messages_has_the_same_states(program: Program, way: str) -> None:
    uri = f"ws://127.0.0.1:{program.ports[way]}/ws/state"
    async with connect(uri, compression=None) as plain, connect(uri, compression="deflate") as deflating:
        for number in range(5):
            program.publish("BTC", text="long" * 10**number)
            one, other = [await asyncio.wait_for(client.recv(), SECONDS) for client in (plain, deflating)]
            assert one == other
        await deflating.send(json.dumps({"type": "ping", "request_id": "compressed" * 10}))
        assert json.loads(await asyncio.wait_for(deflating.recv(), SECONDS))["type"] == "pong"


async def test_states_are_compressed_once_for_all_clients_that_take_it(program: Program) -> None:
    clients = [await program.client(headers=DEFLATE) for _ in range(3)]
    program.publish("BTC", text="long" * 1_000)
    frames = [await client.frame() for client in clients]

    assert frames[0] == frames[1] == frames[2]
    assert len(frames[0]) < 1_000
    text = zlib.decompressobj(wbits=-15).decompress(payload(frames[0]) + b"\x00\x00\xff\xff")  # RFC 7692, 7.2.2
    assert json.loads(text)["asset"] == "BTC"


async def test_a_client_with_little_memory_gets_states_as_they_are(program: Program) -> None:
    headers = b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n"
    client = await program.client(headers=headers)
    program.publish("BTC", text="long" * 1_000)
    assert state(await client.frame())["asset"] == "BTC"


async def test_a_message_that_inflates_to_more_than_one_may_have_ends_its_connection_only(program: Program) -> None:
    other = await program.client()
    bomb = zlib.compressobj(9, wbits=-15)
    packed = bomb.compress(b" " * 8_000_000) + bomb.flush(zlib.Z_SYNC_FLUSH)
    client = await program.client(headers=DEFLATE)
    client.say(packed[:-4], compressed=True)
    assert unpack("!H", payload(await client.frame())[:2]) == (1009,)
    program.publish("BTC")
    assert state(await other.frame())["seq"] == 1


_BOMB = zlib.compressobj(9, wbits=-15)
INVALID = {
    "inflates to too much": (_BOMB.compress(b" " * 8_000_000) + _BOMB.flush(zlib.Z_SYNC_FLUSH))[:-4],
    "is not compressed": b"\xff" * 60_000,
}


@pytest.mark.parametrize("kind", INVALID)
async def test_a_message_that_is_refused_leaves_nothing_of_itself(program: Program, kind: str) -> None:
    """What was unpacked so far stayed, 2 MB of each connection, until all objects were looked at."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            client = await program.client(headers=DEFLATE)
            client.say(INVALID[kind], compressed=True)
            await client.frame()
            client.writer.close()
            await client.writer.wait_closed()
        await all_left(program)
        await asyncio.sleep(0)
        kept = [type(each).__name__ for each in gc.get_objects() if type(each).__name__ in LEFT]
    finally:
        gc.enable()
    assert kept == []


@pytest.mark.parametrize("headers", [b"", DEFLATE])
async def test_a_client_that_has_left_leaves_no_garbage(program: Program, headers: bytes) -> None:
    """Otherwise the memory of thousands that come and go would grow until all objects are looked at."""
    program.publish("BTC")
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            client = await program.client(headers=headers)
            await client.frame()
            client.say(b'{"type":"subscribe","assets":["BTC"],"updates":"changes"}')
            await client.frame()
            client.writer.close()
            await client.writer.wait_closed()
        async with asyncio.timeout(SECONDS):
            while len(program.hub):  # noqa: ASYNC110  # nothing tells when
                await asyncio.sleep(0.01)
        await asyncio.sleep(0)
        kept = [type(each).__name__ for each in gc.get_objects() if type(each).__name__ in LEFT]
    finally:
        gc.enable()
    assert kept == []


def directs(program: Program) -> list[Direct]:
    """What writes to the clients."""
    found = [mailbox._outlet for theirs in program.hub._by_caller.values() for mailbox in theirs]
    return [outlet for outlet in found if isinstance(outlet, Direct)]


async def all_left(program: Program) -> None:
    async with asyncio.timeout(SECONDS):
        while len(program.hub) or program.incoming._held._sizes:  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("begun", [True, False])
async def test_nothing_is_kept_of_messages_that_nobody_will_answer(program: Program, begun: bool) -> None:
    """As when a token is revoked: also of one that was about to be answered."""
    program.use_up(SECONDS)
    client = await program.client()
    if begun:
        for _ in range(3):
            client.say(b'{"type":"ping"}')
        async with asyncio.timeout(SECONDS):
            while not program.incoming._held._sizes:  # noqa: ASYNC110  # nothing tells when
                await asyncio.sleep(0.01)
    [direct] = directs(program)
    if not begun:
        direct.put_nowait({"type": "websocket.receive", "text": '{"type":"ping"}'})
    ended = asyncio.Event()
    direct.at_end(ended.set)
    direct.refuse("The token was revoked")
    await asyncio.wait_for(ended.wait(), SECONDS)
    assert unpack("!H", payload(await client.frame())[:2]) == (1008,)
    client.writer.close()
    await all_left(program)


async def test_who_leaves_before_its_subscription_is_answered_gets_no_changes(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise earlier states of every asset would be kept for it."""
    has_time = asyncio.Event()

    async def due(_budgets: TimeBudgets, _key: str) -> None:
        await has_time.wait()

    monkeypatch.setattr(TimeBudgets, "due", due)
    client = await program.client()
    client.say(b'{"type":"subscribe","assets":["*"],"updates":"changes"}')
    async with asyncio.timeout(SECONDS):
        while not program.incoming._held._sizes:  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0.01)
        client.writer.transport.abort()
        while len(program.hub):  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0.01)
    has_time.set()
    await all_left(program)
    assert program.hub.most_earlier == 0

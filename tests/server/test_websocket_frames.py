"""What arrives on a WebSocket and is no message, or never becomes one: it is counted, bounded, and ends in time."""

from __future__ import annotations

import asyncio
import logging
import struct
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from raw_http import UPGRADE, request
from vivienne.access.budget import TimeBudgets
from vivienne.access.limits import Limits
from vivienne.metrics.registry import Metrics
from vivienne.server import connections, incoming, listen, websocket_protocol, websocket_receiving
from vivienne.server.charging import KEEPS
from vivienne.server.incoming import CLOSED, Incoming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    App = Callable[[Any, Any, Any], Awaitable[None]]

SECONDS = 15.0
HANDSHAKE = request("GET", "/ws", ("Host", "localhost"), *UPGRADE)
CONT, TEXT, CLOSE, PING, PONG, LAST = 0x00, 0x01, 0x08, 0x09, 0x0A, 0x80


def frame(first: int, payload: bytes = b"") -> bytes:
    """A frame of a client, under a mask of zeros."""
    length = len(payload)
    head = bytes([first, 0x80 | length]) if length < 126 else struct.pack("!BBQ", first, 0xFF, length)
    return head + bytes(4) + payload


class Served:
    """An application that is served, and what it was counted for."""

    def __init__(self, port: int, metrics: Metrics) -> None:
        self.port = port
        self._metrics = metrics

    @asynccontextmanager
    async def socket(
        self, address: str = "127.0.0.1"
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A WebSocket as bytes, from an address."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
        try:
            writer.write(request("GET", "/ws", ("Host", "localhost"), *UPGRADE))
            assert b"HTTP/1.1 101" in await reader.readuntil(b"\r\n\r\n")
            yield reader, writer
        finally:
            writer.transport.abort()

    def closed(self, why: str) -> float | None:
        """So many were closed for this reason."""
        return self._metrics.registry.get_sample_value(CLOSED, {"reason": why})


@asynccontextmanager
async def served(app: App, budgets: TimeBudgets | None = None, limits: Limits | None = None) -> AsyncIterator[Served]:
    """Serve an application in this process."""
    metrics = Metrics()
    sockets = listen.bind("127.0.0.1", 0)
    web = listen.server(app, limits or Limits(), Incoming(budgets or TimeBudgets(monotonic), metrics))
    serving = asyncio.create_task(web.serve(sockets))
    try:
        async with asyncio.timeout(SECONDS):
            yield Served(sockets[0].getsockname()[1], metrics)
    finally:
        web.should_exit = True
        await serving


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Send back the length of each text."""
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(message["text"]))})


def held_back() -> tuple[App, asyncio.Event, asyncio.Event]:
    """`echo` that accepts once the second event is set; the first one is, when it is asked."""
    asked, let_in = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        await let_in.wait()
        await echo(scope, receive, send)

    return slow, asked, let_in


async def told(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next short frame of the server: its opcode and content."""
    first, length = await reader.readexactly(2)
    return first & 0x0F, await reader.readexactly(length)


async def closing(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Code and reason of the close."""
    while True:
        opcode, content = await told(reader)
        if opcode == CLOSE:
            return int.from_bytes(content[:2], "big"), content[2:].decode()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", frame(LAST | PONG)),
        (frame(TEXT, b"{"), frame(CONT)),
        (frame(TEXT, b"{"), frame(CONT, b"  ")),
    ],
    ids=["pongs", "empty parts", "parts of two bytes"],
)
async def test_frames_that_are_no_message_end_their_socket_when_there_are_too_many(first: bytes, then: bytes) -> None:
    async with served(echo) as server, server.socket() as (reader, writer), server.socket() as (other, its):
        writer.write(first + then * 20_000)
        assert await closing(reader) == (1008, "too many control frames and parts of messages")
        assert server.closed("frames") == 1
        its.write(frame(LAST | TEXT, b"hello"))
        assert await told(other) == (TEXT, b"5")


async def test_whole_messages_before_a_frame_that_is_invalid_are_taken() -> None:
    """A pause may be among them."""
    taken: asyncio.Queue[Any] = asyncio.Queue()

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            taken.put_nowait(message["text"])
        taken.put_nowait(message["code"])

    async with served(noting) as server, server.socket() as (reader, writer):
        writer.write(frame(LAST | TEXT, b"first") + frame(LAST | TEXT, b"second") + frame(LAST | 0x03))
        assert ["first", "second", 1002] == [await taken.get() for _ in range(3)]
        assert (await closing(reader))[0] == 1002


async def test_a_message_may_come_in_hundreds_of_parts() -> None:
    async with served(echo) as server, server.socket() as (reader, writer):
        writer.write(frame(TEXT, b"{") + frame(CONT, b"ab") * 900 + frame(LAST | CONT, b"}"))
        assert await told(reader) == (TEXT, b"1802")


async def test_many_messages_at_once_are_all_answered_in_their_order() -> None:
    async with served(echo) as server, server.socket() as (reader, writer):
        writer.write(b"".join(frame(LAST | TEXT, b"x" * (number % 100)) for number in range(2_000)))
        answers = [int((await told(reader))[1]) for _ in range(2_000)]
        assert answers == [number % 100 for number in range(2_000)]


async def test_what_is_sent_right_after_the_handshake_waits_until_it_is_accepted() -> None:
    slow, asked, let_in = held_back()
    async with served(slow) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(request("GET", "/ws", ("Host", "localhost"), *UPGRADE))
            await asked.wait()
            writer.write(frame(LAST | TEXT, b"early"))
            let_in.set()
            await reader.readuntil(b"\r\n\r\n")
            assert await told(reader) == (TEXT, b"5")
        finally:
            writer.transport.abort()


async def test_what_comes_in_the_packet_of_the_handshake_waits_until_it_is_accepted() -> None:
    slow, asked, let_in = held_back()
    async with served(slow) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(HANDSHAKE + frame(LAST | PING, b"?") + frame(LAST | TEXT, b"early"))
            await asked.wait()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.1)
            let_in.set()
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            assert [await told(reader), await told(reader)] == [(PONG, b"?"), (TEXT, b"5")]
        finally:
            writer.transport.abort()


async def test_what_comes_in_the_packet_of_the_handshake_counts_as_what_comes_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(incoming, "MOST_HELD", 3_000)
    monkeypatch.setattr(websocket_protocol, "_LAST_WORD_SECONDS", 0.1)

    async def never(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.Event().wait()

    async with served(never) as server:
        for size, is_ended in ((2_000, False), (4_000, True)):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(HANDSHAKE + frame(LAST | TEXT, b"x" * size))
            reading = asyncio.create_task(reader.read())
            assert is_ended == bool((await asyncio.wait([reading], timeout=0.5))[0])
            assert server.closed("held") == is_ended
            writer.transport.abort()
            await asyncio.wait([reading])


async def test_what_comes_after_a_handshake_beyond_the_limits_is_never_read() -> None:
    async with served(echo, limits=Limits(connections_per_address=1)) as server, server.socket():
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HANDSHAKE + request("GET", "/", ("Host", "localhost")))
        found = await reader.read()
        writer.close()
    assert found.startswith(b"HTTP/1.1 429 ")
    assert found.count(b"HTTP/1.1 ") == 1


async def test_frames_follow_a_head_of_any_length() -> None:
    """Heads are parsed in pieces of 2 kB: the end of a head may be in two of them, or begin one."""

    async def answered(length: int) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            more = ("X", "x" * (length - len(HANDSHAKE) - len("X: \r\n")))
            head = request("GET", "/ws", ("Host", "localhost"), *UPGRADE, more)
            assert len(head) == length
            writer.write(head + frame(LAST | TEXT, b"\r\n\r\n" * 1_000))
            await reader.readuntil(b"\r\n\r\n")
            return await told(reader)
        finally:
            writer.transport.abort()

    async with served(echo) as server:
        for length in (*range(2_045, 2_055), *range(4_093, 4_103)):
            assert await answered(length) == (TEXT, b"4000")


@pytest.mark.parametrize("begun", [frame(TEXT, b"{"), frame(LAST | TEXT, b"{}" * 100)[:50]], ids=["message", "frame"])
async def test_a_message_that_does_not_end_ends_its_socket(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(websocket_receiving, "_MESSAGE_SECONDS", 0.2)
    async with served(echo) as server, server.socket() as (reader, writer):
        writer.write(begun)
        assert await closing(reader) == (1008, "a message did not end within 0.2 s")
        assert server.closed("unfinished") == 1


async def test_all_unfinished_messages_of_a_caller_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "MOST_HELD", 3_000)
    async with served(echo) as server, server.socket() as (_, first), server.socket() as (reader, second):
        first.write(frame(TEXT, b"x" * 2_000))
        await first.drain()
        second.write(frame(TEXT, b"x" * 2_000))
        closes = [asyncio.create_task(closing(each)) for each in (_, reader)]
        done, waiting = await asyncio.wait(closes, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()
        assert {(1008, "too many bytes of messages that are not finished or wait")} == {each.result() for each in done}
        assert server.closed("held") == 1


async def test_whole_messages_count_until_they_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "MOST_HELD", 10_000)
    monkeypatch.setattr(websocket_protocol, "_LAST_WORD_SECONDS", 0.1)
    over = asyncio.Event()

    async def answers_short_ones(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            if len(message["text"]) > 4_000:
                await over.wait()
            await send({"type": "websocket.send", "text": "read"})

    async with (
        served(answers_short_ones) as server,
        server.socket() as (first, its),
        server.socket() as (second, other),
    ):
        for _ in range(10):
            its.write(frame(LAST | TEXT, b"x" * 3_000))
            assert await told(first) == (TEXT, b"read")
        other.write(frame(LAST | TEXT, b"x" * 6_000))
        its.write(frame(LAST | TEXT, b"x" * 5_000))
        assert await closing(second) == (1008, "too many bytes of messages that are not finished or wait")
        assert server.closed("held") == 1
        over.set()


async def test_replies_that_wait_for_a_client_count_as_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MOST_UNREAD_BY_SOCKETS", 10_000)

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            scope[KEEPS](int(message["text"]))
            await send({"type": "websocket.send", "text": "counted"})

    async with served(waits) as server, server.socket() as (modest, its), server.socket() as (_, other):
        for text in (b"6000", b"0", b"3000"):
            its.write(frame(LAST | TEXT, text))
            assert await told(modest) == (TEXT, b"counted")
        other.write(frame(LAST | TEXT, b"8000"))
        with suppress(ConnectionResetError):
            assert await _.read() == b""
        its.write(frame(LAST | TEXT, b"9000"))
        assert await told(modest) == (TEXT, b"counted")


async def test_frames_that_are_no_message_are_counted_over_all_websockets_of_a_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(incoming, "SMALL_FRAMES", 200)
    async with served(echo) as server, server.socket() as (modest, its), AsyncExitStack() as stack:
        many = [await stack.enter_async_context(server.socket()) for _ in range(5)]
        for _, writer in many:
            writer.write(frame(LAST | PONG) * 60)
        reader, _ = many[-1]
        assert await closing(reader) == (1008, "too many control frames and parts of messages")
        its.write(frame(LAST | PONG) + frame(LAST | TEXT, b"hello"))
        assert await told(modest) == (TEXT, b"5")


async def test_who_used_up_its_time_is_not_read_and_others_are() -> None:
    budgets = TimeBudgets(lambda: 0.0)  # a clock that stands still
    async with (
        served(echo, budgets) as server,
        server.socket() as (mine, its),
        server.socket("127.0.0.2") as (other, theirs),
    ):
        budgets.charge("address 127.0.0.1", 3_600.0)
        its.write(frame(LAST | TEXT, b"hello"))
        late = asyncio.create_task(told(mine))
        for length in range(3):
            theirs.write(frame(LAST | TEXT, b"x" * length))
            assert await told(other) == (TEXT, b"%d" % length)
        assert not late.done()
        late.cancel()


class Blocked:
    """A transport that only its protocol tells to be full or empty."""

    def get_write_buffer_size(self) -> int:
        """Bytes that are not sent."""
        return 0


async def test_clients_that_read_again_in_the_same_moment_are_written_to_a_few_at_a_time() -> None:
    """Each of thousands of writers has messages for its client, and would send them in the same pass."""
    kind = websocket_protocol.watched(Incoming(TimeBudgets(monotonic), Metrics()))
    sockets: list[Any] = [kind(Config(_nobody, lifespan="off", log_config=None), ServerState(), {}) for _ in range(100)]
    for each in sockets:
        each.scope, each.transport, each.handshake_complete = {}, Blocked(), True
        each.pause_writing()
    for each in sockets:
        each.resume_writing()
    again, last = sockets[0], sockets[-1]
    written = [sum(each.writable.is_set() for each in sockets)]
    last.pause_writing()  # before it has its turn: it has none
    async with asyncio.timeout(SECONDS):
        while written[-1] < len(sockets) - 1:  # each is a pass
            await asyncio.sleep(0)
            written.append(sum(each.writable.is_set() for each in sockets))
    assert again.writable.is_set()
    assert not last.writable.is_set()
    assert max(after - before for before, after in pairwise([0, *written])) <= 10


async def _nobody(_scope: Any, _receive: Any, _send: Any) -> None:
    """An application."""


async def test_text_that_is_not_utf_8_right_before_a_close_leaves_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with served(echo) as server, server.socket() as (reader, writer):
        writer.write(frame(LAST | TEXT, b"\xff") + frame(LAST | CLOSE, struct.pack("!H", 1000)))
        assert (await closing(reader))[0] in (1000, 1007)
        assert await reader.read() == b""
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_who_sends_after_a_close_is_told_that_the_client_has_left() -> None:
    failures: asyncio.Queue[BaseException] = asyncio.Queue()

    async def closes_while_it_sends(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        try:
            await send({"type": "websocket.send", "text": "late"})
        except (OSError, RuntimeError) as error:
            failures.put_nowait(error)

    async with served(closes_while_it_sends) as server, server.socket() as (reader, _):
        await closing(reader)
        assert isinstance(await failures.get(), OSError)


async def test_a_handshake_that_is_none_is_counted_and_leaves_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = [(name, "1" if name == "Sec-WebSocket-Version" else value) for name, value in UPGRADE]
    async with served(echo) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request("GET", "/ws", ("Host", "localhost"), *wrong))
        assert b"HTTP/1.1 4" in await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage().startswith("Refused a WebSocket handshake of 127.0.0.1: 4")


async def test_a_client_that_reads_nothing_is_gone_soon_after_its_socket_was_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket_protocol, "_CLOSING_SECONDS", 0.2)
    stuck, ended = asyncio.Event(), asyncio.Event()

    async def flood(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        with suppress(OSError):
            while True:
                sending = asyncio.ensure_future(send({"type": "websocket.send", "text": "x" * 500_000}))
                if not (await asyncio.wait([sending], timeout=0.2))[0]:
                    stuck.set()
                await sending
        ended.set()

    async with served(flood) as server, server.socket() as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # nobody reads
        await stuck.wait()
        writer.write(frame(LAST | CLOSE, struct.pack("!H", 1000)))
        await ended.wait()

"""What a server that stops still answers, and that it stops."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import pytest
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from vivienne.access.budget import TimeBudgets
from vivienne.access.caller import Caller
from vivienne.access.limits import Limits
from vivienne.metrics.registry import Metrics
from vivienne.server import listen
from vivienne.server.conversing import Silence, Times, converse
from vivienne.server.http import CALLER
from vivienne.server.incoming import Incoming
from vivienne.server.listen import bind, server
from vivienne.stream.hub import Hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from vivienne.stream.mailbox import Mailbox

SECONDS = 10.0
PLAIN = PlainTextResponse("done")
INCOMING = Incoming(TimeBudgets(monotonic), Metrics())
ASKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def comes(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(SECONDS):
        while not true():  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0)


@asynccontextmanager
async def stopping(app: Any = PLAIN) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that has said nothing, to a server within this process that has begun to stop."""
    web, sockets = server(app, Limits(), INCOMING), bind("127.0.0.1", 0)
    serving = asyncio.create_task(web.serve(sockets))
    await comes(lambda: web.started)
    reader, writer = await asyncio.open_connection(*sockets[0].getsockname())
    await comes(lambda: bool(web.server_state.connections))
    stop = asyncio.create_task(web.shutdown(sockets))
    await comes(lambda: sockets[0].fileno() < 0)  # it closes them first
    try:
        yield reader, writer
        await asyncio.wait_for(stop, SECONDS)
    finally:
        writer.close()
        web.should_exit = True
        await asyncio.wait_for(serving, SECONDS)


async def test_a_request_on_a_connection_that_was_accepted_before_the_stop_is_answered() -> None:
    async with stopping() as (reader, writer):
        writer.write(ASKED)
        head, _, body = (await asyncio.wait_for(reader.read(), SECONDS)).partition(b"\r\n\r\n")

    assert b"HTTP/1.1 200 OK" == head.splitlines()[0]
    assert b"connection: close" in head.lower()
    assert b"done" == body


async def test_a_connection_on_which_nothing_comes_does_not_keep_the_server_from_stopping() -> None:
    async with stopping() as (reader, _):
        assert b"" == await asyncio.wait_for(reader.read(), SECONDS)


async def test_a_request_on_a_connection_that_is_made_as_the_server_stops_is_answered() -> None:
    web, sockets = server(PLAIN, Limits(), INCOMING), bind("127.0.0.1", 0)
    serving = asyncio.create_task(web.serve(sockets))
    await comes(lambda: web.started)
    plain = socket.create_connection(sockets[0].getsockname(), SECONDS)
    plain.sendall(ASKED)
    web.should_exit = True  # before the event loop has accepted it
    await web.shutdown(sockets)
    assert plain.recv(65_536).startswith(b"HTTP/1.1 200 OK")
    plain.close()
    await asyncio.wait_for(serving, SECONDS)


@pytest.mark.parametrize(("method", "code"), [("POST", "not_stored"), ("GET", "stopping")])
async def test_a_request_that_a_stop_does_not_wait_for_is_told_so(
    method: str, code: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listen, "_GRACE_SECONDS", 0.6)  # longer than a first request is waited for
    monkeypatch.setattr(listen, "_CHANGE_SECONDS", 0.8)

    async def never(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.Event().wait()

    async with stopping(never) as (reader, writer):
        writer.write(ASKED.replace(b"POST", method.encode()))
        head, _, body = (await asyncio.wait_for(reader.read(), SECONDS)).partition(b"\r\n\r\n")

    assert b"HTTP/1.1 503 Service Unavailable" == head.splitlines()[0]
    assert b"application/problem+json" in head
    assert code == json.loads(body)["code"]
    assert (method == "POST") == ("may still be made" in json.loads(body)["detail"])
    assert ["Cancel 1 running task(s), timeout graceful shutdown exceeded"] == caplog.messages


async def test_a_stop_waits_longer_for_a_change(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listen, "_GRACE_SECONDS", 0.0)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.3)  # longer than the grace, as a slow store
        await PLAIN(scope, receive, send)

    async with stopping(slow) as (reader, writer):
        writer.write(ASKED)
        assert b"HTTP/1.1 200 OK" == (await asyncio.wait_for(reader.read(), SECONDS)).splitlines()[0]
    assert [] == caplog.messages


async def test_a_stop_closes_a_websocket_after_its_last_answer_has_been_sent() -> None:
    hub, asked, may_answer = Hub(), asyncio.Event(), asyncio.Event()
    budgets = TimeBudgets(monotonic)

    class Slow(Silence):
        def __init__(self, mailbox: Mailbox) -> None:
            self._mailbox = mailbox

        async def hear(self, _event: dict[str, Any], _caller: Caller) -> None:
            asked.set()
            await may_answer.wait()
            await self._mailbox.reply({"status": "success"})
            await self._mailbox.reply({"status": "and more"})

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope[CALLER] = Caller("127.0.0.1")
        websocket, mailbox = WebSocket(scope, receive, send), hub.join()
        await websocket.accept()
        await converse(websocket, Times(budgets, budgets), Slow(mailbox), mailbox)

    web, sockets = server(app, Limits(), INCOMING), bind("127.0.0.1", 0)
    serving = asyncio.create_task(web.serve(sockets))
    await comes(lambda: web.started)
    async with asyncio.timeout(SECONDS), connect(f"ws://127.0.0.1:{sockets[0].getsockname()[1]}") as client:
        await client.send("change something")
        await asked.wait()
        stop = asyncio.create_task(web.shutdown(sockets))
        await comes(lambda: sockets[0].fileno() < 0)
        may_answer.set()
        assert ['{"status":"success"}', '{"status":"and more"}'] == [await client.recv(), await client.recv()]
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert 1012 == client.close_code
        await stop
    web.should_exit = True
    await asyncio.wait_for(serving, SECONDS)


async def test_a_handshake_that_comes_after_the_stop_has_begun_is_told_so() -> None:
    async with stopping() as (reader, writer):
        writer.write(HANDSHAKE + ASKED)
        head, _, body = (await asyncio.wait_for(reader.read(), SECONDS)).partition(b"\r\n\r\n")

    assert b"HTTP/1.1 503 Service Unavailable" == head.splitlines()[0]
    assert "stopping" == json.loads(body)["code"]


async def test_an_answer_that_nobody_reads_makes_no_error_of_a_stop(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vivienne")
    begun = monotonic()
    async with stopping(PlainTextResponse("x" * 2_000_000)) as (reader, writer):
        cast("Any", reader)._transport.pause_reading()
        writer.write(ASKED)
    assert ["Connections ended at the stop because their clients did not read, or did not finish a request: 1"] == [
        record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn") or record.levelno > 20
    ]
    assert monotonic() - begun < 3


async def test_a_change_that_does_not_arrive_keeps_no_server_from_stopping(caplog: pytest.LogCaptureFixture) -> None:
    made: list[Any] = []

    async def change(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        while message.get("more_body"):
            message = await receive()
        if message["type"] == "http.request":
            made.append(message)
        await PLAIN(scope, receive, send)

    caplog.set_level(logging.INFO, "vivienne")
    begun = monotonic()
    async with stopping(change) as (reader, writer):
        writer.write(ASKED.replace(b"Length: 0", b"Length: 50") + b"{")
        assert (await asyncio.wait_for(reader.read(), SECONDS)).startswith(b"HTTP/1.1 408 ")
    assert monotonic() - begun < 3
    assert made == []
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_a_handshake_that_is_refused_during_a_stop_logs_no_error(caplog: pytest.LogCaptureFixture) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        await may_answer.wait()
        await PlainTextResponse("no", 429)(scope, receive, send)

    web, sockets = server(refusing, Limits(), INCOMING), bind("127.0.0.1", 0)
    serving = asyncio.create_task(web.serve(sockets))
    await comes(lambda: web.started)
    reader, writer = await asyncio.open_connection(*sockets[0].getsockname())
    writer.write(HANDSHAKE)
    await asyncio.wait_for(asked.wait(), SECONDS)
    may_answer.set()
    for connection in list(web.server_state.connections):
        connection.shutdown()  # as at a stop, which answers it first
    assert b"500 Internal" in await asyncio.wait_for(reader.read(), SECONDS)
    web.should_exit = True
    await asyncio.wait_for(serving, SECONDS)
    writer.close()

    assert [] == caplog.messages

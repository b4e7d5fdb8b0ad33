"""A client that neither reads nor answers pings is let go, although nothing can be written to it any more."""

from __future__ import annotations

import asyncio
import socket
from time import monotonic
from typing import TYPE_CHECKING, Any

from vivienne.access.budget import TimeBudgets
from vivienne.access.limits import Limits
from vivienne.metrics.registry import Metrics
from vivienne.server import listen, websocket_protocol
from vivienne.server.incoming import Incoming

if TYPE_CHECKING:
    import pytest

SECONDS = 15.0
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_a_client_that_never_reads_is_disconnected_after_a_ping_without_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listen, "_PING_SECONDS", 0.3)
    monkeypatch.setattr(websocket_protocol, "_LAST_WORD_SECONDS", 0.1)
    stuck, ended = asyncio.Event(), asyncio.Event()

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while True:
                sending = asyncio.ensure_future(send({"type": "websocket.send", "text": "x" * 100_000}))
                done, _ = await asyncio.wait([sending], timeout=0.2)
                if not done:
                    stuck.set()
                await sending
        finally:
            ended.set()

    sockets = listen.bind("127.0.0.1", 0)
    web = listen.server(flood, Limits(), Incoming(TimeBudgets(monotonic), Metrics()))
    serving = asyncio.create_task(web.serve(sockets))
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        client.connect(sockets[0].getsockname())
        client.sendall(HANDSHAKE)
        async with asyncio.timeout(SECONDS):
            await stuck.wait()
            await ended.wait()
    finally:
        client.close()
        web.should_exit = True
        await serving

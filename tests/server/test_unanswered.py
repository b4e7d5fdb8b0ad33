"""Nothing open lacks a timer, also where the application does not answer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

from raw_http import UPGRADE, request
from vivienne.access.budget import TimeBudgets
from vivienne.access.limits import Limits
from vivienne.metrics.registry import Metrics
from vivienne.server.incoming import Incoming
from vivienne.server.listen import bind, server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

HANDSHAKE = request("GET", "/ws/state", ("Host", "localhost"), *UPGRADE)


async def never(_scope: Scope, receive: Receive, _send: Send) -> None:
    """An application that does not answer."""
    while (await receive())["type"] != "websocket.disconnect":
        pass


@asynccontextmanager
async def serving(limits: Limits) -> AsyncIterator[int]:
    """A server of it in this process; gives its port."""
    sockets = bind("127.0.0.1", 0)
    web = server(never, limits, Incoming(TimeBudgets(monotonic), Metrics()))
    running = asyncio.create_task(web.serve(sockets))
    try:
        yield sockets[0].getsockname()[1]
    finally:
        web.should_exit = True
        await running


async def closed(port: int) -> None:
    """Begin a WebSocket that nobody accepts, and wait until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HANDSHAKE)
    with suppress(ConnectionResetError):
        await reader.read()
    writer.close()


def test_a_websocket_that_nobody_accepts_is_closed_in_time() -> None:
    async def handshake() -> None:
        async with serving(Limits(handshake_seconds=0.2)) as port:
            await asyncio.wait_for(closed(port), 20)

    asyncio.run(handshake())


def test_of_too_many_websockets_that_nobody_accepts_the_oldest_are_closed() -> None:
    async def handshakes() -> None:
        async with serving(Limits(handshake_seconds=60.0, half_open=3)) as port:
            ends = asyncio.as_completed([closed(port) for _ in range(8)], timeout=20)
            for _ in range(5):
                await next(ends)

    asyncio.run(handshakes())

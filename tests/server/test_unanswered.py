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

LONG_BODY = 200_000
POST = request("POST", "/", ("Host", "localhost"), ("Content-Length", str(2 * LONG_BODY))) + b"x" * LONG_BODY
HANDSHAKE = request("GET", "/ws/state", ("Host", "localhost"), *UPGRADE)


async def never(_scope: Scope, receive: Receive, _send: Send) -> None:
    """An application that does not answer."""
    while not (await receive())["type"].endswith(".disconnect"):
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


async def closed(port: int, said: bytes) -> None:
    """Say something that nobody answers, and wait until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(said)
        with suppress(ConnectionResetError):
            await reader.read()
    finally:
        writer.close()


async def so_many_are_closed(number: int, of: int, port: int, said: bytes) -> None:
    """Wait until so many connections that say the same are closed."""
    said_all = [asyncio.create_task(closed(port, said)) for _ in range(of)]
    ends = asyncio.as_completed(said_all, timeout=20)
    for _ in range(number):
        await next(ends)
    for each in said_all:
        each.cancel()
    await asyncio.gather(*said_all, return_exceptions=True)


def test_a_websocket_that_nobody_accepts_is_closed_in_time() -> None:
    async def handshake() -> None:
        async with serving(Limits(handshake_seconds=0.2)) as port:
            await so_many_are_closed(1, 1, port, HANDSHAKE)

    asyncio.run(handshake())


def test_of_too_many_websockets_that_nobody_accepts_the_oldest_are_closed() -> None:
    async def handshakes() -> None:
        async with serving(Limits(handshake_seconds=60.0, half_open=3)) as port:
            await so_many_are_closed(5, 8, port, HANDSHAKE)

    asyncio.run(handshakes())


def test_so_many_bytes_of_bodies_are_kept_and_no_more() -> None:
    async def bodies() -> None:
        async with serving(Limits(handshake_seconds=60.0)) as port:
            await so_many_are_closed(100 - 4 * 1024 * 1024 // LONG_BODY, 100, port, POST)

    asyncio.run(bodies())

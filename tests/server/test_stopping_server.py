"""What a server that stops still answers, and that it stops."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import PlainTextResponse

from vivienne.access.limits import Limits
from vivienne.server.listen import bind, server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SECONDS = 10.0
ASKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"


async def comes(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(SECONDS):
        while not true():  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0)


@asynccontextmanager
async def stopping() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that has said nothing, to a server within this process that has begun to stop."""
    web, sockets = server(PlainTextResponse("done"), Limits(), cast("Any", None)), bind("127.0.0.1", 0)
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

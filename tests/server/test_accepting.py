"""Of the connections that wait to be set up, none waits for all that came before it, or for all that come after it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from time import monotonic
from typing import Any

from vivienne.access.budget import TimeBudgets
from vivienne.access.limits import Limits
from vivienne.metrics.registry import Metrics
from vivienne.server.accepting import Acceptor
from vivienne.server.incoming import Incoming
from vivienne.server.listen import bind, server

SECONDS = 10.0
MANY = 400


async def test_the_newest_connection_of_an_address_does_not_wait_for_all_that_came_before_it() -> None:
    order: list[int] = []

    class Noting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            order.append(transport.get_extra_info("peername")[1])
            transport.close()

    [listening] = bind("127.0.0.1", 0)
    acceptor = Acceptor([listening], Noting, lambda: 10 * MANY)
    with ExitStack() as stack:
        stack.enter_context(listening)
        clients = [stack.enter_context(socket.create_connection(listening.getsockname(), SECONDS)) for _ in range(MANY)]
        acceptor.start()
        async with asyncio.timeout(SECONDS):
            while len(order) < MANY:  # noqa: ASYNC110  # each is a pass
                await asyncio.sleep(0)
        acceptor.close()
        ports = [client.getsockname()[1] for client in clients]
    assert sorted(order) == sorted(ports)
    assert order.index(ports[-1]) < MANY / 2
    assert order.index(ports[MANY // 2]) < MANY * 0.9
    assert order.index(ports[1]) < MANY / 2


async def test_a_pause_is_begun_a_few_passes_after_it_was_sent() -> None:
    """Each pass is as long as others make it, and a pause waits for all of them."""
    begun = asyncio.Event()

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        begun.set()

    web, sockets = server(app, Limits(), Incoming(TimeBudgets(monotonic), Metrics())), bind("127.0.0.1", 0)
    serving = asyncio.create_task(web.serve(sockets))
    async with asyncio.timeout(SECONDS):
        while not web.started:  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0)
        with socket.create_connection(sockets[0].getsockname(), SECONDS) as client:
            client.sendall(
                b"POST /phoenix/config/vivienne/comprehensive/pause HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Length: 2\r\n\r\n{}"
            )
            passes = 0
            while not begun.is_set():
                await asyncio.sleep(0)
                passes += 1
    web.should_exit = True
    await asyncio.wait_for(serving, SECONDS)
    assert passes <= 7

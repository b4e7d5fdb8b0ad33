"""Connections are set up in turn, and a pause waits for few of them, and for few passes of the event loop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from raw_http import UPGRADE, request
from vivienne.access.budget import TimeBudgets
from vivienne.access.limits import Limits
from vivienne.metrics.registry import Metrics
from vivienne.server.accepting import Acceptor
from vivienne.server.connections import Connections, by_address
from vivienne.server.incoming import Incoming
from vivienne.server.listen import bind, server

if TYPE_CHECKING:
    from starlette.types import Scope

    from vivienne.server.connections import PausesAs

SECONDS = 10.0
MANY = 400


PAUSE = (
    b"POST /phoenix/config/vivienne/comprehensive/pause HTTP/1.1\r\nHost: localhost\r\n"
    b"Authorization: %s\r\nContent-Length: 2\r\n\r\n{}"
)


class Noting(asyncio.Protocol):
    """Notes from which port it is connected, in a list, and ends."""

    def __init__(self, order: list[int], _accepted_at: float) -> None:
        self._order = order

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._order.append(transport.get_extra_info("peername")[1])
        transport.close()


async def place_of_the_last(said: list[bytes], pauses_as: PausesAs = by_address) -> int:
    """How many connections, on each of which something was said before any was set up, are set up before the last."""
    order: list[int] = []
    connections = Connections(Limits(), lambda _: False, pauses_as=pauses_as)
    [listening] = bind("127.0.0.1", 0)
    acceptor = Acceptor([listening], partial(Noting, order), lambda: 10 * MANY, connections.pause_in)
    with ExitStack() as stack:
        stack.enter_context(listening)
        for each in said:
            client = stack.enter_context(socket.create_connection(listening.getsockname(), SECONDS))
            client.sendall(each)
        last = client.getsockname()[1]
        acceptor.start()
        async with asyncio.timeout(SECONDS):
            while len(order) < len(said):  # noqa: ASYNC110  # each is a pass
                await asyncio.sleep(0)
        acceptor.close()
    assert len(set(order)) == len(said)
    return order.index(last)


async def test_who_may_pause_does_not_wait_until_all_connections_of_its_address_are_set_up() -> None:
    def may(scope: Scope, _address: str) -> str | None:
        return "known" if dict(scope["headers"])[b"authorization"] == b"known" else None

    said = [PAUSE % b"unknown"] * MANY + [b"\x00\xff\r\n:\r\n", b"POST", PAUSE % b"known"]
    assert await place_of_the_last(said, may) < MANY / 2


async def test_a_request_does_not_wait_until_all_websockets_of_its_address_are_set_up() -> None:
    handshake = request("GET", "/ws/state", ("Host", "localhost"), *UPGRADE)
    said = [handshake] * MANY + [request("GET", "/health", ("Host", "localhost"))]
    assert await place_of_the_last(said) < MANY / 2


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
            client.sendall(PAUSE % b"anybody")
            passes = 0
            while not begun.is_set():
                await asyncio.sleep(0)
                passes += 1
    web.should_exit = True
    await asyncio.wait_for(serving, SECONDS)
    assert passes <= 7

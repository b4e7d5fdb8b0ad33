"""Nothing open lacks a timer, also where the application does not answer."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

import pytest
import uvloop
from prometheus_client import generate_latest

from raw_http import UPGRADE, request
from vivienne.access.budget import TimeBudgets
from vivienne.access.limits import Limits
from vivienne.metrics.registry import Metrics
from vivienne.server.connections import by_address
from vivienne.server.http_protocol import Connection
from vivienne.server.incoming import Incoming
from vivienne.server.listen import bind, server
from vivienne.server.policy import PAUSE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from vivienne.server.connections import PausesAs

LONG_BODY = 200_000
POST = request("POST", "/", ("Host", "localhost"), ("Content-Length", str(2 * LONG_BODY))) + b"x" * LONG_BODY
GET = request("GET", "/", ("Host", "localhost"))
CHUNKED = request("POST", "/", ("Host", "localhost"), ("Transfer-Encoding", "chunked"))
HANDSHAKE = request("GET", "/ws/state", ("Host", "localhost"), *UPGRADE)


async def never(_scope: Scope, receive: Receive, _send: Send) -> None:
    """An application that does not answer."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass


@asynccontextmanager
async def serving(
    limits: Limits, app: ASGIApp = never, metrics: Metrics | None = None, pauses_as: PausesAs = by_address
) -> AsyncIterator[int]:
    """A server of an application in this process; gives its port."""
    sockets = bind("127.0.0.1", 0)
    web = server(app, limits, Incoming(TimeBudgets(monotonic), Metrics()), metrics=metrics, pauses_as=pauses_as)
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


@pytest.mark.parametrize("begun", [GET[:-2], CHUNKED + b"0\r\n"], ids=["headers", "trailers"])
def test_too_many_fields_are_refused_before_the_last_has_come(begun: bytes) -> None:
    async def fields() -> None:
        async with serving(Limits(handshake_seconds=60.0)) as port:
            await so_many_are_closed(1, 1, port, begun + b"a:b\r\n" * 110)

    asyncio.run(fields())


def test_so_many_bytes_of_unfinished_heads_are_kept_and_no_more() -> None:
    async def heads() -> None:
        async with serving(Limits(handshake_seconds=60.0)) as port, asyncio.timeout(20):
            opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
            for _, writer in opened:
                writer.write(GET[:-2])
            for _ in range(30):  # piece by piece, so that it is parsed when the next one comes
                for _, writer in opened:
                    writer.write(b"a: " + b"b" * 1_995 + b"\r\n")
                for _ in range(len(opened) // 5):
                    await asyncio.sleep(0)
            reads = [asyncio.create_task(reader.read()) for reader, _ in opened]
            ends = asyncio.as_completed(reads)
            for _ in range(20):
                with suppress(ConnectionResetError):
                    await next(ends)
            for _, writer in opened:
                writer.close()
            await asyncio.gather(*reads, return_exceptions=True)

    asyncio.run(heads())


def answering(answered: list[str]) -> ASGIApp:
    """An application that answers once the request has arrived, and notes its path."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        answered.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    return app


async def used(number: int, port: int) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connections on which a request was answered."""
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(number)]
    for reader, writer in opened:
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
    return opened


def test_of_too_many_used_connections_with_half_a_request_the_oldest_is_closed() -> None:
    async def halves() -> None:
        async with serving(Limits(handshake_seconds=60.0, half_open=3), answering([])) as port, asyncio.timeout(20):
            opened = [each for _ in range(4) for each in await used(1, port)]
            opened[0][1].write(GET[:-2])
            for _ in range(20):  # passes, so that it is the oldest
                await asyncio.sleep(0)
            for _, writer in opened[1:]:
                writer.write(GET[:-2])
            assert (await opened[0][0].read()).startswith(b"HTTP/1.1 408 ")
            opened[-1][1].write(GET[-2:])
            assert (await opened[-1][0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            for _, writer in opened:
                writer.close()

    asyncio.run(halves())


def test_a_burst_from_one_address_ends_no_request_of_another_that_has_just_begun() -> None:
    async def burst() -> None:
        async with serving(Limits(handshake_seconds=60.0, half_open=3), answering([])) as port, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.9", 0))
            writer.write(GET[:-2])
            for _ in range(20):  # passes, so that it is the oldest
                await asyncio.sleep(0)
            await so_many_are_closed(5, 7, port, GET[:-2])
            writer.write(GET[-2:])
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            writer.close()

    asyncio.run(burst())


def test_a_pause_does_not_wait_for_requests_in_a_row_from_its_own_address() -> None:
    answered: list[str] = []

    async def pause() -> None:
        async with serving(Limits(), answering(answered)) as port, asyncio.timeout(20):
            opened = await used(200, port)
            answered.clear()
            for _, writer in opened:
                writer.write(GET * 20)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(*PAUSE, ("Host", "localhost"), ("Content-Length", "2")))
            await asyncio.sleep(0)
            writer.write(b"{}")  # by itself, as many libraries send it
            await reader.readuntil(b"\r\n\r\n")
            for _, each in (*opened, (reader, writer)):
                each.close()

    asyncio.run(pause())
    assert answered.index(PAUSE[1]) < 30


def test_a_pause_does_not_wait_for_pauses_of_those_at_its_address_who_may_not() -> None:
    answered: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answering([])(scope, receive, send)
        answered.append(dict(scope["headers"]).get(b"authorization", b"nobody").decode())

    def of(*who: tuple[str, str]) -> bytes:
        return request(*PAUSE, ("Host", "localhost"), ("Content-Length", "0"), *who)

    def may(scope: Scope, _address: str) -> str | None:
        return {b"viewer": None}.get(found := dict(scope["headers"]).get(b"authorization", b""), found.decode() or None)

    async def pause() -> None:
        async with serving(Limits(), app, pauses_as=may) as port, asyncio.timeout(20):
            refused = at_once(100, port, "127.0.0.1", of()) + at_once(
                100, port, "127.0.0.1", of(("Authorization", "viewer"))
            )
            others = at_once(50, port, "127.0.0.1", of(("Authorization", "ann")))
            bob = at_once(1, port, "127.0.0.1", of(("Authorization", "bob")))
            while "bob" not in answered:  # noqa: ASYNC110  # each is a pass
                await asyncio.sleep(0)
            for each in (*refused, *others, *bob):
                each.close()

    asyncio.run(pause())
    assert answered.index("bob") < 90


def at_once(number: int, port: int, address: str, said: bytes) -> list[socket.socket]:
    """Connections that are made, and on which something is said, in one pass of the event loop."""
    made = [socket.create_connection(("127.0.0.1", port), 10, (address, 0)) for _ in range(number)]
    for each in made:
        each.sendall(said)
    return made


def test_a_pause_does_not_wait_until_the_connections_of_another_address_are_set_up() -> None:
    answered: list[str] = []

    async def pause() -> None:
        async with serving(Limits(), answering(answered)) as port, asyncio.timeout(20):
            [(_, writer)] = await used(1, port)
            answered.clear()
            opened = at_once(500, port, "127.0.0.9", GET)
            opened += at_once(1, port, "127.0.0.1", request(*PAUSE, ("Host", "localhost"), ("Content-Length", "0")))
            while PAUSE[1] not in answered:  # noqa: ASYNC110  # each is a pass
                await asyncio.sleep(0)
            for each in opened:
                each.close()
            writer.close()

    uvloop.run(pause())
    assert answered.index(PAUSE[1]) < 25


def test_a_request_does_not_wait_for_all_handshakes_of_its_address() -> None:
    """As when a server comes back, and all of its clients with it."""
    answered: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            answered.append("handshake")
            await send({"type": "websocket.close"})
        else:
            await answering(answered)(scope, receive, send)

    async def ask() -> None:
        async with serving(Limits(), app) as port, asyncio.timeout(20):
            [(reader, writer)] = await used(1, port)
            answered.clear()
            opened = at_once(200, port, "127.0.0.1", HANDSHAKE)
            while len(answered) < 10:  # noqa: ASYNC110  # each is a pass
                await asyncio.sleep(0)
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\n")
            for each in opened:
                each.close()
            writer.close()

    uvloop.run(ask())
    assert answered.index("/") < 40


def test_a_connection_that_is_reset_before_its_turn_is_not_set_up() -> None:
    metrics = Metrics()

    async def reset() -> None:
        async with serving(Limits(connections=10), answering([]), metrics) as port, asyncio.timeout(20):
            for each in at_once(200, port, "127.0.0.1", GET):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.close()
            [(_, writer)] = await used(1, port)
            writer.close()

    asyncio.run(reset())
    assert 'vivienne_connections_ended_total{reason="limit"} 0.0' in generate_latest(metrics.registry).decode()


def test_a_request_whose_client_has_left_before_its_turn_is_not_kept() -> None:
    answered: list[str] = []

    async def leave() -> int:
        async with serving(Limits(), answering(answered)) as port, asyncio.timeout(20):
            opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
            for _, writer in opened:
                writer.write(GET)
            while len(answered) < 5:  # noqa: ASYNC110  # each is a pass
                await asyncio.sleep(0)
            for _, writer in opened:
                writer.transport.abort()
            [(_, writer)] = await used(1, port)
            kept = sum(isinstance(each, Connection) for each in gc.get_objects())
            writer.close()
            return kept

    gc.collect()
    gc.disable()  # what has no cycle goes without it
    try:
        kept = asyncio.run(leave())
    finally:
        gc.enable()
    assert len(answered) < 90
    assert kept < 20

"""Many clients of `/ws/state` in one process, cheap enough that it is the server which is measured.

They read frames without understanding them, answer pings, and connect again as the npm package does: after a random
part of half a second, doubled with each attempt. Every other one asks for changes.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Seen = Callable[[bytes], None]

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0
_HANDSHAKE_SECONDS = 10.0
_TEXT, _CLOSE, _PING = 1, 8, 9
_TIMESTAMP = b'"timestamp":"'


class Crowd:
    """Clients that stay connected.

    Args:
        port: of the server.
        clients: how many.
        seen: is given every text that a client gets.

    Attributes:
        refused: handshakes that were answered with something else than an upgrade.
        ended: connections that ended although nobody here wanted them to.
    """

    def __init__(self, port: int, clients: int, seen: Seen | None = None) -> None:
        self.refused = 0
        self.ended = 0
        self._port = port
        self._seen = seen
        self._moments = random.Random(8)  # noqa: S311  # spreads moments, guards no secret
        self._served: list[float] = [0.0] * clients
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Connect all of them."""
        self._tasks = [asyncio.create_task(self._stay(number)) for number in range(len(self._served))]

    async def stop(self) -> None:
        """Let all of them go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def unserved(self, since: float) -> int:
        """How many have got nothing since a `monotonic` moment, by connections that were made after it."""
        return sum(moment <= since for moment in self._served)

    def last_served(self) -> float:
        """When the last of them got the first state by its present connection, `monotonic`."""
        return max(self._served)

    async def all_served(self, since: float, seconds: float) -> bool:
        """Wait until each has been served since a moment."""
        deadline = time.monotonic() + seconds
        while self.unserved(since):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def _stay(self, number: int) -> None:
        attempts = 0

        def served() -> None:
            nonlocal attempts
            attempts = 0
            self._served[number] = time.monotonic()

        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(_HANDSHAKE_SECONDS):
                    transport, watcher = await loop.create_connection(
                        lambda: Watcher(self._seen, served, changes=number % 2 > 0), "127.0.0.1", self._port
                    )
                try:
                    async with asyncio.timeout(_HANDSHAKE_SECONDS):
                        await watcher.opened
                    await watcher.ended
                    self.ended += 1
                finally:
                    transport.abort()
            except ConnectionRefusedError:
                pass
            except (OSError, TimeoutError):
                self.refused += 1
            await asyncio.sleep(self._moments.random() * min(_LONGEST_DELAY, _FIRST_DELAY * 2**attempts))
            attempts += 1


class Watcher(asyncio.Protocol):
    """One connection.

    Args:
        seen: is given every text.
        served: is called at the first one.
        changes: ask for them.

    Attributes:
        opened: done when the server has accepted; fails with `ConnectionError` when it has not.
        ended: done when the connection has ended.
    """

    def __init__(self, seen: Seen | None, served: Callable[[], None], *, changes: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._seen = seen
        self._served: Callable[[], None] | None = served
        self._changes = changes
        self._left = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(handshake())

    def data_received(self, data: bytes) -> None:
        """Read as many frames as there are."""
        self._left += data
        if not self.opened.done():
            head, blank, rest = bytes(self._left).partition(b"\r\n\r\n")
            if not blank:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.opened.set_exception(ConnectionError(head.decode(errors="replace")))
                return
            self.opened.set_result(None)
            self._left[:] = rest
            self._subscribe()
        for kind, content in _frames(self._left):
            if kind == _TEXT:
                if self._served is not None:
                    self._served()
                    self._served = None
                if self._seen is not None:
                    self._seen(content)
            elif kind == _PING and self._transport is not None:
                # Masked, as a client must, with zeros.
                self._transport.write(bytes([0x8A, 0x80 | len(content), 0, 0, 0, 0]) + content)
            elif kind == _CLOSE and self._transport is not None:
                self._transport.close()

    def _subscribe(self) -> None:
        if self._changes and self._transport is not None:
            self._transport.write(ask_for_changes())

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionResetError(str(exc)))
        if not self.ended.done():
            self.ended.set_result(None)


def handshake() -> bytes:
    """What asks for a WebSocket on `/ws/state`."""
    key = base64.b64encode(os.urandom(16)).decode()
    head = "GET /ws/state HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()


def ask_for_changes() -> bytes:
    """A frame that subscribes to changes, masked with zeros."""
    text = b'{"type": "subscribe", "assets": ["*"], "updates": "changes"}'
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


def age(text: bytes) -> float:
    """Seconds since a state was made, to the millisecond; both have the clock of this machine."""
    begin = text.index(_TIMESTAMP) + len(_TIMESTAMP)
    made = datetime.fromisoformat(text[begin : begin + 23].decode()).replace(tzinfo=UTC)
    return time.time() - made.timestamp()


def _frames(left: bytearray) -> Iterator[tuple[int, bytes]]:
    """The whole frames at the beginning of what was received, which are taken out of it."""
    at, size = 0, len(left)
    while size - at >= 2:
        length, begin = left[at + 1], at + 2
        if length == 126:
            begin += 2
        elif length == 127:
            begin += 8
        if size < begin:
            break
        if begin > at + 2:
            length = int.from_bytes(left[at + 2 : begin], "big")
        if size < begin + length:
            break
        yield left[at] & 0x0F, bytes(left[begin : begin + length])
        at = begin + length
    del left[:at]

"""Accepting: connections are taken from the kernel at once, and set up in turn.

The kernel has one queue for all clients, in which a pause would wait for every connection before it. To take one out
costs little; what costs is to set it up. Here the addresses take turns for that, and a connection that its client has
reset is closed without it. While many wait, what their clients have sent is looked at: who asks for a pause, and may do
so, has a turn beside its address, and handshakes of an address take turns with everything else of it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from functools import partial
from typing import TYPE_CHECKING

from vivienne.access.caller import counted_as
from vivienne.server.turns import Turns, handshakes_of
from vivienne.standstill import STANDSTILL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    PauseIn = Callable[[bytes, str], str | None]

_log = logging.getLogger(__name__)

_TAKEN_PER_PASS, _SET_UP_PER_PASS = 128, 24
"""In a pass of the event loop: to take a connection costs 0.01 ms, and to set one up 0.1 ms."""
_LOOKED_AT = 2_048
"""Bytes that are looked at of what a client has sent; the head of a pause is shorter."""
LEAST_WAITING = 32
"""Connections that may wait to be set up, whatever the limits are."""
_RETRY_SECONDS = 1.0
"""Time until the next attempt when the system has no file for a connection."""
_STOP_SECONDS = 1.0
"""Longest time until those that wait at a stop are set up."""


class Acceptor:
    """Accepts connections on sockets. Has the methods of `asyncio.Server` that uvicorn calls.

    Args:
        listening: the sockets.
        protocol: makes the protocol of a connection, to which something may have been sent since a time, in seconds
            since 1970.
        room: how many connections may be open besides those that are.
        pause_in: gives the name under which the beginning of a request, from an address, has a turn as a pause; None if
            it is not known to be one.
        since: when the sockets began to listen, in seconds since 1970; None for now.
    """

    def __init__(
        self,
        listening: Sequence[socket.socket],
        protocol: Callable[[float], asyncio.Protocol],
        room: Callable[[], int],
        pause_in: PauseIn = lambda _head, _address: None,
        since: float | None = None,
    ) -> None:
        self._pause_in = pause_in
        self._listening = listening
        self._protocol = protocol
        self._room = room
        self._turns = Turns(_SET_UP_PER_PASS)
        self._waiting = 0
        self._untaken_since = since
        """Since when connections may wait in the kernel, because not all were taken."""
        self._is_accepting = False
        self._is_closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, or go on, to accept."""
        if self._is_accepting or self._is_closed:
            return
        self._is_accepting = True
        for each in self._listening:
            asyncio.get_running_loop().add_reader(each.fileno(), self._take_some, each)

    def close(self) -> None:
        """Accept no more."""
        self._pause()
        self._is_closed = True
        if self._retry is not None:
            self._retry.cancel()

    async def wait_closed(self) -> None:
        """Wait until every connection that was accepted is set up."""
        async with asyncio.timeout(_STOP_SECONDS):
            while self._waiting or self._tasks:  # noqa: ASYNC110  # each is a pass
                await asyncio.sleep(0)

    async def finish(self) -> None:
        """Set up what clients have connected so far, so that nobody's connection is reset, and accept no more."""
        if self._is_accepting:
            for each in self._listening:
                self._take_some(each)
        self.close()
        await self.wait_closed()

    def _pause(self) -> None:
        if self._is_accepting:
            self._is_accepting = False
            for each in self._listening:
                asyncio.get_running_loop().remove_reader(each.fileno())

    def _take_some(self, listening: socket.socket) -> None:
        since = STANDSTILL.since()
        if self._untaken_since is not None:
            since = min(since, self._untaken_since)
        self._untaken_since = since
        for _ in range(_TAKEN_PER_PASS):
            if self._waiting >= max(LEAST_WAITING, self._room()):
                self._pause()  # `_set_up` goes on
                return
            try:
                accepted, address = listening.accept()
            except BlockingIOError:  # all are taken
                self._untaken_since = None
                return
            except (InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # such as no file, or no memory
                _log.error(
                    "A connection could not be accepted: %s; retrying in %g s", error.strerror, _RETRY_SECONDS
                )  # a traceback says no more
                self._pause()
                self._retry = asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.start)
                return
            if _is_reset(accepted):
                accepted.close()
                continue
            accepted.setblocking(False)
            whose = counted_as(address[0])
            lane = self._lane(accepted, whose) if self._waiting else whose
            self._waiting += 1
            self._turns.take_now(lane, partial(self._set_up, accepted, since))

    def _lane(self, accepted: socket.socket, whose: str) -> str:
        """The name under which a connection has its turn: of a pause that may be made, or of what its address sends."""
        try:
            head = accepted.recv(_LOOKED_AT, socket.MSG_PEEK)
        except OSError:  # nothing has come yet
            return whose
        is_handshake = b"\r\nsec-websocket-key:" in head.lower()
        return self._pause_in(head, whose) or (handshakes_of(whose) if is_handshake else whose)

    def _set_up(self, accepted: socket.socket, since: float) -> None:
        self._waiting -= 1
        self.start()
        if _is_reset(accepted):
            accepted.close()
            return
        task = asyncio.get_running_loop().create_task(self._connect(accepted, since))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, accepted: socket.socket, since: float) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(partial(self._protocol, since), accepted)
        except OSError as error:
            _log.debug("A client left while its connection was set up: %s", error)
            accepted.close()


def _is_reset(accepted: socket.socket) -> bool:
    """Whether the client has reset a connection."""
    return accepted.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0

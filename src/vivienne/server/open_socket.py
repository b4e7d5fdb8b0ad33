"""What stays of a connection that has become a WebSocket, for the limits of connections.

The protocol of HTTP, with its parser and buffers, is let go: thousands of WebSockets are open at the same time.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from vivienne.server.connections import Connections

_AT_ONCE = struct.pack("ii", 1, 0)
"""Value of `SO_LINGER` with which closing a connection discards what is not sent."""


def discard(transport: asyncio.Transport) -> None:
    """End a connection at once. Otherwise the kernel would keep what is unread until the client reads it."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


class OpenSocket:
    """A connection of which a WebSocket is made, or was.

    Args:
        everything: the open connections.
        transport: of the connection.
        address, whose, caller: see `vivienne.server.connections.Open`.
    """

    __slots__ = ("_everything", "_is_gone", "_replies", "_sent", "_transport", "address", "caller", "whose")

    is_pausing = False

    def __init__(
        self, everything: Connections, transport: asyncio.Transport, address: str, whose: str, caller: str
    ) -> None:
        self.address, self.whose, self.caller = address, whose, caller
        self._everything = everything
        self._transport = transport
        self._sent = self._replies = 0
        self._is_gone = False

    def speaks(self) -> None:
        """Note that the handshake is answered, or waits on this side."""
        self._everything.spoke(self)

    def waits(self) -> None:
        """Note that the handshake goes on."""
        self._everything.waits(self)

    def leaves_sent(self, size: int) -> None:
        """Count what was sent and is not read."""
        self._sent = size
        self._count()

    def leaves_replies(self, size: int) -> None:
        """Count the replies that wait until something is read."""
        self._replies = size
        self._count()

    def _count(self) -> None:
        if not self._is_gone:
            self._everything.socket_unread(self, self._sent + self._replies)

    def gone(self) -> None:
        """Note that it is closed."""
        self._is_gone = True
        self._everything.closed(self)

    def give_up(self) -> None:
        """See `vivienne.server.connections.Open`."""
        discard(self._transport)

    def hurry(self) -> None:
        """End a handshake that nobody accepted in time, or the oldest of too many."""
        self._everything.spoke(self)
        self._everything.ended("no_request")
        self._transport.abort()

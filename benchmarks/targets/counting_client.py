"""A WebSocket client of states that counts the bytes on its connection, as they are on the wire."""

from __future__ import annotations

import selectors
import socket
import time
from typing import TYPE_CHECKING, Self

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from fanout.delivering import PATCHES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

_READ = 65_536
_ERROR = b'"type":"error"'
_ANSWER_SECONDS = 10.0


class CountingClient:
    """A connected client.

    Args:
        port: of the server, on this machine.
        takes_changes: whether it asks for changes instead of whole states.
        takes_compressed: whether it offers compression, as browsers do.

    Attributes:
        received: bytes so far.
        gets_changes: False if the server refused to send changes; it sends whole states then.
    """

    def __init__(self, port: int, *, takes_changes: bool, takes_compressed: bool) -> None:
        extensions = [ClientPerMessageDeflateFactory()] if takes_compressed else None
        uri = parse_uri(f"ws://127.0.0.1:{port}/ws/state")
        self._protocol = ClientProtocol(uri, extensions=extensions, max_size=None)
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS)
        self.received, self.gets_changes = 0, takes_changes
        self._protocol.send_request(self._protocol.connect())
        self._send()
        while self._protocol.state is State.CONNECTING:
            self.read()
        if takes_changes:
            self._protocol.send_text(PATCHES.encode())
            self._send()

    @property
    def gets_compressed(self) -> bool:
        """Whether the server accepted to compress."""
        return bool(self._protocol.extensions)

    def read(self) -> None:
        """Take what has come, and answer pings."""
        data = self.socket.recv(_READ)
        if not data:
            raise RuntimeError("the server closed the connection")
        self.received += len(data)
        self._protocol.receive_data(data)
        self._send()
        for event in self._protocol.events_received():
            if isinstance(event, Response) and self._protocol.handshake_exc is not None:
                raise self._protocol.handshake_exc
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT and _ERROR in bytes(event.data):
                self.gets_changes = False

    def _send(self) -> None:
        for data in self._protocol.data_to_send():
            self.socket.sendall(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()


def read_for(seconds: float, clients: Iterable[CountingClient]) -> None:
    """Let clients read for a while."""
    with selectors.DefaultSelector() as ready:
        for each in clients:
            ready.register(each.socket, selectors.EVENT_READ, each)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for key, _ in ready.select(left):
                key.data.read()

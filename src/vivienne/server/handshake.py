"""A handshake as the WebSocket library has it, made of the request that was parsed already.

uvicorn writes the request down again, for the library to parse it a second time: a fifth of the time of a handshake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.protocol import Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from websockets.server import ServerProtocol


def handshake(method: str, version: str, url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Request | None:
    """The request; None if it is unusual, and may be none that the library reads."""
    if method != "GET" or version != "1.1" or not url.isascii():
        return None
    fields = Headers()
    for name, value in headers:
        fields[name.decode("latin-1")] = value.decode("latin-1")  # it adds
    return Request(url.decode("ascii"), fields)


def read_frames(protocol: ServerProtocol) -> None:
    """Let the library read frames next, and no handshake before them."""
    protocol.parser = Protocol.parse(protocol)
    next(protocol.parser)

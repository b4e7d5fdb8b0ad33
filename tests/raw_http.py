"""Requests as bytes, so that what no client library would send can be sent."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any, Self

SECONDS = 10.0
UPGRADE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)
"""What makes a request the beginning of a WebSocket."""


@dataclass(frozen=True)
class RawAnswer:
    """An answer; names of headers in small letters, all values of each."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def code(self) -> str | None:
        """The code of a problem document; None where it is none, or came without its body."""
        if not self.body or "application/problem+json" not in self.headers.get("content-type", []):
            return None
        found: dict[str, Any] = json.loads(self.body)
        return str(found["code"])


def connected(port: int) -> socket.socket:
    """A connection."""
    return socket.create_connection(("127.0.0.1", port), SECONDS)


def request(method: str, target: str, *headers: tuple[str, str]) -> bytes:
    """A request without a body, with these headers and no others."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode()


def ask(port: int, asked: bytes) -> RawAnswer:
    """Send a request on a connection of its own; gives the answer."""
    with connected(port) as connection:
        connection.sendall(asked)
        return answer(connection, has_body=not asked.startswith(b"HEAD "))


class Asking:
    """Asks on one connection for as long as the server keeps it: to open one takes longer than most answers.

    Args:
        port: of the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def ask(self, asked: bytes) -> RawAnswer:
        """Send a request; gives the answer."""
        if self._connection is not None:
            try:
                return self._asked(self._connection, asked)
            except ConnectionError:  # the server has closed it, because nothing came for long
                self._leave()
        self._connection = connected(self._port)
        return self._asked(self._connection, asked)

    def _asked(self, connection: socket.socket, asked: bytes) -> RawAnswer:
        connection.sendall(asked)
        found = answer(connection, has_body=not asked.startswith(b"HEAD "))
        # Of an answer without a length, and of a connection that is a WebSocket now, there is more to come.
        if "close" in found.headers.get("connection", []) or "content-length" not in found.headers:
            self._leave()
        return found

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def answer(connection: socket.socket, *, has_body: bool = True) -> RawAnswer:
    """The next answer that comes."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(connection)
    head, _, body = got.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    length = int(headers.get("content-length", ["0"])[0])
    while has_body and len(body) < length:
        body += _more(connection)
    return RawAnswer(int(first.split()[1]), headers, body)


def rest(connection: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    got = b""
    try:
        while more := connection.recv(65_536):
            got += more
    except ConnectionResetError:
        pass  # closed, while something of ours was still on its way
    return got


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(65_536)
    if not more:
        raise ConnectionError("the server closed the connection within an answer")
    return more

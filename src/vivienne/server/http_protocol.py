"""uvicorn's protocol for HTTP, with limits of the time and size of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vivienne.server.problems import problem
from vivienne.server.websocket_protocol import WebSocketProtocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config

    from vivienne.server.connections import Connections

_REQUEST_TIMEOUT, _HEADERS_TOO_LARGE = 408, 431
_HEAD_BYTES, _HEAD_FIELDS = 64 * 1024, 100
"""Limits of the address and the headers of a request."""


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, with limits; made for one `Connections` by `limited`."""

    everything: Connections

    def __init__(self, config: Config, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._address = ""
        self._refused = False
        self._head: int | None = 0
        """Bytes of a head that has not arrived whole; None between requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and refuse it beyond the limits."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        refusal = self.everything.opened(self, self._address)
        if refusal is not None:
            self._refused = True
            self.app = refusal

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it as closed. Not called once it has become a WebSocket."""
        self.everything.closed(self, self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those that belong to no request must not keep the connection open."""
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > _HEAD_BYTES and not self.transport.is_closing():
                self.everything.spoke(self)
                self._end(_HEADERS_TOO_LARGE, "Request Header Fields Too Large", "The headers are too long")
                return
        if self.transport.get_protocol() is not self:
            # It has become a WebSocket. The parser and this object refer to each other, which would keep both alive.
            self.parser = None  # type: ignore[assignment]  # as uvicorn does with a connection that is lost
            return
        cycle: Any = self.cycle  # None before the first request
        answered = cycle is None or cycle.response_complete
        if answered and self.timeout_keep_alive_task is None:
            self.everything.waits(self)

    def on_message_begin(self) -> None:
        """Begin to measure the time and size of a request."""
        self.everything.waits(self)
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Check the size of the headers, and take the host of an absolute address."""
        self._head = None
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if len(self.headers) > _HEAD_FIELDS or size > _HEAD_BYTES:
            self._refused = True
            self.app = problem(
                _HEADERS_TOO_LARGE,
                "Request header fields too large",
                f"A request may have at most {_HEAD_FIELDS} header fields and {_HEAD_BYTES:,} bytes of them",
                code="headers_too_large",
                headers={"Connection": "close"},
            )
        if b"://" in self.url and not self.url.startswith(b"/"):
            # An absolute address wins over Host (RFC 9112, 3.2.2).
            host, _, path = self.url.partition(b"://")[2].partition(b"/")
            self.headers[:] = [(name, value) for name, value in self.headers if name != b"host"] + [(b"host", host)]
            self.url = b"/" + path
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request has arrived, with its body."""
        self.everything.spoke(self)
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return not self._refused and super()._should_upgrade()

    def handle_websocket_upgrade(self) -> None:
        """Keep counting the connection as a WebSocket."""
        super().handle_websocket_upgrade()
        became: Any = self.transport.get_protocol()
        if isinstance(became, WebSocketProtocol):
            became.gone = lambda: self.everything.closed(self, self._address)

    def hurry(self) -> None:
        """End a connection that took too long, or that is the oldest of too many without a request."""
        self.everything.spoke(self)
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle
        if cycle is not None and (cycle.response_started if cycle.more_body else not cycle.response_complete):
            # An answer is on its way, to this request or the one before: nothing may be written into it.
            self.transport.close()
            return
        self._end(_REQUEST_TIMEOUT, "Request Timeout", "The request did not arrive in time")

    def _end(self, status: int, phrase: str, text: str) -> None:
        """Answer with the reason, and close."""
        head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
        head += f"content-length: {len(text)}\r\nconnection: close\r\n\r\n"
        self.transport.write((head + text).encode())
        self.transport.close()


def limited(connections: Connections) -> type[Connection]:
    """The protocol class of a server with these limits."""
    return type("LimitedConnection", (Connection,), {"everything": connections})

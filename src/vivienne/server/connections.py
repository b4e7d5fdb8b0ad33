"""Connections: limits of their number, and of the time until one has sent a request.

A connection beyond the limits is answered with the reason and closed. One without a request is closed after a while, or
when there are too many such connections: the oldest goes first, so that clients that send at once get in.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from vivienne.access.caller import counted_as
from vivienne.server.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp
    from uvicorn.config import Config

    from vivienne.access.limits import Limits

_LAST_WORD_SECONDS = 1.0
_NOT_UTF8 = 1007
_REQUEST_TIMEOUT, _TOO_MANY, _HEADERS_TOO_LARGE, _UNAVAILABLE = 408, 429, 431, 503
_HEAD_BYTES, _HEAD_FIELDS = 64 * 1024, 100
"""Limits of the address and the headers of a request."""
_MOST_UNREAD = 64 * 1024
"""Bytes a client may leave unread; beyond it its pings are not answered."""


class Connections:
    """The open connections.

    Args:
        limits: of their number and time.
        is_proxy: tells if an address is that of a reverse proxy, which connects for many callers.
    """

    def __init__(self, limits: Limits, is_proxy: Callable[[str], bool]) -> None:
        self.limits = limits
        self._is_proxy = is_proxy
        self._open = 0
        self._by_address: dict[str, int] = {}
        # Oldest first.
        self._silent: dict[Connection, asyncio.TimerHandle] = {}

    def opened(self, connection: Connection, address: str) -> ASGIApp | None:
        """Count a connection; return the application that refuses it, or None if it is within the limits."""
        self._open += 1
        whose = counted_as(address)
        here = self._by_address[whose] = self._by_address.get(whose, 0) + 1
        loop = asyncio.get_running_loop()
        self._silent[connection] = loop.call_later(self.limits.handshake_seconds, connection.hurry)
        if len(self._silent) > self.limits.half_open:
            next(iter(self._silent)).hurry()
        if self._open > self.limits.connections:
            detail = f"The limit of {self.limits.connections:,} open connections is reached"
            return _refusal(_UNAVAILABLE, "Too many connections", detail)
        if here > self.limits.connections_per_address and not self._is_proxy(address):
            detail = f"The limit of {self.limits.connections_per_address:,} open connections from {address} is reached"
            return _refusal(_TOO_MANY, "Too many connections", detail)
        return None

    def spoke(self, connection: Connection) -> None:
        """Note that a whole request has arrived."""
        timer = self._silent.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def waits(self, connection: Connection) -> None:
        """Note that a request has begun and has not arrived whole."""
        if connection not in self._silent:
            loop = asyncio.get_running_loop()
            self._silent[connection] = loop.call_later(self.limits.handshake_seconds, connection.hurry)

    def closed(self, connection: Connection, address: str) -> None:
        """Note that a connection is closed."""
        self.spoke(connection)
        self._open -= 1
        whose = counted_as(address)
        self._by_address[whose] -= 1
        if not self._by_address[whose]:
            del self._by_address[whose]


def _refusal(status: int, title: str, detail: str) -> ASGIApp:
    headers = {"Retry-After": "1", "Connection": "close"}
    return problem(status, title, detail, code="too_many_connections", headers=headers)


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


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which drops a client that neither answers pings nor reads, or that breaks the protocol.

    Closing waits until everything is written, which never happens with a client that does not read. A client that
    breaks the protocol must not be logged as a defect of the program.

    Attributes:
        gone: called once the connection is closed.
    """

    gone: Callable[[], None] | None = None

    def keepalive_timeout(self) -> None:
        """Close a connection whose client did not answer a ping in time."""
        super().keepalive_timeout()
        self.loop.call_later(_LAST_WORD_SECONDS, self.transport.abort)

    def handle_ping(self) -> None:
        """Answer, unless earlier answers are unread and would pile up. Not every ping needs one (RFC 6455)."""
        if self.transport.get_write_buffer_size() < _MOST_UNREAD:
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def send_receive_event_to_app(self) -> None:
        """Pass a message on, or end the connection if its text is not UTF-8."""
        if not self.close_sent and self.curr_msg_data_type == "text" and not _is_utf8(self.frames):
            self.frames = []
            self.conn.send_close(_NOT_UTF8)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Send nothing more after an invalid frame: the client has been told, and does not read on."""
        super().handle_parser_exception()
        self.disconnected = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the connection as closed, once."""
        super().connection_lost(exc)
        if self.gone is not None:
            self.gone()
            self.gone = None


def _is_utf8(parts: Sequence[bytes]) -> bool:
    try:
        b"".join(parts).decode()
    except UnicodeDecodeError:
        return False
    return True

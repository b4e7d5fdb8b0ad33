"""Connections: how many may be open, and for how long one may keep its wishes to itself.

A connection beyond the limits is answered in words and closed. One that says nothing is closed after a while, or when
there are too many such: the oldest goes first, so that whoever speaks at once gets in.
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
"""What the address and the headers of a request may have."""
_MOST_UNREAD = 64 * 1024
"""Bytes a client may leave unread before its pings are not answered any more."""


class Connections:
    """What is open.

    Args:
        limits: of it.
        is_proxy: whether an address is that of a reverse proxy, behind which many callers are.
    """

    def __init__(self, limits: Limits, is_proxy: Callable[[str], bool]) -> None:
        self.limits = limits
        self._is_proxy = is_proxy
        self._open = 0
        self._by_address: dict[str, int] = {}
        # Oldest first.
        self._silent: dict[Connection, asyncio.TimerHandle] = {}

    def opened(self, connection: Connection, address: str) -> ASGIApp | None:
        """Count a connection; gives what answers it, where that is no more than a refusal."""
        self._open += 1
        whose = counted_as(address)
        here = self._by_address[whose] = self._by_address.get(whose, 0) + 1
        loop = asyncio.get_running_loop()
        self._silent[connection] = loop.call_later(self.limits.handshake_seconds, connection.hurry)
        if len(self._silent) > self.limits.half_open:
            next(iter(self._silent)).hurry()
        if self._open > self.limits.connections:
            detail = f"{self.limits.connections:,} connections are open, which is as many as may be"
            return _refusal(_UNAVAILABLE, "Too many connections", detail)
        if here > self.limits.connections_per_address and not self._is_proxy(address):
            detail = f"{self.limits.connections_per_address:,} connections are open from {address}, as many as may be"
            return _refusal(_TOO_MANY, "Too many connections", detail)
        return None

    def spoke(self, connection: Connection) -> None:
        """A whole request has arrived."""
        timer = self._silent.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def waits(self, connection: Connection) -> None:
        """A request has begun and is not there yet."""
        if connection not in self._silent:
            loop = asyncio.get_running_loop()
            self._silent[connection] = loop.call_later(self.limits.handshake_seconds, connection.hurry)

    def closed(self, connection: Connection, address: str) -> None:
        """A connection is gone."""
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
        """Bytes of a head that is not here whole yet; None in between."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        refusal = self.everything.opened(self, self._address)
        if refusal is not None:
            self._refused = True
            self.app = refusal

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone. Not called once it has become a WebSocket."""
        self.everything.closed(self, self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something has come: part of a request, or what belongs to none, which must not keep a connection open."""
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > _HEAD_BYTES and not self.transport.is_closing():
                self.everything.spoke(self)
                self._end(_HEADERS_TOO_LARGE, "Request Header Fields Too Large", "The headers are too long")
                return
        if self.transport.get_protocol() is not self:
            # It has become a WebSocket. The parser refers to this and this to it, which would keep both for long.
            self.parser = None  # type: ignore[assignment]  # as uvicorn does with a connection that is lost
            return
        cycle: Any = self.cycle  # None before the first request
        answered = cycle is None or cycle.response_complete
        if answered and self.timeout_keep_alive_task is None:
            self.everything.waits(self)

    def on_message_begin(self) -> None:
        """The first line of a request has begun."""
        self.everything.waits(self)
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It is known what is wanted, and of which host."""
        self._head = None
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if len(self.headers) > _HEAD_FIELDS or size > _HEAD_BYTES:
            self._refused = True
            self.app = problem(
                _HEADERS_TOO_LARGE,
                "Request header fields too large",
                f"A request may have {_HEAD_FIELDS} header fields, and {_HEAD_BYTES:,} bytes of them",
                code="headers_too_large",
                headers={"Connection": "close"},
            )
        if b"://" in self.url and not self.url.startswith(b"/"):
            # A whole address counts, and Host does not (RFC 9112, 3.2.2).
            host, _, path = self.url.partition(b"://")[2].partition(b"/")
            self.headers[:] = [(name, value) for name, value in self.headers if name != b"host"] + [(b"host", host)]
            self.url = b"/" + path
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here, with its body."""
        self.everything.spoke(self)
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return not self._refused and super()._should_upgrade()

    def handle_websocket_upgrade(self) -> None:
        """It becomes a WebSocket, which counts on."""
        super().handle_websocket_upgrade()
        became: Any = self.transport.get_protocol()
        if isinstance(became, WebSocketProtocol):
            became.gone = lambda: self.everything.closed(self, self._address)

    def hurry(self) -> None:
        """It took too long, or there are too many that say nothing."""
        self.everything.spoke(self)
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle
        if cycle is not None and (cycle.response_started if cycle.more_body else not cycle.response_complete):
            # Answered without its body, or an answer to the request before is on its way: nothing may get into that.
            self.transport.close()
            return
        self._end(_REQUEST_TIMEOUT, "Request Timeout", "The request did not arrive in time")

    def _end(self, status: int, phrase: str, text: str) -> None:
        """Say why, to whoever has not said what is wanted, and close."""
        head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
        head += f"content-length: {len(text)}\r\nconnection: close\r\n\r\n"
        self.transport.write((head + text).encode())
        self.transport.close()


def limited(connections: Connections) -> type[Connection]:
    """The protocol of a server with these limits."""
    return type("LimitedConnection", (Connection,), {"everything": connections})


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which lets go of a client that neither answers pings nor reads, or breaks the protocol.

    Closing waits until what is still to be written is written, which is never with a client that does not read. One
    that breaks the protocol is no defect of the program, which must not fail over it.

    Attributes:
        gone: is called once the connection is closed.
    """

    gone: Callable[[], None] | None = None

    def keepalive_timeout(self) -> None:
        """No answer to a ping came in time."""
        super().keepalive_timeout()
        self.loop.call_later(_LAST_WORD_SECONDS, self.transport.abort)

    def handle_ping(self) -> None:
        """Answer, unless the answers before are not read: they would pile up. Not every ping needs one (RFC 6455)."""
        if self.transport.get_write_buffer_size() < _MOST_UNREAD:
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def send_receive_event_to_app(self) -> None:
        """A whole message has arrived."""
        if not self.close_sent and self.curr_msg_data_type == "text" and not _is_utf8(self.frames):
            self.frames = []
            self.conn.send_close(_NOT_UTF8)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """What came is no frame; the client has been told so, and what is sent from here on reaches nobody."""
        super().handle_parser_exception()
        self.disconnected = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
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

"""uvicorn's protocol for HTTP, with limits of the time and size of a request, and of the time to read its answer.

What uvicorn does not do, and is done here by overriding it:

- It begins every answer at once. Here answers begin in turn, and pauses have turns of their own (`_start_asgi_task`).
- It hands a handshake to the WebSocket library in whatever form, and does not notice that the library cannot read it
  (`_should_upgrade`, `handle_websocket_upgrade`).
- When it stops, it resets connections whose request is on its way (`shutdown`).
- It waits for ever for a client to read its answer (`pause_writing`, `on_response_complete`).
- It answers nobody who ends his side of the connection after the request, though it makes the change (`eof_received`).
- It keeps a request that is answered as long as its connection, and that of a lost connection until garbage is
  collected (`_forget_request`, `connection_lost`).

`http_receiving.py` has what arrives.
"""

from __future__ import annotations

from functools import partial
from time import time
from typing import TYPE_CHECKING, Any, cast

from vivienne.access.caller import counted_as
from vivienne.server.charging import KEEPS, LATE, WAITING
from vivienne.server.handshake import handshake
from vivienne.server.head import BAD_REQUEST
from vivienne.server.http_receiving import Receiving
from vivienne.server.intake import Intake
from vivienne.server.open_socket import OpenSocket, discard
from vivienne.server.policy import READING, is_pause
from vivienne.server.turns import handshakes_of

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp
    from uvicorn.config import Config

    from vivienne.server.connections import Connections
    from vivienne.server.turns import Turn
    from vivienne.server.websocket_protocol import WebSocketProtocol

_REQUEST_TIMEOUT = 408
_SOCKET_UNREAD = 8 * 1024
"""Bytes that a WebSocket may leave unread, beside those in the kernel, before no more is sent."""
_LAST_REQUEST_SECONDS = 0.5
"""Time for the first request of a connection that is open when the server stops."""


class Connection(Receiving):
    """uvicorn's protocol, with limits; made for one `Connections` by `limited`.

    Attributes:
        accepted_at: since when its client may have sent something, in seconds since 1970.
    """

    def __init__(self, config: Config, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.accepted_at = time()
        self._over_limit: ASGIApp | None = None
        """What answers everything but a pause, beyond the limits."""
        self._starts: Turn | None = None
        """The turn to begin the answer, until it has come."""
        self._is_half_closed = False
        """True once the client sends no more, and waits for the answer."""

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and refuse it beyond the limits."""
        super().connection_made(transport)
        self.flow = Intake(transport, self._ask_for_turn, self.accepted_at)
        transport.set_write_buffer_limits(high=0)  # `pause_writing` tells of every byte that is unread
        self.address = self.client[0] if self.client else ""
        self.whose = self.caller = counted_as(self.address)
        refusal = self.everything.opened(self)
        if refusal is not None:
            self._refused = True
            self.app = self._over_limit = refusal

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop what waits for its turn, and count it as closed. Not called once it has become a WebSocket."""
        self.flow.release()
        for turn in (self._due, self._starts):
            if turn is not None:
                turn.turns.drop(turn)
        cycle: Any = self.cycle  # None before the first request
        is_running = self._starts is None and cycle is not None and not cycle.response_complete
        if cycle is not None:
            cycle.disconnected = cycle.disconnected or not cycle.response_complete
            cycle.on_response = _do_nothing  # it refers to this object, which would keep both alive
            cycle.body.clear()
        lose = partial(self._lost, exc)
        if is_running:
            # The application is told in turn, because it takes as long to give up as to answer.
            self.everything.lost(self)
            self.everything.answering.take(self.whose, lose)
        else:
            lose()

    def _lost(self, exc: Exception | None) -> None:
        self.everything.closed(self)
        super().connection_lost(exc)
        cycle: Any = self.cycle
        if cycle is not None and WAITING in cycle.scope:
            cycle.scope[WAITING]()

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn never stays
        """Whether the connection stays until the answer: a client that asks for a change may end its side after that.

        Who only reads has left: what nobody waits for ends. TLS has no such half.
        """
        cycle: Any = self.cycle  # None before the first request
        is_asked = cycle is not None and not cycle.response_complete and cycle.scope.get("method") not in READING
        stays = (is_asked or self.flow.holds) and self.transport.get_extra_info("sslcontext") is None
        self._is_half_closed = stays
        if stays and cycle is not None:
            cycle.keep_alive = False
        return stays

    def shutdown(self) -> None:
        """Stop after the answer, and after that to the first request if none has come yet.

        A load balancer connects and sends a request at once. If its connection is reset, it cannot know whether the
        request was carried out, so it does not send a change to another server.
        """
        self._is_last = True
        cycle: Any = self.cycle  # None before the first request
        if cycle is None or self.flow.holds:
            self.loop.call_later(_LAST_REQUEST_SECONDS, super().shutdown)
        else:
            super().shutdown()

    # The WebSocket

    def _should_upgrade(self) -> bool:
        return not self._refused and super()._should_upgrade()

    def handle_websocket_upgrade(self) -> None:
        """Begin a WebSocket in its turn, as an answer."""
        self._is_upgrading = True
        self.everything.spoke(self)  # until its turn it is this side that is late
        self._starts = self.everything.answering.take(handshakes_of(self.whose), self._upgrade, had=self._turns)

    def _upgrade(self) -> None:
        """Keep counting the connection as a WebSocket, and its handshake as a request until it is accepted."""
        self._starts = None
        transport = self.transport
        if transport.is_closing():
            return
        self.everything.waits(self)
        self._begin_websocket()
        # The parser and this object refer to each other, which would keep both alive.
        self.parser = None  # type: ignore[assignment]  # as uvicorn does with a connection that is lost
        became = cast("WebSocketProtocol", transport.get_protocol())  # `listen.server` says so
        stays = OpenSocket(self.everything, transport, self.address, self.whose, self.caller)
        self.everything.holds(self, 0)
        self.everything.became(self, stays)
        became.counted = stays
        scope: dict[str, Any] = getattr(became, "scope", {})  # a handshake that is none has none
        scope[LATE] = (stays.speaks, stays.waits)
        scope[KEEPS] = stays.leaves_replies
        since, early = self.flow.since, self.flow.take_all()
        self.flow.release()
        if transport.is_closing():
            return
        transport.set_write_buffer_limits(high=_SOCKET_UNREAD)
        became.waited_since(since)
        transport.resume_reading()
        if early and became.handshake_initiated:
            became.data_received(early)  # frames that came with the handshake, or while it waited for its turn
        elif not became.handshake_initiated:
            self._end(BAD_REQUEST, "Bad Request", "The WebSocket handshake cannot be read")

    def _begin_websocket(self) -> None:
        scope = self.scope
        request = handshake(scope["method"], scope["http_version"], self.url, scope["headers"])
        if request is None:
            super().handle_websocket_upgrade()
            return
        self.connections.discard(self)
        protocol: Any = self.ws_protocol_class  # of `listen.server`
        became: WebSocketProtocol = protocol(self.config, self.server_state, self.app_state)
        became.connection_made(self.transport)
        became.begin(request)
        self.transport.set_protocol(became)

    # The answer

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Begin to answer in turn. A pause is never behind others, and is answered beyond the limits too.

        Pauses take turns by token, so that one waits for none of somebody else at its address. Who may not pause has
        no turn among them.
        """
        cycle.keep_alive = cycle.keep_alive and not self._is_half_closed
        is_asked = is_pause(cycle.scope)
        self._pauses_as = self.everything.pauses_as(cycle.scope, self.caller) if is_asked else None
        if self._pauses_as is None:
            turns, whose = self.everything.answering, self.caller
        else:
            turns, whose = self.everything.pausing, self._pauses_as
            if app is self._over_limit:
                app = self.config.loaded_app
                cycle.keep_alive = False
        turn = turns.take_now(whose, partial(self._start, cycle, app), had=self._turns)
        if turn is not None:
            self._starts = turn

    def _start(self, cycle: Any, app: Any) -> None:
        self._starts = None
        if not cycle.disconnected:
            super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        """Note what the client leaves unread."""
        super().pause_writing()
        cycle: Any = self.cycle
        rest = 0 if cycle is None or cycle.response_complete else cycle.expected_content_length
        self.everything.unread(self, self.transport.get_write_buffer_size() + rest)

    def resume_writing(self) -> None:
        """Go on; the time to read an answer is over when all of it is sent."""
        super().resume_writing()
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            self.everything.read(self)
        elif cycle.chunked_encoding:  # nobody knows how long it is
            self.everything.read_on(self)

    def on_response_complete(self) -> None:
        """Note that the answer is sent, unless some of it is unread."""
        self._forget_request()
        super().on_response_complete()
        if not self.flow.write_paused:
            self.everything.read(self)

    def _forget_request(self) -> None:
        """Keep nothing of a request that is answered: its connection may stay."""
        if self._arriving.has_head and self.cycle.response_complete:  # nothing of the next one has arrived
            self.headers, self.scope, self.url = [], {}, b""  # type: ignore[typeddict-item]
            self.cycle.scope = self.scope
            self.cycle.body.clear()
            self._arriving.forget()
        if not self.flow.holds:
            self._turns = 1
        self._count_held()

    # Its end

    def give_up(self) -> None:
        """End the connection at once, and let go of everything that is kept for it."""
        discard(self.transport)
        self.flow.release()  # not only when it is closed: in a pass many may be given up

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed, and close."""
        self.everything.ended("malformed")
        super().send_400_response(msg)

    def hurry(self) -> None:
        """End a connection that took too long, or that is the oldest of too many without a request."""
        self.everything.spoke(self)
        self.everything.ended("no_request")
        self._end(_REQUEST_TIMEOUT, "Request Timeout", "The request did not arrive in time", is_counted=True)

    def _end(self, status: int, phrase: str, text: str, *, is_counted: bool = False) -> None:
        """Answer with the reason, and close."""
        self.everything.spoke(self)
        if self.transport.is_closing():
            return  # `pause_writing` saw to what is unread
        if not is_counted:
            self.everything.ended("malformed")
        cycle: Any = self.cycle
        if cycle is not None and (cycle.response_started if cycle.more_body else not cycle.response_complete):
            # An answer is on its way, to this request or the one before: nothing may be written into it.
            self.transport.close()
            return
        head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
        head += f"content-length: {len(text)}\r\nconnection: close\r\n\r\n"
        self.transport.write((head + text).encode())
        self.transport.close()


def _do_nothing() -> None:
    """Nobody waits for the end of this answer any more."""


def limited(connections: Connections) -> type[Connection]:
    """The protocol class of a server with these limits."""
    return type("LimitedConnection", (Connection,), {"everything": connections})

"""uvicorn's protocol for WebSockets, in turns: what a client sends is read a little at a time, and counted.

uvicorn reads whatever has arrived before anything else is done, which for small frames takes seconds; it keeps the
parts of an unfinished message one by one; and it waits without limit for a client that does not read. Each method here
changes one of these, and leaves the rest to uvicorn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from vivienne.access.caller import counted_as
from vivienne.server.http import CALLER

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from uvicorn.config import Config

    from vivienne.access.caller import Caller
    from vivienne.server.incoming import Incoming

GOING = 1012
"""Code of a close because the server stops: "service restart"."""
STOPPING = "vivienne.stopping"
"""Key of a disconnection that has not come yet: what there is can still be sent, and then a close with `GOING`."""
_STOP_SECONDS = 0.5
"""Longest time that the application has for it."""
_LAST_WORD_SECONDS = 1.0
_CLOSING_SECONDS = 11.0
"""Longest time from the end of a WebSocket to that of its connection; uvicorn waits 10 s for the answer to a close."""
_MESSAGE_SECONDS = 30.0
"""Longest time for the rest of a message, as for the body of a request."""
_POLICY_VIOLATION, _NOT_UTF8 = 1008, 1007
_MOST_UNREAD = 64 * 1024
"""Bytes a client may leave unread; beyond it its pings are not answered."""
_PART = 1024
"""Bytes that are given to the parser at once; they have at most 170 frames."""
_FRAMES_IN_TURN, _BYTES_IN_TURN = 64, 256 * 1024
"""Frames, or bytes, after which others have their turn."""
_SMALL_FRAMES, _SMALL_FRAMES_PER_SECOND = 1_000.0, 100.0
"""Frames that are no message by themselves - pings, pongs, parts of messages - of one client: at once, and a second."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, with limits; made for one `Incoming` by `watched`.

    Attributes:
        opened: called once the handshake is accepted.
        gone: called once the connection is closed.
        leaves_unread: called with the bytes that the client does not read, and with 0 once it has read them.
    """

    incoming: Incoming
    opened: Callable[[], None] | None = None
    gone: Callable[[], None] | None = None
    leaves_unread: Callable[[int], None] | None = None

    def __init__(self, config: Config, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._unread = bytearray()
        """Bytes that have arrived and wait for their turn."""
        self._waits = False
        """True while a turn is asked for."""
        self._held = 0
        """Bytes that are kept for this client, as far as they are counted."""
        self._holder = ""
        self._small, self._small_at = _SMALL_FRAMES, self.loop.time()
        self._rest_timer: asyncio.TimerHandle | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._stop_timer: asyncio.TimerHandle | None = None
        self._refusal = 0
        self._is_lost = False

    # Reading

    def data_received(self, data: bytes) -> None:
        """Read the handshake at once, and everything after it in turns."""
        if not self.handshake_initiated:
            super().data_received(data)
            return
        self._unread += data
        self._count_held()
        if not self._waits:
            self._read()

    def _read(self) -> None:
        """Read a little, and ask for another turn if there is more."""
        self._waits = False
        if self.transport.is_closing() or self.disconnected:
            self._unread.clear()
        elif self.handshake_complete and not self.read_paused:
            with self.incoming.budgets.charged(self._key):
                self._parse_some()
        self._count_held()
        self._time_the_rest()
        if self._unread and not self.read_paused and self.handshake_complete:
            self._waits = True
            self.incoming.budgets.when_due(self._key, self._read)
        if self._unread and not self.disconnected:
            self.transport.pause_reading()
        elif not self.read_paused and not self.transport.is_closing() and not self.disconnected:
            self.transport.resume_reading()

    def _parse_some(self) -> None:
        frames, read = 0, 0
        while read < len(self._unread) and read < _BYTES_IN_TURN and frames < _FRAMES_IN_TURN:
            part = self._unread[read : read + _PART]
            read += len(part)
            self.conn.receive_data(part)
            frames += len(self.conn.events)
            if not self._admit(sum(map(_is_small, self.conn.events))):
                self._refuse("frames", "too many control frames and parts of messages")
                return
            if self.conn.parser_exc is not None:
                self.handle_parser_exception()
                return
            self.handle_events()
            if self.read_paused or self.disconnected or self.transport.is_closing():
                break
        del self._unread[:read]

    def _admit(self, small: int) -> bool:
        """Count frames that are no message; tell whether there may be so many."""
        now = self.loop.time()
        self._small = min(_SMALL_FRAMES, self._small + (now - self._small_at) * _SMALL_FRAMES_PER_SECOND) - small
        self._small_at = now
        return self._small >= 0

    def handle_cont(self, event: Frame) -> None:
        """Join the parts of a message as they come: each one by itself takes more memory than it has bytes."""
        if isinstance(self.frames[0], bytearray):
            self.frames[0] += event.data
        else:
            self.frames[0] = bytearray(self.frames[0]) + event.data  # type: ignore[call-overload]  # it is decoded, or refused
        if event.fin:
            self.send_receive_event_to_app()

    def start_keepalive(self) -> None:
        """Report the WebSocket as open: uvicorn calls this when the handshake is accepted."""
        super().start_keepalive()
        if self.opened is not None:
            self.opened()
            self.opened = None

    def handle_ping(self) -> None:
        """Answer, unless earlier answers are unread and would pile up. Not every ping needs one (RFC 6455)."""
        if self.transport.get_write_buffer_size() < _MOST_UNREAD:
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def send_receive_event_to_app(self) -> None:
        """Pass a message on, or end the connection if its text is not UTF-8."""
        if self.curr_msg_data_type == "text" and not _is_utf8(self.frames):
            self.frames = []
            if self.conn.state is State.OPEN and not self.close_sent:  # otherwise it ends anyway
                self.conn.send_close(_NOT_UTF8)
                self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    async def receive(self) -> Any:
        """The next message; once all are taken, reading goes on."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            if not self._waits:
                self._read()
        return message

    def handle_connect(self, event: Any) -> None:
        """Begin the handshake; one that is wrong by itself never gets to the application."""
        super().handle_connect(event)
        if self.close_sent:
            self.incoming.refused(self._address, self.response.status_code, bytes(self.response.body or b""))

    # Counting

    @property
    def _address(self) -> str | None:
        """The address of the client, as far as it is known."""
        scope: Any = getattr(self, "scope", {})
        caller: Caller | None = scope.get(CALLER)
        client = scope.get("client") or self.client
        return caller.address if caller is not None else client[0] if client else None

    @property
    def _key(self) -> str:
        """The identity under which the client is counted: see `Caller.key`."""
        caller: Caller | None = self.scope.get(CALLER)  # type: ignore[assignment]  # the gate puts it there
        if caller is not None:
            return caller.key
        return f"address {counted_as(self.client[0] if self.client else None)}"

    def _count_held(self) -> None:
        """Count the bytes that are kept of unfinished messages, and end the connection if its caller has too many."""
        held = len(self._unread) + len(self.conn.reader.buffer) + sum(map(len, self.frames))
        more = held - self._held
        if not more:
            return
        self._holder = self._holder or self._key
        self._held = held
        is_within = self.incoming.holds(self._holder, more)
        if more > 0 and not is_within and not self.disconnected and not self.transport.is_closing():
            self._refuse("held", "too many bytes of unfinished messages")

    def _time_the_rest(self) -> None:
        """Give a message that has begun so much time to end."""
        is_whole = not self.frames and not len(self.conn.reader.buffer)
        if is_whole and self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None
        elif not is_whole and self._rest_timer is None and not self.disconnected:
            self._rest_timer = self.loop.call_later(_MESSAGE_SECONDS, self._take_too_long)

    def _take_too_long(self) -> None:
        self._rest_timer = None
        if self._waits or self.read_paused:
            self._time_the_rest()  # it is this side that is late
        elif not self.disconnected and not self.transport.is_closing():
            self._refuse("unfinished", f"a message did not end within {_MESSAGE_SECONDS:g} s")

    def pause_writing(self) -> None:
        """Count what the client leaves unread."""
        super().pause_writing()
        if self.leaves_unread is not None:
            self.leaves_unread(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Go on: it has been read."""
        super().resume_writing()
        if self.leaves_unread is not None:
            self.leaves_unread(0)

    # Ending

    def _refuse(self, why: str, reason: str) -> None:
        """End the connection with a reason that the client gets to read, whatever it has sent besides."""
        self.incoming.closed(self.client, why, reason)
        self._unread.clear()
        self.frames = []
        if self.conn.state is State.OPEN and not self.close_sent:
            self.conn.send_close(_POLICY_VIOLATION, reason)
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _POLICY_VIOLATION, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self.disconnected = True
        self.transport.pause_reading()
        # Closing at once would reset the connection, because of what is unread, and the reason would be lost.
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(_LAST_WORD_SECONDS, self.transport.abort)

    async def send(self, message: Any) -> None:
        """Send a message of the application; after a close it is as if the client had left."""
        await self.writable.wait()
        kind = message["type"]
        if self.close_sent and kind in ("websocket.send", "websocket.close"):
            raise ClientDisconnected
        if not self.handshake_complete and self.transport.is_closing() and kind != "websocket.accept":
            raise ClientDisconnected  # a stop has answered the handshake already
        await super().send(message)
        if kind == "websocket.http.response.start":
            self._refusal = message["status"]
        elif kind == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # otherwise uvicorn logs an error for each
            self.incoming.refused(self._address, self._refusal, message.get("body", b""))
            self._end_soon()
        elif kind == "websocket.accept" and not self._waits:
            self._read()
        elif kind == "websocket.close":
            self._end_soon()
            if not self._waits:
                self._read()

    async def run_asgi(self) -> None:
        """Run the application, and see to it that the connection ends after it."""
        await super().run_asgi()
        self._end_soon()

    def handle_close(self, event: Frame) -> None:
        """Answer a close; the answer may never be read."""
        super().handle_close(event)
        self._end_soon()

    def handle_parser_exception(self) -> None:
        """Send nothing more after an invalid frame: the client has been told, and does not read on."""
        super().handle_parser_exception()
        self.disconnected = True
        self._end_soon()

    def keepalive_timeout(self) -> None:
        """Close a connection whose client did not answer a ping in time."""
        super().keepalive_timeout()
        self._end_soon(_LAST_WORD_SECONDS)

    def shutdown(self) -> None:
        """End the connection because the server stops; the application has a moment to send what it has."""
        if not self.handshake_complete or self.close_sent or self.disconnected:
            self._stop()
            return
        ending: Any = {"type": "websocket.disconnect", "code": GOING, STOPPING: True}
        self.queue.put_nowait(ending)
        self._stop_timer = self.loop.call_later(_STOP_SECONDS, self._stop)

    def _stop(self) -> None:
        super().shutdown()
        self._end_soon()

    def _end_soon(self, seconds: float = _CLOSING_SECONDS) -> None:
        """End the connection even if the client does not read: closing it waits until everything is written."""
        if self._end_timer is None and not self._is_lost:
            self._end_timer = self.loop.call_later(seconds, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the connection as closed, once."""
        super().connection_lost(exc)
        self._is_lost = True
        self._unread.clear()
        self.frames = []
        self.incoming.holds(self._holder, -self._held)
        self._held = 0
        for timer in (self._rest_timer, self._end_timer, self._stop_timer):
            if timer is not None:
                timer.cancel()
        if self.gone is not None:
            self.gone()
            self.gone = self.leaves_unread = None


def watched(incoming: Incoming) -> type[WebSocketProtocol]:
    """The protocol class of a server that counts here."""
    return type("WatchedWebSocket", (WebSocketProtocol,), {"incoming": incoming})


def _is_small(event: object) -> bool:
    """True for a frame that is no message by itself."""
    return isinstance(event, Frame) and not (event.fin and event.opcode in (Opcode.TEXT, Opcode.BINARY))


def _is_utf8(parts: Sequence[bytes | bytearray]) -> bool:
    try:
        b"".join(parts).decode()
    except UnicodeDecodeError:
        return False
    return True

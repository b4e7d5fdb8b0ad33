"""uvicorn's protocol for WebSockets, with limits of what arrives, of what is not read, and of the time until it ends.

uvicorn waits without limit for a client that does not read. Each method here changes this, and leaves the rest to
uvicorn. `websocket_receiving.py` has what arrives.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.utils import ClientDisconnected
from websockets.datastructures import Headers
from websockets.protocol import State

from vivienne.server.conversing import GOING, STOPPING
from vivienne.server.deflate import OfferDeflating
from vivienne.server.direct import LINE
from vivienne.server.handshake import read_frames
from vivienne.server.http import CALLER
from vivienne.server.websocket_receiving import Receiving

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn.config import Config
    from websockets.frames import Frame
    from websockets.http11 import Request

    from vivienne.server.direct import Direct
    from vivienne.server.incoming import Incoming
    from vivienne.server.open_socket import OpenSocket
    from vivienne.server.turns import Turn

_STOP_SECONDS = 0.5
"""Longest time that the application has for it."""
_LAST_WORD_SECONDS = 1.0
_CLOSING_SECONDS = 11.0
"""Longest time from the end of a WebSocket to that of its connection; uvicorn waits 10 s for the answer to a close."""
_POLICY_VIOLATION = 1008
_NO_QUEUE = asyncio.Queue[Any]()
_EXTENSIONS = (OfferDeflating(),)
_MOST_UNREAD = 64 * 1024
"""Bytes a client may leave unread; beyond it its pings are not answered."""


class WebSocketProtocol(Receiving):
    """uvicorn's protocol, with limits; made for one `Incoming` by `watched`.

    Attributes:
        counted: is told when the handshake is accepted, when the connection is closed, and what the client does not
            read in between.
    """

    counted: OpenSocket | None = None

    def __init__(self, config: Config, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._end_timer: asyncio.TimerHandle | None = None
        self._stop_timer: asyncio.TimerHandle | None = None
        self._writes_on: Turn | None = None
        """The turn to go on writing that is asked for."""
        self.conn.available_extensions = _EXTENSIONS
        self._refusal = 0
        self._is_lost = False
        self._direct: Direct | None = None
        """Takes the place of the application once that has handed over."""

    # What a client reads

    def start_keepalive(self) -> None:
        """Report the WebSocket as open: uvicorn calls this when the handshake is accepted."""
        super().start_keepalive()
        if self.counted is not None:
            self.counted.speaks()

    def handle_ping(self) -> None:
        """Answer, unless earlier answers are unread and would pile up. Not every ping needs one (RFC 6455)."""
        if self.transport.get_write_buffer_size() < _MOST_UNREAD:
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def begin(self, request: Request) -> None:
        """Begin with a handshake that was parsed already."""
        read_frames(self.conn)
        self.handle_connect(request)

    def handle_connect(self, event: Any) -> None:
        """Begin the handshake; one that is wrong by itself never gets to the application."""
        super().handle_connect(event)
        event.headers, event.path = Headers(), ""  # the library keeps the request as long as the connection
        if not self.close_sent:
            self.scope[LINE] = self  # type: ignore[literal-required]  # for `hand_over`
        else:
            self.incoming.refused(self._address, self.response.status_code, bytes(self.response.body or b""))

    def pause_writing(self) -> None:
        """Count what the client leaves unread."""
        self._drop_write()
        super().pause_writing()
        if self._direct is not None:
            self._direct.halt()
        if self.counted is not None:
            self.counted.leaves_sent(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Go on in turn: it has been read. Thousands may read again in the same moment."""
        if self.counted is not None:
            self.counted.leaves_sent(0)
        if self.handshake_complete and not self.disconnected:
            self._writes_on = self.incoming.writing_on.take_now(self._key, self._write_on)
        else:
            super().resume_writing()

    def _write_on(self) -> None:
        self._writes_on = None
        super().resume_writing()
        if self._direct is not None:
            self._direct.go_on()

    def _drop_write(self) -> None:
        if self._writes_on is not None:
            self.incoming.writing_on.drop(self._writes_on)
            self._writes_on = None

    # Without the application

    @property
    def inflates(self) -> bool:
        """See `vivienne.server.direct.Line`."""
        return bool(self.conn.extensions)

    @property
    def is_writable(self) -> bool:
        """See `vivienne.server.direct.Line`."""
        is_ending = self.close_sent or self.disconnected or self.transport.is_closing()
        return self.writable.is_set() and not is_ending

    def hand_over(self, direct: Direct) -> None:
        """See `vivienne.server.direct.Line`."""
        self._direct, self.stays = direct, True
        # Who it is stays known; everything else of the handshake goes with the application. An event, a queue and an
        # answer take a third of the memory of a client.
        self.writable = _Flag(is_set=self.writable.is_set())  # type: ignore[assignment]  # nobody waits for it any more
        self.response = self.request = None  # type: ignore[assignment]
        self.scope = {name: self.scope[name] for name in (CALLER, "client") if name in self.scope}  # type: ignore[assignment,literal-required]
        self.transport.set_write_buffer_limits(high=0)  # it is free only while all is sent
        waiting, self.queue = self.queue, direct  # type: ignore[assignment]  # nobody reads from it any more
        while not waiting.empty():
            direct.put_nowait(waiting.get_nowait())  # type: ignore[arg-type]  # its keys are text
        self.read_on()

    @property
    def write(self) -> Callable[[bytes], None]:
        """See `vivienne.server.direct.Line`."""
        return self.transport.write

    def close(self, code: int, reason: str) -> None:
        """See `vivienne.server.direct.Line`."""
        if self.close_sent or self.transport.is_closing() or self.conn.state is not State.OPEN:
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent, self.read_paused = True, False
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        self._end_soon()
        self._go_on()

    # Ending

    def _refuse(self, why: str, reason: str) -> None:
        """End the connection with a reason that the client gets to read, whatever it has sent besides."""
        self.incoming.closed(self.client, why, reason)
        if self.conn.state is State.OPEN and not self.close_sent:
            self.conn.send_close(_POLICY_VIOLATION, reason)
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _POLICY_VIOLATION, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self.disconnected = True
        self._drop()
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
        elif kind == "websocket.accept":
            self.scope["headers"].clear()  # type: ignore[attr-defined]  # nobody needs them any more
            self._go_on()
        elif kind == "websocket.close":
            self._end_soon()
            self._go_on()

    async def run_asgi(self) -> None:
        """Run the application, and see to it that the connection ends after it, unless it was handed over."""
        await super().run_asgi()
        if self._direct is None:
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
        if self.handshake_complete and not self.close_sent and self.conn.state is not State.OPEN:
            self.transport.close()  # the client has closed it, and does not read the answer
        else:
            super().shutdown()
        self._end_soon()

    def _end_soon(self, seconds: float | None = None) -> None:
        """End the connection even if the client does not read: closing it waits until everything is written."""
        if self._end_timer is None and not self._is_lost:
            self._end_timer = self.loop.call_later(
                _CLOSING_SECONDS if seconds is None else seconds, self.transport.abort
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the connection as closed, once."""
        super().connection_lost(exc)
        self._drop_write()
        self._is_lost = True
        for timer in (self._end_timer, self._stop_timer):
            if timer is not None:
                timer.cancel()
        if self.counted is not None:
            self.counted.gone()
            self.counted = None
        self._untie()

    def _untie(self) -> None:
        """Refer to nothing that refers to this, so that it goes at once, and not with a collection of garbage."""
        self.conn.parser.close()
        # Its traceback has the frames in which a message was unpacked, with all that came of it so far.
        self.conn.parser_exc = None
        if self._direct is not None:
            self._direct = None
            self.queue = _NO_QUEUE  # nothing comes any more


class _Flag:
    """The part of an event that is needed where nobody waits for it."""

    __slots__ = ("_is_set",)

    def __init__(self, *, is_set: bool) -> None:
        self._is_set = is_set

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False


def watched(incoming: Incoming) -> type[WebSocketProtocol]:
    """The protocol class of a server that counts here."""
    return type("WatchedWebSocket", (WebSocketProtocol,), {"incoming": incoming})

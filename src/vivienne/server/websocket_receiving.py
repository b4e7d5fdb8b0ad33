"""What arrives on a WebSocket is read a little at a time, in turns over all of them, and counted until it is dropped.

uvicorn reads whatever has arrived before anything else is done, which for small frames, or for a few frames on each of
many WebSockets, takes seconds; it keeps the parts of an unfinished message one by one, and whole messages uncounted.
"""

from __future__ import annotations

from sys import getsizeof
from time import time
from typing import TYPE_CHECKING, Any, Literal

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from vivienne.access.caller import counted_as
from vivienne.changes.asked import Way
from vivienne.logs.defects import DEFECTS
from vivienne.server.arrivals import Arrivals
from vivienne.server.http import CALLER
from vivienne.server.received import RECEIVED

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config

    from vivienne.access.caller import Caller
    from vivienne.server.incoming import Incoming
    from vivienne.server.turns import Turn

TOO_LONG = "vivienne.too_long"
"""Key of a message that is longer than one may be: its length. Nothing else is kept of it."""
_MESSAGE_SECONDS = 30.0
"""Longest time for the rest of a message, as for the body of a request."""
_NOT_UTF8 = 1007
_PART = 1024
"""Bytes that are given to the parser at once; they have at most 170 frames."""
_FRAMES_IN_TURN, _BYTES_IN_TURN = 64, 256 * 1024
"""Frames, or bytes, after which others have their turn."""
_SMALL_FRAMES, _SMALL_FRAMES_PER_SECOND = 1_000.0, 100.0
"""Frames that are no message by themselves - pings, pongs, parts of messages - of one WebSocket: at once, and a
second."""
_FEW = 16.0
"""Of these, so many may come even if those of its caller are too many: others of the same caller sent them."""
_MOST_WAITING, _MOST_WAITING_SIZE = 16, 32 * 1024
"""Messages, or bytes of more than one, of a WebSocket that are read before they are answered: a pause among them, which
then waits for none of the others. The longest pause has half as many bytes.
"""


class Receiving(WebSocketsSansIOProtocol):
    """The part of `WebSocketProtocol` that takes what arrives.

    Attributes:
        incoming: counts it.
    """

    incoming: Incoming
    stays = False
    """True once the WebSocket is open without the application."""

    def __init__(self, config: Config, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._unread = bytearray()
        """Bytes that have arrived and wait for their turn."""
        self._unread_since = 0.0
        """When they, or a message that they go on with, may have begun to arrive, in seconds since 1970."""
        self._arrivals = Arrivals(time())
        self._way = Way()
        self._turn: Turn | None = None
        """The turn that is asked for."""
        self._kept: list[tuple[dict[str, Any], int]] = []
        """Messages that wait for the application, or that it answers, with their bytes in memory."""
        self._kept_size = 0
        self._is_answering = False
        """True while the application answers the first of them."""
        self._counted = 0
        """Bytes that are counted as kept for this client."""
        self._small, self._small_at = _SMALL_FRAMES, self.loop.time()
        self._rest_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Read the handshake at once, and everything after it in turns."""
        if not self.handshake_initiated:
            super().data_received(data)
            return
        since = self._arrivals.read(len(data))
        if not self._unread and self._is_between_messages:
            self._unread_since = since
        self._unread += data
        self._go_on()

    def _go_on(self) -> None:
        """Ask for a turn if there is something to read; without one, or once all is read, let more arrive."""
        if self.transport.is_closing() or self.disconnected:
            self._unread.clear()
        if self._unread and self._turn is None and self.handshake_complete and not self.read_paused:
            sent_lately = int(_SMALL_FRAMES - self._small)
            turn = self.incoming.reading.take(self._key, self._read, had=sent_lately)
            if turn is None:
                return  # it is read
            self._turn = turn
        self._count_held()
        self._time_the_rest()
        if self._unread and not self.disconnected:
            self._stop_reading()
        elif not self.read_paused and not self.transport.is_closing() and not self.disconnected:
            self._arrivals.read_on()
            self.transport.resume_reading()

    def _stop_reading(self) -> None:
        self._arrivals.stop()
        self.transport.pause_reading()

    def waited_since(self, moment: float) -> None:
        """Note since when frames may have been there: those that came with the handshake, or while that waited."""
        self._arrivals = Arrivals(moment)

    def _read(self) -> None:
        """Read a little, and ask for another turn if there is more."""
        self._turn = None
        if self.handshake_complete and not self.read_paused and not self.disconnected:
            self._parse_some()
        self._go_on()

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
            self.handle_events()
            if self.conn.parser_exc is not None and not self.disconnected:  # whole messages before it count
                self.handle_parser_exception()
                return
            if self.read_paused or self.disconnected or self.transport.is_closing():
                break
        del self._unread[:read]

    def _admit(self, small: int) -> bool:
        """Count frames that are no message; tell whether there may be so many."""
        if not small:
            return True
        now = self.loop.time()
        self._small = min(_SMALL_FRAMES, self._small + (now - self._small_at) * _SMALL_FRAMES_PER_SECOND) - small
        self._small_at = now
        is_within = self.incoming.admits(self._key, small)
        return self._small >= 0 and (is_within or _SMALL_FRAMES - self._small <= _FEW)

    # Messages

    def handle_text(self, event: Frame) -> None:
        """Begin a text. The library keeps the last frame until the next one comes, so nothing stays in it."""
        data, event.data = event.data, b""
        self._begin("text", data, is_whole=event.fin)

    def handle_bytes(self, event: Frame) -> None:
        """Begin a message that is no text."""
        data, event.data = event.data, b""
        self._begin("bytes", data, is_whole=event.fin)

    def _begin(self, kind: Literal["text", "bytes"], data: Any, *, is_whole: bool) -> None:
        self.curr_msg_data_type = kind
        self.frames = [data]
        if is_whole:
            self.send_receive_event_to_app()

    def handle_cont(self, event: Frame) -> None:
        """Join the parts of a message as they come: each one by itself takes more memory than it has bytes."""
        data, event.data = event.data, b""
        if isinstance(self.frames[0], bytearray):
            self.frames[0] += data
        else:
            self.frames[0] = bytearray(self.frames[0]) + data  # type: ignore[call-overload]  # it is decoded, or refused
        if event.fin:
            self.send_receive_event_to_app()

    def send_receive_event_to_app(self) -> None:
        """Pass a message on, or end the connection if its text is not UTF-8."""
        [data], self.frames = self.frames, []
        if self.close_sent:
            return
        arrived = time(), self._unread_since, self._way.next()
        message: dict[str, Any] = {"type": "websocket.receive", RECEIVED: arrived}
        if self.curr_msg_data_type != "text":
            message["bytes"] = b""  # nobody reads them
        elif len(data) > self.incoming.longest:
            message[TOO_LONG] = len(data)
        else:
            try:
                message["text"] = data.decode()
            except UnicodeDecodeError:
                if self.conn.state is State.OPEN:  # otherwise it ends anyway
                    self.conn.send_close(_NOT_UTF8)
                    self.handle_parser_exception()
                return
        self._kept.append((message, getsizeof(message.get("text", ""))))
        self._kept_size += self._kept[-1][1]
        self.queue.put_nowait(message)  # type: ignore[arg-type]  # it has a key of our own
        if not self.read_paused and self._is_full():
            self.read_paused = True
            self._stop_reading()

    def _is_full(self) -> bool:
        """True once no more is read until something is answered."""
        if not self.stays:
            return True
        return len(self._kept) > _MOST_WAITING or (len(self._kept) > 1 and self._kept_size > _MOST_WAITING_SIZE)

    def done(self, message: dict[str, Any]) -> None:
        """See `vivienne.server.direct.Line`."""
        for kept in self._kept:
            if kept[0] is message:
                self._kept.remove(kept)
                self._kept_size -= kept[1]
                self._count_held()
                break
        self.read_on()

    def read_on(self) -> None:
        """Read more, where there is room for it."""
        if self.read_paused and not self._is_full():
            self.read_paused = False
            self._go_on()

    async def receive(self) -> Any:
        """The next message; the one before is answered. Once all are taken, reading goes on."""
        if self._is_answering:
            self._answered()
        message: Any = await self.queue.get()
        if self._kept and message is self._kept[0][0]:
            self._is_answering = True
            if self.read_paused and self.queue.empty():
                self.read_paused = False
                self._go_on()
        return message

    def _answered(self) -> None:
        """Note that the first one is answered."""
        self._is_answering = False
        self._kept_size -= self._kept.pop(0)[1]
        self._count_held()

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
        """Count what is kept of messages: unread, unfinished, waiting for the application, or being answered."""
        size = len(self._unread) + len(self.conn.reader.buffer) + sum(map(len, self.frames)) + self._kept_size
        if size != self._counted:
            self._counted = size
            self.incoming.holds(self, self._key, size)

    def give_up_messages(self) -> None:
        """End the connection because too much is kept, and drop all of that."""
        if not self.disconnected and not self.transport.is_closing():
            self._refuse("held", "too many bytes of messages that are not finished or wait")
        self._drop()

    def _drop(self) -> None:
        """Drop what is kept of messages, also of those that the application has taken and not begun with."""
        self._unread.clear()
        self.frames = []
        self.conn.reader.discard()
        for message, _ in self._kept:
            message.pop("text", None)
        self._kept = [(message, 0) for message, _ in self._kept]
        self._counted = self._kept_size = 0

    @property
    def _is_between_messages(self) -> bool:
        return not self.frames and not len(self.conn.reader.buffer)

    def _time_the_rest(self) -> None:
        """Give a message that has begun so much time to end."""
        is_whole = self._is_between_messages
        if is_whole and self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None
        elif not is_whole and self._rest_timer is None and not self.disconnected:
            self._rest_timer = self.loop.call_later(_MESSAGE_SECONDS, self._take_too_long)

    def _take_too_long(self) -> None:
        self._rest_timer = None
        if self._turn is not None or self.read_paused:
            self._time_the_rest()  # it is this side that is late
        elif not self.disconnected and not self.transport.is_closing():
            self._refuse("unfinished", f"a message did not end within {_MESSAGE_SECONDS:g} s")

    def _refuse(self, why: str, reason: str) -> None:
        """End the connection with a reason."""
        raise NotImplementedError

    async def run_asgi(self) -> None:
        """Run the application, and end the connection after it unless it stays.

        What it was given is kept until it ends, even if its client has left before.
        """
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException as error:  # as uvicorn: whatever it is, the client is told
            if isinstance(error, Exception):
                DEFECTS.tell(self.logger, "websocket", "A WebSocket failed", error=error)
            else:
                self.logger.exception("A WebSocket failed")
            self.send_500_response()
        if not self.stays:
            self.drop_messages()
            if self.close_timer is None:
                self.transport.close()

    def drop_messages(self) -> None:
        """Keep none of the messages that nobody will answer."""
        self._kept.clear()
        self._kept_size, self._is_answering = 0, False
        self._count_held()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop what has arrived and is no whole message."""
        super().connection_lost(exc)
        if self._turn is not None:
            self.incoming.reading.drop(self._turn)
            self._turn = None
        if self._rest_timer is not None:
            self._rest_timer.cancel()
        self._unread.clear()
        self.frames = []
        self.conn.reader.discard()
        if self._counted:
            self._count_held()


def _is_small(event: object) -> bool:
    """True for a frame that is no message by itself."""
    return isinstance(event, Frame) and not (event.fin and event.opcode in (Opcode.TEXT, Opcode.BINARY))

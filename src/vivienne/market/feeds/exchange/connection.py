"""A connection to the stream of an exchange. However many frames come at once, they are read a little at a time."""

from __future__ import annotations

from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import CTRL_OPCODES, Frame

from vivienne.rates import Rate

if TYPE_CHECKING:
    import asyncio

    from websockets.protocol import Event

_PIECE_BYTES = 1024
"""Read at once. A frame may have two bytes, and takes 20 microseconds."""
_TURN_SECONDS = 0.002
_MOST_IDLE_FRAMES, _IDLE_SECONDS = 100, 10.0
"""Pings, pongs and empty frames in so many seconds; exchanges send a ping every few seconds at most."""


class ExchangeConnection(ClientConnection):
    """Reads what has arrived in pieces; others have their turn between. Frames that are no message are counted.

    Attributes:
        is_flooded: whether it was ended because there were too many of those.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._arrived = bytearray()
        self._takes = False
        self._idle_frames = Rate(_MOST_IDLE_FRAMES, _IDLE_SECONDS, monotonic)
        self.is_flooded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self.recv_messages.resume = self._resume

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._arrived += data
        if not self._takes:
            self._take()

    def eof_received(self) -> None:
        """See `asyncio.Protocol`. What was not read yet by then is not read any more."""
        self._arrived.clear()
        super().eof_received()

    def _take(self) -> None:
        """Read pieces until the time is over, and the rest in the next pass of the event loop."""
        end, place = perf_counter() + _TURN_SECONDS, 0
        while place < len(self._arrived) and (place == 0 or perf_counter() < end):
            piece = bytes(self._arrived[place : place + _PIECE_BYTES])
            place += _PIECE_BYTES
            super().data_received(piece)
        del self._arrived[:place]
        self._takes = bool(self._arrived)
        if self._takes:
            self.transport.pause_reading()
            self.loop.call_soon(self._take)
        else:
            self._resume()

    def _resume(self) -> None:
        """Read on, unless something else must be done before."""
        if not self._arrived and not self.recv_messages.paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def process_event(self, event: Event) -> None:
        """See `ClientConnection`."""
        is_idle = isinstance(event, Frame) and (event.opcode in CTRL_OPCODES or not event.data)
        if is_idle and self._idle_frames.take() > 0:
            self.is_flooded = True
            self._arrived.clear()
            self.transport.abort()
        super().process_event(event)


class Connect(connect):
    """A connection to the host that was named: redirects are not followed, as in REST."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, create_connection=ExchangeConnection, **more)

    def process_redirect(self, exc: Exception) -> Exception | str:
        """See `connect`."""
        return exc

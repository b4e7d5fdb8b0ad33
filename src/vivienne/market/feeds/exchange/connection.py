"""A connection to the stream of an exchange. However many frames come at once, they are read a little at a time."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import CTRL_OPCODES, Frame

from vivienne.rates import Rate

if TYPE_CHECKING:
    import asyncio

    from websockets.protocol import Event

    from vivienne.market.feeds.exchange.turns import Turns

_PIECE_BYTES = 1024
"""Read at once. A frame may have two bytes, and takes 20 microseconds."""
_MOST_IDLE_FRAMES, _IDLE_SECONDS = 100, 10.0
"""Pings, pongs and empty frames in so many seconds; exchanges send a ping every few seconds at most."""


class ExchangeConnection(ClientConnection):
    """Reads what has arrived in pieces; others have their turn between. Frames that are no message are counted.

    Args:
        turns: of the exchange.
        args, more: see `ClientConnection`.

    Attributes:
        is_flooded: whether it was ended because there were too many of those.
    """

    def __init__(self, *args: Any, turns: Turns, **more: Any) -> None:
        super().__init__(*args, **more)
        self._turns = turns
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
        # Otherwise more would be read in each pass than is taken.
        self.transport.pause_reading()
        self._take_in_turn()

    def eof_received(self) -> None:
        """See `asyncio.Protocol`. What was not read yet by then is not read any more."""
        self._arrived.clear()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`, and `eof_received`."""
        self._arrived.clear()
        super().connection_lost(exc)

    def _take_in_turn(self) -> None:
        if not self._takes:
            self._takes = True
            self._turns.add(self._take)

    def _take(self) -> bool:
        """Read a piece; whether there is more to read now."""
        if self.recv_messages.paused:  # more messages wait than are read; `_resume` goes on
            self._takes = False
            return False
        piece = bytes(self._arrived[:_PIECE_BYTES])
        del self._arrived[:_PIECE_BYTES]
        if piece:
            super().data_received(piece)
        self._takes = bool(self._arrived)
        if not self._takes:
            self._resume()
        return self._takes

    def _resume(self) -> None:
        """Read on, unless something else must be done before."""
        if self._arrived:
            self._take_in_turn()
        elif not self.recv_messages.paused and not self.transport.is_closing():
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
    """A connection to the host that was named: redirects are not followed, as in REST.

    No compression is offered: a few bytes could become a thousand times as many, all at once.

    Args:
        url: of the stream.
        turns: of the exchange.
        more: see `connect`.
    """

    def __init__(self, url: str, turns: Turns, **more: Any) -> None:
        create: Any = partial(ExchangeConnection, turns=turns)
        super().__init__(url, create_connection=create, compression=None, **more)

    def process_redirect(self, exc: Exception) -> Exception | str:
        """See `connect`."""
        return exc

"""Intake: bytes that have arrived on a connection and are parsed piece by piece.

uvicorn parses what has been read at once, which may be thousands of requests or chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.flow_control import FlowControl

from vivienne.server.arrivals import Arrivals

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_PIECE, _BODY_PIECE = 2 * 1024, 16 * 1024
"""Bytes parsed at once: of heads and chunks, and of a body that is not cut into chunks, which costs next to nothing."""


class Intake(FlowControl):
    """uvicorn's flow control, which also keeps what is not parsed yet. Nothing is read from the connection meanwhile.

    Args:
        transport: of the connection.
        resume: called when reading may go on.
        accepted_at: since when the client may have sent something, in seconds since 1970.

    Attributes:
        since: when the first of it may have arrived, or of the last that was kept, in seconds since 1970.
    """

    def __init__(self, transport: asyncio.Transport, resume: Callable[[], None], accepted_at: float) -> None:
        super().__init__(transport)
        self._resume = resume
        self._arrivals = Arrivals(accepted_at)
        self._held = b""
        self._at = 0
        self.since = accepted_at

    def hold(self, data: bytes) -> None:
        """Keep bytes until they are taken, and read nothing until then."""
        self.keep(data)
        self._arrivals.stop()
        self._transport.pause_reading()

    def keep(self, data: bytes) -> None:
        """Keep bytes that are taken at once."""
        since = self._arrivals.read(len(data))
        if not self._held:
            self.since = since
        self._held = self._held[self._at :] + data
        self._at = 0

    def take(self, body_left: int) -> memoryview:
        """The next piece: of the body, if any is left of it; otherwise until the end of a head or of the piece."""
        if body_left:
            end = self._at + min(body_left, _BODY_PIECE)
        else:
            most = self._at + _PIECE
            blank = self._held.find(b"\r\n\r\n", self._at, most)
            end = most if blank < 0 else blank + 4
        piece = memoryview(self._held)[self._at : end]
        self._at += len(piece)
        if self._at == len(self._held):
            self._held, self._at = b"", 0
        return piece

    def give_back(self, rest: memoryview) -> None:
        """Keep the end of the piece that was taken last, before everything else."""
        self._held = bytes(rest) + self._held[self._at :]
        self._at = 0

    def take_all(self) -> bytes:
        """Everything that is kept."""
        taken = self._held[self._at :]
        self._held, self._at = b"", 0
        return taken

    @property
    def holds(self) -> bool:
        """True if there is something to take."""
        return bool(self._held)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return len(self._held)

    def release(self) -> None:
        """Let go of what is kept and of the connection, which refers to this."""
        self._held, self._at, self._resume = b"", 0, _do_nothing

    def pause_reading(self) -> None:
        """Read nothing until `resume_reading`."""
        if not self.read_paused:
            self._arrivals.stop()
        super().pause_reading()

    def resume_reading(self) -> None:
        """Go on with what is kept; read from the connection only when that is parsed."""
        self.read_paused = False
        if self.holds:
            self._resume()
        else:
            self.read_on()

    def read_on(self) -> None:
        """Read from the connection again."""
        self._arrivals.read_on()
        self._transport.resume_reading()


def _do_nothing() -> None:
    """Nothing is left to go on with."""

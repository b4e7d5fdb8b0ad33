"""uvicorn's protocol for WebSockets, which ends a connection whose client does not read or breaks the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LAST_WORD_SECONDS = 1.0
_NOT_UTF8 = 1007
_MOST_UNREAD = 64 * 1024
"""Bytes a client may leave unread; beyond it its pings are not answered."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which drops a client that neither answers pings nor reads, or that breaks the protocol.

    Closing waits until everything is written, which never happens with a client that does not read. A client that
    breaks the protocol must not be logged as a defect of the program.

    Attributes:
        opened: called once the handshake is accepted.
        gone: called once the connection is closed.
    """

    opened: Callable[[], None] | None = None
    gone: Callable[[], None] | None = None

    def start_keepalive(self) -> None:
        """Report the WebSocket as open: uvicorn calls this when the handshake is accepted."""
        super().start_keepalive()
        if self.opened is not None:
            self.opened()
            self.opened = None

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

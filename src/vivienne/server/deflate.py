"""Compression of WebSockets (RFC 7692) without a memory between messages, so that one compression serves all clients.

States are compressed where they are framed (`vivienne.stream.framing`). What is said to one client is short, and goes
out as it is. What clients send may be compressed; unpacked it has the limits of any message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override
from websockets.exceptions import NegotiationError
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.extensions import Extension
    from websockets.frames import Frame
    from websockets.typing import ExtensionParameter

_BITS = 15
"""Of the window; a client that has less memory gets states as they are."""


class Deflating(PerMessageDeflate):
    """What was agreed on with a client."""

    def __init__(self) -> None:
        super().__init__(
            remote_no_context_takeover=True,
            local_no_context_takeover=True,
            remote_max_window_bits=_BITS,
            local_max_window_bits=_BITS,
        )

    @override
    def encode(self, frame: Frame) -> Frame:
        """Leave a message to one client as it is."""
        return frame


class OfferDeflating(ServerPerMessageDeflateFactory):
    """Agrees to compression if the client can do with no memory between messages, as all of today can."""

    def __init__(self) -> None:
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    @override
    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Deflating]:
        """See `ServerPerMessageDeflateFactory`."""
        if any(name == "server_max_window_bits" for name, _ in params):
            raise NegotiationError("states are compressed once for all clients, with the largest window")
        answer: tuple[list[ExtensionParameter], Any] = super().process_request_params(params, accepted_extensions)
        return answer[0], Deflating()

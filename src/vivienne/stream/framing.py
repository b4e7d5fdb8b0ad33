"""Framing: a text as the bytes of a WebSocket, made once for all who get it."""

from __future__ import annotations

from struct import pack

_WHOLE_TEXT = 0x81
"""First byte of a frame that is a whole text, not compressed."""
_SHORT, _MIDDLE = 125, 0xFFFF
"""Longest payloads whose length has one byte, and three."""


def framed(payload: bytes) -> bytes:
    """A text, in UTF-8, as the one frame of a server, which masks nothing (RFC 6455, 5.2)."""
    size = len(payload)
    if size <= _SHORT:
        return pack("!BB", _WHOLE_TEXT, size) + payload
    if size <= _MIDDLE:
        return pack("!BBH", _WHOLE_TEXT, 126, size) + payload
    return pack("!BBQ", _WHOLE_TEXT, 127, size) + payload

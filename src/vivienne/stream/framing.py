"""Framing: a text as the bytes of a WebSocket, made once for all who get it."""

from __future__ import annotations

import zlib
from struct import pack

_WHOLE_TEXT, _COMPRESSED_TEXT = 0x81, 0xC1
"""First byte of a frame that is a whole text, as it is and compressed."""
_LEAST_COMPRESSED = 1024
"""Bytes of a text below which compressing it saves less than it takes."""
_LEVEL, _BITS = 1, -15
"""Of zlib: the quickest, and the largest window without a header."""
_EMPTY_BLOCK = b"\x00\x00\xff\xff"
_SHORT, _MIDDLE = 125, 0xFFFF
"""Longest payloads whose length has one byte, and three."""


def framed(payload: bytes, *, deflated: bool = False) -> bytes:
    """A text, in UTF-8, as the one frame of a server, which masks nothing (RFC 6455, 5.2).

    Args:
        payload: the text.
        deflated: whether the client inflates: then a long text is compressed by itself (RFC 7692, 7.2.1).
    """
    first = _WHOLE_TEXT
    if deflated and len(payload) >= _LEAST_COMPRESSED:
        first, payload = _COMPRESSED_TEXT, _deflated(payload)
    size = len(payload)
    if size <= _SHORT:
        return pack("!BB", first, size) + payload
    if size <= _MIDDLE:
        return pack("!BBH", first, 126, size) + payload
    return pack("!BBQ", first, 127, size) + payload


def _deflated(payload: bytes) -> bytes:
    encoder = zlib.compressobj(_LEVEL, wbits=_BITS)
    return (encoder.compress(payload) + encoder.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_EMPTY_BLOCK)

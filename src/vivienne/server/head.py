"""Head: limits of the address and the header fields of a request, and what its beginning says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.server.problems import problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

BAD_REQUEST, ADDRESS_TOO_LONG, HEADERS_TOO_LARGE, UNKNOWN_CODING = 400, 414, 431, 501
HEAD_BYTES, HEAD_FIELDS = 64 * 1024, 100
"""Limits of the address and the headers of a request, and of what comes between two bytes of a body, or after it."""
_LONGEST_PATH, _LONGEST_ADDRESS = 2_000, 8_000
"""Bytes of the path, and of all of an address. It is decoded before it is known who asks, which takes 0.7 ms for a
thousand escapes."""
_HANDSHAKE_LINE = 8_000
"""Bytes of a line of a handshake; the WebSocket library reads 8 kB."""
_LISTS = (b"connection", b"upgrade", b"sec-websocket-protocol", b"sec-websocket-extensions")
_MOST_LISTED = 32
"""Entries of all lists of a handshake. The WebSocket library reads them one by one before it is known who asks, which
takes 30 ms for some thousands."""
_FIELD_COST = 150
"""Bytes that Python takes for a field, beside its text."""
_USUAL = 4 * 1024
"""Bytes of a head that are not counted, so that many usual requests at once are no flood."""


def counted_bytes(text: int, fields: int) -> int:
    """Bytes that a head of so many bytes and fields takes beyond a usual one."""
    return max(0, text + fields * _FIELD_COST - _USUAL)


def refusal(url: bytes, headers: Sequence[tuple[bytes, bytes]], *, is_handshake: bool) -> Response | None:
    """The answer to a request whose headers are not taken; None if they are."""
    lines = [len(url), *(len(name) + len(value) for name, value in headers)]
    if len(headers) > HEAD_FIELDS or sum(lines) > HEAD_BYTES:
        return _too_large(f"A request may have at most {HEAD_FIELDS} header fields and {HEAD_BYTES:,} bytes of them")
    if len(url) > _LONGEST_ADDRESS or len(url.partition(b"?")[0]) > _LONGEST_PATH:
        detail = f"An address may have at most {_LONGEST_ADDRESS:,} bytes, and its path {_LONGEST_PATH:,}"
        return problem(ADDRESS_TOO_LONG, "Address too long", detail, code="address_too_long", headers=_CLOSE)
    if is_handshake:
        return _handshake_refusal(headers, max(lines))
    if any(name == b"transfer-encoding" and value.strip().lower() != b"chunked" for name, value in headers):
        detail = "The body has a Transfer-Encoding other than chunked; send it chunked alone, or with a Content-Length"
        return problem(UNKNOWN_CODING, "Unknown transfer coding", detail, code="unknown_coding", headers=_CLOSE)
    return None


def _handshake_refusal(headers: Sequence[tuple[bytes, bytes]], longest: int) -> Response | None:
    if longest > _HANDSHAKE_LINE:
        return _too_large(f"A line of a WebSocket handshake may have at most {_HANDSHAKE_LINE:,} bytes")
    if sum(1 + value.count(b",") for name, value in headers if name in _LISTS) > _MOST_LISTED:
        return _too_large(f"The lists in the headers of a WebSocket handshake may have at most {_MOST_LISTED} entries")
    if any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers):
        detail = "A WebSocket handshake has no body; send it without Content-Length and Transfer-Encoding"
        return problem(BAD_REQUEST, "A handshake with a body", detail, code="handshake_with_body", headers=_CLOSE)
    return None


def scope_of(head: bytes) -> dict[str, Any] | None:
    """Method, path and headers of a request, as far as they have come; None if that is none. Nothing is decoded."""
    line, _, rest = head.partition(b"\r\n")
    words = line.decode("latin-1").split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":  # noqa: PLR2004  # method, address, version
        return None
    fields = (field.partition(b":") for field in rest.partition(b"\r\n\r\n")[0].split(b"\r\n"))
    headers = [(name.lower(), value.strip()) for name, _, value in fields]
    return {"type": "http", "method": words[0], "path": words[1].partition("?")[0], "headers": headers}


_CLOSE = {"Connection": "close"}


def _too_large(detail: str) -> Response:
    title = "Request header fields too large"
    return problem(HEADERS_TOO_LARGE, title, detail, code="headers_too_large", headers=_CLOSE)

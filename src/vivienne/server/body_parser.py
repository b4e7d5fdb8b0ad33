"""A parser for the body of a request that asks for another protocol, such as HTTP/2, and goes on with HTTP.

httptools takes such a request for over at the end of its head, and its body for the next one. So a client whose library
offers HTTP/2, or one that means harm, would have its body left out, and carried out as a request of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from httptools import HttpRequestParser

if TYPE_CHECKING:
    from collections.abc import Sequence

_FRAMING = (b"content-length", b"transfer-encoding")


class Parsed(Protocol):
    """What a parser calls."""

    def on_message_begin(self) -> None:
        """A request begins."""

    def on_url(self, url: bytes) -> None:
        """A part of its address."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""

    def on_headers_complete(self) -> None:
        """Its head is over."""

    def on_body(self, body: bytes) -> None:
        """A part of its body."""

    def on_message_complete(self) -> None:
        """It is over."""


class _AfterHead:
    """Passes on what comes after the head that the parser is begun with."""

    def __init__(self, to: Parsed) -> None:
        self.on_body, self.on_message_complete = to.on_body, to.on_message_complete
        self._to = to
        self.has_begun = False

    def on_message_begin(self) -> None:
        if self.has_begun:
            self._to.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self.has_begun:
            self._to.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.has_begun:
            self._to.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.has_begun:
            self._to.on_headers_complete()


def has_body(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a body follows a head. The names of headers are in lower case."""
    return any(name in _FRAMING and value.strip() != b"0" for name, value in headers)


def parser_of_body(headers: Sequence[tuple[bytes, bytes]], to: Parsed) -> HttpRequestParser:
    """A parser that goes on where these headers of a request end, and with the requests after it."""
    calls = _AfterHead(to)
    parser = HttpRequestParser(calls)
    framing = b"".join(b"%b: %b\r\n" % field for field in headers if field[0] in _FRAMING)
    parser.feed_data(b"POST * HTTP/1.1\r\n" + framing + b"\r\n")
    calls.has_begun = True
    return parser

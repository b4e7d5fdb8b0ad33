"""What arrives on a connection is parsed piece by piece, in turn, and a request is limited in its size and time.

uvicorn parses at once what has been read. Here a piece is parsed in its turn, and the next request when the one before
is answered. uvicorn also keeps headers and trailers without a limit, and waits for ever for the rest of a request.
"""

from __future__ import annotations

from math import isfinite
from time import time
from typing import TYPE_CHECKING, Any

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vivienne.access.caller import counted_as
from vivienne.changes.asked import Way
from vivienne.server.arriving import Arriving
from vivienne.server.body_parser import has_body, parser_of_body
from vivienne.server.finishing import stopping
from vivienne.server.head import HEADERS_TOO_LARGE, refusal
from vivienne.server.received import RECEIVED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uvicorn.config import Config

    from vivienne.server.connections import Connections
    from vivienne.server.intake import Intake
    from vivienne.server.turns import Turn

_FEW_TURNS = 16
"""Turns in a row after which a connection belongs to those that are parsed a few at a time. A body of the greatest
length has fewer, unless it comes in small pieces."""
_LONGEST_BEFORE = 60.0
"""Seconds for which a request waits before it comes, at most."""
_AGES = (b"x-request-age", b"x-proxy-request-age")
_LONGEST_ADDRESS = 64
_UPGRADE_KEY = b"sec-websocket-key"
_INVALID = "Invalid HTTP request received."


class Receiving(HttpToolsProtocol):
    """The part of `Connection` that takes what arrives.

    Attributes:
        everything: the open connections, with the turns.
        flow: what is not parsed yet.
        address: of the client.
        whose: name under which the address is counted.
        caller: the same of the address that a proxy forwards, while it sends a request of it.
    """

    everything: Connections
    flow: Intake

    def __init__(self, config: Config, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.address = self.whose = self.caller = ""
        self._refused = self._is_last = self._is_upgrading = False
        self._body_follows = False
        """Whether the parser takes a request for over whose body has not come."""
        self._due: Turn | None = None
        """The turn to parse that is asked for."""
        self._arriving = Arriving()
        self._pauses_as: str | None = None
        """Name under which the request that is answered has its turn among pauses; None if it is no pause."""
        self._way = Way()
        self._begun_since = 0.0
        """When the first byte of the request may have arrived, in seconds since 1970."""
        self._turns = 0
        """Pieces parsed since the connection was last idle; one more once it has been used."""

    @property
    def is_pausing(self) -> bool:
        """True while a pause is asked for and not answered."""
        cycle: Any = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete and self._pauses_as is not None

    @property
    def is_arriving(self) -> bool:
        """True while the body of a request is not whole."""
        cycle: Any = self.cycle  # None before the first request
        return cycle is not None and cycle.more_body and not cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """Keep bytes until it is their turn."""
        self._unset_keepalive_if_required()
        if not self.flow.holds and self.is_pausing and self._arriving.may_be_cut_short():
            self.flow.keep(data)
            self._advance()
            return
        self.flow.hold(data)
        self._count_held()
        self._ask_for_turn(may_be_now=True)

    def _count_held(self) -> None:
        self.everything.holds(self, self.flow.size + self._arriving.kept)

    def _ask_for_turn(self, *, may_be_now: bool = False) -> None:
        if self._due is not None:
            return
        turns = self.everything.parsing if self._turns < _FEW_TURNS else self.everything.parsing_on
        turn = (turns.take_now if may_be_now else turns.take)(self.whose, self._turn, had=self._turns)
        if turn is not None:
            self._due = turn

    def _turn(self) -> None:
        self._due = None
        self._advance()

    def _advance(self) -> None:
        """Parse a piece, unless a whole request waits for its answer: then that comes first."""
        cycle: Any = self.cycle  # None before the first request
        is_answering = cycle is not None and not cycle.response_complete and not cycle.more_body
        if (
            self._is_upgrading
            or is_answering
            or self.flow.read_paused
            or not self.flow.holds
            or self.transport.is_closing()
        ):
            return  # `resume_reading` asks for the next turn
        self._turns += 1
        try:
            self._parse(self.flow.take(self._arriving.body_left))
            if self._arriving.body_left and self.flow.size and not self.transport.is_closing():
                # A body costs next to nothing, so it comes with its head.
                self._parse(self.flow.take(self._arriving.body_left))
        except Exception:  # whatever it is, it is raised again; until then nobody would read on
            self.transport.abort()
            raise
        if not self._is_upgrading:
            self._count_held()
            if self.flow.holds:
                self._ask_for_turn()
            elif not self.flow.read_paused and not self.transport.is_closing():
                self.flow.read_on()

    def _parse(self, piece: memoryview) -> None:
        self._arriving.take(len(piece))
        self._feed(piece)
        if self._is_upgrading:
            return
        self._arriving.count_head()
        if self._arriving.is_too_long:
            self._end(HEADERS_TOO_LARGE, "Request Header Fields Too Large", "The headers are too long")
            return
        # Bytes that belong to no request must not keep the connection open.
        cycle: Any = self.cycle
        if (cycle is None or cycle.response_complete) and self.timeout_keep_alive_task is None:
            self.everything.waits(self)

    def _feed(self, piece: memoryview) -> None:
        """Give a piece to the parser. What comes after a request that asks for another protocol is kept.

        uvicorn drops it, although it may be the first frames of a WebSocket. A client that asks for a protocol which is
        not offered, such as HTTP/2, goes on with HTTP: with the body of that request, if it has one.
        """
        self._unset_keepalive_if_required()
        try:
            while (end := self._parsed(piece)) is not None and self._body_follows:
                self._body_follows = False
                self.parser = parser_of_body(self.headers, self)
                piece = piece[end:]
        except HttpParserError:
            self.logger.warning(_INVALID)
            self.send_400_response(_INVALID)
            return
        if end is not None:
            if end < len(piece):
                self.flow.give_back(piece[end:])
            if self._should_upgrade():
                self.handle_websocket_upgrade()

    def _parsed(self, piece: memoryview) -> int | None:
        """Parse a piece; give the end of the head of a request that asks for another protocol, if there is one in it.

        Raises:
            HttpParserError: it cannot be parsed.
        """
        try:
            self.parser.feed_data(piece)
        except HttpParserUpgrade as upgrade:
            [end] = upgrade.args
            return int(end)
        return None

    # The parser

    def on_message_begin(self) -> None:
        """Begin to measure the time and size of a request."""
        if self.caller != self.whose:
            self.everything.speaks_for(self, self.whose)
        self.everything.waits(self)
        self._arriving.begin()
        self._begun_since = self.flow.since
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, and no trailer."""
        if self._arriving.take_field():
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Check the headers, and take the host of an absolute address."""
        self._arriving.end_head()
        # Believed of anybody: it makes only their own resumption older.
        age = waited_before(self.headers)
        self._begun_since = min(self._begun_since, time() - (age or 0.0))
        if self.everything.is_proxy(self.address) and (caller := forwarded_for(self.headers)) is not None:
            self.everything.speaks_for(self, caller)
        is_handshake = self.parser.should_upgrade() and self._should_upgrade()
        self._body_follows = self.parser.should_upgrade() and not is_handshake and has_body(self.headers)
        refused = refusal(self.url, self.headers, is_handshake=is_handshake)
        if refused is not None:
            self.everything.ended("malformed")
        elif is_handshake and self._is_last:
            refused = stopping("Vivienne is stopping; connect again in a moment")
        if refused is not None:
            self._refused = True
            self.app, self.url = refused, b"/"  # it is not decoded
        if b"://" in self.url and not self.url.startswith(b"/"):
            # An absolute address wins over Host (RFC 9112, 3.2.2).
            host, _, path = self.url.partition(b"://")[2].partition(b"/")
            self.headers[:] = [(name, value) for name, value in self.headers if name != b"host"] + [(b"host", host)]
            self.url = b"/" + path
        named = dict(self.headers)
        if b"transfer-encoding" not in named:
            self._arriving.body_left = int(named.get(b"content-length", b"0"))  # the parser has checked it
        super().on_headers_complete()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # it has a key of our own
        # A proxy sends requests of several clients in an order that is not that in which they were begun.
        place = self._way.next()
        scope[RECEIVED] = time(), self._begun_since, place if age is None else None
        if is_handshake and refused is None:
            return  # it has no answer of HTTP
        # After a handshake that is none come frames, which somebody else may have chosen: they are no request.
        if self._is_last or _UPGRADE_KEY in named or b"websocket" in named.get(b"upgrade", b"").lower():
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._arriving.take_body(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request has arrived, with its body. A handshake is over when the WebSocket is open."""
        if self._body_follows:
            return
        self._arriving.end()
        if not (self.parser.should_upgrade() and self._should_upgrade()):
            self.everything.spoke(self)
        super().on_message_complete()

    # Its end

    def give_up(self) -> None:
        """End the connection at once."""
        raise NotImplementedError

    def hurry(self) -> None:
        """End the connection because a request did not arrive in time."""
        raise NotImplementedError

    def _end(self, status: int, phrase: str, text: str, *, is_counted: bool = False) -> None:
        """Answer with a reason, and close."""
        raise NotImplementedError


def waited_before(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """Seconds since a request was asked for; None if nobody says.

    The client says how long it took until it sent the request, and a proxy how long the request was there before it
    passed it on.
    """
    said = {name: value for name, value in headers if name in _AGES}
    if not said:
        return None
    return min(sum(map(_seconds, said.values())), _LONGEST_BEFORE)


def _seconds(text: bytes) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return max(0.0, seconds) if isfinite(seconds) else 0.0


def forwarded_for(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Name under which the address that a proxy forwards is counted; None if it forwards none.

    Its clients take turns as others do. Who sends an address of its own through a proxy has it set by that.
    """
    forwarded = [value for name, value in headers if name == b"x-forwarded-for"]
    address = forwarded[-1].rpartition(b",")[2].strip().decode("latin-1")[:_LONGEST_ADDRESS] if forwarded else ""
    return counted_as(address) if address else None

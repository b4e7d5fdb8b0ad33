"""Connections: limits of their number, of the time until one has sent a request, and until it has read the answer.

A connection beyond the limits is answered with the reason and closed; only a pause is answered there too. When all
connections are taken, the address with most gives one up for another that has less than half as many. One without a
request is closed after a while, or when there are too many such connections. One that does not read its answer is ended
after a while too, or when too much is unread. In both cases the oldest of the address with the most goes first, so that
clients that send at once get in.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vivienne.metrics.registry import Metrics
from vivienne.server.head import scope_of
from vivienne.server.held import Held
from vivienne.server.policy import is_pause
from vivienne.server.problems import problem
from vivienne.server.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Scope

    from vivienne.access.limits import Limits

    PausesAs = Callable[[Scope, str], str | None]

_TOO_MANY, _UNAVAILABLE = 429, 503
_PARSED_PER_PASS, _PARSED_ON_PER_PASS, _BEGUN_PER_PASS, _PAUSES_PER_PASS = 28, 6, 2, 4
"""Done in a pass of the event loop: pieces take about 0.1 ms, and answers 1 ms to begin. More are parsed than set up
(`accepting.py`), so that no request is taken for a silent connection while it waits for its turn."""
SPARE = 64
"""Connections beyond the limit that are told so, or may pause. Of more, the oldest of the address with most is closed,
because each is an open file."""
_MOST_UNREAD = 16 * 1024 * 1024
"""Bytes of answers that all clients together may leave unread."""
_LEAST_READ = 64 * 1024
"""Bytes of an answer of unknown length, such as an export, that are to be read in `--answer-seconds`."""
LONGEST_ANSWER_SECONDS = 900.0
"""Longest time for such an answer."""
_MOST_HELD = 4 * 1024 * 1024
"""Bytes of requests of all clients together that are not parsed, not whole or not answered. Beyond it the connection
with most of them ends: a pause is short."""
_MOST_UNREAD_BY_SOCKETS = 32 * 1024 * 1024
"""Bytes that all WebSockets together may leave unread. Beyond it the one that leaves most ends."""
_ENDED = "vivienne_connections_ended_total"
_REASONS = ("limit", "no_request", "unread", "malformed")


def by_address(_scope: Scope, address: str) -> str | None:
    """Let everybody pause, in turns by address."""
    return address


class Open(Protocol):
    """An open connection.

    Attributes:
        address: of the client.
        whose: name under which the address is counted.
        caller: the same of the address that a proxy forwards.
    """

    address: str
    whose: str
    caller: str

    @property
    def is_pausing(self) -> bool:
        """True while a pause is asked for and not answered."""

    def give_up(self) -> None:
        """End it at once."""

    def hurry(self) -> None:
        """End it because nothing whole has come in time, or because it is the oldest of too many."""


@dataclass(slots=True)
class _Unread:
    """What a client has not read.

    Attributes:
        timer: ends the connection.
        size: bytes of the answer that are not sent.
        until: when it ends in any case, by the clock of the event loop.
        read: bytes that were sent since the timer began.
    """

    timer: asyncio.TimerHandle
    size: int
    until: float
    read: int = 0


class Connections:
    """The open connections.

    Args:
        limits: of their number and time.
        is_proxy: tells if an address is that of a reverse proxy, which connects for many callers.
        metrics: count those that are ended.
        pauses_as: gives the name under which a request to pause, of an address, has its turn; None if its client may
            not pause, as far as that is known.

    Attributes:
        parsing: turns to parse a piece of what clients send.
        parsing_on: the same for connections that had many turns in a row.
        answering: turns to begin an answer, or to tell the application that its client has left.
        pausing: turns to begin a pause.
    """

    def __init__(
        self,
        limits: Limits,
        is_proxy: Callable[[str], bool],
        metrics: Metrics | None = None,
        pauses_as: PausesAs = by_address,
    ) -> None:
        self.limits = limits
        self.pauses_as = pauses_as
        self.parsing = Turns(_PARSED_PER_PASS)
        self.parsing_on = Turns(_PARSED_ON_PER_PASS)
        self.answering = Turns(_BEGUN_PER_PASS)
        self.pausing = Turns(_PAUSES_PER_PASS)
        self.is_proxy = is_proxy
        self._metrics = metrics or Metrics()
        self._open = 0
        # Oldest first.
        self._by_address: dict[str, dict[Open, None]] = {}
        self._spare: dict[Open, None] = {}
        self._silent: dict[Open, asyncio.TimerHandle] = {}
        self._silent_by_address: Counter[str] = Counter()
        self._unread: dict[Open, _Unread] = {}
        self._unread_bytes = 0
        self._held: Held[Open] = Held(_MOST_HELD)
        self._unread_by_sockets: dict[Open, int] = {}
        self._unread_socket_bytes = 0
        for reason in _REASONS:
            self._metrics.expect(_ENDED, reason)

    def pause_in(self, head: bytes, address: str) -> str | None:
        """The name under which the beginning of a request has its turn as a pause; None if it is not known to be one.

        Nobody else relies on it: the request is parsed when it has arrived.
        """
        scope = scope_of(head)
        return self.pauses_as(scope, address) if scope is not None and is_pause(scope) else None

    def room(self) -> int:
        """How many connections may be open besides those that are."""
        return self.limits.connections - self._open

    def opened(self, connection: Open) -> ASGIApp | None:
        """Count a connection; return the application that refuses it, or None if it is within the limits."""
        self._open += 1
        address, whose = connection.address, connection.whose
        here = self._by_address.setdefault(whose, {})
        here[connection] = None
        self.waits(connection)
        if self._open > self.limits.connections and not self._make_room(whose):
            self._spare[connection] = None
            if len(self._spare) > SPARE:
                self._end(self._least_wanted_spare())
            detail = f"The limit of {self.limits.connections:,} open connections is reached"
            return self._refusal(_UNAVAILABLE, detail)
        if len(here) > self.limits.connections_per_address and not self.is_proxy(address):
            detail = f"The limit of {self.limits.connections_per_address:,} open connections from {address} is reached"
            return self._refusal(_TOO_MANY, detail)
        return None

    def became(self, connection: Open, stays: Open) -> None:
        """Count something else in place of a connection. For both nothing is held or unread."""
        here = self._by_address.get(connection.whose, {})
        if connection not in here:
            return
        self.spoke(connection)
        del here[connection]
        here[stays] = None
        self.waits(stays)

    def _make_room(self, whose: str) -> bool:
        """End the oldest connection of the address with most, if that has more than twice as many as this one."""
        most = max(self._by_address.values(), key=len)
        oldest = next((each for each in most if each not in self._spare and not each.is_pausing), None)
        is_fair = len(most) > 2 * len(self._by_address[whose])
        if oldest is None or not is_fair or self.is_proxy(oldest.address):
            return False
        self._end(oldest)
        return True

    def _least_wanted_spare(self) -> Open:
        """Of the address with most spare connections, the oldest one, if possible one that does not pause."""
        whose, _ = Counter(each.whose for each in self._spare).most_common(1)[0]
        found = [each for each in self._spare if each.whose == whose]
        return next((each for each in found if not each.is_pausing), found[0])

    def _end(self, connection: Open) -> None:
        self.closed(connection)
        self.ended("limit")
        connection.give_up()

    def spoke(self, connection: Open) -> None:
        """Note that a whole request has arrived, or that a WebSocket is open."""
        timer = self._silent.pop(connection, None)
        if timer is not None:
            timer.cancel()
            self._silent_by_address[connection.caller] -= 1
            if not self._silent_by_address[connection.caller]:
                del self._silent_by_address[connection.caller]

    def waits(self, connection: Open) -> None:
        """Note that a request has begun and has not arrived whole.

        Of too many, the oldest of the address with most is ended, so that a burst of one address ends nobody else's.
        """
        if connection in self._silent or connection not in self._by_address.get(connection.whose, {}):
            return
        loop = asyncio.get_running_loop()
        self._silent[connection] = loop.call_later(self.limits.handshake_seconds, connection.hurry)
        self._silent_by_address[connection.caller] += 1
        if len(self._silent) > self.limits.half_open:
            whose = max(self._silent_by_address, key=self._silent_by_address.__getitem__)
            next(each for each in self._silent if each.caller == whose).hurry()

    def holds(self, connection: Open, size: int) -> None:
        """Note that so many bytes are kept of what a client sent: not parsed yet, or of a request without an answer."""
        self._held.count(connection, connection.caller, size)
        while (largest := self._held.one_too_many(connection.caller)) is not None:
            self._held.count(largest, largest.caller, 0)
            self.ended("limit")
            largest.give_up()

    def speaks_for(self, connection: Open, caller: str) -> None:
        """Note whose request comes through a proxy: what it holds, leaves unread or does not finish counts as theirs.

        Otherwise all clients of the proxy were one, and of them the one with the largest request would lose.
        """
        timer = self._silent.get(connection)
        if timer is not None:
            self._silent_by_address -= Counter([connection.caller])
            self._silent_by_address[caller] += 1
        connection.caller = caller
        self._held.count(connection, caller, self._held.of(connection))

    def unread(self, connection: Open, size: int) -> None:
        """Note that so many bytes of an answer cannot be sent, because the client does not read."""
        known = self._unread.get(connection)
        if known is None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self.limits.answer_seconds, self._give_up, connection)
            known = self._unread[connection] = _Unread(timer, 0, loop.time() + LONGEST_ANSWER_SECONDS)
        self._unread_bytes += size - known.size
        known.size = size
        while self._unread_bytes > _MOST_UNREAD or len(self._unread) > self.limits.half_open:
            self._give_up(self._worst())

    def read_on(self, connection: Open) -> None:
        """Note that all of a long answer is sent so far. Its time begins again, at a pace and up to a whole time."""
        known = self._unread.get(connection)
        if known is None:
            return
        self._unread_bytes -= known.size
        known.read += known.size
        known.size = 0
        if known.read >= _LEAST_READ:
            known.timer.cancel()
            loop = asyncio.get_running_loop()
            at = min(loop.time() + self.limits.answer_seconds, known.until)
            known.timer, known.read = loop.call_at(at, self._give_up, connection), 0

    def read(self, connection: Open) -> None:
        """Note that everything is sent."""
        known = self._unread.pop(connection, None)
        if known is not None:
            known.timer.cancel()
            self._unread_bytes -= known.size

    def ended(self, reason: str) -> None:
        """Count a connection that the server ended: `limit`, `no_request`, `unread` or `malformed`."""
        self._metrics.count(_ENDED, reason)

    def socket_unread(self, connection: Open, size: int) -> None:
        """Note that so many bytes cannot be sent on what has become a WebSocket; its pings limit the time."""
        self._unread_socket_bytes += size - self._unread_by_sockets.pop(connection, 0)
        if size:
            self._unread_by_sockets[connection] = size
        while self._unread_socket_bytes > _MOST_UNREAD_BY_SOCKETS:
            most = max(self._unread_by_sockets, key=self._unread_by_sockets.__getitem__)
            self._unread_socket_bytes -= self._unread_by_sockets.pop(most)
            self.ended("unread")
            most.give_up()

    def lost(self, connection: Open) -> None:
        """Note that a client has left; its connection counts until the application knows."""
        self.spoke(connection)
        self.read(connection)
        self.holds(connection, 0)

    def closed(self, connection: Open) -> None:
        """Note that a connection is closed. It may be told twice."""
        here = self._by_address.get(connection.whose, {})
        if connection not in here:
            return
        self.lost(connection)
        self.socket_unread(connection, 0)
        self._spare.pop(connection, None)
        self._open -= 1
        del here[connection]
        if not here:
            del self._by_address[connection.whose]

    def _worst(self) -> Open:
        """Of the address that leaves most unread, the connection that does so for longest."""
        sizes: Counter[str] = Counter()
        for connection, known in self._unread.items():
            sizes[connection.caller] += known.size
        whose = sizes.most_common(1)[0][0]
        return next(each for each in self._unread if each.caller == whose)

    def _give_up(self, connection: Open) -> None:
        self.read(connection)
        self.ended("unread")
        connection.give_up()

    def _refusal(self, status: int, detail: str) -> ASGIApp:
        self.ended("limit")
        headers = {"Retry-After": "1", "Connection": "close"}
        return problem(status, "Too many connections", detail, code="too_many_connections", headers=headers)

"""Connections: limits of their number, and of the time until one has sent a request.

A connection beyond the limits is answered with the reason and closed. One without a request is closed after a while, or
when there are too many such connections: the oldest goes first, so that clients that send at once get in.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vivienne.access.caller import counted_as
from vivienne.server.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from vivienne.access.limits import Limits
    from vivienne.server.http_protocol import Connection

_TOO_MANY, _UNAVAILABLE = 429, 503


class Connections:
    """The open connections.

    Args:
        limits: of their number and time.
        is_proxy: tells if an address is that of a reverse proxy, which connects for many callers.
    """

    def __init__(self, limits: Limits, is_proxy: Callable[[str], bool]) -> None:
        self.limits = limits
        self._is_proxy = is_proxy
        self._open = 0
        self._by_address: dict[str, int] = {}
        # Oldest first.
        self._silent: dict[Connection, asyncio.TimerHandle] = {}

    def opened(self, connection: Connection, address: str) -> ASGIApp | None:
        """Count a connection; return the application that refuses it, or None if it is within the limits."""
        self._open += 1
        whose = counted_as(address)
        here = self._by_address[whose] = self._by_address.get(whose, 0) + 1
        loop = asyncio.get_running_loop()
        self._silent[connection] = loop.call_later(self.limits.handshake_seconds, connection.hurry)
        if len(self._silent) > self.limits.half_open:
            next(iter(self._silent)).hurry()
        if self._open > self.limits.connections:
            detail = f"The limit of {self.limits.connections:,} open connections is reached"
            return _refusal(_UNAVAILABLE, "Too many connections", detail)
        if here > self.limits.connections_per_address and not self._is_proxy(address):
            detail = f"The limit of {self.limits.connections_per_address:,} open connections from {address} is reached"
            return _refusal(_TOO_MANY, "Too many connections", detail)
        return None

    def spoke(self, connection: Connection) -> None:
        """Note that a whole request has arrived."""
        timer = self._silent.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def waits(self, connection: Connection) -> None:
        """Note that a request has begun and has not arrived whole."""
        if connection not in self._silent:
            loop = asyncio.get_running_loop()
            self._silent[connection] = loop.call_later(self.limits.handshake_seconds, connection.hurry)

    def closed(self, connection: Connection, address: str) -> None:
        """Note that a connection is closed."""
        self.spoke(connection)
        self._open -= 1
        whose = counted_as(address)
        self._by_address[whose] -= 1
        if not self._by_address[whose]:
            del self._by_address[whose]


def _refusal(status: int, title: str, detail: str) -> ASGIApp:
    headers = {"Retry-After": "1", "Connection": "close"}
    return problem(status, title, detail, code="too_many_connections", headers=headers)

"""When a request or a message arrived: before it waited for its turn, and for the time of its caller."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

from vivienne import trace
from vivienne.changes.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

RECEIVED = "vivienne.received"
"""Key, in the scope of a request and in a message of a WebSocket, of two times in seconds since 1970 and its place.

The place is that on the connection.
The first time is when all of it was there: its head, or the whole message. The second is when its first byte may have
arrived: with others that had to wait.
"""


def received(scope: Mapping[str, Any]) -> Asked:
    """When what is asked for in a request or a message was asked for."""
    now = time()
    return Asked.at(*scope.get(RECEIVED, (now, now)))


def request_received(request: Request) -> Asked:
    """The same of a request, and the name that a proxy gave to it.

    A client may use a trace id again, so one that is not the proxy's own tells no request from another.
    """
    given, own = request.headers.getlist(trace.PROXY_HEADER), trace.trace_id.get()
    return received(request.scope)._replace(sent_as=own if given == [own] else None)

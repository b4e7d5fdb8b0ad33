"""Trace ids: one for each request, in the log, the answer, and the history.

A WebSocket is one request: its messages have the id of its handshake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from vivienne import trace

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ANSWERS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class Traced:
    """ASGI middleware that takes the id of a request from ``X-Request-ID``, or makes one, and returns it there.

    Args:
        app: the application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        found = trace.trace_id_of(_given(scope))
        trace.trace_id.set(found)

        async def sending(message: Message) -> None:
            if message["type"] in _ANSWERS:
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                headers[trace.HEADER] = found
                message = {**message, "headers": headers.raw}
            await send(message)

        await self._app(scope, receive, sending)


def _given(scope: Scope) -> str | None:
    """The trace id that the client gives, if it is one."""
    given = Headers(scope=scope).getlist(trace.HEADER)
    return given[0] if len(given) == 1 else None

"""Handshakes that go to their endpoint past the layers of the framework, which take a third of their time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.websockets import WebSocket

from vivienne.server.direct import LINE
from vivienne.server.http import CALLER
from vivienne.server.policy import NEEDED, WEBSOCKET
from vivienne.server.root_path import path_below

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from vivienne.access.caller import Caller


class Shortcut:
    """ASGI middleware for one endpoint. All that is to be refused, or is unusual, goes the usual way.

    Args:
        app: the application behind it, which has the endpoint too.
        address: of the endpoint.
        endpoint: takes the WebSocket.
    """

    def __init__(self, app: ASGIApp, address: str, endpoint: Callable[[WebSocket], Awaitable[None]]) -> None:
        self._app = app
        self._address = address
        self._endpoint = endpoint
        self._needed = NEEDED[WEBSOCKET, address]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] == "websocket" and LINE in scope and self._is_for(scope):
            await self._endpoint(WebSocket(scope, receive, send))
        else:
            await self._app(scope, receive, send)

    def _is_for(self, scope: Scope) -> bool:
        caller: Caller | None = scope.get(CALLER)
        may = caller is not None and (self._needed is None or caller.may(self._needed))
        return may and path_below(scope) == self._address

"""Answers to requests that miss a WebSocket: no handshake at its address, or a handshake at no address."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002  # FastAPI reads the annotation

from vivienne.server.problems import problem
from vivienne.server.routes import Routes

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

STATE, LOGS, ALERTS = "/ws/state", "/ws/logs", "/ws/alerts"
ADDRESSES = tuple(address + slash for address in (STATE, LOGS, ALERTS) for slash in ("", "/"))
"""The addresses of WebSockets; a slash at the end makes no difference."""
_GUIDE = "docs/deployment.md, Behind a reverse proxy"


def install(app: FastAPI) -> None:
    """Answer such requests: 426 with the protocol that is needed, and 404."""
    routes = Routes()

    async def no_handshake(request: Request) -> Response:
        detail = (
            f"{request.url.path} is a WebSocket, and this request does not ask for one. If a browser or a program did, "
            "the proxy in front does not pass WebSockets: it must pass the headers Upgrade and Connection, see "
            f"{_GUIDE}"
        )
        return problem(
            HTTPStatus.UPGRADE_REQUIRED,
            "A WebSocket is needed",
            detail,
            code="upgrade_required",
            headers={"Upgrade": "websocket", "Connection": "Upgrade"},
        )

    for address in ADDRESSES:
        routes.add_api_route(address, no_handshake, methods=["GET", "HEAD", "POST"], include_in_schema=False)
    routes.add_to(app)
    not_found = app.router.default

    async def missed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await not_found(scope, receive, send)
            return
        detail = f"There is no WebSocket at {scope['path']}; there are {STATE}, {LOGS} and {ALERTS}"
        await problem(HTTPStatus.NOT_FOUND, "Not Found", detail, code="not_found")(scope, receive, send)

    app.router.default = missed

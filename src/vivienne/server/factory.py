"""The web application: REST, WebSockets, health, documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi_offline import FastAPIOffline
from starlette.responses import Response

from vivienne import __version__
from vivienne.config.channels.rest import configuration_routes
from vivienne.errors import StoreError
from vivienne.server import dashboard, problems
from vivienne.server.market import market_routes
from vivienne.server.openapi import asyncapi, components, endpoint_documents
from vivienne.server.websockets import websocket_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from vivienne.config.service import ConfigService
    from vivienne.live.market import Market
    from vivienne.server.websockets import Relay
    from vivienne.stream.hub import Hub
    from vivienne.stream.logs import LogStream
    from vivienne.stream.state import StateBoard


def web_application(
    service: ConfigService,
    market: Market,
    hub: Hub,
    board: StateBoard,
    logs: LogStream,
    *,
    relay: Relay | None = None,
    additions: Callable[[], dict[str, str]] = dict,
) -> FastAPI:
    """Put the endpoints together.

    Args:
        service: the door for changes.
        market: decides.
        hub: fans states out.
        board: has the latest states.
        logs: has the latest records.
        relay: takes `control` messages elsewhere; see `websocket_routes`.
        additions: how parts are that Vivienne does without: by name ``ok``, or what is wrong with it.
    """
    app = FastAPIOffline(
        title="Vivienne",
        version=__version__,
        description="Trading signals that can be retuned while they run. Changes are validated, durable and versioned "
        "before they are acknowledged, and in force at once. The state streams on `/ws/state`, the log on `/ws/logs`.",
        redoc_url=None,
    )
    problems.install(app)
    dashboard.install(app)
    app.include_router(configuration_routes(service, endpoint_documents()))
    app.include_router(market_routes(service, market, endpoint_documents()))
    app.include_router(websocket_routes(service, hub, board, logs, relay))

    @app.get("/asyncapi.json", include_in_schema=False)
    async def messages() -> Response:
        return Response(orjson.dumps(asyncapi()), media_type="application/json")

    @app.get("/health", tags=["operation"])
    async def health() -> dict[str, Any]:
        """The process is alive."""
        return {"status": "ok", "version": __version__}

    @app.get("/ready", tags=["operation"], responses={503: {"description": "A part does not work; it says which."}})
    async def ready() -> Response:
        """The parts work: feeds deliver, the store answers."""
        parts: dict[str, Any] = {"store": "ok", "feeds": dict.fromkeys(service.assets, "ok") | market.troubles()}
        try:
            await service.check()
        except StoreError as error:
            parts["store"] = str(error)
        for layer, found in service.ignored.items():
            parts.setdefault("configuration", {})[layer] = [problem.message for problem in found]
        more = additions()
        parts |= more
        ok = parts["store"] == "ok" and not market.troubles()
        status = (
            "ready"
            if ok and "configuration" not in parts and set(more.values()) <= {"ok"}
            else "degraded"
            if ok
            else "unavailable"
        )
        return Response(orjson.dumps({"status": status, **parts}), 200 if ok else 503, media_type="application/json")

    _document(app)
    return app


def _document(app: FastAPI) -> None:
    """Complete the OpenAPI document with the schemas it refers to."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        document.setdefault("components", {}).setdefault("schemas", {}).update(components())
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document

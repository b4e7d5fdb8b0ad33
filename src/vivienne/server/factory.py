"""The web application: REST, WebSockets, health, documents."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import Depends
from fastapi_offline import FastAPIOffline
from starlette.responses import Response

from vivienne import __version__
from vivienne.server import dashboard, problems
from vivienne.server.configuration import configuration_routes
from vivienne.server.market import market_routes
from vivienne.server.metrics import metrics_routes
from vivienne.server.openapi import SECURITY_SCHEMES, asyncapi, components, endpoint_documents
from vivienne.server.operation import operation_routes
from vivienne.server.policy import NEEDED, admission
from vivienne.server.tokens import token_routes
from vivienne.server.websockets import websocket_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

    from vivienne.access.access import Access
    from vivienne.changes.service import ConfigService
    from vivienne.live.view import MarketView
    from vivienne.stream.hub import Hub
    from vivienne.stream.logs import LogStream
    from vivienne.stream.state import LatestStates


def web_application(
    service: ConfigService,
    market: MarketView,
    hub: Hub,
    board: LatestStates,
    logs: LogStream,
    *,
    additions: Callable[[], dict[str, Any]] = dict,
    access: Access | None = None,
) -> FastAPI:
    """Put the endpoints together.

    Args:
        service: the door for changes.
        market: to look at.
        hub: fans states out.
        board: has the latest states.
        logs: has the latest records.
        additions: how parts are that Vivienne does without: by name ``ok``, or what is wrong with it.
        access: says who may do what; None lets everybody do everything.
    """
    app = FastAPIOffline(
        title="Vivienne",
        version=__version__,
        description="Trading signals that can be retuned while they run. Changes are validated, durable and versioned "
        "before they are acknowledged, and in force at once. The state streams on `/ws/state`, the log on `/ws/logs`.",
        redoc_url=None,
        dependencies=_admission(access),
    )
    if access is not None:
        app.state.message_limits = access.limits.message
        app.include_router(token_routes(access, endpoint_documents()))
    problems.install(app)
    dashboard.install(app)
    app.include_router(configuration_routes(service, endpoint_documents()))
    app.include_router(market_routes(service, market, endpoint_documents()))
    app.include_router(websocket_routes(service, hub, board, logs, access))

    app.include_router(operation_routes(service, market, additions))
    app.include_router(metrics_routes(service))
    _serve_documents(app)
    return app


def agent_application(
    service: ConfigService,
    market: MarketView,
    additions: Callable[[], dict[str, Any]],
    access: Access | None = None,
) -> FastAPI:
    """What an agent among several serves: whether it works. Everything else is up to gateways."""
    app = FastAPIOffline(
        title="Vivienne, an agent", version=__version__, redoc_url=None, dependencies=_admission(access)
    )
    problems.install(app)
    app.include_router(operation_routes(service, market, additions))
    app.include_router(metrics_routes(service))
    return app


def _admission(access: Access | None) -> list[Any]:
    """What all endpoints depend on."""
    return [] if access is None else [Depends(admission(access))]


def _serve_documents(app: FastAPI) -> None:
    """Both documents, each written once: that takes tens of milliseconds, in which nothing else happens."""
    _complete(app)

    @cache
    def written(document: Callable[[], Any]) -> bytes:
        return orjson.dumps(document())

    async def openapi() -> Response:
        return Response(written(app.openapi), media_type="application/json")

    async def messages() -> Response:
        return Response(written(asyncapi), media_type="application/json")

    # In place of FastAPI's, which writes it anew each time, and of which the roles know nothing.
    app.router.routes[:] = [each for each in app.routes if getattr(each, "path", "") != app.openapi_url]
    app.add_api_route("/openapi.json", openapi, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/asyncapi.json", messages, include_in_schema=False)


def _complete(app: FastAPI) -> None:
    """Complete the OpenAPI document with the schemas it refers to, and with what gets one in."""
    generate = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        document = generate()
        for parameter in _parameters(document):
            parameter["schema"] = _without_null(parameter["schema"])
        parts = document.setdefault("components", {})
        parts.setdefault("schemas", {}).update(components())
        parts["securitySchemes"] = SECURITY_SCHEMES
        # Nobody needs a token where the server does not demand one: hence the empty choice.
        with_token: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                open_to_all = NEEDED.get((method.upper(), path), "admin") is None
                operation["security"] = [] if open_to_all else [*with_token, {}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        for operation in methods.values():
            yield from operation.get("parameters", ())


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What a query or a header can hold: it is there or not, and never null."""
    alternatives = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(alternatives) != 1:
        return schema
    return {**alternatives[0], **{name: value for name, value in schema.items() if name != "anyOf"}}

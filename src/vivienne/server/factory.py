"""The web application: REST, WebSockets, health, documents."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import Depends, Request
from fastapi_offline import FastAPIOffline
from starlette.responses import Response

from vivienne.access.budget import TimeBudgets
from vivienne.outbox.on_demand import OnDemand
from vivienne.outbox.stream import AlertStream
from vivienne.record.judging.costs import USUAL_COSTS
from vivienne.record.reading.view import NO_RECORD
from vivienne.server import dashboard, problems, websocket_addresses
from vivienne.server.alert_deliveries import alert_delivery_routes
from vivienne.server.alerting import alert_routes
from vivienne.server.assets import asset_routes
from vivienne.server.asyncapi import asyncapi
from vivienne.server.auth import auth_routes
from vivienne.server.configuration import configuration_routes
from vivienne.server.conversing import Times
from vivienne.server.decisions import decision_routes
from vivienne.server.judging import judging_routes
from vivienne.server.made_once import MadeOnce
from vivienne.server.metrics import metrics_routes
from vivienne.server.openapi import complete
from vivienne.server.operation import operation_routes
from vivienne.server.policy import admission
from vivienne.server.pushing import push_routes
from vivienne.server.readiness import Readiness
from vivienne.server.root_path import root_of
from vivienne.server.shortcut import Shortcut
from vivienne.server.store_health import StoreHealth
from vivienne.server.websockets import state_endpoint, websocket_routes
from vivienne.slices import one_piece
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI
    from starlette.websockets import WebSocket

    from vivienne.access.access import Access
    from vivienne.changes.service import ConfigService
    from vivienne.live.view import MarketView
    from vivienne.record.judging.costs import Costs
    from vivienne.record.reading.view import RecordView
    from vivienne.server.pushing import Pushes
    from vivienne.server.routes import Routes
    from vivienne.slices import Pieces
    from vivienne.stream.hub import Hub
    from vivienne.stream.logs import LogStream
    from vivienne.stream.state import LatestStates


_DESCRIPTION = (
    "Trading signals that can be retuned while they run. Changes are validated, durable and versioned before they are "
    "acknowledged, and in force at once. The state streams on `/ws/state`, the log on `/ws/logs`, and alerts on "
    "`/ws/alerts`."
)


def web_application(
    service: ConfigService,
    market: MarketView,
    hub: Hub,
    board: LatestStates,
    logs: LogStream,
    *,
    additions: Callable[[], Pieces[dict[str, Any]]] = lambda: one_piece(dict),
    access: Access | None = None,
    alerts: AlertStream | None = None,
    on_demand: OnDemand | None = None,
    pushes: Pushes | None = None,
    record: RecordView = NO_RECORD,
    costs: Costs = USUAL_COSTS,
) -> FastAPI:
    """Put the endpoints together.

    Args:
        service: takes changes.
        market: has assets and bars.
        hub: fans states out.
        board: has the latest states.
        logs: has the latest records.
        additions: health of optional parts: by name ``ok``, or what is wrong with it.
        access: knows what callers may do; None lets everybody do everything.
        alerts: has those for browsers; None where there are none.
        on_demand: tests alert rules, and sends alerts again; None where nothing is sent.
        pushes: takes pushed market data; None for another feed.
        record: has recorded decisions.
        costs: of a trade of the paper account.
    """
    app = FastAPIOffline(
        title="Vivienne",
        version=build_version(),
        description=_DESCRIPTION,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=_admission(access),
    )
    if access is not None:
        app.state.message_limits = access.limits.message
        auth_routes(access).add_to(app)
    problems.install(app)
    dashboard.install(app)
    budgets = TimeBudgets(monotonic) if access is None else access.budgets
    configuration_routes(service, budgets).add_to(app)
    # Before those of a rule, whose id would match too.
    on_demand = on_demand or OnDemand({}, service.alert_store, service.store_reads)
    alert_delivery_routes(service, board, on_demand).add_to(app)
    alert_routes(service, board).add_to(app)
    asset_routes(service, market, record).add_to(app)
    decision_routes(service, record).add_to(app)
    judging_routes(service, record, costs).add_to(app)
    push_routes(pushes, access).add_to(app)
    times = Times(budgets, budgets if access is None else access.requests)
    state = state_endpoint(service, hub, board, times, access)
    _include_websockets(app, state, websocket_routes(state, times, logs, alerts or AlertStream(), service.metrics))
    _include_operation(app, service, market, additions)
    _serve_documents(app)
    return app


def agent_application(
    service: ConfigService,
    market: MarketView,
    additions: Callable[[], Pieces[dict[str, Any]]],
    access: Access | None = None,
) -> FastAPI:
    """The application of one agent of several: health and metrics. Gateways serve everything else."""
    app = FastAPIOffline(
        title="Vivienne, an agent",
        version=build_version(),
        redoc_url=None,
        redirect_slashes=False,
        dependencies=_admission(access),
    )
    problems.install(app)
    _include_operation(app, service, market, additions)
    _serve_openapi(app)
    return app


def _include_websockets(app: FastAPI, state: Callable[[WebSocket], Awaitable[None]], routes: Routes) -> None:
    routes.add_to(app)
    websocket_addresses.install(app)
    app.add_middleware(Shortcut, address=websocket_addresses.STATE, endpoint=state)


def _include_operation(
    app: FastAPI, service: ConfigService, market: MarketView, additions: Callable[[], Pieces[dict[str, Any]]]
) -> None:
    """Include the endpoints that every role has."""
    store = StoreHealth(service)
    readiness = Readiness(service, market, store, additions, lambda: getattr(app.state, "is_stopping", False))
    operation_routes(service, store, readiness).add_to(app)
    metrics_routes(service, store).add_to(app)


def _admission(access: Access | None) -> list[Any]:
    """Dependencies of all endpoints."""
    return [] if access is None else [Depends(admission(access))]


def _serve_documents(app: FastAPI) -> None:
    """Serve both documents."""
    complete(app)
    _serve_openapi(app)
    document = MadeOnce(lambda root: orjson.dumps(asyncapi(root)))

    async def messages(request: Request) -> Response:
        return Response(await document.under(root_of(request.scope)), media_type="application/json")

    app.add_api_route("/asyncapi.json", messages, include_in_schema=False)


def _serve_openapi(app: FastAPI) -> None:
    """Serve the document of the endpoints."""

    def made(root: str) -> bytes:
        servers = {"servers": [{"url": root}]} if root else {}
        return orjson.dumps({**app.openapi(), **servers})

    document = MadeOnce(made)

    async def openapi(request: Request) -> Response:
        return Response(await document.under(root_of(request.scope)), media_type="application/json")

    # In place of FastAPI's own route, which makes it on the event loop, and is not in the table of roles.
    app.router.routes[:] = [each for each in app.routes if getattr(each, "path", "") != app.openapi_url]
    app.add_api_route("/openapi.json", openapi, methods=["GET", "HEAD"], include_in_schema=False)

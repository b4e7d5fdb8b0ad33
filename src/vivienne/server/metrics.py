"""The metrics for Prometheus: `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002  # FastAPI reads the annotation
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response

from vivienne.server.routes import Routes

if TYPE_CHECKING:
    from vivienne.changes.service import ConfigService
    from vivienne.server.store_health import StoreHealth


def metrics_routes(service: ConfigService, store: StoreHealth) -> Routes:
    """The endpoint.

    Args:
        service: has the metrics.
        store: is looked at for each answer.
    """
    routes = Routes(tags=["operation"])
    service.metrics.gauge("vivienne_store_up", lambda: float(store.trouble is None))

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}, "description": "The text format of Prometheus."}},
    )
    async def metrics(request: Request) -> Response:
        """The metrics for Prometheus."""
        await store.look()
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(service.metrics.registry), headers={"Content-Type": media_type})

    return routes

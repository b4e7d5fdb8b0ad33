"""The metrics for Prometheus: `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002  # FastAPI reads the annotation
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response

from vivienne.changes.shared_answers import SharedAnswers
from vivienne.changes.turns import MOST_WAITING, Turns
from vivienne.metrics.exposition import exposition
from vivienne.server.http import caller_of
from vivienne.server.routes import Routes
from vivienne.slices import slices_of_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client.registry import Collector

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
    answers = SharedAnswers[str](Turns(most_waiting=MOST_WAITING).turn)

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}, "description": "The text format of Prometheus."}},
    )
    async def metrics(request: Request) -> Response:
        """The metrics for Prometheus."""
        await store.look()
        encode, media_type = _format(request.headers.get("accept", ""))
        text = await answers.one(
            media_type,
            caller_of(request).key,
            # A pause need not wait for metrics, and those that nobody waits for any longer are not made to their end.
            lambda: slices_of_loop(gives_way=True).done(exposition(service.metrics.parts(), encode)),
        )
        return Response(text, headers={"Content-Type": media_type})

    return routes


def _format(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """The encoder and the media type that a client wants."""
    try:
        return choose_encoder(accept)
    except TypeError:  # the library compares a version that is not a number
        return choose_encoder("")

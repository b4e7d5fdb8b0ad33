"""The metrics for Prometheus: `/metrics`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response

from vivienne.errors import StoreError

if TYPE_CHECKING:
    from vivienne.changes.service import ConfigService

CHECK_SECONDS = 1.0
"""Longest time an answer waits for the store."""


class _StoreLook:
    """Health of the store, with one check at a time however often it is asked for.

    Args:
        service: checks it.
    """

    def __init__(self, service: ConfigService) -> None:
        self._service = service
        self._asking: asyncio.Task[bool] | None = None
        self.is_up = False

    async def look(self) -> None:
        """Check, and wait `CHECK_SECONDS` for the result."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="store look")
        done, _ = await asyncio.wait([self._asking], timeout=CHECK_SECONDS)
        self.is_up = bool(done) and self._asking.result()

    async def _ask(self) -> bool:
        try:
            await self._service.check()
        except StoreError:
            return False
        return True


def metrics_routes(service: ConfigService) -> APIRouter:
    """The endpoint.

    Args:
        service: has the metrics.
    """
    routes = APIRouter(tags=["operation"])
    store = _StoreLook(service)
    service.metrics.gauge("vivienne_store_up", lambda: float(store.is_up))

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

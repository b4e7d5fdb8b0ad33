"""Health of the process and its parts: `/health` and `/ready`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from vivienne.server.http import caller_of
from vivienne.times import now, written
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.changes.service import ConfigService
    from vivienne.live.view import MarketView
    from vivienne.server.store_health import StoreHealth


def operation_routes(
    service: ConfigService, market: MarketView, store: StoreHealth, additions: Callable[[], dict[str, Any]] = dict
) -> APIRouter:
    """The endpoints.

    Args:
        service: knows pauses, and configurations that are left out.
        market: knows the health of the feeds.
        store: knows the health of the store.
        additions: health of optional parts: by name ``ok``, or what is wrong with it.
    """
    routes = APIRouter(tags=["operation"])

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Health of the process: it answers. `time` is that of its clock, by which clients judge the age of states."""
        return {"status": "ok", "version": build_version(), "time": written(now())}

    @routes.get("/ready", responses={503: {"description": "A part does not work; the answer says which."}})
    async def ready(request: Request) -> Response:
        """Health of the parts: feeds and store. Without a token, where one is needed, only the status."""
        needed: dict[str, Any] = {"store": await store.look() or "ok"}
        if getattr(request.app.state, "is_stopping", False):
            needed["process"] = "It is stopping; connect to another one"
        helpful = additions()
        feeds = needed if market.is_local else helpful
        feeds["feeds"] = dict.fromkeys(market.assets, "ok") | market.troubles()
        for layer, found in service.ignored.items():
            helpful.setdefault("configuration", {})[layer] = [problem.message for problem in found]
        if unstored := service.unstored():
            helpful["unstored_pauses"] = unstored
        status = "ready" if _is_ok(helpful) else "degraded"
        if not _is_ok(needed):
            status = "unavailable"
        paused = {asset: pause.sentence() for asset, pause in service.paused().items()}
        details = {**needed, **helpful, "paused": paused} if caller_of(request).may("viewer") else {}
        content = orjson.dumps({"status": status, **details})
        return Response(content, 503 if status == "unavailable" else 200, media_type="application/json")

    return routes


def _is_ok(part: Any) -> bool:
    return all(map(_is_ok, part.values())) if isinstance(part, dict) else bool(part == "ok")

"""Health of the process and its parts: `/health` and `/ready`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi import Request  # noqa: TC002  # FastAPI reads the annotation
from starlette.responses import Response

from vivienne.server.http import caller_of
from vivienne.server.routes import Routes
from vivienne.slices import slices_of_loop
from vivienne.times import now, written
from vivienne.version import build_version

if TYPE_CHECKING:
    from vivienne.changes.service import ConfigService
    from vivienne.server.readiness import Readiness
    from vivienne.server.store_health import StoreHealth
    from vivienne.slices import Pieces


def operation_routes(service: ConfigService, store: StoreHealth, readiness: Readiness) -> Routes:
    """The endpoints.

    Args:
        service: knows pauses.
        store: is checked for each answer of `/ready`.
        readiness: knows the health of the parts.
    """
    routes = Routes(tags=["operation"])

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Health of the process: it answers. `time` is that of its clock, by which clients judge the age of states."""
        return {"status": "ok", "version": build_version(), "time": written(now())}

    @routes.get("/ready", responses={503: {"description": "A part does not work; the answer says which."}})
    async def ready(request: Request) -> Response:
        """Health of the parts: feeds and store. Without a token, where one is needed, only the status."""
        await store.look()
        slices = slices_of_loop(gives_way=True)
        status, details = await slices.done(readiness.now())
        if caller_of(request).may("viewer"):
            details["paused"] = await slices.done(_sentences(service))
        else:
            details = {}
        content = orjson.dumps({"status": status, **details})
        return Response(content, 503 if status == "unavailable" else 200, media_type="application/json")

    return routes


def _sentences(service: ConfigService) -> Pieces[dict[str, str]]:
    """By paused asset, its pause in words; one after the other."""
    paused = yield from service.find_paused()
    found: dict[str, str] = {}
    for asset, pause in paused.items():
        found[asset] = pause.sentence()
        yield
    return found

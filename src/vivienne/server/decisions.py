"""Recorded decisions: `/phoenix/decisions`, and those of one asset under `/phoenix/assets`."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from vivienne.record.reading.query import DecisionQuery, entries_only  # FastAPI reads the annotation
from vivienne.server.assets import Asset, Time  # noqa: TC001  # FastAPI reads the annotation
from vivienne.server.decision_query import ONCE, SEVERAL, As, Assets, bar_time, decision_query
from vivienne.server.documents import documented
from vivienne.server.exporting import MEDIA_TYPES, Exports
from vivienne.server.http import Answer, caller_of, check_query
from vivienne.server.routes import Routes
from vivienne.wire.record import DecisionPage, DecisionRecord, SignalPage

if TYPE_CHECKING:
    from vivienne.changes.service import ConfigService
    from vivienne.record.reading.view import RecordView

Wanted = Annotated[DecisionQuery, Depends(decision_query)]
_PROBLEMS = (400, 409, 422, 429, 503)


def _documented(answer: type, *, has_files: bool = False, more: tuple[int, ...] = ()) -> dict[str, Any]:
    """The documentation of an endpoint of the record."""
    found = documented(answer, *_PROBLEMS, *more, has_etag=True)
    found["responses"][304] = {"description": "It is the one in If-None-Match still."}
    if has_files:
        found["responses"][200]["content"] = {
            media_type.partition(";")[0]: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()
        }
    return found


def decision_routes(service: ConfigService, record: RecordView) -> Routes:
    """The endpoints.

    Args:
        service: knows the assets.
        record: has the decisions.
    """
    routes = Routes(prefix="/phoenix", tags=["record"], default_response_class=Answer)
    exports = Exports(record)

    @routes.get("/decisions", **_documented(SignalPage, has_files=True))
    async def signals(request: Request, query: Wanted, assets: Assets = (), form: As = "json") -> Response:
        """Recorded decisions of all assets, newest first: entries, held back or not, unless a level is given."""
        check_query(request, *ONCE, several=(*SEVERAL, "asset"))
        # Those that are not decided any more are only in an export of the command line.
        wanted = replace(query, assets=tuple(map(service.asset, assets)) or service.assets)
        whose = caller_of(request).key
        if form != "json":
            return await exports.answer(form, entries_only(wanted), "decisions", whose=whose)
        return unless_known(request, await record.signals(wanted, whose=whose))

    @routes.get("/assets/{asset:path}/decisions", **_documented(DecisionPage, has_files=True))
    async def decisions(request: Request, asset: Asset, query: Wanted, form: As = "json") -> Response:
        """Recorded decisions of one asset, newest first."""
        check_query(request, *ONCE, several=SEVERAL)
        watched, whose = service.asset(asset), caller_of(request).key
        if form != "json":
            name = f"{watched.replace('/', '-').replace(':', '-')}-decisions"
            return await exports.answer(form, replace(query, assets=(watched,)), name, whose=whose)
        return unless_known(request, await record.decisions(watched, query, whose=whose))

    @routes.get("/assets/{asset:path}/decisions/{time}", **_documented(DecisionRecord, more=(404,)))
    async def explained(request: Request, asset: Asset, time: Time) -> Response:
        """The whole explanation of the decision on one bar, and the nearest changes that would have altered it."""
        check_query(request)
        whose = caller_of(request).key
        return unless_known(request, await record.explained(service.asset(asset), bar_time(time), whose=whose))

    return routes


def unless_known(request: Request, content: Any) -> Response:
    """An answer with an ETag; without its body, if the client has it already."""
    body = orjson.dumps(content)
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    # Kept, and asked about each time: what was recorded stays, and more may come.
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")

"""Errors as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket

from vivienne import trace
from vivienne.errors import (
    AgentUnavailable,
    ChangeRefused,
    Defect,
    Forbidden,
    InvalidConfiguration,
    Malformed,
    NameTaken,
    NotAllowed,
    NotKnown,
    NotPushed,
    NotRecorded,
    NotStored,
    RecordUnavailable,
    RequestIdReused,
    StoreUnavailable,
    TooLarge,
    TooManyRequests,
    UnknownAlert,
    UnknownDecision,
    UnknownRevision,
    UnknownTarget,
    UnknownToken,
    VersionConflict,
)
from vivienne.logs.defects import DEFECTS
from vivienne.server.root_path import path_below, root_of
from vivienne.wire.problem import problem_entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI, Request
    from starlette.requests import HTTPConnection

    from vivienne.wire.problem import ProblemEntry

_log = logging.getLogger(__name__)

STATUS: dict[type[ChangeRefused], HTTPStatus] = {
    Malformed: HTTPStatus.BAD_REQUEST,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidConfiguration: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownTarget: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownRevision: HTTPStatus.NOT_FOUND,
    UnknownAlert: HTTPStatus.NOT_FOUND,
    VersionConflict: HTTPStatus.PRECONDITION_FAILED,
    RequestIdReused: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    NotStored: HTTPStatus.SERVICE_UNAVAILABLE,
    Defect: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    code: str,
    errors: Sequence[ProblemEntry] = (),
    headers: dict[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    """A problem document, with `more` fields of its kind."""
    document: dict[str, Any] = {
        "type": f"urn:vivienne:problem:{code}",
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": code,
        "errors": list(errors),
        **(more or {}),
    }
    if (found := trace.trace_id.get()) is not None:
        document["trace_id"] = found
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(document), status, kept, media_type="application/problem+json")


def too_many(detail: str, seconds: float) -> Response:
    """A refusal beyond a limit; the client may retry after so many seconds."""
    headers = {"Retry-After": str(ceil(seconds))}
    title, code = TooManyRequests.title, TooManyRequests.code
    return problem(HTTPStatus.TOO_MANY_REQUESTS, title, detail, code=code, headers=headers)


def not_known(detail: str) -> Response:
    """A refusal of somebody who is not known."""
    headers = {"WWW-Authenticate": 'Bearer realm="vivienne"'}
    return problem(HTTPStatus.UNAUTHORIZED, "Authentication is needed", detail, code="unauthorized", headers=headers)


def install(app: FastAPI) -> None:
    """Turn every error into a problem document."""
    _install_access(app)
    _install_record(app)

    @app.exception_handler(ChangeRefused)
    async def refused(_request: Request, error: ChangeRefused) -> Response:
        if isinstance(error, TooManyRequests):
            return too_many(str(error), error.retry_after)
        errors = [problem_entry(found) for found in error.problems]
        return problem(STATUS[type(error)], error.title, str(error), code=error.code, errors=errors)

    @app.exception_handler(StoreUnavailable)
    async def unavailable(_request: Request, error: StoreUnavailable) -> Response:
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "The store does not answer", str(error), code="store_unavailable"
        )

    @app.exception_handler(AgentUnavailable)
    async def no_agent(_request: Request, error: AgentUnavailable) -> Response:
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "The agent does not answer", str(error), code="agent_unavailable"
        )

    @app.exception_handler(NotPushed)
    async def not_pushed(_request: Request, error: NotPushed) -> Response:
        return problem(HTTPStatus.CONFLICT, "The market is not pushed", str(error), code="not_pushed")

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        errors: list[ProblemEntry] = [
            {"path": str(found["loc"][-1]), "message": found["msg"]} for found in error.errors()
        ]
        detail = "; ".join(f"{found['path']}: {found['message']}" for found in errors)
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "A parameter is not valid", detail, code="invalid_parameter", errors=errors
        )

    app.add_exception_handler(HTTPException, failed)  # type: ignore[arg-type]  # it gets what it is registered for

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> Response:
        DEFECTS.tell(_log, "rest", "%s %r failed", request.method, request.url.path, error=error)
        return await refused(request, Defect())


def _install_access(app: FastAPI) -> None:
    """Turn refused access into a problem document, for a WebSocket before it is accepted."""

    async def refuse(connection: HTTPConnection, response: Response) -> Response | None:
        if not isinstance(connection, WebSocket):
            return response
        await connection.send_denial_response(response)
        return None

    @app.exception_handler(NotKnown)
    async def stranger(connection: HTTPConnection, error: NotKnown) -> Response | None:
        return await refuse(connection, not_known(str(error)))

    @app.exception_handler(NotAllowed)
    async def not_allowed(connection: HTTPConnection, error: NotAllowed) -> Response | None:
        headers = {"WWW-Authenticate": 'Bearer realm="vivienne", error="insufficient_scope"'}
        return await refuse(
            connection, problem(HTTPStatus.FORBIDDEN, Forbidden.title, str(error), code=Forbidden.code, headers=headers)
        )

    @app.exception_handler(NameTaken)
    async def taken(_request: Request, error: NameTaken) -> Response:
        return problem(HTTPStatus.CONFLICT, "The name is taken", str(error), code="name_taken")

    @app.exception_handler(UnknownToken)
    async def unknown(_request: Request, error: UnknownToken) -> Response:
        return problem(HTTPStatus.NOT_FOUND, "There is no such token", str(error), code="unknown_token")


def _install_record(app: FastAPI) -> None:
    """Turn what the record cannot answer into a problem document."""

    @app.exception_handler(RecordUnavailable)
    async def no_record(_request: Request, error: RecordUnavailable) -> Response:
        title = "The record cannot be read"
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, title, str(error), code="record_unavailable")

    @app.exception_handler(NotRecorded)
    async def not_recorded(_request: Request, error: NotRecorded) -> Response:
        return problem(HTTPStatus.CONFLICT, "Nothing is recorded", str(error), code="not_recorded")

    @app.exception_handler(UnknownDecision)
    async def no_decision(_request: Request, error: UnknownDecision) -> Response:
        return problem(HTTPStatus.NOT_FOUND, "There is no such decision", str(error), code="unknown_decision")


async def failed(request: Request, error: HTTPException) -> Response:
    """The answer to a request that the framework refused."""
    status = HTTPStatus(error.status_code)
    detail = error.detail
    if status is HTTPStatus.NOT_FOUND:
        detail = f"There is nothing at {request.url.path}; see {root_of(request.scope)}/docs"
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.url.path} does not support {request.method}; see {root_of(request.scope)}/docs"
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    return problem(status, status.phrase, detail, code=status.name.lower(), headers=headers)


def _methods(request: Request) -> list[str]:
    """Every method of the endpoint at this address; each method has a route of its own."""
    path = path_below(request.scope)
    routes = (route for route in request.app.routes if isinstance(route, Route))
    matching = [route for route in routes if route.path_regex.match(path)]
    # The first match wins: a fixed name is not a config_id.
    meant = [route.methods or set() for route in matching if route.path == matching[0].path]
    return sorted(set().union(*meant))

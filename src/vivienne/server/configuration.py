"""Changes over REST. Translates; decides nothing."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, Header, Path, Query, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse

from vivienne.access.caller import Caller
from vivienne.changes.requests import Activate, Delete, Intent, Reset, Switch, Update
from vivienne.channels.envelope import (
    FIELDS,
    LONGEST_TEXT,
    Envelope,
    open_envelope,
    refuse_unknown,
    split_envelope,
)
from vivienne.channels.json import USUAL, read_object
from vivienne.config.tunables import json_schema
from vivienne.errors import InvalidConfiguration, Malformed, TooLarge, VersionConflict
from vivienne.wire.problem import problem_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.access.limits import MessageLimits
    from vivienne.changes.requests import ChangeRequest
    from vivienne.changes.service import ConfigService

PREFIX = "/phoenix/config/vivienne/comprehensive"
CHANNEL = "rest"
MOST_PER_PAGE = 1_000
BODY_SECONDS = 30.0
"""How long a body may take to arrive."""
CALLER = "vivienne.caller"
"""Where the scope of a request has who asks."""
_PAGE_QUERY = ("asset_symbol", "limit", "before")

Asset = Annotated[str | None, Query(description="The asset, in any case; left out, the layer under all assets.")]
Limit = Annotated[int, Query(ge=1, le=MOST_PER_PAGE, description="At most so many.")]
Before = Annotated[
    int | None, Query(ge=1, le=2**63 - 1, description="Only versions below this: `next` of the page before.")
]
ConfigId = Annotated[str, Path(max_length=64, description="Names a configuration; from `all`, `history` or an answer.")]
# The patterns and lengths are for the document; what is wrong is said by what reads the headers.
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="ETag the change is made on top of; another one gives 412.",
        json_schema_extra={"pattern": r'^(\*|(W/)?"[0-9]{1,18}")$'},
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The request_id of the body, as a header.",
        json_schema_extra={"minLength": 1, "maxLength": LONGEST_TEXT["request_id"]},
    ),
]


_ETAG = re.compile(r'(?:W/)?"([0-9]{1,18})"')
"""Weak ones too: proxies that compress make them of ours, which stand for the same version."""


class Answer(JSONResponse):
    """JSON, written by orjson. What is in force now is in no cache."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Set the headers."""
        super().init_headers({"Cache-Control": "no-store", **(headers or {})})

    def render(self, content: Any) -> bytes:
        """Encode."""
        return orjson.dumps(content)


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def configuration_routes(service: ConfigService, documented: dict[str, dict[str, Any]]) -> APIRouter:
    """The endpoints.

    Args:
        service: the door.
        documented: by name of an endpoint, what the OpenAPI document says beyond its signature.
    """
    service.counts.expect(CHANNEL)
    routes = APIRouter(prefix=PREFIX, tags=["configuration"], default_response_class=Answer)
    _add_updates(routes, service, documented)
    _add_switches(routes, service, documented)
    _add_looks(routes, service, documented)
    _add_revision_changes(routes, service, documented)
    return routes


async def read_configuration(
    request: Request, if_match: str | None, key: str | None, *known: str
) -> tuple[Envelope, dict[str, Any]]:
    """The envelope and the document of a request with a configuration in its body."""
    _check_query(request, "asset_symbol", *known)
    fields, document = split_envelope(await read_body(request))
    return open_envelope(_with_headers(request, fields, if_match, key)), document


async def _changed(service: ConfigService, request: Request, envelope: Envelope, intent: Intent) -> Answer:
    outcome = await service.change(change_request(request, envelope, intent))
    return Answer(outcome, headers={"ETag": etag(outcome["version"])})


def _add_updates(routes: APIRouter, service: ConfigService, documented: dict[str, dict[str, Any]]) -> None:
    """What sets values."""

    @routes.post("/update", **documented["update"])
    async def update(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """Replace what a layer sets: an asset, or, without one, the layer under all assets."""
        with service.counts.refusals(CHANNEL):
            envelope, document = await read_configuration(request, if_match, idempotency_key)
        return await _changed(service, request, envelope, Update(document, partial=False))

    @routes.post("/partial-update", **documented["partial_update"])
    async def partial_update(
        request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
    ) -> Answer:
        """Lay values over what a layer sets."""
        with service.counts.refusals(CHANNEL):
            envelope, document = await read_configuration(request, if_match, idempotency_key)
        return await _changed(service, request, envelope, Update(document, partial=True))

    @routes.post("/reset", **documented["reset"])
    async def reset(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """Take values out of a layer, so that they are inherited again: those at `paths`, or `all`."""
        with service.counts.refusals(CHANNEL):
            envelope, document = await read_configuration(request, if_match, idempotency_key)
            reset = Reset(_paths(document))
        return await _changed(service, request, envelope, reset)


def _add_switches(routes: APIRouter, service: ConfigService, documented: dict[str, dict[str, Any]]) -> None:
    """What stops decisions and lets them go on."""

    async def switched(request: Request, switch: Switch, if_match: str | None, key: str | None) -> Answer:
        with service.counts.refusals(CHANNEL):
            body = await read_body(request, may_be_empty=True)
            refuse_unknown(body, FIELDS)
            _check_query(request, "asset_symbol", "author", "reason")
            fields, _ = split_envelope(body)
            envelope = open_envelope(_with_headers(request, fields, if_match, key))
        outcome = await service.switch(envelope.switch(switch, channel=CHANNEL, caller=caller_of(request)))
        status = HTTPStatus.OK if outcome["status"] == "success" else HTTPStatus.ACCEPTED
        return Answer(outcome, status, {"ETag": etag(outcome["version"])})

    @routes.post("/pause", **documented["pause"])
    async def pause(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """Stop an asset, or all: idle, with size 0, until it is resumed. Works while the store does not."""
        return await switched(request, "pause", if_match, idempotency_key)

    @routes.post("/resume", **documented["resume"])
    async def resume(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """End the pause of an asset, or that of all assets; one does not end the other."""
        return await switched(request, "resume", if_match, idempotency_key)


def _add_looks(routes: APIRouter, service: ConfigService, documented: dict[str, dict[str, Any]]) -> None:
    """What changes nothing."""

    @routes.post("/validate", **documented["validate"])
    async def validate(request: Request, *, partial: bool = True) -> Answer:
        """Say whether a change would be accepted and what it would do; change nothing."""
        envelope, document = await read_configuration(request, None, None, "partial")
        try:
            outcome = await service.validate(change_request(request, envelope, Update(document, partial)))
        except InvalidConfiguration as refused:
            return Answer({"valid": False, "errors": [problem_entry(problem) for problem in refused.problems]})
        return Answer({"valid": True, "errors": [], **outcome})

    @routes.get("/pause", **documented["pauses"])
    async def pauses(request: Request) -> Answer:
        """Which assets are paused, by whom and why."""
        _check_query(request)
        found = service.pauses()
        return Answer({"paused": [*service.paused()], "pauses": [pause.entry() for pause in found.all()]})

    @routes.get("/active", **documented["active"])
    async def active(request: Request, asset_symbol: Asset = None) -> Answer:
        """What is in force, every value with the layer it comes from."""
        _check_query(request, "asset_symbol")
        found = service.active(asset_symbol)
        content = {
            "config_id": found.config_id,
            "version": found.version,
            "asset_symbol": found.asset_symbol,
            "config": found.document,
            "sources": found.sources,
            "pause": None if found.pause is None else found.pause.entry(),
        }
        return Answer(content, headers={"ETag": etag(found.version)})

    @routes.get("/all", **documented["all"])
    async def configurations(
        request: Request, asset_symbol: Asset = None, limit: Limit = 100, before: Before = None
    ) -> Answer:
        """Every configuration that was accepted and not deleted, newest first."""
        _check_query(request, *_PAGE_QUERY)
        return Answer(await service.configurations(asset_symbol, limit, before))

    @routes.get("/history", **documented["history"])
    async def history(
        request: Request, asset_symbol: Asset = None, limit: Limit = 100, before: Before = None
    ) -> Answer:
        """Everything that was changed, deletions too; with an asset, all that bears on it."""
        _check_query(request, *_PAGE_QUERY)
        return Answer(await service.history(asset_symbol, limit, before))

    @routes.get("/schema", **documented["schema"])
    async def schema() -> Answer:
        """The JSON Schema of a configuration: types, bounds, defaults, units, flat names, rules."""
        return Answer(json_schema(), media_type="application/schema+json")


def _add_revision_changes(routes: APIRouter, service: ConfigService, documented: dict[str, dict[str, Any]]) -> None:
    """What is about a configuration that was accepted before. Last, because its paths would catch the others."""

    async def aimed(request: Request, intent: Activate | Delete, if_match: str | None, key: str | None) -> Answer:
        with service.counts.refusals(CHANNEL):
            body = await read_body(request, may_be_empty=True)
            refuse_unknown(body, ("request_id", "author", "reason", "expected_version"))
            _check_query(request, "author", "reason")
            envelope = open_envelope(_with_headers(request, body, if_match, key))
        return await _changed(service, request, envelope, intent)

    @routes.post("/{config_id}/activate", **documented["activate"])
    async def activate(
        request: Request, config_id: ConfigId, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
    ) -> Answer:
        """Put a former configuration of its layer in force again."""
        return await aimed(request, Activate(config_id), if_match, idempotency_key)

    @routes.delete("/{config_id}", **documented["delete"])
    async def delete(
        request: Request, config_id: ConfigId, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
    ) -> Answer:
        """Delete a configuration; if it is the active one, the one before it is in force."""
        return await aimed(request, Delete(config_id), if_match, idempotency_key)


def change_request(request: Request, envelope: Envelope, intent: Intent) -> ChangeRequest:
    """What is asked for, by whom, from where."""
    return envelope.change(intent, channel=CHANNEL, caller=caller_of(request))


def caller_of(connection: HTTPConnection) -> Caller:
    """Who asks, as the gate in front found out; without a gate, anybody."""
    found: Caller | None = connection.scope.get(CALLER)
    return found or Caller(connection.client.host if connection.client else None)


def _check_query(request: Request, *known: str) -> None:
    """Refuse query parameters nobody reads, and those that are there twice."""
    names = [name for name, _ in request.query_params.multi_items()]
    refuse_unknown(names, known)
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise Malformed(f"{twice!r} is in the query twice", path=twice)


async def read_body(request: Request, *, may_be_empty: bool = False) -> dict[str, Any]:
    """The object in the body of a request.

    Raises:
        ChangeRefused: there is none in it.
        HTTPException: it is not declared as JSON, or does not arrive.
    """
    limits: MessageLimits = getattr(request.app.state, "message_limits", USUAL)
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > limits.bytes:
                    raise TooLarge(f"The body is longer than {limits.bytes:,} bytes, which is all that is read")
    except TimeoutError:
        raise HTTPException(408, f"The body did not arrive within {BODY_SECONDS:g} s") from None
    except ClientDisconnect:
        raise HTTPException(400, "The connection ended within the body") from None
    if may_be_empty and not raw:
        return {}
    # Without this a page of any origin could post here: browsers send text/plain across origins without asking.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send JSON and say so: Content-Type: application/json")
    return read_object(bytes(raw), limits)


def _with_headers(request: Request, fields: dict[str, Any], if_match: str | None, key: str | None) -> dict[str, Any]:
    """The envelope fields, completed from the query and the headers."""
    found: dict[str, Any] = {}
    for name in ("asset_symbol", "author", "reason"):
        if name in request.query_params:
            found[name] = request.query_params[name]
    if key is not None:
        found["request_id"] = key
    if if_match is not None and if_match.strip() != "*":
        found["expected_version"] = _version(if_match)
    for name, value in found.items():
        if name in fields and fields[name] != value:
            raise Malformed(f"{name} is in the body and outside it, and differs", path=name)
    return {**found, **fields}


def _version(if_match: str) -> int:
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise VersionConflict(
            f'If-Match must be an ETag of `active`, such as "42" with its quotes, not {if_match[:40]}'
        )
    return int(found[1])


def _paths(document: dict[str, Any]) -> tuple[str, ...]:
    """What to reset; everything only when it says so, because an empty message must not."""
    refuse_unknown(document, ("paths", "all"))
    if document == {"all": True}:
        return ()
    paths = document.get("paths")
    if isinstance(paths, list) and paths and all(isinstance(path, str) for path in paths) and "all" not in document:
        return tuple(paths)
    raise Malformed('Say what to reset: "paths": ["settings.state_threshold_bang", ...], or "all": true', path="paths")

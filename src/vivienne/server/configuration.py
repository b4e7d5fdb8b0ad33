"""The configuration over REST: routes that translate requests into changes and answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import Depends, Path, Query, Request
from starlette.responses import Response

from vivienne.changes.asked import asked_at
from vivienne.changes.looking_back import RevisionFilter  # noqa: TC001  # FastAPI reads the annotation
from vivienne.changes.requests import Activate, Delete, Intent, Reset, Switch, Update
from vivienne.channels.envelope import (
    LONGEST_PAUSE,
    OF_SWITCH,
    PAUSE_VALUES,
    Envelope,
    open_envelope,
    read_known_pause,
    refuse_unknown,
    split_envelope,
)
from vivienne.config.tunables import schema_document
from vivienne.errors import InvalidConfiguration, Malformed
from vivienne.server.documents import (
    CHANGE_PROBLEMS,
    EXAMPLE,
    ConditionOfChange,
    ConfigurationBody,
    ResetBody,
    ResumptionBody,
    SwitchBody,
    body_of,
    documented,
    problems,
)
from vivienne.server.history_filter import FILTERS, Own, history_filter
from vivienne.server.http import (
    CHANNEL,
    Answer,
    EncodedAnswer,
    IdempotencyKey,
    IfMatch,
    caller_of,
    change_request,
    check_query,
    etag,
    read_body,
    read_configuration,
    with_headers,
)
from vivienne.server.received import request_received
from vivienne.server.routes import Routes
from vivienne.server.several import add_several
from vivienne.slices import slices_of_loop
from vivienne.wire.answers import (
    Acknowledgement,
    ConfigurationPage,
    HistoryPage,
    InForce,
    Pauses,
    Replaced,
    Switched,
    Verdict,
)
from vivienne.wire.problem import problem_entry

if TYPE_CHECKING:
    from vivienne.access.budget import TimeBudgets
    from vivienne.changes.service import ConfigService
    from vivienne.server.schemas import Schema
    from vivienne.slices import Pieces

PREFIX = "/phoenix/config/vivienne/comprehensive"
MOST_PER_PAGE = 1_000
_PAGE_QUERY = ("asset_symbol", "limit", "before")

Asset = Annotated[
    str | None, Query(description="The asset, in upper or lower case; without it, the layer under all assets.")
]
Limit = Annotated[int, Query(ge=1, le=MOST_PER_PAGE, description="Largest number of entries.")]
Before = Annotated[
    int | None, Query(ge=1, le=2**63 - 1, description="Only versions below this: `next` of the page before.")
]
ConfigId = Annotated[str, Path(max_length=64, description="Id of a configuration; from `all`, `history` or an answer.")]

_OF_ONE = f"#/paths/{PREFIX.replace('/', '~1')}~1{{config_id}}"
_LINKS: Schema = {
    name: {
        "operationRef": _OF_ONE + place,
        "parameters": {"config_id": "$response.body#/config_id"},
        "description": what,
    }
    for name, place, what in (
        ("activate", "~1activate/post", "Roll back to this one later."),
        ("delete", "/delete", "Delete it; the one before comes into force again."),
    )
}
"""Links from an answer to what can be done with the new configuration."""
_CONFIGURATION = body_of(ConfigurationBody, EXAMPLE)
_RESET = body_of(ResetBody, {"asset_symbol": "BTC", "paths": ["settings.state_threshold_bang"]})
_CONDITION = body_of(ConditionOfChange, {"reason": "the old thresholds were better"}, required=False)
_CONDITION_OF_UNDO = body_of(ConditionOfChange, {"reason": "too few entries"}, required=False)
_RESUMPTION = body_of(ResumptionBody, {"reason": "prices are right again"}, required=False)
_SWITCH = body_of(SwitchBody, {"reason": "the exchange reports wrong prices"}, required=False)
_NOT_STORED_YET = (
    "In force in this process, but not stored yet (storing is retried), or not confirmed by all agents yet."
)

_SCHEMA: dict[int | str, Schema] = {200: {"content": {"application/schema+json": {"schema": {"type": "object"}}}}}


def _change(body: Schema, *more: int) -> dict[str, Any]:
    """The documentation of an endpoint that makes a revision."""
    return documented(Acknowledgement, *CHANGE_PROBLEMS, *more, body=body, has_etag=True, links=_LINKS)


def _switch(body: Schema, accepted: str | None = None) -> dict[str, Any]:
    """The documentation of an endpoint that pauses or resumes."""
    return documented(Switched, *CHANGE_PROBLEMS, body=body, has_etag=True, accepted=accepted)


def configuration_routes(service: ConfigService, budgets: TimeBudgets) -> Routes:
    """The endpoints.

    Args:
        service: takes changes.
        budgets: of the time that callers may use without changing anything.
    """
    service.counts.expect(CHANNEL)
    routes = Routes(prefix=PREFIX, tags=["configuration"], default_response_class=Answer)
    _add_updates(routes, service)
    add_several(routes, service)
    _add_switches(routes, service)
    _add_validation(routes, service, budgets)
    _add_looks(routes, service)
    _add_revision_changes(routes, service)
    return routes


async def _changed(service: ConfigService, request: Request, envelope: Envelope, intent: Intent) -> Answer:
    outcome = await service.change(change_request(request, envelope, intent))
    return Answer(outcome, headers={"ETag": etag(outcome["version"])})


def _add_updates(routes: Routes, service: ConfigService) -> None:
    """Add the endpoints that set values."""

    @routes.post("/update", **_change(_CONFIGURATION))
    async def update(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """Replace what a layer sets: that of an asset, or, without one, the layer under all assets."""
        with service.counts.refusals(CHANNEL):
            envelope, document = await read_configuration(request, if_match, idempotency_key)
        return await _changed(service, request, envelope, Update(document, partial=False))

    @routes.post("/partial-update", **_change(_CONFIGURATION))
    async def partial_update(
        request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
    ) -> Answer:
        """Merge values into what a layer sets."""
        with service.counts.refusals(CHANNEL):
            envelope, document = await read_configuration(request, if_match, idempotency_key)
        return await _changed(service, request, envelope, Update(document, partial=True))

    @routes.post("/reset", **_change(_RESET))
    async def reset(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """Remove values from a layer, so that they are inherited again: those at `paths`, or `all`."""
        with service.counts.refusals(CHANNEL):
            envelope, document = await read_configuration(request, if_match, idempotency_key)
            reset = Reset(_paths(document))
        return await _changed(service, request, envelope, reset)


def _add_switches(routes: Routes, service: ConfigService) -> None:
    """Add the endpoints that pause and resume."""

    async def switched(request: Request, switch: Switch, if_match: str | None, key: str | None) -> Answer:
        with service.counts.refusals(CHANNEL):
            # Pauses go before everything else, so what claims to be one is small.
            body = await read_body(request, may_be_empty=True, most_bytes=LONGEST_PAUSE, most_values=PAUSE_VALUES)
            refuse_unknown(body, OF_SWITCH[switch])
            check_query(request, "asset_symbol", "author", "reason")
            fields, _ = split_envelope(body)
            envelope, ends = open_envelope(with_headers(request, fields, if_match, key)), read_known_pause(body)
        with asked_at(request_received(request)):
            asked = envelope.switch(switch, channel=CHANNEL, caller=caller_of(request), ends=ends)
        outcome = await service.switch(asked)
        status = HTTPStatus.OK if outcome["status"] == "success" else HTTPStatus.ACCEPTED
        return Answer(outcome, status, {"ETag": etag(outcome["version"])})

    @routes.post("/pause", **_switch(_SWITCH, _NOT_STORED_YET))
    async def pause(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """Pause an asset, or all: idle, with size 0, until it is resumed. Works while the store does not."""
        return await switched(request, "pause", if_match, idempotency_key)

    @routes.post("/resume", **_switch(_RESUMPTION))
    async def resume(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """End the pause of an asset, or that of all assets; one does not end the other.

        With `pause`, it is refused if another pause than that is in force.
        """
        return await switched(request, "resume", if_match, idempotency_key)


def _add_validation(routes: Routes, service: ConfigService, budgets: TimeBudgets) -> None:
    """Add the endpoint that tries a change."""

    @routes.post("/validate", **documented(Verdict, 400, 408, 412, 413, 415, 422, body=_CONFIGURATION))
    async def validate(request: Request, *, partial: bool = True) -> Answer:
        """Check a change: is it accepted, and what would it do? Nothing is changed."""
        key = caller_of(request).key
        await budgets.due(key)
        envelope, document = await read_configuration(request, None, None, "partial")
        try:
            asked = change_request(request, envelope, Update(document, partial))
            outcome = await budgets.charging(key, service.validate(asked))
        except InvalidConfiguration as refused:
            errors = [problem_entry(problem) for problem in refused.problems]
            return Answer({"valid": False, "errors": errors, "warnings": []})
        return Answer({"valid": True, "errors": [], **outcome})


def _add_looks(routes: Routes, service: ConfigService) -> None:
    """Add the endpoints that change nothing."""

    @routes.get("/pause", **documented(Pauses, 400))
    async def pauses(request: Request) -> Answer:
        """The paused assets, with the author and reason of each pause."""
        check_query(request)
        return EncodedAnswer(await slices_of_loop(gives_way=True).done(_listed(service)))

    @routes.get("/active", **documented(InForce, 400, 422, has_etag=True))
    async def active(request: Request, asset_symbol: Asset = None) -> Answer:
        """The configuration in force, each value with the layer it comes from."""
        check_query(request, "asset_symbol")
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

    @routes.get("/all", **documented(ConfigurationPage, 400, 422, 429, 503))
    async def configurations(
        request: Request, asset_symbol: Asset = None, limit: Limit = 100, before: Before = None
    ) -> Answer:
        """Every accepted configuration that is not deleted, newest first."""
        check_query(request, *_PAGE_QUERY)
        return Answer(await service.configurations(asset_symbol, limit, before, whose=caller_of(request).key))

    @routes.get("/history", **documented(HistoryPage, 400, 422, 429, 503))
    async def history(
        request: Request,
        wanted: Annotated[RevisionFilter, Depends(history_filter)],
        asset_symbol: Asset = None,
        limit: Limit = 100,
        before: Before = None,
        *,
        own: Own = False,
    ) -> Answer:
        """Every change, deletions too, newest first; with an asset, every change that affects it.

        A request with a filter looks through 2,000 changes. If `next` is set, go on there, even if nothing was found.
        """
        check_query(request, *_PAGE_QUERY, "own", *FILTERS)
        whose = caller_of(request).key
        return Answer(await service.history(asset_symbol, limit, before, wanted, own=own, whose=whose))

    encoded = schema_document()

    @routes.get(
        "/schema",
        response_description="OK",
        responses={**_SCHEMA, **problems()},
    )
    async def schema() -> Response:
        """The JSON Schema of a configuration: types, bounds, defaults, units, flat names, rules."""
        return Response(encoded, headers={"Cache-Control": "no-store"}, media_type="application/schema+json")


def _add_revision_changes(routes: Routes, service: ConfigService) -> None:
    """Add the endpoints of one former configuration. Last, because their paths would match the others."""

    async def read_condition(request: Request, if_match: str | None, key: str | None) -> Envelope:
        with service.counts.refusals(CHANNEL):
            body = await read_body(request, may_be_empty=True)
            refuse_unknown(body, ("request_id", "author", "reason", "expected_version"))
            check_query(request, "author", "reason")
            return open_envelope(with_headers(request, body, if_match, key))

    @routes.post("/{config_id}/activate", **_change(_CONDITION, 404))
    async def activate(
        request: Request, config_id: ConfigId, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
    ) -> Answer:
        """Put a former configuration of a layer in force again."""
        envelope = await read_condition(request, if_match, idempotency_key)
        return await _changed(service, request, envelope, Activate(config_id))

    @routes.post(
        "/{config_id}/undo", **documented(Replaced, *CHANGE_PROBLEMS, 404, body=_CONDITION_OF_UNDO, has_etag=True)
    )
    async def undo(
        request: Request, config_id: ConfigId, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
    ) -> Answer:
        """Undo the change that made a configuration, in every asset that it changed: in all of them, or in none."""
        envelope = await read_condition(request, if_match, idempotency_key)
        outcome = await service.undo(envelope.undo(config_id, channel=CHANNEL, caller=caller_of(request)))
        return Answer(outcome, headers={"ETag": etag(outcome["version"])})

    @routes.delete("/{config_id}", **_change(_CONDITION, 404))
    async def delete(
        request: Request, config_id: ConfigId, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
    ) -> Answer:
        """Delete a configuration; if it is the active one, the one before it comes into force."""
        envelope = await read_condition(request, if_match, idempotency_key)
        return await _changed(service, request, envelope, Delete(config_id))


def _paths(document: dict[str, Any]) -> tuple[str, ...]:
    """The paths to reset; all of them only if the body says so, because an empty one must not."""
    refuse_unknown(document, ("paths", "all"))
    if document == {"all": True}:
        return ()
    paths = document.get("paths")
    if isinstance(paths, list) and paths and all(isinstance(path, str) for path in paths) and "all" not in document:
        return tuple(paths)
    raise Malformed('Say what to reset: "paths": ["settings.state_threshold_bang", ...], or "all": true', path="paths")


def _listed(service: ConfigService) -> Pieces[bytes]:
    """The paused assets and the pauses as JSON, one at a time: thousands of assets may be paused one by one."""
    found, entries = service.pauses(), []
    paused = orjson.dumps(found.paused(service.assets))
    for layer in found.layers():
        yield
        if (pause := found.last(layer)) is not None:
            entries.append(orjson.dumps(pause.entry()))
    return b'{"paused":%b,"pauses":[%b]}' % (paused, b",".join(entries))

"""Rules of alerts over REST: routes that translate requests into changes and answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, NotRequired

import orjson
from fastapi import Path, Query, Request
from pydantic import Field

from vivienne.alerts.rule import LONGEST_NAME
from vivienne.changes.alerts.in_force import MOST_RULES
from vivienne.changes.alerts.requests import AlertIntent, DeleteRule, SetRule
from vivienne.channels.envelope import Envelope, open_envelope, refuse_unknown
from vivienne.errors import Malformed
from vivienne.server.alert_preview import add_preview
from vivienne.server.alert_standing import alert_standing
from vivienne.server.documents import CHANGE_PROBLEMS, ConditionOfChange, Origin, body_of, documented
from vivienne.server.http import (
    CHANNEL,
    Answer,
    EncodedAnswer,
    IdempotencyKey,
    IfMatch,
    caller_of,
    check_query,
    etag,
    read_body,
    with_headers,
)
from vivienne.server.routes import Routes
from vivienne.server.together import Together
from vivienne.slices import in_slices
from vivienne.wire.alert import AlertChanged, AlertList, AlertRule, EventType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vivienne.changes.alerts.in_force import RuleInForce
    from vivienne.changes.service import ConfigService
    from vivienne.slices import Pieces
    from vivienne.stream.state import LatestStates

PREFIX = "/phoenix/alerts"
_ENVELOPE = ("request_id", "author", "reason", "expected_version")
_LISTED = "created_at"
"""A field that only a rule has that was listed before."""

AlertId = Annotated[str, Path(max_length=32, description="Id of a rule; from the list of rules or an answer.")]
AlertIdQuery = Annotated[str | None, Query(max_length=32, description="Id of the rule.")]


class AlertBody(Origin):
    """A rule, with the fields of the change beside it; further fields are in docs/alerts.md.

    A rule as it is listed can be sent back: what does not belong to it is passed over, and masked secrets stay as they
    are.
    """

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    enabled: NotRequired[bool]
    assets: Annotated[list[str], Field(min_length=1)]
    event: EventType | list[EventType]
    channels: Annotated[list[dict[str, Any]], Field(min_length=1)]


_EXAMPLE = {
    "name": "bang",
    "assets": ["*"],
    "event": "level",
    "levels": ["aim", "bang"],
    "channels": [{"type": "webhook", "url": "https://bot.example/hook"}],
}
_RULE = body_of(AlertBody, _EXAMPLE)
_CONDITION = body_of(ConditionOfChange, {"reason": "the bot is gone"}, required=False)
_DELETION = documented(AlertChanged, *CHANGE_PROBLEMS, 404, body=_CONDITION, has_etag=True)


def alert_routes(service: ConfigService, states: LatestStates) -> Routes:
    """The endpoints.

    Args:
        service: takes changes, and has the rules.
        states: the newest state of each asset.
    """
    routes = Routes(prefix=PREFIX, tags=["alerts"], default_response_class=Answer)
    add_preview(routes, service, states)
    _add_changes(routes, service)
    _add_deletions(routes, service)
    _add_looks(routes, service)
    return routes


async def _asked(request: Request, if_match: str | None, key: str | None) -> tuple[Envelope, dict[str, Any]]:
    """The envelope and the rule in the body of a request."""
    check_query(request, "author", "reason")
    body = await read_body(request)
    fields = {name: body[name] for name in _ENVELOPE if name in body}
    if _LISTED in body:  # these are of the change that was listed
        fields = {name: value for name, value in fields.items() if name not in ("author", "reason")}
    document = {name: value for name, value in body.items() if name not in _ENVELOPE}
    return open_envelope(with_headers(request, fields, if_match, key)), document


async def _changed(
    service: ConfigService, request: Request, envelope: Envelope, intent: AlertIntent, alert_id: str | None
) -> Answer:
    asked = envelope.alert(intent, alert_id, channel=CHANNEL, caller=caller_of(request))
    outcome = await service.change_alert(asked)
    status = HTTPStatus.CREATED if alert_id is None else HTTPStatus.OK
    return Answer(outcome, status, {"ETag": etag(outcome["version"])})


def _add_changes(routes: Routes, service: ConfigService) -> None:
    """Add the endpoints that make and replace rules."""

    @routes.post("", **documented(AlertChanged, *CHANGE_PROBLEMS, status=HTTPStatus.CREATED, body=_RULE, has_etag=True))
    async def make(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """Make a rule. The answer shows a signing secret that was made for it; no other answer does."""
        with service.counts.refusals(CHANNEL):
            envelope, document = await _asked(request, if_match, idempotency_key)
        return await _changed(service, request, envelope, SetRule(document), None)

    @routes.post("/{alert_id}", **documented(AlertChanged, *CHANGE_PROBLEMS, 404, body=_RULE, has_etag=True))
    async def replace(
        request: Request, alert_id: AlertId, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
    ) -> Answer:
        """Replace a rule, all of it. Masked secrets stay as they are."""
        with service.counts.refusals(CHANNEL):
            envelope, document = await _asked(request, if_match, idempotency_key)
        return await _changed(service, request, envelope, SetRule(document), alert_id)


def _add_deletions(routes: Routes, service: ConfigService) -> None:
    """Add the endpoints that delete a rule."""

    async def deleted(request: Request, alert_id: str, if_match: str | None, key: str | None, *query: str) -> Answer:
        with service.counts.refusals(CHANNEL):
            body = await read_body(request, may_be_empty=True)
            refuse_unknown(body, _ENVELOPE)
            check_query(request, "author", "reason", *query)
            envelope = open_envelope(with_headers(request, body, if_match, key))
        return await _changed(service, request, envelope, DeleteRule(), alert_id)

    @routes.delete("/{alert_id}", **_DELETION)
    async def delete(
        request: Request, alert_id: AlertId, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
    ) -> Answer:
        """Delete a rule. Its alerts and deliveries stay."""
        return await deleted(request, alert_id, if_match, idempotency_key)

    @routes.delete("", **_DELETION)
    async def delete_named(
        request: Request,
        alert_id: AlertIdQuery = None,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Answer:
        """Delete a rule that is named in the query."""
        if not alert_id:
            with service.counts.refusals(CHANNEL):
                raise Malformed("Say which rule: DELETE /phoenix/alerts?alert_id=al_...", path="alert_id")
        return await deleted(request, alert_id, if_match, idempotency_key, "alert_id")


def _add_looks(routes: Routes, service: ConfigService) -> None:
    """Add the endpoints that change nothing."""
    # Once for all who ask at the same time: it looks through all that has not arrived.
    standings = Together(lambda: alert_standing(service))

    async def entries() -> Callable[[RuleInForce], AlertRule]:
        """What lists a rule, with what became of its messages."""
        standing = await standings.result()
        return lambda rule: rule.entry(standing.fired.get(rule.alert_id), standing.undelivered.get(rule.alert_id, ()))

    async def listed() -> bytes:
        entry = await entries()
        return await in_slices(_listed(service.alerts.rules(), entry))

    # All rules together may have a dozen megabytes.
    listing = Together(listed)

    @routes.get("", **documented(AlertList, 400, 503))
    async def rules(request: Request) -> Answer:
        """All rules, oldest first, with masked secrets."""
        check_query(request)
        return EncodedAnswer(await listing.result())

    @routes.get("/{alert_id}", **documented(AlertRule, 400, 404, 503, has_etag=True))
    async def rule(request: Request, alert_id: AlertId) -> Answer:
        """One rule, with masked secrets."""
        check_query(request)
        entry = await entries()
        found = service.alerts.get(alert_id)
        return Answer(entry(found), headers={"ETag": etag(found.version)})


def _listed(rules: Iterable[RuleInForce], entry: Callable[[RuleInForce], AlertRule]) -> Pieces[bytes]:
    """The list of rules as JSON, one at a time: a rule may have a thousand names."""
    found = []
    for rule in rules:
        found.append(orjson.dumps(entry(rule)))
        yield
    return b'{"alerts":[%b],"limit":%d}' % (b",".join(found), MOST_RULES)

"""Alerts and their deliveries over REST: what fired, what became of it, a test, and once more."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Literal, NotRequired

from fastapi import Path, Query, Request
from pydantic import Field, with_config
from typing_extensions import TypedDict

from vivienne.alerts.now import trial_of_state
from vivienne.channels.envelope import refuse_unknown
from vivienne.config.flat import listed, quoted
from vivienne.errors import Problem, UnknownAlert, UnknownTarget
from vivienne.outbox.entries import entry_of
from vivienne.server.alert_preview import asset_to_try
from vivienne.server.alerting import PREFIX, AlertId
from vivienne.server.documents import body_of, documented
from vivienne.server.http import Answer, caller_of, check_query, read_body
from vivienne.server.routes import Routes
from vivienne.server.schemas import NOTHING_ELSE
from vivienne.times import now
from vivienne.wire.alert import AlertEventPage, DeliveryPage, DeliveryStatus, TestResults
from vivienne.wire.numbers import HIGHEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.alerts.rule import Rule
    from vivienne.changes.service import ConfigService
    from vivienne.outbox.on_demand import OnDemand
    from vivienne.stream.state import LatestStates

MOST_LISTED = 500
_Limit = Annotated[int, Query(ge=1, le=MOST_LISTED, description="Largest number in the answer.")]
_Before = Annotated[int | None, Query(ge=0, le=HIGHEST, description="Only those before: `next` of the page before.")]
_DeliveryId = Annotated[str, Path(max_length=200, description="Id of a delivery; from the list of deliveries.")]


@with_config(NOTHING_ELSE)
class TestBody(TypedDict):
    """What a rule is tested with; all its channels, and the first asset that it is for, where nothing else is said."""

    asset: NotRequired[Annotated[str | None, Field(max_length=32)]]
    channel: NotRequired[Annotated[str | None, Field(max_length=32)]]


class SentAgain(TypedDict):
    """A message that waits for its delivery again, under the same ids."""

    status: Literal["success"]
    message: str
    delivery_id: str


_TEST = body_of(TestBody, {"asset": "BTC"}, required=False)


def alert_delivery_routes(service: ConfigService, states: LatestStates, on_demand: OnDemand) -> Routes:
    """The endpoints.

    Args:
        service: has the rules, and the store of alerts.
        states: has the newest state of each asset.
        on_demand: tests, and sends again.
    """
    routes = Routes(prefix=PREFIX, tags=["alerts"], default_response_class=Answer)
    _add_pages(routes, service)
    _add_sending(routes, service, states, on_demand)
    return routes


def _add_pages(routes: Routes, service: ConfigService) -> None:
    """Add what is read."""
    store = service.alert_store

    @routes.get("/deliveries", **documented(DeliveryPage, 400, 422, 503))
    async def deliveries(
        request: Request,
        alert_id: Annotated[str | None, Query(max_length=32, description="Of one rule.")] = None,
        status: Annotated[DeliveryStatus | None, Query(description="Of one status.")] = None,
        asset: Annotated[str | None, Query(max_length=32, description="Of one asset.")] = None,
        limit: _Limit = 50,
        before: _Before = None,
    ) -> Answer:
        """Messages of alerts and what became of them, newest first.

        With an asset or a status, a request looks through a part of them: a page may have few or none, and a next one.
        """
        check_query(request, "alert_id", "status", "asset", "limit", "before")
        found, following = await service.pages.read(
            caller_of(request).key,
            store.deliveries_page,
            alert_id=alert_id,
            statuses=None if status is None else (status,),
            asset=None if asset is None else asset.upper(),
            limit=limit,
            before=before,
        )
        return Answer({"deliveries": [entry_of(each) for each in found], "next": following})

    @routes.get("/events", **documented(AlertEventPage, 400, 422, 503))
    async def events(
        request: Request,
        limit: _Limit = 50,
        before: _Before = None,
        channel: Annotated[
            Literal["webhook", "apprise", "browser", "redis"] | None,
            Query(description="Only those of rules with a channel of this type."),
        ] = None,
    ) -> Answer:
        """Alerts, newest first.

        With a channel, a request looks through a part of them: a page may have few or none, and a next one.
        """
        check_query(request, "limit", "before", "channel")
        found, following = await service.pages.read(
            caller_of(request).key, store.events_page, channel_type=channel, limit=limit, before=before
        )
        return Answer({"events": [each.event for each in found], "next": following})


def _add_sending(routes: Routes, service: ConfigService, states: LatestStates, on_demand: OnDemand) -> None:
    """Add what sends."""

    @routes.post("/{alert_id}/test", **documented(TestResults, 400, 404, 408, 413, 415, 422, 429, body=_TEST))
    async def test(request: Request, alert_id: AlertId) -> Answer:
        """Really send a test, made from the state of this moment, and tell what the receivers answered."""
        check_query(request)
        body = await read_body(request, may_be_empty=True)
        refuse_unknown(body, ("asset", "channel"))
        named = service.alerts.get(alert_id)
        channel = _channel(named.rule, body)
        asset = await asset_to_try(service, body.get("asset"), named.rule)
        event = trial_of_state(named, states.latest(asset) if asset else None, asset, now())
        return Answer({"results": await on_demand.test(named.rule, event, channel, caller_of(request).key)})

    @routes.post("/deliveries/{delivery_id}/resend", **documented(SentAgain, 400, 404, 503, status=HTTPStatus.ACCEPTED))
    async def resend(request: Request, delivery_id: _DeliveryId) -> Answer:
        """Send a message again that was delivered, given up or dropped, or attempt one at once that waits.

        It keeps its ids. Messages of a rule to a channel stay in their order: if others wait before it, the first of
        them is attempted.
        """
        check_query(request)
        if not await on_demand.resend(delivery_id):
            raise UnknownAlert(f"There is no delivery {quoted(delivery_id)}; the list of deliveries has their ids")
        said = {"status": "success", "message": "The message waits for its delivery", "delivery_id": delivery_id}
        return Answer(said, HTTPStatus.ACCEPTED)


def _channel(rule: Rule, body: Mapping[str, object]) -> str | None:
    """The channel that is tested; None for all.

    Raises:
        UnknownTarget: the rule has no such channel.
    """
    asked, known = body.get("channel"), [channel.id for channel in rule.channels]
    if asked is None:
        return None
    if not isinstance(asked, str) or asked not in known:
        raise UnknownTarget(Problem("channel", f"Unknown channel {quoted(str(asked))}; known are {listed(known)}"))
    return asked

"""The endpoint that shows what a rule would send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired

from fastapi import Request  # noqa: TC002  # FastAPI reads the annotation
from typing_extensions import TypedDict

from vivienne.alerts.messages import message_of
from vivienne.alerts.now import trial_of_state
from vivienne.alerts.reading import read_rule
from vivienne.channels.envelope import refuse_unknown
from vivienne.config.flat import listed, quoted
from vivienne.errors import Malformed, Problem, UnknownTarget
from vivienne.server.documents import body_of, documented
from vivienne.server.http import Answer, check_query, read_body
from vivienne.slices import slices_of_loop
from vivienne.times import now
from vivienne.wire.alert import AlertPreview

if TYPE_CHECKING:
    from vivienne.alerts.names import Names
    from vivienne.alerts.rule import Rule
    from vivienne.changes.service import ConfigService
    from vivienne.server.routes import Routes
    from vivienne.slices import Pieces
    from vivienne.stream.state import LatestStates

_PLACEHOLDER = "https://receiver.example/"
"""In place of a masked or missing address, which a preview does not need."""


class PreviewBody(TypedDict):
    """A rule, and the asset that it is tried with; without one, the first asset that it is for."""

    alert: dict[str, Any]
    asset: NotRequired[str | None]


_BODY = body_of(
    PreviewBody,
    {
        "alert": {"name": "bang", "assets": ["*"], "event": "level", "channels": [{"type": "browser"}]},
        "asset": "BTC",
    },
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule that is not made yet."""

    alert_id: str
    version: int
    rule: Rule


def add_preview(routes: Routes, service: ConfigService, states: LatestStates) -> None:
    """Add the endpoint.

    Args:
        routes: to add it to.
        service: knows the assets and the rules.
        states: has the newest state of each asset.
    """

    @routes.post("/preview", **documented(AlertPreview, 400, 408, 413, 415, 422, body=_BODY))
    async def preview(request: Request) -> Answer:
        """Show what a rule would send, made from the state of this moment. Nothing is stored or sent.

        Secrets may be left out or masked.
        """
        check_query(request)
        body = await read_body(request)
        refuse_unknown(body, ("alert", "asset"))
        document = body.get("alert")
        if not isinstance(document, dict):
            raise Malformed("alert must be an object: the rule", path="alert")
        rule, warnings = read_rule(_without_secrets(document), assets=service.assets)
        asset = await asset_to_try(service, body.get("asset"), rule)
        draft = Draft("al_preview", 0, rule)
        event = trial_of_state(draft, states.latest(asset) if asset else None, asset, now(), is_example=True)
        messages = [message_of(channel, event) for channel in rule.channels]
        return Answer({"event": event, "messages": messages, "warnings": warnings})


async def asset_to_try(service: ConfigService, asked: object, rule: Rule) -> str | None:
    """The asset that a rule is tried with.

    Raises:
        UnknownTarget: the one that was asked for is not decided.
    """
    if asked is None:
        return await slices_of_loop(gives_way=True).done(_first_of(rule, service.asset_names))
    if not isinstance(asked, str) or not service.decides(asked.upper()):
        known = listed(service.assets)
        raise UnknownTarget(Problem("asset", f"Unknown asset {quoted(str(asked))}; known are {known}"))
    return asked.upper()


def _first_of(rule: Rule, assets: Names) -> Pieces[str | None]:
    """The first asset that a rule is for; it may have a thousand patterns, and there may be thousands of assets."""
    return assets.first((yield from rule.wanted_assets.among(assets)))


def _without_secrets(document: dict[str, Any]) -> dict[str, Any]:
    """The rule with placeholders for addresses, which it is not sent to, and without signing secrets and headers."""
    channels = document.get("channels")
    if not isinstance(channels, list):
        return document
    return {**document, "channels": [_placed(channel) for channel in channels]}


def _placed(channel: Any) -> Any:
    if not isinstance(channel, dict) or channel.get("type") not in ("webhook", "apprise"):
        return channel
    kept = {name: value for name, value in channel.items() if name not in ("secret", "headers")}
    return {**kept, "url": _PLACEHOLDER}

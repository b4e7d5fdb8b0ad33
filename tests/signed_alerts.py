"""Alerts and messages for the tests of the examples, made and signed as Vivienne does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from standardwebhooks import Webhook

from vivienne.alerts.event import Origin
from vivienne.alerts.happenings import Happening, happened, possible
from vivienne.alerts.messages import body_of
from vivienne.alerts.reading import read_rule
from vivienne.alerts.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.alerts.channels import Webhook as WebhookChannel
    from vivienne.alerts.rule import Rule
    from vivienne.wire.alert import AlertEvent

RULES = Path(__file__).parent.parent / "examples" / "alerts"
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
SECRET = "whsec_" + "QUJD" * 8
FLAT = Standing(1_767_267_000_000, "idle", "none", 0.1, 0.0, (), 65_000.0, 7)
LONG = Standing(1_767_267_900_000, "bang", "long", 0.91, 20.0, (), 65_012.5, 7)
SHORT = Standing(1_767_268_800_000, "aim", "short", 0.74, 10.0, (), 64_000.0, 7)


class Named:
    """A rule in force."""

    def __init__(self, rule: Rule) -> None:
        self.alert_id, self.version, self.rule = "al_0123456789ab", 3, rule


def named(name: str) -> Named:
    """A rule of examples/alerts, read as the server reads it."""
    document = json.loads((RULES / f"{name}.json").read_text())
    found = read_rule(document, assets=["BTC"])
    assert found.warnings == []
    return Named(found.rule)


def origin(market: Any = "real") -> Origin:
    return Origin("run", market, "exchange", "Binance", "15m", 900_000, 900.0)


def event_of(rule: Named, before: Standing, now: Standing, moment: datetime = NOW, market: Any = "real") -> AlertEvent:
    """The alert of a bar; the rule has to watch what it caused."""
    found = happened(rule.rule, before, now, possible(before, now))
    assert found is not None
    return origin(market).bar_event(rule, found, "BTC", "BTCUSDT", before, now, moment)


def pause_of(rule: Named, action: str, standing: Standing, moment: datetime = NOW) -> AlertEvent:
    happening = Happening("pause", {"action": action, "author": "ana", "channel": "rest", "reason": "maintenance"})
    return origin().other_event(rule, happening, "BTC", "BTCUSDT", standing, 8, moment, action)


def sent_body(rule: Named, event: AlertEvent) -> Any:
    """The body that the receiver of a rule gets."""
    channel: WebhookChannel = rule.rule.channels[0]  # type: ignore[assignment]  # all ready rules have webhooks
    return body_of(channel, event)


def signed_headers(message_id: str, body: bytes, moment: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    """The headers of a webhook, by the library that Vivienne signs with."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body.decode()),
    }


def state(
    status: str, side: str, size: float, price: float | None, feed: str = "exchange", **more: Any
) -> Mapping[str, Any]:
    """A state of the stream, as far as an executor looks at it."""
    data = {
        "status": status, "status_reason": None, "side": side, "position_size": size, "price": price, "feed": feed,
        "clarity_level": "bang", **more,
    }  # fmt: skip
    return {"type": "asset_data", "asset": "BTC", "agents": {"VivienneAgent": {"data": data}}}


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)

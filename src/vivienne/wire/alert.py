"""Rules of alerts, the alerts that they cause, and their deliveries on the wire."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from vivienne.wire.explanation import Level, Side
from vivienne.wire.problem import WarningEntry

EventType = Literal[
    "level",
    "entry",
    "exit",
    "size",
    "side",
    "held",
    "confidence",
    "data",
    "feed",
    "config",
    "pause",
    "system",
]
"""Kinds of events that a rule can watch."""
ChannelType = Literal["webhook", "apprise", "browser", "redis"]
MarketKind = Literal["real", "simulated", "replay"]
"""`real`: of an exchange, or pushed by another program."""
DeliveryStatus = Literal["waiting", "retrying", "delivered", "dead", "quiet", "dropped"]
"""`dead`: given up after all retries; `quiet`: not sent, because of quiet hours; `dropped`: beyond the limits."""


class AlertName(TypedDict):
    """The rule that caused an alert."""

    id: str
    name: str
    version: int


class Previous(TypedDict):
    """The values of the bar before, as far as they were known."""

    clarity_level: Level
    side: Side
    position_size: float
    signal_confidence: float


class AlertEvent(TypedDict):
    """One alert.

    Values of an asset are those of a closed bar. They are null in alerts that concern no asset.

    `position_size` is a target in percent of equity, so an alert that is lost or comes twice does no harm. After
    `expires_at` nobody should act on it. `market` tells real markets from simulations and replays. `details` depends on
    the type.
    """

    id: str
    type: EventType | Literal["test"]
    alert: AlertName
    asset: str | None
    exchange: str | None
    symbol: str | None
    side: Side | None
    clarity_level: Level | None
    position_size: float | None
    signal_confidence: float | None
    price: float | None
    bar_time: str | None
    timeframe: str
    time: str
    config_version: int
    feed: str
    market: MarketKind
    text: str
    expires_at: str
    previous: Previous | None
    details: dict[str, Any]


class SeveralAlerts(TypedDict):
    """Alerts of one rule that came at the same time and are sent as one message; at most 100 are listed."""

    id: str
    type: Literal["several"]
    alert: AlertName
    count: int
    text: str
    time: str
    feed: str
    market: MarketKind
    expires_at: str
    events: list[AlertEvent]


class Undelivered(TypedDict):
    """Messages of a rule to one channel that have not arrived.

    While some wait, this is about the oldest that was attempted; without one, about the oldest. Otherwise it is about
    the last message, which was given up or dropped. `waiting` is the number of those that wait.
    """

    delivery_id: str
    channel: str
    channel_type: ChannelType
    status: Literal["waiting", "retrying", "dead", "dropped"]
    waiting: int
    created_at: str
    attempts: int
    next_attempt_at: str | None
    status_code: int | None
    answer: str | None


class AlertRule(TypedDict):
    """A rule as it is listed. Secrets are replaced by `***`; names of environment variables are shown."""

    alert_id: str
    version: int
    name: str
    enabled: bool
    assets: list[str]
    event: EventType | list[EventType]
    levels: NotRequired[list[Level]]
    when: NotRequired[Literal["reaches", "leaves"]]
    filters: NotRequired[list[str]]
    above: NotRequired[float]
    below: NotRequired[float]
    authors: NotRequired[list[str]]
    paths: NotRequired[list[str]]
    side: NotRequired[Side]
    min_size: NotRequired[float]
    min_confidence: NotRequired[float]
    markets: list[MarketKind]
    cooldown: float
    once_per_bar: bool
    quiet: list[dict[str, Any]]
    text: str | None
    expires_after: float | None
    channels: list[dict[str, Any]]
    created_at: str
    changed_at: str
    author: str
    reason: str | None
    problem: str | None
    last_fired_at: str | None
    undelivered: list[Undelivered]


class AlertList(TypedDict):
    """All rules, and how many there may be."""

    alerts: list[AlertRule]
    limit: int


class AlertChanged(TypedDict):
    """A rule that was made, changed or deleted. It is on disk and in force.

    `secrets` has, by channel, signing secrets that were made for it. They are shown in this answer only.
    """

    status: Literal["success"]
    message: str
    alert_id: str
    version: int
    config_id: str
    alert: NotRequired[AlertRule]
    secrets: NotRequired[dict[str, str]]
    warnings: list[WarningEntry]


class AlertMessage(TypedDict):
    """What one channel would be sent."""

    channel: str
    type: ChannelType
    title: NotRequired[str]
    text: NotRequired[str]
    body: NotRequired[Any]


class AlertPreview(TypedDict):
    """What a rule would send, made from the state of this moment. Nothing was stored or sent."""

    event: AlertEvent
    messages: list[AlertMessage]
    warnings: list[WarningEntry]


class TestResult(TypedDict):
    """The outcome of a test message to one channel."""

    channel: str
    type: ChannelType
    status: Literal["delivered", "failed"]
    status_code: int | None
    latency_ms: float
    answer: str


class TestResults(TypedDict):
    """The outcomes of a test, by channel."""

    results: list[TestResult]


class DeliveryEntry(TypedDict):
    """A message of an alert to one channel.

    `latency_ms` is the time from the decision to the delivery; `together` the number of alerts in the message.
    """

    delivery_id: str
    event_id: str
    alert_id: str
    alert_name: str
    channel: str
    channel_type: ChannelType
    target: str
    asset: str | None
    event_type: EventType | Literal["test"]
    text: str
    bar_time: str | None
    created_at: str
    status: DeliveryStatus
    attempts: int
    next_attempt_at: str | None
    delivered_at: str | None
    latency_ms: float | None
    status_code: int | None
    answer: str | None
    together: int


class DeliveryPage(TypedDict):
    """Deliveries, newest first; `next` is the `before` of the next page, null on the last."""

    deliveries: list[DeliveryEntry]
    next: int | None


class AlertEventPage(TypedDict):
    """Alerts, newest first; `next` is the `before` of the next page, null on the last."""

    events: list[AlertEvent]
    next: int | None


class AlertPushed(TypedDict):
    """An alert for browsers, on `/ws/alerts`; `dropped` counts those before it that a slow reader missed."""

    type: Literal["alert"]
    timestamp: str
    event: AlertEvent | SeveralAlerts
    sound: bool
    dropped: NotRequired[int]

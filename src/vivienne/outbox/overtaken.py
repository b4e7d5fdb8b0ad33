"""Messages that nobody should get any more, because what they tell is over before they could be delivered. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vivienne.alerts.channels import Webhook
from vivienne.alerts.rule import BAR_EVENTS
from vivienne.changes.pause.state import PausesInForce
from vivienne.config.layers import GLOBAL
from vivienne.outbox.lanes import expires_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.changes.pause.state import PauseInForce
    from vivienne.outbox.lanes import Item
    from vivienne.outbox.sending import AnyChannel
    from vivienne.wire.alert import AlertEvent

EXPIRED = "It expired before it could be delivered"
PAUSED_AGAIN = "A later pause is in force"
RESUMED = "The pause was over before this could be delivered"
PAUSED = "Its asset was paused before it could be delivered"


@dataclass(frozen=True, slots=True)
class InForce:
    """What is so at the moment.

    Attributes:
        version: the newest one that was followed.
        pauses: the pauses in force then.
    """

    version: int = 0
    pauses: PausesInForce = field(default_factory=PausesInForce)


def why_not(place: int, queue: Sequence[Item], channel: AnyChannel, now: float, in_force: InForce) -> str | None:
    """The reason why a message is not to be sent any more; None if it is.

    Args:
        place: of the message in the queue of its lane.
        queue: all that wait there, in their order.
        channel: where it would be sent.
        now: seconds since the epoch.
        in_force: what is so now.
    """
    item = queue[place]
    event = item.waiting.event.event
    if channel.drop_expired and expires_at(item) < now:
        return EXPIRED
    later = in_force.pauses.of(event["asset"] or GLOBAL)
    is_paused = later is not None and _is_later(later, event)
    if event["type"] in BAR_EVENTS:
        return PAUSED if is_paused and event["position_size"] and _acts_without_looking(channel) else None
    if event["type"] != "pause":
        return None
    if event["details"]["action"] == "resumed":
        return PAUSED_AGAIN if is_paused else None
    is_over = later is None and in_force.version >= event["config_version"]
    # One that was told just now, and ended at once, is told with its end, which may be decided in a moment only.
    if is_over and (item.is_former or item.waiting.delivery.attempts) and not _end_follows(place, queue):
        return RESUMED
    return None


def _is_later(pause: PauseInForce, event: AlertEvent) -> bool:
    """Whether a pause is later than an alert; one that is not stored has no version, and is in force through all."""
    return pause.version is None or pause.version > event["config_version"]


def _acts_without_looking(channel: AnyChannel) -> bool:
    """Whether a receiver acts on what it gets, and cannot tell that something else came between."""
    return channel.drop_expired or (isinstance(channel, Webhook) and channel.body is not None)


def _end_follows(place: int, queue: Sequence[Item]) -> bool:
    """Whether a resumption waits behind a pause, which then has to be told before it."""
    scope = queue[place].waiting.event.event["asset"]
    behind = (queue[each].waiting.event.event for each in range(place + 1, len(queue)))
    return any(event["type"] == "pause" and event["asset"] == scope for event in behind)

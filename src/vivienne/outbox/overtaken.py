"""Messages that nobody should get any more, because what they tell is over before they could be delivered."""

from __future__ import annotations

from collections import OrderedDict
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
    from vivienne.outbox.lanes import Item, Lane, LaneKey
    from vivienne.outbox.sending import AnyChannel
    from vivienne.wire.alert import AlertEvent

EXPIRED = "It expired before it could be delivered"
PAUSED_AGAIN = "A later pause is in force"
RESUMED = "The pause was over before this could be delivered"
NEWER = "An alert of a later bar was delivered before it, while another process had it"
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


class NewestBars:
    """Of each lane and asset the newest bar of which an alert was delivered, and whether there was a position then.

    Args:
        most: lanes and assets that are remembered, those of the last deliveries.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._of: OrderedDict[tuple[LaneKey, str | None], tuple[str, bool]] = OrderedDict()

    def note(self, lane: LaneKey, event: AlertEvent) -> None:
        """Note that an alert was delivered."""
        if event["type"] not in BAR_EVENTS or (bar := event["bar_time"]) is None:
            return
        key, newest = (lane, event["asset"]), (bar, bool(event["position_size"]))
        self._of[key] = max(newest, self._of.pop(key, newest))
        if len(self._of) > self._most:
            self._of.popitem(last=False)

    def is_later(self, lane: LaneKey, event: AlertEvent) -> bool:
        """Whether a later bar was told, so that this alert would open, or close, a position that is wrong."""
        bar, has_position = self._of.get((lane, event["asset"]), ("", False))
        return bar > (event["bar_time"] or "") and (has_position or bool(event["position_size"]))


def hangs_on_pauses(item: Item, channel: AnyChannel) -> bool:
    """Whether it depends on the pauses in force if a message is still sent."""
    event = item.waiting.event.event
    if event["type"] == "pause":
        return event["details"]["action"] == "resumed" or _may_have_been_told(item)
    return _opens_position(event, channel)


def why_not(
    place: int, lane: Lane, channel: AnyChannel, now: float, in_force: InForce, newest: NewestBars
) -> str | None:
    """The reason why a message is not to be sent any more; None if it is.

    Args:
        place: of the message in the queue of its lane.
        lane: the lane.
        channel: where it would be sent.
        now: seconds since the epoch.
        in_force: what is so now.
        newest: bars that were told.
    """
    item = lane.queue[place]
    event = item.waiting.event.event
    if channel.drop_expired and expires_at(item) < now:
        return EXPIRED
    layer = event["asset"] or GLOBAL
    if event["type"] == "pause":
        # The pause of all and that of an asset are apart: who keeps them so needs the end of each.
        own = in_force.pauses.own(layer)
        if event["details"]["action"] == "resumed":
            return PAUSED_AGAIN if own is not None and _is_later(own, event) else None
        return RESUMED if own is None and _is_over(place, lane, in_force) else None
    if event["type"] not in BAR_EVENTS or not _acts_without_looking(channel):
        return None
    pause = in_force.pauses.of(layer)
    if pause is not None and _is_later(pause, event) and _opens_position(event, channel):
        return PAUSED
    return NEWER if item.is_former and newest.is_later(lane.key, event) else None


def _is_over(place: int, lane: Lane, in_force: InForce) -> bool:
    """Whether a pause that is not in force is not told any more."""
    item = lane.queue[place]
    has_ended = in_force.version >= item.waiting.event.event["config_version"]
    # One that was told just now, and ended at once, is told with its end, which may be decided in a moment only.
    return has_ended and _may_have_been_told(item) and not _end_follows(place, lane.queue)


def _may_have_been_told(item: Item) -> bool:
    return item.is_former or item.waiting.delivery.attempts > 0


def _opens_position(event: AlertEvent, channel: AnyChannel) -> bool:
    """Whether a receiver would have a position by it, and cannot tell that there was a pause since."""
    return event["type"] in BAR_EVENTS and _acts_without_looking(channel) and bool(event["position_size"])


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

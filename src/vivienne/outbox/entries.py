"""Deliveries as they are listed: each by itself, and those of a rule that have not arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from vivienne.outbox.delivering import UNDONE
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.store.alert import StoredDelivery, Stuck, Waiting
    from vivienne.wire.alert import DeliveryEntry, Undelivered


def entry_of(waiting: Waiting) -> DeliveryEntry:
    """A delivery as it is listed."""
    delivery, event = waiting
    return {
        "delivery_id": delivery.delivery_id,
        "event_id": delivery.event_id,
        "alert_id": delivery.alert_id,
        "alert_name": delivery.alert_name,
        "channel": delivery.channel,
        "channel_type": delivery.channel_type,
        "target": delivery.target,
        "asset": event.asset,
        "event_type": event.event["type"],
        "text": event.event["text"],
        "bar_time": event.event["bar_time"],
        "created_at": event.created_at,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "next_attempt_at": _next_attempt_at(delivery),
        "delivered_at": delivery.delivered_at,
        "latency_ms": delivery.latency_ms,
        "status_code": delivery.status_code,
        "answer": delivery.answer,
        "together": delivery.together,
    }


def undelivered(stuck: Iterable[Stuck]) -> dict[str, list[Undelivered]]:
    """What has not arrived, by rule."""
    found: dict[str, list[Undelivered]] = {}
    for delivery, created_at, waiting in stuck:
        entry = {
            "delivery_id": delivery.delivery_id,
            "channel": delivery.channel,
            "channel_type": delivery.channel_type,
            "status": delivery.status,
            "waiting": waiting,
            "created_at": created_at,
            "attempts": delivery.attempts,
            "next_attempt_at": _next_attempt_at(delivery),
            "status_code": delivery.status_code,
            "answer": delivery.answer,
        }
        found.setdefault(delivery.alert_id, []).append(cast("Undelivered", entry))  # of a status that did not arrive
    return found


def _next_attempt_at(delivery: StoredDelivery) -> str | None:
    return iso(round(delivery.due_at * 1_000)) if delivery.status in UNDONE else None

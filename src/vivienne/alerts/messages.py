"""What a channel is sent of an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.alerts.channels import Apprise, Browser, ToRedis, Webhook
from vivienne.alerts.fields import FIELDS, values_of
from vivienne.alerts.template import Template

if TYPE_CHECKING:
    from vivienne.wire.alert import AlertEvent, AlertMessage


def body_of(channel: Webhook, event: AlertEvent) -> Any:
    """The body of a webhook: a JSON value, or a text if its template is one."""
    template = channel.body_template
    return event if template is None else template.render(values_of(event))


def title_of(channel: Apprise, event: AlertEvent) -> str:
    """The title of a message to people: that of its template, otherwise the name of the rule."""
    name = event["alert"]["name"]
    return name if channel.title is None else Template(channel.title, FIELDS).render(values_of(event))


def message_of(channel: Webhook | Apprise | Browser | ToRedis, event: AlertEvent) -> AlertMessage:
    """What a channel would be sent."""
    if isinstance(channel, Webhook):
        return {"channel": channel.id, "type": channel.type, "body": body_of(channel, event)}
    if isinstance(channel, Apprise):
        return {
            "channel": channel.id,
            "type": channel.type,
            "title": title_of(channel, event),
            "text": event["text"],
        }
    if isinstance(channel, Browser):
        return {"channel": channel.id, "type": channel.type, "text": event["text"]}
    return {"channel": channel.id, "type": channel.type, "body": event}

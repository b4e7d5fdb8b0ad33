"""Alerts over Redis.

Those of rules with a channel of this type go to programs: each to the channel `vivienne:alerts`, and into the stream
under the key of the same name, where a program finds what it missed. Those for browsers go from agents to gateways over
a channel of their own; whoever may publish there can show alerts in dashboards, and nothing else.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter, ValidationError

from vivienne.outbox.sending import Attempt, kept
from vivienne.redis.link import LOST, reason
from vivienne.redis.listening import heard
from vivienne.wire.alert import AlertPushed

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.outbox.sending import AnyChannel, Message
    from vivienne.outbox.stream import AlertStream

ALERTS = "vivienne:alerts"
"""Channel of alerts, and key of their stream."""
SHOWN = "vivienne:alerts:browser"
"""Channel from agents to gateways."""
MOST_ENTRIES = 10_000
"""Entries of the stream, about; beyond it the oldest are removed."""
MOST_BYTES = 512 * 1024
"""Length of a message that is read; one with 100 alerts has a third of it."""
ANSWER_SECONDS = 2.0
_NOT_CONNECTED = "Redis is not connected"

_adapter = TypeAdapter(AlertPushed)


class AlertPublisher:
    """Sends alerts over the link, while it is up. A `Part` of the link, and a `Sender` of alerts."""

    def __init__(self) -> None:
        self._redis: Redis | None = None

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        self._redis = redis
        try:
            ready()
            await asyncio.Event().wait()
        finally:
            self._redis = None

    async def send(self, message: Message) -> Attempt:
        """See `vivienne.outbox.sending.Sender`."""
        trouble = await self._publish(ALERTS, orjson.dumps(message.event), keeps=True)
        return Attempt("failed", trouble) if trouble else Attempt("delivered")

    def destination(self, _channel: AnyChannel) -> str:
        """See `vivienne.outbox.sending.Sender`."""
        return "redis"

    async def show(self, alert: AlertPushed) -> str:
        """Pass an alert for browsers on to gateways; gives why it could not, or nothing."""
        return await self._publish(SHOWN, orjson.dumps(alert), keeps=False)

    async def _publish(self, channel: str, text: bytes, *, keeps: bool) -> str:
        redis = self._redis
        if redis is None:
            return _NOT_CONNECTED
        try:
            async with asyncio.timeout(ANSWER_SECONDS), redis.pipeline(transaction=False) as batch:
                if keeps:
                    batch.xadd(channel, {"alert": text}, maxlen=MOST_ENTRIES, approximate=True)
                batch.publish(channel, text)
                await batch.execute()
        except LOST as error:
            return kept(f"Redis did not take it: {reason(error)}")
        return ""


class AlertReceiver:
    """Shows alerts of agents to the browsers of a gateway.

    Args:
        stream: takes them.
    """

    def __init__(self, stream: AlertStream) -> None:
        self._stream = stream

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        async with aclosing(heard(redis, ready, SHOWN)) as alerts:
            async for raw in alerts:
                if raw is not None and len(raw) <= MOST_BYTES:
                    with suppress(ValidationError):  # not an alert
                        self._stream.show(_adapter.validate_json(raw))

"""Alerts over Redis.

Those of rules with a channel of this type go to programs: each to the channel `vivienne:alerts`, and into the stream
under the key of the same name, where a program finds what it missed. Those for browsers go from agents to gateways over
a channel of their own; whoever may publish there can show alerts in dashboards, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing, suppress
from itertools import islice
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter, ValidationError

from vivienne.outbox.sending import Attempt, kept
from vivienne.redis.client import is_full
from vivienne.redis.link import LOST, reason
from vivienne.redis.listening import heard
from vivienne.wire.alert import AlertPushed

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis
    from redis.asyncio.client import Pipeline

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
_MOST_UNKEPT = 1_000
"""Alerts that wait for room in Redis; beyond them the oldest are only passed on."""
_KEEP_AGAIN_SECONDS, _KEPT_AT_ONCE = 1.0, 100
_NOT_CONNECTED = "Redis is not connected"

_adapter = TypeAdapter(AlertPushed)


class AlertPublisher:
    """Sends alerts over the link, while it is up. A `Part` of the link, and a `Sender` of alerts."""

    def __init__(self) -> None:
        self._redis: Redis | None = None
        self._unkept: deque[bytes] = deque(maxlen=_MOST_UNKEPT)
        """Alerts that were passed on, and are to be kept once Redis has room."""

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        self._redis = redis
        try:
            ready()
            while True:
                await asyncio.sleep(_KEEP_AGAIN_SECONDS)
                await self._keep()
        finally:
            self._redis = None

    async def send(self, message: Message) -> Attempt:
        """See `vivienne.outbox.sending.Sender`.

        What a full Redis passes on to somebody is delivered: to pass it on again and again would keep the alerts after
        it waiting, and a pause may be among them. It is kept later.
        """
        redis, text = self._redis, orjson.dumps(message.event)
        if redis is None:
            return Attempt("failed", _NOT_CONNECTED)
        try:
            async with asyncio.timeout(ANSWER_SECONDS), redis.pipeline(transaction=False) as batch:
                _add(batch, text)
                batch.publish(ALERTS, text)
                added, heard_by = await batch.execute(raise_on_error=False)
        except LOST as error:
            return Attempt("failed", _not_taken(error))
        if isinstance(heard_by, Exception) or (isinstance(added, Exception) and not (is_full(added) and heard_by)):
            return Attempt(
                "failed", _not_taken(next(each for each in (heard_by, added) if isinstance(each, Exception)))
            )
        if isinstance(added, Exception):
            self._unkept.append(text)
            return Attempt("delivered", kept(f"Passed on; to be kept once there is room: {reason(added)}"))
        return Attempt("delivered")

    async def _keep(self) -> None:
        """Keep the oldest of what a full Redis only passed on."""
        redis, texts = self._redis, [*islice(self._unkept, _KEPT_AT_ONCE)]
        if redis is None or not texts:
            return
        with suppress(*LOST):  # it is tried again
            async with asyncio.timeout(ANSWER_SECONDS), redis.pipeline(transaction=False) as batch:
                for text in texts:
                    _add(batch, text)
                for added in await batch.execute(raise_on_error=False):
                    if isinstance(added, Exception):
                        return
                    self._unkept.popleft()

    def destination(self, _channel: AnyChannel) -> str:
        """See `vivienne.outbox.sending.Sender`."""
        return "redis"

    async def show(self, alert: AlertPushed) -> str:
        """Pass an alert for browsers on to gateways; gives why it could not, or nothing."""
        redis = self._redis
        if redis is None:
            return _NOT_CONNECTED
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await redis.publish(SHOWN, orjson.dumps(alert))
        except LOST as error:
            return _not_taken(error)
        return ""


def _add(batch: Pipeline, text: bytes) -> None:
    batch.xadd(ALERTS, {"alert": text}, maxlen=MOST_ENTRIES, approximate=True)


def _not_taken(error: Exception) -> str:
    return kept(f"Redis did not take it: {reason(error)}")


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

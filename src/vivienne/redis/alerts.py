"""Alerts over Redis.

Those of rules with a channel of this type go to programs: each to the channel `vivienne:alerts`, and into the stream
under the key of the same name, where a program finds what it missed. Those for browsers go from agents to gateways over
a channel of their own; whoever may publish there can show alerts in dashboards, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter, ValidationError
from redis.exceptions import ResponseError

from vivienne.outbox.sending import Attempt, kept
from vivienne.redis.client import is_full
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
        self._keeping = asyncio.Lock()

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        self._redis = redis
        try:
            ready()
            while True:
                await asyncio.sleep(_KEEP_AGAIN_SECONDS)
                with suppress(*LOST):  # the next round tries again
                    await self._keep(redis)
        finally:
            self._redis = None

    async def send(self, message: Message) -> Attempt:
        """See `vivienne.outbox.sending.Sender`.

        What a full Redis passes on to somebody is delivered: to pass it on again and again would keep the alerts after
        it waiting, and a pause may be among them. It is kept later, in the order in which it came.
        """
        redis, text = self._redis, orjson.dumps(message.event)
        if redis is None:
            return Attempt("failed", _NOT_CONNECTED)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                heard_by = await redis.publish(ALERTS, text)
            trouble = await self._keep(redis, text)
        except LOST as error:
            return Attempt("failed", _not_taken(error))
        if not trouble:
            return Attempt("delivered")
        if not heard_by:
            return Attempt("failed", kept(f"Redis did not take it: {trouble}"))
        self._unkept.append(text)
        return Attempt("delivered", kept(f"Passed on; to be kept once there is room: {trouble}"))

    async def _keep(self, redis: Redis, text: bytes | None = None) -> str:
        """Add to the stream what waits for room, in its order, and behind it this one; gives why not all of it is kept.

        Raises:
            RedisError, OSError, TimeoutError: Redis does not take it for another reason than that it is full.
        """
        try:
            async with self._keeping, asyncio.timeout(ANSWER_SECONDS):
                for _ in range(_KEPT_AT_ONCE):
                    if not self._unkept:
                        break
                    await _add(redis, self._unkept[0])
                    self._unkept.popleft()
                if self._unkept:
                    return "others are kept before it"
                if text is not None:
                    await _add(redis, text)
        except ResponseError as error:
            if not is_full(error):
                raise
            return reason(error)
        return ""

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


async def _add(redis: Redis, text: bytes) -> None:
    await redis.xadd(ALERTS, {"alert": text}, maxlen=MOST_ENTRIES, approximate=True)


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

"""Sends `control` messages of WebSocket clients over the control channel, and brings back what came of them.

It works in every process, whoever holds the lease.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing
from typing import TYPE_CHECKING

import orjson
from redis.exceptions import RedisError

from vivienne.channels.json import USUAL
from vivienne.channels.messages import request_id_of
from vivienne.redis.control.listening import heard
from vivienne.redis.control.messages import RELAY
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.access.caller import Caller
    from vivienne.access.limits import MessageLimits
    from vivienne.redis.control.names import ControlNames
    from vivienne.wire.messages import Message

SEND_SECONDS = 0.5
"""How long Redis may take to pass a message on; a client waits for it."""
ANSWER_SECONDS = 5.0
"""How long the process that carries it out may take."""
MOST_SENDING = 8
"""Messages that are on their way to Redis at once; more wait for their turn."""


class ControlRelay:
    """Sends messages, and waits for their outcomes on the channel of results.

    Args:
        names: of the channels.
        limits: of a message.
    """

    def __init__(self, names: ControlNames, limits: MessageLimits = USUAL) -> None:
        self._names = names
        self._longest = limits.bytes
        self._redis: Redis | None = None
        self._asked: dict[str, asyncio.Future[Message | None]] = {}
        self._sending = asyncio.Semaphore(MOST_SENDING)

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        try:
            async with aclosing(heard(redis, ready, self._names.results)) as results:
                async for raw in results:
                    # Whatever was heard shows that Redis is there, after a message that it did not take in time too.
                    self._redis = redis
                    if raw is not None:
                        self._settle(raw)
        finally:
            self._redis = None
            for waiting in self._asked.values():
                _give(waiting, None)

    async def ask(self, message: Message, caller: Caller) -> Message | None:
        """Send a message over the channel and wait for what comes of it.

        Args:
            message: with a request_id.
            caller: who sends it, which is said along with it.

        Returns:
            The answer or error. None where there is no connection, nobody who listens, or no answer; then it is not
            known whether the message was carried out, and it may be sent in another way under the same request_id.
        """
        known = {"address": caller.address, "token": caller.token}
        relay = {"id": str(uuid.uuid4())} | {name: value for name, value in known.items() if value is not None}
        text = encode({**message, RELAY: relay}).encode()
        if self._redis is None or request_id_of(message) is None or len(text) > self._longest:
            return None
        answer: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        self._asked[relay["id"]] = answer
        try:
            if not await self._send(self._redis, text):
                return None
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except (RedisError, OSError, TimeoutError):
            return None
        finally:
            del self._asked[relay["id"]]

    async def _send(self, redis: Redis, text: bytes) -> int:
        """Publish it; gives how many heard it."""
        try:
            async with asyncio.timeout(SEND_SECONDS), self._sending:
                heard_by: int = await redis.publish(self._names.channel, text)
        except TimeoutError:
            # The next ones need not wait for it as well.
            self._redis = None
            raise
        return heard_by

    def _settle(self, raw: bytes) -> None:
        try:
            result = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return  # not from a Vivienne
        if isinstance(result, dict) and (waiting := self._asked.get(str(result.pop(RELAY, None)))):
            _give(waiting, result)


def _give(waiting: asyncio.Future[Message | None], result: Message | None) -> None:
    if not waiting.done():
        waiting.set_result(result)

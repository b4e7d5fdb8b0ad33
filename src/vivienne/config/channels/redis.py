"""Changes over Redis: a channel for those who need no memory, a stream for those who do. Translates; decides nothing.

On the channel ``vivienne:control`` and in the stream ``vivienne:control:stream`` come the messages of the WebSocket
that change something. What came of each is published on ``vivienne:control:results``, under its request_id. Pub/sub
forgets what nobody hears; the stream is read by a consumer group, and an entry is acknowledged only after its change is
in force. One that is read a second time - the agent died in between - has the same request_id, so it is answered as
the first time and applied once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError, ResponseError

from vivienne.config.channels.messages import ConfigMessages
from vivienne.config.channels.reading import read_object
from vivienne.config.flat import nearest
from vivienne.errors import ChangeRefused, Defect, Malformed, NotStored
from vivienne.stream.messages import encode, error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis.asyncio import Redis

    from vivienne.config.service import ConfigService
    from vivienne.stream.messages import Message

_log = logging.getLogger(__name__)

CONTROL_CHANNEL = "vivienne:control"
RESULTS = "vivienne:control:results"
STREAM = "vivienne:control:stream"
GROUP = "vivienne"
CHANNEL = "redis"
FIELD = b"message"
"""Field of a stream entry that has the message; an entry with one field may call it anything."""
READ_SECONDS = 1.0
MOST_AT_ONCE = 100
ANSWER_SECONDS = 5.0
RETRY_SECONDS = 0.5
"""Before an entry is tried again that the store did not take."""


class ControlMessages:
    """Carries out messages that came over Redis, and tells what came of them."""

    def __init__(self, service: ConfigService) -> None:
        self._changes = ConfigMessages(service, CHANNEL)

    async def carry_out(self, raw: bytes, request_id: str | None = None) -> Mapping[str, Any]:
        """The outcome of one message: an answer or an error.

        Args:
            raw: the message as it came.
            request_id: for a message that brings none.

        Raises:
            NotStored: the store did not take it; it may be tried again.
        """
        kind: str | None = None
        try:
            message = read_object(raw)
            kind = message["type"] if isinstance(message.get("type"), str) else None
            if isinstance(message.get("request_id"), str):
                request_id = message["request_id"]
            elif request_id is not None and "request_id" not in message and not _brings_request_id(message):
                message["request_id"] = request_id
            self._check_type(kind)
            return await self._changes.handle(message, None)
        except NotStored:
            raise
        except ChangeRefused as refused:
            return error(refused, in_reply_to=kind, request_id=request_id)
        except Exception:  # noqa: BLE001  # a defect must not cost the channel its listener
            _log.exception("A message of type %s failed", kind)
            return error(Defect(), in_reply_to=kind, request_id=request_id)

    def _check_type(self, kind: str | None) -> None:
        known = self._changes.types
        if kind is None:
            raise Malformed(f"The message has no type; known types are {', '.join(known)}", path="type")
        if kind not in known:
            guess = nearest(kind[:100], known)
            raise Malformed(f"Unknown type {kind[:100]!r}; the nearest known one is {guess!r}", path="type")


def _brings_request_id(message: Message) -> bool:
    params = message.get("params")
    return isinstance(params, dict) and "request_id" in params


class ControlChannel:
    """Listens to the control channel; sends `control` messages of WebSocket clients over it.

    Args:
        messages: carries out what comes.
    """

    def __init__(self, messages: ControlMessages) -> None:
        self._messages = messages
        self._redis: Redis | None = None
        self._asked: dict[str, asyncio.Future[Message | None]] = {}

    async def run(self, redis: Redis) -> None:
        """See `vivienne.redis_link.Part`."""
        async with redis.pubsub() as listener:
            await listener.subscribe(CONTROL_CHANNEL, RESULTS)
            try:
                while True:
                    heard = await listener.get_message(timeout=READ_SECONDS)
                    if heard is None:
                        continue
                    if heard["type"] == "subscribe":
                        # The answer can be heard only once the last of the two is confirmed.
                        self._redis = redis if heard["channel"] == RESULTS.encode() else None
                    elif heard["channel"] == RESULTS.encode():
                        self._settle(heard["data"])
                    else:
                        await redis.publish(RESULTS, encode(await self._outcome(heard["data"])))
            finally:
                self._redis = None
                for waiting in self._asked.values():
                    if not waiting.done():
                        waiting.set_result(None)

    async def ask(self, message: Message) -> Message | None:
        """Send a message over the channel and wait for what comes of it.

        Returns:
            The answer or error; None where there is no connection or no answer, and it is not known whether the message
            was carried out. It may be made again in another way under the same request_id.
        """
        redis, request_id = self._redis, message["request_id"]
        if redis is None or request_id in self._asked:
            return None
        answer: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        self._asked[request_id] = answer
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await redis.publish(CONTROL_CHANNEL, encode(message))
                found = await answer
        except (RedisError, OSError, TimeoutError):
            return None
        else:
            return found
        finally:
            del self._asked[request_id]

    async def _outcome(self, raw: bytes) -> Mapping[str, Any]:
        try:
            return await self._messages.carry_out(raw)
        except NotStored as refused:
            return error(refused, in_reply_to=None, request_id=None)

    def _settle(self, raw: bytes) -> None:
        try:
            result = read_object(raw)
        except ChangeRefused:
            return  # not ours
        waiting = self._asked.get(str(result.get("request_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(result)


class ControlStream:
    """Reads the control stream as one consumer of the group."""

    def __init__(self, messages: ControlMessages, consumer: str = "agent") -> None:
        self._messages = messages
        self._consumer = consumer

    async def run(self, redis: Redis) -> None:
        """See `vivienne.redis_link.Part`."""
        try:
            await redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as refused:
            if "BUSYGROUP" not in str(refused):
                raise
        # First what was read and not acknowledged: the process died in between.
        position = "0"
        while True:
            block = int(READ_SECONDS * 1000) if position == ">" else None
            # With RESP2, which the link speaks: [[stream, [(id, {field: value}), ...]]], or nothing.
            answer: Any = await redis.xreadgroup(
                GROUP, self._consumer, {STREAM: position}, count=MOST_AT_ONCE, block=block
            )
            entries = answer[0][1] if answer else []
            if not entries and position != ">":
                position = ">"
            for entry_id, fields in entries:
                await self._take(redis, entry_id, fields)

    async def _take(self, redis: Redis, entry_id: bytes, fields: dict[bytes, bytes]) -> None:
        raw = fields.get(FIELD) or (next(iter(fields.values())) if len(fields) == 1 else b"")
        while True:
            try:
                outcome = await self._messages.carry_out(raw, f"{STREAM}:{entry_id.decode()}")
                break
            except NotStored as refused:
                # Not lost: the entry stays pending until the store takes it.
                await redis.publish(RESULTS, encode(error(refused, in_reply_to=None, request_id=None)))
                await asyncio.sleep(RETRY_SECONDS)
        await redis.publish(RESULTS, encode(outcome))
        await redis.xack(STREAM, GROUP, entry_id)

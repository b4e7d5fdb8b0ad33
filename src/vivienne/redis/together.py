"""Messages of many callers, published together over one connection: while some are sent, the next ones gather."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

MOST_AT_ONCE, MOST_BYTES = 256, 1024 * 1024
"""Messages that are sent at once, and their bytes; a longer one is sent alone."""


@dataclass(slots=True)
class _Message:
    channel: str
    written: Callable[[], bytes]
    heard: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: BaseException) -> None:
        if not self.heard.done():
            self.heard.set_exception(error)


class Together:
    """Publishes for any number of callers at once, who would each need a connection otherwise.

    Args:
        redis: the connection.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: deque[_Message] = deque()
        self._under_way: list[_Message] = []
        self._sending: asyncio.Task[None] | None = None

    async def publish(self, channel: str, written: Callable[[], bytes]) -> int:
        """Publish a message; return how many heard it. One whose caller leaves before is not sent.

        Args:
            channel: where it goes.
            written: makes it once its turn has come, so that messages that wait take no memory.

        Raises:
            RedisError: Redis did not take it, or the connection broke.
        """
        message = _Message(channel, written)
        self._waiting.append(message)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all(), name="publish together")
        return await message.heard

    def close(self) -> None:
        """Fail what was not sent: the connection is gone."""
        if self._sending is not None:
            self._sending.cancel()
        for message in (*self._under_way, *self._waiting):
            message.fail(ConnectionError("the connection broke"))
        self._waiting.clear()

    async def _send_all(self) -> None:
        while self._waiting:
            texts = self._taken()
            try:
                answers = await self._send(texts)
            except Exception as error:  # noqa: BLE001  # it is that of each caller; others go on
                for message in self._under_way:
                    message.fail(error)
            else:
                for message, answer in zip(self._under_way, answers, strict=True):
                    if isinstance(answer, Exception):
                        message.fail(answer)
                    elif not message.heard.done():
                        message.heard.set_result(answer)
            self._under_way = []

    def _taken(self) -> list[bytes]:
        """Take messages that are sent at once, and write them."""
        texts: list[bytes] = []
        size = 0
        while self._waiting and len(texts) < MOST_AT_ONCE and size < MOST_BYTES:
            message = self._waiting.popleft()
            if message.heard.done():  # its caller has left
                continue
            try:
                text = message.written()
            except Exception as error:  # noqa: BLE001  # as above
                message.fail(error)
                continue
            self._under_way.append(message)
            texts.append(text)
            size += len(text)
        return texts

    async def _send(self, texts: list[bytes]) -> list[int | Exception]:
        if not texts:
            return []
        async with self._redis.pipeline(transaction=False) as batch:
            for message, text in zip(self._under_way, texts, strict=True):
                batch.publish(message.channel, text)
            answers: list[int | Exception] = await batch.execute(raise_on_error=False)
        return answers

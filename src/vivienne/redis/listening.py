"""A subscription that notices when it has gone deaf."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from redis.asyncio import Redis

QUIET_SECONDS = 1.0
"""After so long without a message the connection is asked whether it is still there."""
DEAF_SECONDS = 3.0
"""So long it may take to answer."""


async def heard(redis: Redis, subscribed: Callable[[], None], *channels: str) -> AsyncGenerator[bytes | None]:
    """Messages of channels from now on; None each time the connection showed that it is alive.

    Args:
        redis: the connection; the subscription has one of its own.
        subscribed: called when every later message will be heard.
        channels: to listen to.

    Raises:
        TimeoutError: nothing comes any more, not even an answer.
        RedisError: the connection broke. It is not made again: what was said meanwhile would be lost unnoticed.
    """
    clock = asyncio.get_running_loop().time
    async with redis.pubsub() as listener:
        async with asyncio.timeout(DEAF_SECONDS):
            await listener.subscribe(*channels)
        unconfirmed = len(channels)
        asked: float | None = clock()
        while True:
            message = await listener.get_message(timeout=QUIET_SECONDS)
            if message is None:
                if asked is None:
                    async with asyncio.timeout(DEAF_SECONDS):
                        await listener.ping()
                    asked = clock()
                elif clock() - asked > DEAF_SECONDS:
                    raise TimeoutError("it does not answer")
                continue
            asked = None
            if message["type"] == "subscribe":
                unconfirmed -= 1
                if unconfirmed == 0:
                    subscribed()
            yield message["data"] if message["type"] == "message" else None

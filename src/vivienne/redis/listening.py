"""A subscription that notices when it no longer receives anything."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from vivienne.redis.answers import BoundedParser
from vivienne.redis.backlog import Backlog
from vivienne.redis.client import Client
from vivienne.slices import SharedSlices

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

QUIET_SECONDS = 1.0
"""Time between two pings of the connection."""
DEAF_SECONDS = 3.0
"""Longest time until the ping is answered."""


class Ending:
    """Ends a subscription in order: what was published before is still heard."""

    def __init__(self) -> None:
        self._listener: PubSub | None = None

    def of(self, listener: PubSub) -> None:
        """It is this one that ends."""
        self._listener = listener

    async def end(self) -> None:
        """Hear nothing that is published from now on.

        Raises:
            RedisError: the connection broke.
        """
        if self._listener is not None:
            await self._listener.unsubscribe()


async def heard(
    redis: Redis,
    subscribed: Callable[[], None],
    channel: str,
    backlog: Backlog | None = None,
    ending: Ending | None = None,
) -> AsyncGenerator[bytes | None]:
    """Messages of one channel from now on; see `heard_on`."""
    async with aclosing(heard_on(redis, subscribed, channel, backlog=backlog, ending=ending)) as messages:
        async for message in messages:
            yield None if message is None else message[1]


async def heard_on(
    redis: Redis,
    subscribed: Callable[[], None],
    *channels: str,
    backlog: Backlog | None = None,
    ending: Ending | None = None,
) -> AsyncGenerator[tuple[str, bytes] | None]:
    """Messages of channels from now on, each with its channel; None each time the connection showed that it is alive.

    Who may publish on one channel may not on another, so a message counts for what its channel is for. Whatever they
    publish, others have their turn every few milliseconds.

    Args:
        redis: the connection; the subscription has one of its own.
        subscribed: called when every later message will be heard.
        channels: to listen to.
        backlog: tells how long what comes may have waited.
        ending: ends them.

    Raises:
        TimeoutError: the ping was not answered.
        RedisError: the connection broke. It does not reconnect: messages in between would be lost unnoticed.
    """
    clock = asyncio.get_running_loop().time
    backlog = backlog or Backlog(clock)
    slices = redis.slices if isinstance(redis, Client) else SharedSlices()
    async with redis.pubsub() as listener:
        if ending is not None:
            ending.of(listener)
        async with asyncio.timeout(DEAF_SECONDS):
            await listener.subscribe(*channels)
        unconfirmed, pinged_at = len(channels), clock()
        while True:
            # What has arrived already is handed out without a pass of the event loop: thousands of messages at once.
            await slices.rest()
            if backlog.asked_at is None and clock() - pinged_at >= QUIET_SECONDS:
                async with asyncio.timeout(DEAF_SECONDS):
                    await listener.ping()
                backlog.asked()
                pinged_at = clock()
            message = await _next(listener)
            if message is None:
                if (unconfirmed or backlog.asked_at is not None) and clock() - pinged_at > DEAF_SECONDS:
                    raise TimeoutError("it does not answer")
                continue
            if message["type"] == "subscribe":
                unconfirmed -= 1
                if unconfirmed == 0:
                    backlog.begin()
                    subscribed()
            elif message["type"] == "unsubscribe":
                return
            elif message["type"] == "pong":
                backlog.answered()
            yield (message["channel"].decode(), message["data"]) if message["type"] == "message" else None


async def _next(listener: PubSub) -> dict[str, Any] | None:
    """The next message, as the library gives it; None if none came for a while.

    What has come already is not left to the library, which takes five times as long: there may be thousands.
    """
    parser = getattr(listener.connection, "_parser", None)
    reply = parser.ready() if isinstance(parser, BoundedParser) else None
    if reply is None:
        found: dict[str, Any] | None = await listener.get_message(timeout=QUIET_SECONDS)
    elif isinstance(reply, Exception):
        raise reply
    elif isinstance(reply, list) and reply[0] == b"message":
        found = {"type": "message", "channel": reply[1], "data": reply[2]}
    else:
        found = await listener.handle_message(reply)  # type: ignore[no-untyped-call]  # it has no types
    return found

"""The connection to Redis: one task keeps it up, and everything that uses it lives no longer than a connection does.

Redis is an addition: absent, killed, paused or slow it costs what goes over it and nothing else. While there is a
connection, the *parts* - publishers, listeners - run in tasks of their own; when one of them fails, or a ping is not
answered in time, all end, the link is down, and a new connection is tried after a growing, random delay. A part begins
anew with each connection, so it repairs by itself what was missed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from vivienne.errors import SettingsError

_log = logging.getLogger(__name__)

CALL_SECONDS = 5.0
"""How long Redis may take to answer a call; above what the longest waiting read asks for."""
PING_SECONDS = 1.0
"""Between two pings; a client library can go silently deaf."""
CONNECT_SECONDS = 2.0
SHORTEST_DELAY, FIRST_DELAY, LONGEST_DELAY = 0.05, 0.1, 5.0
"""Bounds of the delays before connecting again, in seconds."""
MOST_CONNECTIONS = 16


class Part(Protocol):
    """What runs while there is a connection."""

    async def run(self, redis: Redis) -> None:
        """Use the connection until it breaks; an error of Redis or of the network ends it for all."""


class RedisLink:
    """Keeps the connection and runs the parts.

    Args:
        url: as in ``redis://localhost:6379/0``.
        parts: what to run.

    Raises:
        SettingsError: the address is none.
    """

    def __init__(self, url: str, parts: list[Part]) -> None:
        self.parts = parts
        try:
            self._redis: Redis = Redis.from_url(
                url,
                socket_timeout=CALL_SECONDS,
                socket_connect_timeout=CONNECT_SECONDS,
                protocol=2,
                max_connections=MOST_CONNECTIONS,
                retry=None,
                retry_on_error=[],
            )
        except ValueError as error:
            raise SettingsError(f"--redis {url!r} is no address of a Redis: {error}") from error
        self.trouble: str | None = "not connected yet"
        """Why there is no connection; None while there is one."""

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        bound = FIRST_DELAY
        while True:
            connected = False
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._redis.ping()
                connected = True
                await self._use()
            except (*_LOST, ExceptionGroup) as error:
                reason = _reason(error)
                if reason is None:
                    raise
                self._down(reason)
            finally:
                with suppress(*_LOST):
                    await self._redis.connection_pool.disconnect(inuse_connections=True)
            bound = FIRST_DELAY if connected else min(2 * bound, LONGEST_DELAY)
            await asyncio.sleep(random.uniform(SHORTEST_DELAY, bound))  # noqa: S311  # no secret

    async def close(self) -> None:
        """Let go of it."""
        with suppress(*_LOST):
            await self._redis.aclose()

    async def _use(self) -> None:
        _log.info("Redis is there")
        self.trouble = None
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ping(), name="redis ping")
            for part in self.parts:
                tasks.create_task(part.run(self._redis), name=f"redis {type(part).__name__}")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._redis.ping()

    def _down(self, reason: str) -> None:
        """Say it once."""
        if self.trouble is None or self.trouble == "not connected yet":
            _log.warning("Redis is gone (%s); everything else goes on, and it is tried again", reason)
        self.trouble = reason


_LOST = (RedisError, OSError, TimeoutError)


def _reason(error: BaseException) -> str | None:
    """What broke the connection, in words; None for a defect, which is none of it."""
    if isinstance(error, BaseExceptionGroup):
        reasons = [_reason(inner) for inner in error.exceptions]
        return None if None in reasons else reasons[0]
    if not isinstance(error, _LOST):
        return None
    if isinstance(error, TimeoutError) and not str(error):
        return "it does not answer"
    return str(error).rstrip(".") or type(error).__name__

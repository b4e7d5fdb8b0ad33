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
from functools import partial
from typing import TYPE_CHECKING, Protocol

from redis.exceptions import AuthenticationError, InvalidResponse, RedisError

from vivienne.errors import SettingsError
from vivienne.redis.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis.asyncio import Redis

_log = logging.getLogger(__name__)

PING_SECONDS = 1.0
"""Between two pings; a client library can go silently deaf."""
ANSWER_SECONDS = 2.0
"""How long it may take to answer one."""
SHORTEST_DELAY, FIRST_DELAY, LONGEST_DELAY = 0.05, 0.1, 2.0
"""Bounds of the delays before connecting again, in seconds."""
END_SECONDS = 2.0
"""How long what uses a connection may take to end."""
STEADY_SECONDS = 10.0
"""A connection that held so long begins with short delays again when it breaks."""

LOST = (RedisError, OSError, TimeoutError)
"""What breaks a connection; anything else is a defect."""


class Part(Protocol):
    """What runs while there is a connection."""

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """Use the connection until it breaks; an error of Redis or of the network ends it for all.

        Args:
            redis: the connection.
            ready: to be called when the part does its work, once or more.
        """


def start(
    tasks: asyncio.TaskGroup, parts: Sequence[Part], redis: Redis, ready: Callable[[], None]
) -> list[asyncio.Task[None]]:
    """Start parts, and call `ready` when every one of them is."""
    missing = set(range(len(parts)))

    def one_ready(number: int) -> None:
        if number in missing:
            missing.discard(number)
            if not missing:
                ready()

    return [
        tasks.create_task(part.run(redis, partial(one_ready, number)), name=f"redis {type(part).__name__}")
        for number, part in enumerate(parts)
    ]


class RedisLink:
    """Keeps the connection and runs the parts.

    Args:
        url: as in ``redis://localhost:6379/0``.
        parts: what to run.

    Raises:
        SettingsError: the address is none.
    """

    def __init__(self, url: str, parts: Sequence[Part]) -> None:
        self._parts = parts
        self.trouble: str | None = "not connected yet"
        """Why it does not work; None while it does."""
        self._told = False
        self._was_there = False
        try:
            self._redis = Client(url)
        except ValueError:
            # Its own words could have a part of the password in them.
            raise SettingsError("--redis is no address of a Redis") from None

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        clock = asyncio.get_running_loop().time
        bound = FIRST_DELAY
        while True:
            begin = clock()
            # In a task of its own: when a part fails while it is being ended, the cancellation is lost in there.
            session = asyncio.create_task(self._session(), name="redis session")
            try:
                await asyncio.wait([session])
            finally:
                session.cancel()
                await asyncio.wait([session], timeout=END_SECONDS)
                error = session.exception() if session.done() and not session.cancelled() else None
                with suppress(*LOST):
                    await self._redis.disconnect()
            if error is not None:
                self._down(error)
            bound = FIRST_DELAY if clock() - begin > STEADY_SECONDS else min(2 * bound, LONGEST_DELAY)
            await asyncio.sleep(random.uniform(SHORTEST_DELAY, bound))  # noqa: S311  # no secret

    async def close(self) -> None:
        """Let go of it."""
        with suppress(*LOST):
            await self._redis.aclose(close_connection_pool=True)

    async def _session(self) -> None:
        """Connect, and run the parts until one of them fails."""
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._redis.ping()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ping(), name="redis ping")
            start(tasks, self._parts, self._redis, self._up)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._redis.ping()

    def _up(self) -> None:
        _log.info("Redis is there")
        self.trouble, self._told, self._was_there = None, False, True

    def _down(self, error: BaseException) -> None:
        """Say it once; it is the first reason that counts, what follows are attempts to connect."""
        self.trouble = reason(error)
        if self._told:
            return
        self._told = True
        if _is_lost(error):
            what = "gone" if self._was_there else "not there"
            _log.warning("Redis is %s (%s); everything else goes on, and it is tried again", what, self.trouble)
        else:
            _log.error("What goes over Redis failed; everything else goes on, and it is tried again", exc_info=error)


def reason(error: BaseException) -> str:
    """What broke the connection, in words."""
    if isinstance(error, BaseExceptionGroup):
        # A defect is worth more than the connections it took down with it.
        return reason(next((inner for inner in error.exceptions if not _is_lost(inner)), error.exceptions[0]))
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words
    if not isinstance(error, LOST):
        return f"a part of Vivienne failed: {error!r}"
    return str(error).rstrip(".") or "it does not answer"


_WORDS: dict[type[Exception], str] = {
    AuthenticationError: "it refuses the user name or the password",
    InvalidResponse: "what answers there is no Redis",
}


def _is_lost(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_lost(inner) for inner in error.exceptions)
    return isinstance(error, LOST)

"""A Redis client whose every call has a time limit, whose answers have bounds, and that never reconnects by itself.

So many calls are under way at once; further ones wait for their turn, which is no fault of the connection. Those that
tell whether the connection and the lease are there wait for no others, and every subscription has a connection of its
own.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from time import monotonic
from typing import Any
from weakref import WeakSet

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ResponseError
from typing_extensions import override

from vivienne.rates import Quota
from vivienne.redis.answers import BoundedParser
from vivienne.redis.silence import Silence
from vivienne.slices import SharedSlices

_log = logging.getLogger(__name__)
_refusals = Quota(_log, logging.ERROR, most=1)

CALL_SECONDS = 5.0
"""Longest time of a call; longer than the longest blocking read."""
CONNECT_SECONDS = 2.0
PING_SECONDS = 0.1
"""Time between two pings of the link: a client library can stop receiving without an error, and what Redis takes in
after it stood still is not new. It is less than a person, or two programs, take from a resumption to a pause.
"""
MOST_AT_ONCE = 24
"""Calls that are under way at once, each on a connection of its own; further ones wait for these."""
FULL_SECONDS = 5.0
"""Time for which it is said that Redis is full, after it last refused to keep something."""
_FULL = {
    "used memory > 'maxmemory'": (
        "Redis is full (maxmemory): it passes messages on and keeps nothing new, such as the latest states. Give it "
        "more memory, or see what fills it (MEMORY STATS)"
    ),
    "MISCONF": (
        "Redis cannot write its data to disk (MISCONF): it passes messages on and keeps nothing new, such as the "
        "latest states. See its log, and the room on its disk"
    ),
    "NOREPLICAS": (
        "Redis lacks replicas (min-replicas-to-write): it passes messages on and keeps nothing new, such as the latest "
        "states. See what became of them"
    ),
}
"""By what is in an error of Redis that keeps nothing new, what it means."""
_URGENT = frozenset(("PING", "EVAL"))
"""Commands that wait for no others: the ping of the link, and what the holder of a lease asks. Few are made at once."""


class Client(Redis):
    """A pool of connections, one for each call at the same time and for each subscription.

    The library has timeouts of its own, made with `asyncio.wait_for`, which before Python 3.12 may lose a
    cancellation; a task that cannot be cancelled would then block the shutdown.

    Attributes:
        slices: of what all its connections receive, which take turns with everything else.
        silence: when Redis did not answer.

    Raises:
        ValueError: the address is not valid.
    """

    def __init__(self, url: str) -> None:
        slices = SharedSlices()
        pool = ConnectionPool.from_url(
            url,
            protocol=2,
            parser_class=partial(BoundedParser, slices, WeakSet()),
            socket_timeout=None,
            socket_connect_timeout=CONNECT_SECONDS,
            # If it reconnected by itself, messages missed between two connections would go unnoticed.
            retry=None,
            retry_on_error=[],
        )
        super().__init__(connection_pool=pool)
        self.slices = slices
        self.silence = Silence(PING_SECONDS)
        self.turns = asyncio.Semaphore(MOST_AT_ONCE)
        """Of calls."""
        self._refused_at, self._refused = float("-inf"), ""

    @property
    def full(self) -> str | None:
        """Says that Redis is full; None while it is not."""
        return self._refused if monotonic() - self._refused_at < FULL_SECONDS else None

    def note(self, error: object) -> None:
        """Note an error, if that is one, that says that Redis is full."""
        if (why := _why_full(error)) is not None:
            self._refused_at, self._refused = monotonic(), why
            _refusals.log("%s", why)

    @override
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """See `redis.asyncio.Redis`."""
        if args[0] in _URGENT:
            return await self._call(*args, **options)
        # Outside of the time of the call: each of those before it has a limit of its own.
        async with self.turns:
            return await self._call(*args, **options)

    async def _call(self, *args: Any, **options: Any) -> Any:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # it has no types
        except ResponseError as error:
            self.note(error)
            raise

    @override
    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """See `redis.asyncio.Redis`."""
        return _Batch(self, self.connection_pool, self.response_callbacks, transaction, shard_hint)

    async def disconnect(self) -> None:
        """Close every connection; the next call makes new ones."""
        await self.connection_pool.disconnect(inuse_connections=True)


class _Batch(Pipeline):
    """Several commands as one call; it waits for its turn as others do."""

    def __init__(self, client: Client, *of_pipeline: Any) -> None:
        super().__init__(*of_pipeline)
        self._client = client

    @override
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with self._client.turns, asyncio.timeout(CALL_SECONDS):
            answers = await super().execute(raise_on_error=False)
        errors = [answer for answer in answers if isinstance(answer, Exception)]
        for error in errors:
            self._client.note(error)
        if errors and raise_on_error:
            raise errors[0]
        return answers


async def execute_though_full(batch: Pipeline) -> bool:
    """Execute commands of which those that keep something may fail, because Redis is full; the others are executed.

    Returns:
        Whether all were.

    Raises:
        RedisError: one failed for another reason.
    """
    answers = await batch.execute(raise_on_error=False)
    for answer in answers:
        if isinstance(answer, Exception) and not is_full(answer):
            raise answer
    return not any(map(is_full, answers))


def sent_since(redis: Redis, at: float) -> float:
    """Since when something may have been sent that Redis took in at a time, in seconds since 1970."""
    return redis.silence.since(at) if isinstance(redis, Client) else at


def is_full(error: object) -> bool:
    """Whether Redis refused because it has no room, in memory or on disk, for what it would have to keep."""
    return _why_full(error) is not None


def _why_full(error: object) -> str | None:
    if not isinstance(error, ResponseError):
        return None
    return next((why for sign, why in _FULL.items() if sign in str(error)), None)

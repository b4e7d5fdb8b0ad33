"""The connection comes back whatever the users of the last one do with their cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from vivienne.redis.again import Again
from vivienne.redis.client import Client
from vivienne.redis.link import RedisLink

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from redis_running import RunningRedis

LIMIT_SECONDS = 30.0


class Failing:
    """Fails when it is told to, and says each time that it begins."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[None] = asyncio.Queue()
        self.fail = asyncio.Event()

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:  # noqa: ARG002  # as of every part
        ready()
        self.begun.put_nowait(None)
        await self.fail.wait()
        self.fail.clear()
        raise ConnectionError("it broke")


class Losing:
    """Loses some cancellations: each becomes an error of the connection, or nothing at all."""

    def __init__(self, lost: int, *, as_error: bool) -> None:
        self.left = lost
        self._as_error = as_error

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:  # noqa: ARG002  # as of every part
        ready()
        while True:
            try:
                await asyncio.sleep(LIMIT_SECONDS)
            except asyncio.CancelledError:
                if not self.left:
                    raise
                self.left -= 1
                if self._as_error:
                    raise TimeoutError from None


@pytest.mark.parametrize("lost", [1, 3, 1_000])
async def test_a_user_that_loses_its_cancellation_does_not_keep_the_connection_from_coming_back(
    redis: RunningRedis, lost: int
) -> None:
    failing, losing = Failing(), Losing(lost, as_error=False)
    await comes_back(RedisLink(redis.url, [failing, losing]), failing)
    # What was left behind ends with the test.
    losing.left = 0


async def test_a_user_that_is_begun_again_ends_where_a_library_made_an_error_of_its_cancellation() -> None:
    used, losing = asyncio.Event(), Losing(1, as_error=True)
    client = Client("redis://127.0.0.1")
    running = asyncio.create_task(Again(losing, "is tried").run(client, used.set))
    await used.wait()
    # Once only: a group of tasks does it no more often.
    running.cancel()
    await asyncio.wait([running], timeout=LIMIT_SECONDS)
    assert running.cancelled()
    await client.aclose(close_connection_pool=True)


async def comes_back(link: RedisLink, failing: Failing) -> None:
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await failing.begun.get()
            assert link.trouble is None
            failing.fail.set()
            await failing.begun.get()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await link.close()

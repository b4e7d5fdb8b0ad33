"""Whatever others publish, a process that listens does everything else in time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING

from vivienne.redis.client import Client
from vivienne.redis.listening import heard
from vivienne.slices import SLICE_SECONDS

if TYPE_CHECKING:
    from redis_running import RunningRedis

FLOOD = 20_000
SECONDS = 60.0
MESSAGE_SECONDS = 0.00001
"""About as long as one that is not valid takes to be refused."""


async def test_a_flood_of_messages_leaves_others_their_turns(redis: RunningRedis) -> None:
    client, subscribed = Client(redis.url), asyncio.Event()
    heard_at_turns = [0]
    count = 0

    async def others() -> None:
        while True:
            heard_at_turns.append(count)
            await asyncio.sleep(0)

    async def flooded() -> None:
        nonlocal count
        async with aclosing(heard(client, subscribed.set, "vivienne:agents")) as messages:
            async for message in messages:
                count += message is not None
                end = perf_counter() + MESSAGE_SECONDS
                while perf_counter() < end:
                    pass
                if count == FLOOD:
                    break

    listener = asyncio.create_task(flooded())
    async with asyncio.timeout(SECONDS):
        await subscribed.wait()
        beside = asyncio.create_task(others())
        await asyncio.to_thread(publish, redis)
        await listener
    beside.cancel()
    await client.aclose(close_connection_pool=True)
    most = max(after - before for before, after in pairwise(heard_at_turns))
    assert most <= SLICE_SECONDS / MESSAGE_SECONDS + 1


def publish(redis: RunningRedis) -> None:
    with redis.client.pipeline(transaction=False) as batch:
        for _ in range(FLOOD):
            batch.publish("vivienne:agents", "x")
        batch.execute()

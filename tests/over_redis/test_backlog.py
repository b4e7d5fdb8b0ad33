"""What is read after a standstill may have been published before it, and what comes after that was not."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from redis_running import client_of
from vivienne.redis.backlog import LATE_SECONDS, Backlog
from vivienne.redis.listening import heard

if TYPE_CHECKING:
    from redis_running import RunningRedis

CHANNEL = "vivienne:of-a-backlog"
SECONDS = 30.0


async def test_of_what_came_while_this_process_stood_still_the_age_is_known(redis: RunningRedis) -> None:
    backlog = Backlog(asyncio.get_running_loop().time)
    waited: dict[bytes, float] = {}
    subscribed, news = asyncio.Event(), asyncio.Event()

    async def listen() -> None:
        async with client_of(redis.url) as client, aclosing(heard(client, subscribed.set, CHANNEL, backlog)) as found:
            async for message in found:
                if message is not None:
                    waited[message] = backlog.waited
                news.set()

    async def publish(name: bytes) -> float:
        redis.client.publish(CHANNEL, name)
        while name not in waited:
            news.clear()
            await news.wait()
        return waited[name]

    async with asyncio.timeout(SECONDS):
        listening = asyncio.create_task(listen())
        await subscribed.wait()
        assert await publish(b"at once") == 0.0
        for name in (b"one", b"two"):
            redis.client.publish(CHANNEL, name)
        time.sleep(LATE_SECONDS + 0.5)  # noqa: ASYNC251  # it stands still
        assert await publish(b"then") >= LATE_SECONDS
        assert min(waited[b"one"], waited[b"two"]) >= LATE_SECONDS
        while backlog.waited:
            news.clear()
            await news.wait()
        assert await publish(b"later") == 0.0
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def test_only_an_answer_tells_that_nothing_waits() -> None:
    now = 100.0
    backlog = Backlog(lambda: now)
    for _ in range(3):
        now += 1.0
        backlog.asked()
        backlog.answered()
        assert backlog.waited == 0.0
    backlog.asked()
    now += 20.0
    assert backlog.waited == 20.0
    backlog.answered()
    assert backlog.waited == 20.0, "it was asked before"
    backlog.asked()
    now += 0.1
    backlog.answered()
    assert backlog.waited == 0.0

"""However many calls are made at once, each is made, and the connection counts as lost for none of them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import orjson

from redis_running import USER, client_of, eventually
from vivienne.cluster.agents import Agents
from vivienne.cluster.questions import Asking, questions_to
from vivienne.cluster.remote_market import RemoteMarket
from vivienne.redis.client import MOST_AT_ONCE, Client
from vivienne.redis.lease import Lease
from vivienne.redis.link import RedisLink
from vivienne.redis.listening import heard_on
from vivienne.wire.chart import UNLISTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from redis_running import RunningRedis
    from vivienne.cluster.heartbeats import Heartbeat

SECONDS = 60.0
CALLS = 400
CHANNEL = "vivienne:pauses"


async def batch_of(client: Client) -> list[Any]:
    async with client.pipeline(transaction=False) as batch:
        batch.publish(CHANNEL, "x")
        batch.publish(CHANNEL, "y")
        return await batch.execute()


async def test_more_calls_than_may_be_under_way_wait_for_their_turn(redis: RunningRedis) -> None:
    async with client_of(redis.url) as client:
        before = sum(each["user"] == USER for each in redis.client.client_list())
        calls = [client.publish(CHANNEL, "x") for _ in range(CALLS)]
        batches = [batch_of(client) for _ in range(CALLS)]
        assert await asyncio.gather(*calls, *batches) == [0] * CALLS + [[0, 0]] * CALLS
        # It connects as many times as calls may be under way, and no more.
        assert sum(each["user"] == USER for each in redis.client.client_list()) <= before + MOST_AT_ONCE


async def test_a_ping_the_lease_and_a_subscription_wait_for_no_calls(redis: RunningRedis) -> None:
    lease, subscribed = Lease("vivienne:of-many-calls:lease", "one"), asyncio.Event()
    stream, group = "vivienne:of-many-calls", "a group"
    async with client_of(redis.url) as client:
        await client.xgroup_create(stream, group, mkstream=True)
        # Nothing comes, so each of them takes as long as it may.
        reading = ("XREADGROUP", "GROUP", group, "one", "BLOCK", 60_000, "STREAMS", stream, ">")
        calls = [asyncio.create_task(client.execute_command(*reading)) for _ in range(2 * MOST_AT_ONCE)]
        await asyncio.to_thread(eventually, lambda: redis.client.info("clients")["blocked_clients"] == MOST_AT_ONCE)
        assert await client.ping()
        assert await lease.keep(client)
        async with aclosing(heard_on(client, subscribed.set, CHANNEL)) as messages:
            await anext(messages)
        assert subscribed.is_set()
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await lease.give_up(client)
    redis.client.delete(stream)


class Bursting:
    """Makes many calls at once, and says each time that it begins."""

    def __init__(self) -> None:
        self.begun = 0
        self.done = asyncio.Event()

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        self.begun += 1
        ready()
        await asyncio.gather(*(redis.publish(CHANNEL, "x") for _ in range(CALLS)))
        self.done.set()
        await asyncio.Event().wait()


async def test_a_burst_of_calls_does_not_count_as_a_lost_connection(redis: RunningRedis) -> None:
    bursting = Bursting()
    link = RedisLink(redis.url, [bursting])
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(SECONDS):
            await bursting.done.wait()
        assert (bursting.begun, link.trouble) == (1, None)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await link.close()


ASSETS = tuple(f"A{number}" for number in range(150))


async def test_a_question_to_many_agents_is_answered_by_all_of_them(redis: RunningRedis) -> None:
    """Each of several callers asks every agent, as a single page of the dashboard does."""
    agents, asking, listening = Agents(ASSETS, lambda asset: f"agent of {asset}"), Asking(), asyncio.Event()
    async with client_of(redis.url) as client, client_of(redis.url) as of_agents:
        for asset in ASSETS:
            agents.take(beat_of(asset))
        tasks = [
            asyncio.create_task(settling(client, asking, listening.set)),
            asyncio.create_task(answering(of_agents, subscribed := asyncio.Event())),
        ]
        await asyncio.gather(listening.wait(), subscribed.wait())
        asking.connected(client)
        market = RemoteMarket(ASSETS, agents, asking, lambda _asset: None)
        for found in await asyncio.gather(*(market.overview(1, whose=f"caller {number}") for number in range(6))):
            assert [(entry["asset"], entry["closes"]) for entry in orjson.loads(found)["assets"]] == [
                (each, [1.0]) for each in ASSETS
            ]
        asking.disconnected()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def beat_of(asset: str) -> Heartbeat:
    return {
        "agent": f"agent of {asset}",
        "shard": "1/1",
        "assets": [asset],
        "feed": "simulated",
        "timeframe": "1m",
        "troubles": {},
    }


async def settling(client: Client, asking: Asking, ready: Callable[[], None]) -> None:
    """Take answers, as a gateway does."""
    async for message in heard_on(client, ready, asking.channel):
        if message is not None:
            asking.settle(orjson.loads(message[1]))


async def answering(client: Client, subscribed: asyncio.Event) -> None:
    """Answer every question, as agents do."""
    channels = [questions_to(f"agent of {asset}") for asset in ASSETS]
    async for message in heard_on(client, subscribed.set, *channels):
        if message is not None:
            question = orjson.loads(message[1])
            asset = message[0].rpartition(" ")[2]
            answer = {"answer": question["id"], "content": [{"asset": asset, **UNLISTED, "closes": [1.0]}]}
            await client.publish(question["answer_to"], orjson.dumps(answer))

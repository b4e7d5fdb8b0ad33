"""States that Redis kept, as a gateway finds them when it starts."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from redis_running import STATE
from vivienne.cluster.agents import Agents
from vivienne.cluster.gateway import Gateway, GatewayHeartbeats
from vivienne.cluster.heartbeats import AGENTS
from vivienne.cluster.questions import Asking
from vivienne.cluster.state_relay import StateRelay
from vivienne.redis.client import Client
from vivienne.stream.hub import Hub
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis_running import RunningRedis
    from vivienne.stream.mailbox import Mailbox

SECONDS = 10.0


def kept(timestamp: object) -> str:
    data = {"clarity_level": "bang", "position_size": 0.5, "status": "live", "price": 43.0, "data_age": 1.5}
    agents = {"VivienneAgent": {"data": data, "config": {}}}
    state = {"type": "asset_data", "asset": "BTC", "timestamp": timestamp, "seq": 7, "config_version": 1}
    return json.dumps({**state, "agents": agents, "published_by": "0001-gone"})


@asynccontextmanager
async def starting(redis: RunningRedis) -> AsyncIterator[tuple[Mailbox, asyncio.Event]]:
    """A gateway that starts now: what a client of it gets, and when it is ready."""
    hub, ready = Hub(), asyncio.Event()
    mailbox = hub.join()
    client = Client(redis.url)
    relay = StateRelay(hub)
    gateway = Gateway(["BTC"], Agents(["BTC"], relay.agent_of), relay, Asking())
    parts = gateway.run(client, ready.set), GatewayHeartbeats(gateway).run(client, lambda: None)
    running = asyncio.gather(*parts)
    try:
        async with asyncio.timeout(SECONDS):
            yield mailbox, ready
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.disconnect()


async def first(mailbox: Mailbox) -> dict[str, Any]:
    """The first state that a client gets."""
    await mailbox.filled()
    return {**mailbox.take_frames()["BTC"].message["agents"]["VivienneAgent"]["data"]}


async def found(redis: RunningRedis) -> dict[str, Any]:
    """What a gateway that starts now shows of BTC."""
    async with starting(redis) as (mailbox, ready):
        await ready.wait()
        return await first(mailbox)


async def test_one_of_an_agent_that_is_alive_is_never_shown_as_stale(redis: RunningRedis) -> None:
    redis.client.set(STATE + "BTC", kept(written(now())))
    beat = {"agent": "0001-gone", "shard": "1/1", "assets": ["BTC"], "feed": "x", "timeframe": "1m", "troubles": {}}
    async with starting(redis) as (mailbox, ready):
        while not redis.client.publish(AGENTS, json.dumps(beat)):  # noqa: ASYNC110  # it subscribes in a moment
            await asyncio.sleep(0.01)
        data = await first(mailbox)
        await ready.wait()

    assert ("live", "bang", 0.5) == (data["status"], data["clarity_level"], data["position_size"])
    assert not mailbox.take_frames()


async def test_one_of_an_agent_that_is_gone_is_as_old_as_it_is_and_decides_nothing(redis: RunningRedis) -> None:
    redis.client.set(STATE + "BTC", kept(written(now() - timedelta(hours=1))))

    data = await found(redis)

    assert 3601.5 <= data["data_age"] < 3601.5 + SECONDS
    assert ("stale", "idle", 0.0) == (data["status"], data["clarity_level"], data["position_size"])


@pytest.mark.parametrize("timestamp", ["2099-01-01T00:00:00.000Z", "2026-01-01T00:00:00", "yesterday", None])
async def test_one_whose_time_says_nothing_is_shown_all_the_same(redis: RunningRedis, timestamp: object) -> None:
    redis.client.set(STATE + "BTC", kept(timestamp))

    data = await found(redis)

    assert (43.0, "stale") == (data["price"], data["status"])
    assert 1.5 <= data["data_age"] < 1.5 + SECONDS

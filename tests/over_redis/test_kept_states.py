"""States that Redis kept, as a gateway finds them when it starts."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from redis_running import STATE
from vivienne.cluster.agents import Agents
from vivienne.cluster.gateway import Gateway
from vivienne.cluster.questions import Asking
from vivienne.cluster.state_relay import StateRelay
from vivienne.redis.client import Client
from vivienne.stream.hub import Hub
from vivienne.times import now, written

if TYPE_CHECKING:
    from redis_running import RunningRedis

SECONDS = 10.0


def kept(timestamp: object) -> str:
    data = {"clarity_level": "bang", "position_size": 0.5, "status": "live", "price": 43.0, "data_age": 1.5}
    agents = {"VivienneAgent": {"data": data, "config": {}}}
    state = {"type": "asset_data", "asset": "BTC", "timestamp": timestamp, "seq": 7, "config_version": 1}
    return json.dumps({**state, "agents": agents, "published_by": "0001-gone"})


async def found(redis: RunningRedis) -> dict[str, Any]:
    """What a gateway that starts now shows of BTC."""
    hub = Hub()
    mailbox, listening = hub.join(), asyncio.Event()
    client = Client(f"redis://127.0.0.1:{redis.port}")
    gateway = Gateway(["BTC"], Agents(), StateRelay(hub), Asking())
    running = asyncio.create_task(gateway.run(client, listening.set))
    try:
        async with asyncio.timeout(SECONDS):
            await listening.wait()
        data: Any = mailbox.take_frames()["BTC"].message["agents"]["VivienneAgent"]["data"]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.disconnect()
    return {**data}


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

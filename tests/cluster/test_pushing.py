"""Market data that is pushed at a gateway reaches the agents that decide the assets, over a real Redis."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest

from redis_running import RunningRedis
from vivienne.access.caller import Caller
from vivienne.cluster.agents import Agents
from vivienne.cluster.answering import Answering
from vivienne.cluster.pushing import RemotePushes
from vivienne.cluster.questions import Asking
from vivienne.errors import AgentUnavailable, NotPushed, TooManyRequests
from vivienne.market.feeds.pushed import feed as pushed_feed
from vivienne.market.feeds.pushed.feed import PushedFeed
from vivienne.market.timeframe import Timeframe
from vivienne.redis.client import Client
from vivienne.redis.listening import heard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MINUTE_MS = 60_000
SHARES = {"BTC": "one", "ETH": "two", "SOL": "gone", "XRP": "simulated"}


@pytest.fixture(scope="module")
def redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


class Cluster:
    """Two agents that answer over Redis, and what a gateway pushes with."""

    def __init__(self) -> None:
        self.feeds = {
            agent: PushedFeed((asset,), timeframe=Timeframe.M1, bars=1_500, others=set(SHARES) - {asset})
            for asset, agent in SHARES.items()
        }
        self.agents = Agents(SHARES, SHARES.get)
        self.asking = Asking()
        self.pushes = RemotePushes(tuple(SHARES), Timeframe.M1, self.agents, self.asking)


@asynccontextmanager
async def cluster(redis: RunningRedis) -> AsyncIterator[Cluster]:
    made, client = Cluster(), Client(redis.url)

    async def listen(ready: Any) -> None:
        async for raw in heard(client, ready, made.asking.channel):
            if raw is not None:
                made.asking.settle(orjson.loads(raw))

    async with AsyncExitStack() as closing:
        closing.push_async_callback(client.aclose, close_connection_pool=True)
        tasks = []
        agents = ((agent, made.feeds[agent] if agent != "simulated" else None) for agent in ("one", "two", "simulated"))
        for run in (listen, *(_answering(agent, feed, client) for agent, feed in agents)):
            is_ready = asyncio.Event()
            tasks.append(asyncio.create_task(run(is_ready.set)))
            await asyncio.wait_for(is_ready.wait(), 60)
        for asset, agent in SHARES.items():
            if agent != "gone":
                made.agents.take({
                    "agent": agent, "shard": "1/2", "assets": [asset], "timeframe": "1m", "troubles": {},
                    "feed": "push" if agent in ("one", "two") else "simulated",
                })  # fmt: skip
        made.asking.connected(client)
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def _answering(agent: str, feed: PushedFeed | None, client: Client) -> Any:
    answering = Answering(agent, cast("Any", None), feed)
    return lambda ready: answering.run(client, ready)


def candle(asset: str, number: int, **more: Any) -> dict[str, Any]:
    """The n-th minute before this one."""
    now = round(time.time() * 1000)
    prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    return {"asset": asset, "open_time": now - now % MINUTE_MS - number * MINUTE_MS, **prices, "volume": 1.0, **more}


async def test_each_agent_takes_its_rows_and_the_answer_is_of_all(redis: RunningRedis) -> None:
    async with cluster(redis) as made:
        rows = [
            candle("BTC", 2, closed=True), candle("ETH", 1, closed=True), candle("DOGE", 1), candle("ETH", 1, low=-1.0),
            candle("BTC", 1, closed=True), candle("BTC", 2, closed=True),
        ]  # fmt: skip
        answer = await made.pushes.push("candles", {"candles": rows}, Caller())
        assert (3, 1, 0, 2) == (answer["accepted"], answer["doubled"], answer["late"], answer["refused"])
        # Rows have the numbers that they have in the push.
        assert ["candles[2].asset", "candles[3].low"] == [each["path"] for each in answer["errors"]]
        assert {"BTC", "ETH"} == answer["assets"].keys()
        assert all(each["deciding"] for each in answer["assets"].values())

        only_unknown = await made.pushes.push("candles", {"candles": rows[2:3]}, Caller())
        assert (0, 1) == (only_unknown["accepted"], only_unknown["refused"])


async def test_what_no_agent_takes_is_said(redis: RunningRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    async with cluster(redis) as made:
        with pytest.raises(AgentUnavailable, match="The agent of SOL does not respond; nothing was taken"):
            await made.pushes.push("candles", {"candles": [candle("BTC", 1), candle("SOL", 1)]}, Caller())
        with pytest.raises(NotPushed, match="was not started with --feed push"):
            await made.pushes.push("candles", {"candles": [candle("XRP", 1)]}, Caller())
        monkeypatch.setattr(pushed_feed, "MOST_WAITING", 1)
        await made.pushes.push("candles", {"candles": [candle("BTC", 1, closed=True)]}, Caller())
        with pytest.raises(TooManyRequests, match="wait to be taken"):
            await made.pushes.push("candles", {"candles": [candle("BTC", 1, closed=True)]}, Caller())

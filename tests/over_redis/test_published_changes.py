"""States that an agent publishes as changes, from its board over a real Redis to the clients of a gateway."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest

from merging import Follower, exact
from redis_running import STATE
from running import data
from vivienne.cluster.agents import Agents
from vivienne.cluster.earlier_agents import EarlierAgents
from vivienne.cluster.gateway import Gateway, GatewayHeartbeats
from vivienne.cluster.heartbeats import Heartbeat, HeartbeatPublisher
from vivienne.cluster.questions import Asking
from vivienne.cluster.state_relay import StateRelay
from vivienne.redis.client import Client
from vivienne.redis.publishing import MOST_IN_BATCH, STATES_CHANGED, StatePublisher
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from redis_running import Listener, RunningRedis
    from vivienne.wire.messages import AssetData
    from vivienne.wire.state import AssetState

SECONDS = 20.0
AGENT, SUCCESSOR = "0001-first", "0002-second"
ASSETS = ("BTC", "ETH")
CONFIG = {"settings": {"description": "y" * 1_000}}
EXPLANATION = {"summary": "x" * 1_000, "size_cap": None}


def content(price: float, **more: Any) -> dict[str, Any]:
    """What an agent decides."""
    plain = {"clarity_level": "idle", "status": "live", "price": price, "data_age": 0.0, "data_age_limit": 100.0}
    return {**plain, "pause": None, "trouble": None, "bar": None, "explanation": EXPLANATION, **more}


class Publishing:
    """An agent: a board, and what publishes it.

    Args:
        name: of the agent.
        assets: that it decides.
        is_earlier: whether it is of a version that publishes whole states only.
    """

    def __init__(self, name: str = AGENT, assets: tuple[str, ...] = ASSETS, *, is_earlier: bool = False) -> None:
        self.hub = Hub()
        self.board = StateBoard(self.hub)
        beat: Any = {"agent": name, "shard": "1/1", "assets": [*assets], "feed": "x", "timeframe": "1m"}
        self._beat: Heartbeat = beat | {"troubles": {}} | ({} if is_earlier else {"changes": True})
        self._publisher: Any = _Earlier(self, name) if is_earlier else StatePublisher(self.hub, self.board, name)

    def publish(self, asset: str, fields: dict[str, Any], version: int = 1) -> None:
        """Publish a state."""
        self.board.publish(asset, data=cast("AssetState", fields), config=CONFIG, config_version=version)

    def parts(self, redis: Client) -> list[Coroutine[Any, Any, None]]:
        """What runs."""
        return [
            self._publisher.run(redis, lambda: None), HeartbeatPublisher(lambda: self._beat).run(redis, lambda: None),
        ]  # fmt: skip


class _Earlier:
    """Publishes whole states and nothing else, as earlier versions do."""

    def __init__(self, publishing: Publishing, name: str) -> None:
        self._publishing, self._name = publishing, name

    async def run(self, redis: Any, _ready: Callable[[], None]) -> None:
        mailbox = self._publishing.hub.join("redis")
        while True:
            for asset, frame in mailbox.take_frames().items():
                text = json.dumps({**frame.message, "published_by": self._name})
                await redis.set(STATE + asset, text)
                await redis.publish(STATE + asset, text)
            await mailbox.filled()


class Receiving:
    """A gateway, and a client of it that asked for changes."""

    def __init__(self, assets: tuple[str, ...] = ASSETS) -> None:
        hub = Hub()
        self.assets = assets
        self.relay = StateRelay(hub)
        self.gateway = Gateway(assets, Agents(assets, self.relay.agent_of), self.relay, Asking())
        self.mailbox = hub.join()
        self.mailbox.watch(None, changes=True)
        self.follower = Follower()

    def parts(self, redis: Client) -> list[Coroutine[Any, Any, None]]:
        """What runs."""
        parts = self.gateway, GatewayHeartbeats(self.gateway), EarlierAgents(self.gateway)
        return [*(part.run(redis, lambda: None) for part in parts), self.gateway.watch(), self._follow()]

    async def _follow(self) -> None:
        while True:
            state = self.follower.hear(json.loads(await self.mailbox.take()))
            assert state is not None
            latest = cast("AssetData", self.relay.latest(state["asset"]))
            if latest["seq"] == state["seq"]:
                assert exact(latest) == exact(state)

    async def has_all_of(self, publishing: Publishing) -> None:
        """Wait until the client has the last state of each asset."""
        for asset in self.assets:
            await publishing.board.handed_over(asset)
        await until(lambda: all(self._has(asset, publishing.board.latest(asset)) for asset in self.assets))

    def _has(self, asset: str, state: AssetData | None) -> bool:
        """Whether it has a state, under the number and with the age that the gateway gives it."""
        found = self.follower.states.get(asset)
        return found is not None and state is not None and decided(found) == decided(state)


def decided(state: Any) -> str:
    agent = state["agents"]["VivienneAgent"]
    return exact([state["config_version"], agent["config"], {**agent["data"], "data_age": None}])


def heard(listener: Listener) -> list[dict[str, Any]]:
    """What came so far."""
    found = []
    with suppress(AssertionError):
        while True:
            found.append(listener.hear(0.2))
    return found


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  # several parts may change it
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running(redis: RunningRedis, *these: Publishing | Receiving) -> AsyncIterator[None]:
    """Each with a connection of its own; whatever fails in them fails the test."""
    clients = [Client(redis.url) for _ in these]
    try:
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(part)
                for each, client in zip(these, clients, strict=True)
                for part in each.parts(client)
            ]
            yield
            for task in tasks:
                task.cancel()
    finally:
        for client in clients:
            await client.disconnect()


async def moved(publishing: Publishing, count: int, seed: int = 0) -> None:
    """Publish states of all kinds, some in one breath."""
    rng = random.Random(seed)  # noqa: S311  # no secret
    for number in range(count):
        more: dict[str, Any] = {"bar": {"open": 1.0, "support": None}} if rng.random() < 0.1 else {}
        if rng.random() < 0.1:
            more["explanation"] = {"summary": "z" * 900, "size_cap": rng.random()}
        publishing.publish(rng.choice(ASSETS), content(float(number), **more), version=number // 50)
        if rng.random() < 0.5:
            await asyncio.sleep(rng.random() * 0.005)


async def test_a_client_of_a_gateway_has_the_states_of_the_agent(redis: RunningRedis) -> None:
    agent, gateway = Publishing(), Receiving()
    async with running(redis, agent, gateway):
        for asset in ASSETS:
            agent.publish(asset, content(0.5))
        await gateway.has_all_of(agent)
        await moved(agent, 400)
        await gateway.has_all_of(agent)
    assert gateway.follower.changes > gateway.follower.wholes


@pytest.mark.parametrize(("status", "goes_away"), [("live", True), ("stale", True), ("ended", False)])
async def test_a_state_goes_away_once_nobody_publishes_its_asset_any_more(
    redis: RunningRedis, status: str, *, goes_away: bool
) -> None:
    """Who reads the key is not told that the agent was killed. A market that has ended has its last state."""
    redis.client.delete(STATE + "BTC")
    agent = Publishing()
    async with running(redis, agent):
        agent.publish("BTC", content(0.5, status=status))
        await until(lambda: bool(redis.client.exists(STATE + "BTC")))
    left = redis.client.pttl(STATE + "BTC")
    assert 20_000 < left <= 30_000 if goes_away else left == -1


async def test_many_assets_share_a_message_and_none_is_long(redis: RunningRedis) -> None:
    assets = tuple(f"A{number}" for number in range(2 * MOST_IN_BATCH + 1))
    agent, gateway = Publishing(assets=assets), Receiving(assets)
    async with running(redis, agent, gateway):
        listener = redis.listener(STATES_CHANGED)
        for price in (1.0, 2.0):
            for asset in assets:
                agent.publish(asset, content(price))
            await gateway.has_all_of(agent)
    with listener:
        found = heard(listener)
    counts = [len(each["states"]) for each in found]
    assert {AGENT} == {each["published_by"] for each in found}
    assert (max(counts), sum(counts)) == (MOST_IN_BATCH, 2 * len(assets))


@pytest.mark.parametrize("first_is_earlier", [True, False])
async def test_agents_of_both_versions_follow_each_other(redis: RunningRedis, first_is_earlier: bool) -> None:
    first = Publishing(AGENT, is_earlier=first_is_earlier)
    second = Publishing(SUCCESSOR, is_earlier=not first_is_earlier)
    gateway = Receiving()
    async with running(redis, gateway):
        for agent in (first, second):
            async with running(redis, agent):
                for asset in ASSETS:
                    agent.publish(asset, content(0.5))
                await gateway.has_all_of(agent)
                await moved(agent, 60)
                await gateway.has_all_of(agent)


async def test_agents_of_both_versions_decide_assets_beside_each_other(redis: RunningRedis) -> None:
    newer, earlier = Publishing(AGENT, ("BTC",)), Publishing(SUCCESSOR, ("ETH",), is_earlier=True)
    gateway = Receiving()
    async with running(redis, newer, earlier, gateway):
        for number in range(30):
            newer.publish("BTC", content(float(number)))
            earlier.publish("ETH", content(float(number)))
            await asyncio.sleep(0.02)
        found = gateway.follower.states
        await until(
            lambda: {"BTC", "ETH"} == found.keys() and {29.0} == {data(each)["price"] for each in found.values()}
        )
    assert {"ETH"} == gateway.gateway.earlier


async def test_a_gateway_of_an_earlier_version_gets_every_state_whole(redis: RunningRedis) -> None:
    agent = Publishing()
    listener = redis.listener(STATE + "BTC")
    async with running(redis, agent):
        for number in range(20):
            agent.publish("BTC", content(float(number)))
            while json.loads(redis.client.get(STATE + "BTC") or "{}").get("seq") != number + 1:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    with listener:
        found = heard(listener)
    assert [number + 1 for number in range(20)] == [state["seq"] for state in found]
    assert all({"agents", "published_by"} <= state.keys() for state in found)


async def test_what_was_lost_or_forged_is_read_from_redis(redis: RunningRedis) -> None:
    agent, gateway = Publishing(), Receiving()
    async with running(redis, agent, gateway):
        agent.publish("BTC", content(1.0))
        agent.publish("ETH", content(1.0))
        await gateway.has_all_of(agent)
        seq = cast("AssetData", agent.board.latest("BTC"))["seq"]
        forged = {"seq": seq + 1, "agents": {"VivienneAgent": {"data": {"clarity_level": "bang", "junk": 1}}}}
        entry = {"type": "asset_changed", "asset": "BTC", "seq": seq + 1, "base_seq": seq, "patch": forged}
        lost = {**entry, "seq": seq + 900, "base_seq": seq + 899, "patch": {"seq": seq + 900}}
        for number, each in enumerate((entry, lost, {**entry, "seq": 10**9, "patch": {**forged, "seq": 10**9}})):
            batch = {"type": "states_changed", "published_by": AGENT, "states": [each]}
            redis.client.publish(STATES_CHANGED, json.dumps(batch))
            agent.publish("BTC", content(2.0 + number))
            await gateway.has_all_of(agent)


async def test_a_gateway_that_starts_later_goes_on_from_what_redis_keeps(redis: RunningRedis) -> None:
    agent, gateway = Publishing(), Receiving()
    async with running(redis, agent):
        await moved(agent, 50)
        async with running(redis, gateway):
            await moved(agent, 100, seed=1)
            await gateway.has_all_of(agent)


async def test_a_gateway_that_missed_something_of_a_full_redis_has_the_next_states(redis: RunningRedis) -> None:
    """Redis keeps an old state then, so the agent publishes whole ones."""
    redis.client.delete(*(STATE + asset for asset in ASSETS))  # of other agents of this name
    agent, gateway = Publishing(), Receiving()
    async with running(redis, agent):
        for asset in ASSETS:
            agent.publish(asset, content(0.5))
        for asset in ASSETS:
            await agent.board.handed_over(asset)
        await until(lambda: redis.client.exists(*(STATE + asset for asset in ASSETS)) == len(ASSETS))
        redis.client.config_set("maxmemory", "1")
        try:
            # Nobody listens to these, so they are missed.
            await moved(agent, 20)
            async with running(redis, gateway):
                # The gateway may begin to listen after some of these.
                for price in count(1_000):
                    for asset in ASSETS:
                        agent.publish(asset, content(float(price)))
                    await asyncio.gather(*(agent.board.handed_over(asset) for asset in ASSETS))
                    with suppress(TimeoutError):
                        await asyncio.wait_for(gateway.has_all_of(agent), 0.2)
                        break
        finally:
            redis.client.config_set("maxmemory", "0")

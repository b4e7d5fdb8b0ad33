"""States that an agent reads from Redis tell it who has stopped, as those that a gateway hears tell that."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from redis_running import STATE
from vivienne.changes.requests import SwitchRequest
from vivienne.changes.service import ConfigService
from vivienne.cluster.agents import MOST_UNPROVEN
from vivienne.cluster.confirmation import Confirmations
from vivienne.cluster.heartbeats import AGENTS
from vivienne.cluster.kept_states import FULL, REPLACED, UNREAD, KeptStates
from vivienne.cluster.remote_market import AGENT_LOST
from vivienne.cluster.state_relay import UNPUBLISHED
from vivienne.cluster.succession import Succession
from vivienne.redis.client import Client
from vivienne.slices import whole
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from redis_running import RunningRedis
    from vivienne.wire.answers import Switched

ASSETS = ("BTC", "ETH")
AGENT, SUCCESSOR = "0001-first", "0002-second"


def state(asset: str, agent: str, status: str, pause: object = None) -> dict[str, Any]:
    data = {"status": status, "pause": pause, "data_age": 1.0, "data_age_limit": 180.0}
    plain = {"type": "asset_data", "asset": asset, "timestamp": "2026-01-31T08:00:00.000Z", "config_version": 1}
    return {**plain, "seq": 1, "agents": {"VivienneAgent": {"data": data, "config": {}}}, "published_by": agent}


class Counting(Client):
    """A client that counts what it reads, and may be out of order."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.read = list[tuple[str, ...]]()
        self.is_broken = False
        self.is_full = False

    async def mget(self, keys: Iterable[str]) -> Any:  # type: ignore[override]  # it needs no others
        self.read.append(tuple(keys))
        if self.is_broken:
            raise RedisConnectionError("it is gone")
        return await super().mget(keys)

    @property
    def full(self) -> str | None:
        return "Redis is full" if self.is_full else None


class Applying:
    """An agent that applies pauses, of whose assets others decide all; its clock is set by hand."""

    def __init__(self, folder: Path, redis: RunningRedis) -> None:
        self.now = 1_000.0
        self.service = ConfigService(SqliteRevisionStore(folder / "v.db"), ASSETS)
        self.kept = KeptStates(ASSETS, lambda: self.now)
        self.confirmations = Confirmations(self.service, self.kept, self.kept.agents)
        self.client = Counting(redis.url)
        self._redis = redis

    def say(self, asset: str, agent: str, status: str, pause: object = None) -> None:
        self._redis.client.set(STATE + asset, json.dumps(state(asset, agent, status, pause)))

    def say_of_all(self, agent: str, status: str, pause: object = None) -> None:
        for asset in ASSETS:
            self.say(asset, agent, status, pause)

    def beat(self, agent: str = AGENT, *assets: str) -> None:
        beat: Any = {"agent": agent, "shard": "1/1", "feed": "simulated", "timeframe": "15m", "troubles": {}}
        beat["assets"] = list(assets or ASSETS)
        self.kept.agents.take(beat)

    async def pause(self) -> Switched:
        return await self.service.switch(SwitchRequest("pause", channel="test", asset=None))

    async def missing(self) -> dict[str, str]:
        """Why it is not known who has stopped, after states were read."""
        self.kept.following(ASSETS)
        await self.kept.read(self.client)
        return whole(self.confirmations.find_missing(ASSETS))


@pytest.fixture
async def applying(tmp_path: Path, redis: RunningRedis) -> AsyncIterator[Applying]:
    redis.client.delete(*(STATE + asset for asset in ASSETS))
    found = Applying(tmp_path, redis)
    yield found
    await found.client.disconnect()
    await found.service.close()


async def test_a_pause_is_confirmed_by_the_state_of_an_agent_that_is_there(applying: Applying) -> None:
    pause = (await applying.pause())["pause"]
    applying.beat()
    assert await applying.missing() == dict.fromkeys(ASSETS, UNPUBLISHED), "a heartbeat alone proves nothing"
    applying.say("BTC", AGENT, "live")
    applying.say("ETH", AGENT, "paused", {"config_id": "of-before", "version": 0})
    missing = await applying.missing()
    assert ("is not paused" in missing["BTC"], "by an earlier pause" in missing["ETH"]) == (True, True)
    applying.say_of_all(AGENT, "paused", pause)
    assert await applying.missing() == {}
    applying.now += 5
    assert await applying.missing() == dict.fromkeys(ASSETS, AGENT_LOST)


async def test_a_state_of_an_agent_counts_that_has_said_that_it_decides_the_asset(applying: Applying) -> None:
    pause = (await applying.pause())["pause"]
    applying.say_of_all(AGENT, "paused", pause)
    assert await applying.missing() == dict.fromkeys(ASSETS, AGENT_LOST)
    applying.beat(AGENT, "BTC")
    assert await applying.missing() == {"ETH": UNPUBLISHED}
    applying.say("ETH", "", "paused", pause)
    assert await applying.missing() == {"ETH": UNPUBLISHED}


async def test_an_agent_that_was_replaced_and_has_not_noticed_confirms_nothing(applying: Applying) -> None:
    pause = (await applying.pause())["pause"]
    for agent in (AGENT, SUCCESSOR):
        applying.beat(agent)
    applying.say_of_all(SUCCESSOR, "live")
    await applying.missing()
    applying.say_of_all(AGENT, "paused", pause)
    assert await applying.missing() == dict.fromkeys(ASSETS, REPLACED)
    applying.now += 5
    applying.beat(AGENT)
    assert await applying.missing() == {}, "the other one is gone"


async def test_what_was_read_for_an_earlier_pause_confirms_none_that_comes_later(
    applying: Applying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody repeats a pause in force: the agent may have been replaced since by one that does not know of it."""
    monkeypatch.setattr("vivienne.cluster.confirmation.CONFIRM_SECONDS", 0.1)
    answer = await applying.pause()
    applying.beat()
    applying.say_of_all(AGENT, "paused", answer["pause"])
    assert await applying.missing() == {}

    unread = await applying.confirmations.confirm(answer)  # nobody reads
    assert (unread["status"], [each["reason"] for each in unread["agents"]]) == ("not_confirmed_yet", [UNREAD])
    assert [each["agent"] for each in unread["agents"]] == ["1/1"]
    assert await applying.missing() == {}
    applying.client.is_broken = True
    with pytest.raises(RedisConnectionError):
        await applying.missing()
    assert whole(applying.confirmations.find_missing(ASSETS)) == dict.fromkeys(ASSETS, UNREAD)


async def test_those_who_wait_at_the_same_time_have_states_read_once(
    applying: Applying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.cluster.confirmation.CONFIRM_SECONDS", 60.0)
    answer = await applying.pause()
    applying.beat()
    applying.say_of_all(AGENT, "paused", answer["pause"])
    waiting = [asyncio.create_task(applying.confirmations.confirm(answer)) for _ in range(50)]
    await asyncio.sleep(0)
    reading = asyncio.create_task(applying.kept.run(applying.client, lambda: None))
    done = await asyncio.gather(*waiting)
    assert {each["status"] for each in done} == {"success"}
    assert len(applying.client.read) <= 3
    reading.cancel()


async def test_a_full_redis_is_the_reason_where_it_keeps_a_state_of_before(applying: Applying) -> None:
    pause = (await applying.pause())["pause"]
    applying.beat()
    applying.say("BTC", AGENT, "live")
    applying.say("ETH", AGENT, "paused", pause)
    applying.client.is_full = True
    assert await applying.missing() == {"BTC": FULL}


async def test_heartbeats_of_invented_agents_fill_no_memory_and_hide_none_that_publishes(applying: Applying) -> None:
    pause = (await applying.pause())["pause"]
    applying.say_of_all(AGENT, "paused", pause)
    await applying.missing()
    applying.beat()
    for number in range(2 * MOST_UNPROVEN):
        applying.beat(f"9999-{number}")
    assert await applying.missing() == {}
    assert len(applying.kept.agents.all()) == MOST_UNPROVEN + 1


async def test_an_agent_hears_of_the_others_where_it_hears_of_its_successor(
    applying: Applying, redis: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening, heard = asyncio.Event(), asyncio.Queue[str]()
    agents = applying.kept.agents
    monkeypatch.setattr(agents, "take", lambda beat, _waited: heard.put_nowait(beat["agent"]))
    hearing = asyncio.create_task(Succession(AGENT, ASSETS, agents=agents).run(applying.client, listening.set))
    beat = {"agent": "0000-other", "shard": "2/2", "feed": "x", "timeframe": "15m", "troubles": {}, "assets": []}
    async with asyncio.timeout(30):
        await listening.wait()
        redis.client.publish(AGENTS, json.dumps(beat))
        assert await heard.get() == "0000-other"
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)

"""A pause that an agent applies is answered as one at a gateway: with the agents that have stopped, and the others."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from redis_running import CONTROL, RESULTS, STATE, RunningRedis, eventually
from running import data
from several import ASSETS, Several
from vivienne.cluster.remote_market import AGENT_LOST
from vivienne.cluster.shards import Shard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres_server import PostgresServer

WAYS = ("channel", "stream")


class Agents(Several):
    """Two agents and no gateway; one of them applies what comes over Redis."""

    def __init__(self, database: str, redis: RunningRedis) -> None:
        super().__init__(database, redis, "--timeframe", "1m", "--window", "1500", gateways=0)
        self._redis = redis

    def ask(self, way: str, kind: str) -> dict[str, Any]:
        """Pause or resume all; gives the answer."""
        with self._redis.listener(RESULTS) as results:
            (self._redis.send if way == "channel" else self._redis.add)({"type": kind})
            return results.hear()

    def status(self, asset: str) -> str | None:
        """The status of an asset as its agent published it; None if it has not."""
        found = self._redis.client.exists(STATE + asset)
        return data(self._redis.message(STATE + asset))["status"] if found else None

    def are_all(self, status: str) -> bool:
        return {self.status(asset) for asset in ASSETS} == {status}

    def resume(self) -> None:
        assert self.ask("channel", "resume")["status"] == "success"
        eventually(lambda: self.are_all("live"))

    def other(self) -> int:
        """The number of the agent that does not apply what comes over Redis."""
        holder = self._redis.client.get(f"{CONTROL}:lease")
        return next(n for n, agent in enumerate(self.agents, 1) if f"-{agent.process.pid}-" not in holder)


@pytest.fixture(scope="module")
def agents(postgres_process: PostgresServer, redis: RunningRedis) -> Iterator[Agents]:
    postgres_process.start()
    with Agents(postgres_process.database(), redis) as running:
        eventually(lambda: running.are_all("live"))
        eventually(lambda: redis.client.pubsub_numsub(CONTROL)[0][1])
        yield running


def shares(answer: dict[str, Any]) -> dict[str, tuple[list[str], bool]]:
    return {each["agent"]: (each["assets"], each["confirmed"]) for each in answer["agents"]}


def share(number: int) -> list[str]:
    return list(Shard(number, 2).share(ASSETS))


@pytest.mark.parametrize("way", WAYS)
def test_the_answer_has_all_agents_once_they_have_stopped(agents: Agents, way: str) -> None:
    answer = agents.ask(way, "pause")
    assert ("success", "Paused: all assets") == (answer["status"], answer["message"])
    assert {f"{number}/2": (share(number), True) for number in (1, 2)} == shares(answer)
    assert agents.are_all("paused")
    agents.resume()


@pytest.mark.parametrize("way", WAYS)
def test_an_agent_that_has_not_stopped_is_named(agents: Agents, way: str) -> None:
    other = agents.other()
    process = agents.agents[other - 1].process
    process.send_signal(signal.SIGSTOP)
    try:
        answer = agents.ask(way, "pause")
        assert answer["status"] == "not_confirmed_yet"
        names = f"agent {other}/2 ({', '.join(share(other))}: the state that it published last is not paused)"
        assert answer["message"] == f"Paused: all assets. Not confirmed by {names}"
        assert {f"{number}/2": (share(number), number != other) for number in (1, 2)} == shares(answer)
        assert {agents.status(asset) for asset in share(other)} == {"live"}
    finally:
        process.send_signal(signal.SIGCONT)
    eventually(lambda: agents.are_all("paused"))
    assert agents.ask("channel", "pause")["status"] == "success"
    agents.resume()


def test_an_agent_that_is_gone_is_named_until_another_one_has_its_place(agents: Agents) -> None:
    other = agents.other()
    gone = agents.agents[other - 1]
    gone.kill()

    def is_lost() -> bool:
        answer = agents.ask("channel", "pause")
        assert answer["status"] == "not_confirmed_yet"
        (lost,) = [each for each in answer["agents"] if not each["confirmed"]]
        assert lost["assets"] == share(other)
        return bool(lost["reason"] == AGENT_LOST and lost["agent"].startswith(f"{other}/2 ("))

    eventually(is_lost)
    agents.replace(gone)
    eventually(lambda: agents.ask("channel", "pause")["status"] == "success")
    agents.resume()

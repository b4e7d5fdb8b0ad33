"""Pauses reach agents that cannot read the database, and no answer says more than the agents confirm."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from redis_running import eventually
from running import COMPREHENSIVE, data
from several import Two, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres_server import PostgresServer
    from redis_running import RunningRedis

ASSETS = Two.assets


@pytest.fixture(scope="module")
def two(postgres_process: PostgresServer, redis: RunningRedis) -> Iterator[Two]:
    postgres_process.start()
    with Two(postgres_process, redis) as running:
        yield running


def pause(two: Two, **fields: Any) -> tuple[int, dict[str, Any]]:
    answer = two.gateway.post("pause", fields)
    return answer.status_code, answer.json()


def test_the_answer_names_the_agents_that_have_stopped(two: Two) -> None:
    status, answer = pause(two)

    assert (200, "success", "Paused: all assets") == (status, answer["status"], answer["message"])
    assert [{"agent": "1/1", "assets": list(ASSETS), "confirmed": True, "reason": None}] == answer["agents"]
    assert {"paused"} == two.published()
    two.resume()


def test_a_pause_reaches_an_agent_that_cannot_read_the_database(two: Two) -> None:
    two.revoke()
    try:
        status, answer = pause(two, author="ada", reason="wrong prices")
        assert (200, "success", True) == (status, answer["status"], answer["agents"][0]["confirmed"])
        assert {"paused"} == two.published()
        with two.gateway.client() as client:  # which knows who it was, whatever the agent heard
            assert answer["pause"] == data(client.state("BTC"))["pause"]
        # Only the database ends it.
        assert "success" == two.gateway.post("resume", {}).json()["status"]
        assert {"paused"} == two.published()
    finally:
        two.grant()
    eventually(lambda: two.published() == {"live"})
    wait_until_ready(two.gateway)


def test_a_pause_that_is_not_stored_reaches_the_agent_too(two: Two, postgres_process: PostgresServer) -> None:
    postgres_process.stop("immediate")
    try:
        status, answer = pause(two, asset_symbol="BTC")
        assert (202, "not_stored_yet", True) == (status, answer["status"], answer["agents"][0]["confirmed"])
        assert {"paused", "live"} == two.published()
    finally:
        postgres_process.start()
    eventually(lambda: two.gateway.newest() is not None and two.gateway.newest()["asset_symbol"] == "BTC")  # type: ignore[index]
    assert "success" == two.gateway.post("resume", {"asset_symbol": "BTC"}).json()["status"]
    eventually(lambda: two.published() == {"live"})
    wait_until_ready(two.gateway)


def test_an_agent_that_has_not_stopped_is_named_until_it_has(two: Two) -> None:
    two.agent.process.send_signal(signal.SIGSTOP)
    try:
        status, answer = pause(two)
        (agent,) = answer["agents"]
        assert (202, "not_confirmed_yet", ["1/1", list(ASSETS), False]) == (
            status, answer["status"], [agent[name] for name in ("agent", "assets", "confirmed")],
        )  # fmt: skip
        assert answer["message"].startswith("Paused: all assets. Not confirmed by agent 1/1 (BTC, ETH: the state")
        ready = two.gateway.get("/ready")
        assert (200, "degraded") == (ready.status_code, ready.json()["status"])
        assert ready.json()["pauses"]
        assert list(ASSETS) == two.gateway.get(f"{COMPREHENSIVE}/pause").json()["paused"]
    finally:
        two.agent.process.send_signal(signal.SIGCONT)
    eventually(lambda: two.published() == {"paused"})
    wait_until_ready(two.gateway)
    two.resume()

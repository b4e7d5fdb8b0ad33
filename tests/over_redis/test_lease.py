"""Several processes on one Redis: one of them carries out what comes, and another one when that is gone."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from redis_running import (
    CONTROL,
    LEASE,
    RESULTS,
    RunningRedis,
    eventually,
    listens,
    wait_for_redis,
)
from running import RunningServer
from vivienne.redis.client import Client
from vivienne.redis.lease import SURE_SECONDS, Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SMALL = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500")
TAKE_OVER_SECONDS = 5.0


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, redis: RunningRedis) -> Iterator[list[RunningServer]]:
    """Two processes, each with a database of its own."""
    folder = tmp_path_factory.mktemp("lease")
    with ExitStack() as stack:
        yield [
            stack.enter_context(RunningServer(*SMALL, "--redis", redis.url, db=folder / f"{name}.db"))
            for name in ("one", "other")
        ]


@pytest.fixture
def servers(two: list[RunningServer], redis: RunningRedis) -> list[RunningServer]:
    """Both processes, that which holds the lease first, started again where a test ended one."""
    for server in two:
        if server.process.poll() is not None:
            server.start()
        wait_for_redis(server)
    eventually(lambda: any(holds(redis, server) for server in two))
    eventually(lambda: not redis.is_waiting())
    return sorted(two, key=lambda server: not holds(redis, server))


@pytest.fixture
def made(servers: list[RunningServer]) -> Callable[[RunningServer], list[float]]:
    """The position sizes a server was told in this test."""
    before = {server: len(sizes(server)) for server in servers}
    return lambda server: sizes(server)[before[server] :]


@pytest.fixture
def another_redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


def holds(redis: RunningRedis, server: RunningServer) -> bool:
    """Whether the lease is that of this process, and it listens."""
    return f"-{server.process.pid}-" in (redis.client.get(LEASE) or "") and listens(redis)


def control(value: float, **more: Any) -> dict[str, Any]:
    return {"type": "control", "strategy": "general_parameters", "params": {"position_size_bang": value}, **more}


def sizes(server: RunningServer) -> list[float]:
    """The position sizes a server was told, in order."""
    return [revision["config"]["settings"]["position_size_bang"] for revision in reversed(server.history())]


def test_only_one_of_two_carries_out_what_comes(
    redis: RunningRedis, servers: list[RunningServer], made: Callable[[RunningServer], list[float]]
) -> None:
    with redis.listener(RESULTS) as results:
        for value in range(1, 11):
            redis.send(control(value))
            redis.add(control(value + 0.5))
        for _ in range(20):
            assert "success" == results.hear()["status"]
        assert results.nothing_comes(0.3)

    first, second = servers
    assert sorted([*range(1, 11), *(value + 0.5 for value in range(1, 11))]) == sorted(made(first))
    assert [] == made(second)


def test_a_control_message_by_websocket_is_applied_where_it_arrives(
    servers: list[RunningServer], made: Callable[[RunningServer], list[float]]
) -> None:
    first, second = servers
    with second.client() as client:
        answer = client.ask(control(7.0, request_id="from the second"))

    assert ("success", "from the second") == (answer["status"], answer["request_id"])
    assert ([], [7.0]) == (made(first), made(second))


def test_when_the_holder_is_killed_the_other_one_takes_over(
    redis: RunningRedis, servers: list[RunningServer], made: Callable[[RunningServer], list[float]]
) -> None:
    first, second = servers
    redis.add(control(1.0))
    eventually(lambda: not redis.is_waiting())
    first.kill()
    redis.add(control(2.0))

    eventually(lambda: holds(redis, second), TAKE_OVER_SECONDS)
    with redis.listener(RESULTS) as results:
        redis.send(control(3.0, request_id="later"))
        while results.hear().get("request_id") != "later":
            pass
    eventually(lambda: not redis.is_waiting())
    assert {2.0, 3.0} == set(made(second))


def test_when_the_holder_stops_the_other_one_takes_over_at_once(
    redis: RunningRedis, servers: list[RunningServer]
) -> None:
    first, second = servers
    begin = time.monotonic()
    first.stop()
    eventually(lambda: holds(redis, second))
    # Sooner than the lease could have run out by itself.
    assert time.monotonic() - begin < SURE_SECONDS


def test_a_holder_that_was_held_up_leaves_alone_what_it_finds_afterwards(
    redis: RunningRedis, servers: list[RunningServer], made: Callable[[RunningServer], list[float]]
) -> None:
    """Its connections are as they were, so what was said in the meantime waits for it in their buffers."""
    first, second = servers
    first.process.send_signal(signal.SIGSTOP)
    try:
        redis.send(control(21.0))
        redis.add(control(22.0))
        eventually(lambda: f"-{second.process.pid}-" in (redis.client.get(LEASE) or ""), TAKE_OVER_SECONDS)
        eventually(lambda: redis.client.pubsub_numsub(CONTROL)[0][1] == 2)
        with redis.listener(RESULTS) as results:
            assert redis.send(control(23.0)) == 2
            redis.add(control(24.0))
            assert {22.0, 23.0, 24.0} >= {results.hear()["changed"][0]["new"] for _ in range(2)}
            eventually(lambda: not redis.is_waiting())
    finally:
        first.process.send_signal(signal.SIGCONT)
    # It notices, and lets go of its old subscription.
    eventually(lambda: redis.client.pubsub_numsub(CONTROL)[0][1] == 1)
    wait_for_redis(first)
    with redis.listener(RESULTS) as results:
        redis.send(control(25.0))
        assert "success" == results.hear()["status"]

    assert [] == made(first)
    # The first message was said while nobody could carry it out; the stream forgets nothing.
    assert [22.0, 23.0, 24.0, 25.0] == sorted(made(second))


def test_alone_it_applies_what_it_finds_because_nobody_else_has(tmp_path: Path, another_redis: RunningRedis) -> None:
    """One that was busy for so long that its lease expired is such a process too."""
    redis = another_redis
    with RunningServer(*SMALL, "--redis", redis.url, db=tmp_path / "v.db") as server:
        wait_for_redis(server)
        server.process.send_signal(signal.SIGSTOP)
        redis.send(control(1.0))
        redis.add(control(2.0))
        time.sleep(SURE_SECONDS + 1.0)
        server.process.send_signal(signal.SIGCONT)
        eventually(lambda: redis.client.xinfo_groups("vivienne:control:stream") and not redis.is_waiting())
        eventually(lambda: redis.send(control(3.0)) and 3.0 in sizes(server))
        assert {1.0, 2.0} < {*sizes(server)}
        assert "Lost the lease" not in server.log


async def test_the_holder_stops_relying_on_a_lease_before_another_one_can_get_it(redis: RunningRedis) -> None:
    now, key = 100.0, "vivienne:of-this-test:lease"
    client = Client(redis.url)
    lease, other = Lease(key, "one", lambda: now), Lease(key, "other", lambda: now)
    try:
        assert not lease.held()
        assert await lease.keep(client)
        assert not await other.keep(client)
        now += SURE_SECONDS - 0.01
        assert lease.held()
        now += 0.02
        assert not lease.held()
        # Redis has it for longer than that.
        assert SURE_SECONDS * 1000 < redis.client.pttl(key)
        assert not await other.keep(client)
        assert await lease.keep(client)
        await other.give_up(client)
        assert not await other.keep(client)
        await lease.give_up(client)
        assert await other.keep(client)
        assert not await lease.keep(client)
        assert not lease.held()
    finally:
        await client.aclose(close_connection_pool=True)


async def test_a_lease_that_is_renewed_too_late_is_the_same_one_if_nobody_else_has_held_it(redis: RunningRedis) -> None:
    key, lost = "vivienne:of-this-test:lease:late", 0
    client, lease, other = Client(redis.url), Lease(key, "one"), Lease(key, "other")

    def note() -> None:
        nonlocal lost
        lost += 1

    lease.when_lost(note)
    try:
        assert await lease.keep(client)
        lost = 0
        redis.client.delete(key)  # as if it had expired
        assert await lease.renew(client)
        assert lost == 0
        redis.client.delete(key)
        assert await other.keep(client)
        assert not await lease.renew(client)
        await other.give_up(client)
        # Free again, but the other one may have applied messages; it has to begin anew.
        assert not await lease.renew(client)
        assert (lost, lease.held()) == (2, False)
        assert await lease.keep(client)
        assert lost == 3
        await asyncio.wait_for(lease.wait(), 60)
    finally:
        await client.aclose(close_connection_pool=True)

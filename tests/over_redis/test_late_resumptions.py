"""A resumption that waited on Redis ends no pause that was asked for after it, and ends those from before."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from redis_running import CONTROL, RESULTS, STREAM, RunningRedis, client_of, wait_for_redis
from running import RunningServer
from vivienne.changes.asked import Asked
from vivienne.changes.requests import SwitchRequest
from vivienne.changes.service import ConfigService
from vivienne.errors import VersionConflict
from vivienne.redis.client import Client
from vivienne.redis.control.messages import ControlMessages
from vivienne.redis.control.names import ControlNames
from vivienne.redis.control.stream import ControlStream
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.times import written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

PAUSE, RESUME = {"type": "pause", "asset_symbol": "BTC"}, {"type": "resume", "asset_symbol": "BTC"}
DAY = 86_400_000
MIDDAY = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


@pytest.fixture
def redis(running: RunningRedis) -> RunningRedis:
    """A Redis that holds nothing."""
    running.client.flushall()
    return running


@asynccontextmanager
async def reading(service: ConfigService, redis: RunningRedis) -> AsyncIterator[None]:
    """Somebody reads the control stream."""
    async with client_of(redis.url) as client:
        stream = ControlStream(ControlMessages(service), ControlNames("vivienne:control"), "me", lambda: True)
        task = asyncio.create_task(stream.run(client, lambda: None))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def results_of(service: ConfigService, redis: RunningRedis, count: int) -> list[dict[str, Any]]:
    with redis.listener(RESULTS) as results:
        async with reading(service, redis):
            return [await asyncio.to_thread(results.hear) for _ in range(count)]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC", "ETH"])
    yield service
    await service.close()


def at(milliseconds: int) -> datetime:
    """A time after midday."""
    return MIDDAY + timedelta(milliseconds=milliseconds)


def switch(name: Any, **more: Any) -> SwitchRequest:
    return SwitchRequest(name, channel="rest", asset="BTC", **more)


async def test_an_entry_that_is_older_than_a_pause_does_not_end_it(service: ConfigService, redis: RunningRedis) -> None:
    redis.add(RESUME)
    await asyncio.sleep(0.01)  # the clock of Redis has milliseconds
    await service.switch(switch("pause", reason="since then"))

    (refused,) = await results_of(service, redis, 1)
    assert ("error", "version_conflict") == (refused["status"], refused["code"])
    assert "resume again to end that" in refused["message"]
    assert "since then" == service.paused()["BTC"].reason

    redis.add(RESUME)
    (done,) = await results_of(service, redis, 1)
    assert ("success", {}) == (done["status"], dict(service.paused()))


async def test_entries_that_waited_keep_their_order(service: ConfigService, redis: RunningRedis) -> None:
    for _ in range(10):
        for message in (PAUSE, RESUME):
            redis.add(message)
    assert ["success"] * 20 == [each["status"] for each in await results_of(service, redis, 20)]
    assert {} == service.paused()


async def test_a_pause_that_was_there_before_the_entry_ends(service: ConfigService, redis: RunningRedis) -> None:
    await service.switch(switch("pause"))
    await asyncio.sleep(0.01)
    redis.add(RESUME)
    assert ["success"] == [each["status"] for each in await results_of(service, redis, 1)]
    assert {} == service.paused()


@pytest.mark.parametrize("number", ["0-1", "1-0", f"{2**63}-7", f"{2**64 - 2}-0"])
async def test_an_entry_may_have_any_number(service: ConfigService, redis: RunningRedis, number: str) -> None:
    await service.switch(switch("pause"))
    redis.client.xadd(STREAM, {"message": json.dumps(RESUME)}, id=number)
    redis.add({**PAUSE, "asset_symbol": "ETH"})
    first, second = await results_of(service, redis, 2)
    is_old = int(number.partition("-")[0]) < 2
    assert ("version_conflict" if is_old else None, "success") == (first.get("code"), second["status"])
    assert (["BTC", "ETH"] if is_old else ["ETH"]) == sorted(service.paused())


async def test_a_redis_without_the_command_is_no_trouble(
    service: ConfigService, redis: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def time(client: Client) -> Any:
        return await client.execute_command("WHAT_TIME")

    monkeypatch.setattr(Client, "time", time)
    for message in (PAUSE, RESUME, PAUSE):
        redis.add(message)
    assert ["success"] * 3 == [each["status"] for each in await results_of(service, redis, 3)]
    assert ["BTC"] == list(service.paused())


async def test_whoever_may_not_ask_redis_for_its_time_goes_on_and_says_so(
    service: ConfigService, redis: RunningRedis, caplog: pytest.LogCaptureFixture
) -> None:
    redis.client.execute_command("ACL", "SETUSER", "vivienne", "-time")
    try:
        with caplog.at_level(logging.WARNING):
            redis.add(RESUME)
            assert ["success"] == [each["status"] for each in await results_of(service, redis, 1)]
    finally:
        redis.client.execute_command("ACL", "SETUSER", "vivienne", "+time")
    assert any("Redis refuses TIME" in record.message for record in caplog.records)


@pytest.mark.parametrize(
    ("paused_at", "asked_at", "is_ended"),
    [
        (-1, 0, True),
        (0, 0, True),
        (1, 2, True),
        (1, 0, False),
        (DAY, 0, True),  # the clock of the process that paused is ahead
    ],
)
async def test_what_the_clocks_say(tmp_path: Path, paused_at: int, asked_at: int, *, is_ended: bool) -> None:
    """Times are in ms after midday; it is a second past."""
    store = SqliteRevisionStore(tmp_path / "v.db")
    pausing = ConfigService(store, ["BTC"], clock=lambda: at(paused_at))
    await pausing.switch(switch("pause"))
    service = ConfigService(store, ["BTC"], clock=lambda: at(1_000))
    asked = Asked(written(at(asked_at)), written(at(asked_at)))

    if is_ended:
        await service.switch(switch("resume", asked=asked))
    else:
        with pytest.raises(VersionConflict, match="Somebody paused after this resumption"):
            await service.switch(switch("resume", asked=asked))
    assert is_ended == (not service.paused())
    for each in (pausing, service):
        await each.close()


@pytest.mark.parametrize("seconds", [0.4, 1.8, 5.0])
def test_what_waited_until_redis_went_on_ends_no_pause_that_was_made_meanwhile(
    running: RunningRedis, tmp_path: Path, seconds: float
) -> None:
    """Whether the connection was lost meanwhile or not: the number of an entry has the time when Redis took it in."""
    running.client.flushall()
    resume = json.dumps(RESUME).encode()
    commands = ((b"PUBLISH", CONTROL.encode(), resume), (b"XADD", STREAM.encode(), b"*", b"message", resume))
    with (
        RunningServer("--assets", "BTC", "--redis", running.url, db=tmp_path / "v.db") as server,
        ExitStack() as opened,
        running.listener(RESULTS) as results,
    ):
        wait_for_redis(server)
        senders = [opened.enter_context(socket.create_connection(("127.0.0.1", running.port))) for _ in commands]
        assert server.post("pause", {"asset_symbol": "BTC"}).status_code == 200
        running.pause()
        try:
            for sender, command in zip(senders, commands, strict=True):
                sender.sendall(packed(*command))
            time.sleep(seconds)  # nothing happens in it, for Redis stands still
            assert server.post("pause", {"asset_symbol": "BTC", "reason": "meanwhile"}).status_code == 200
        finally:
            running.resume()
        wait_for_redis(server)
        number = senders[1].recv(100).split(b"\r\n")[1].decode()
        # What was published has a result too, unless the connection was lost.
        while (result := results.hear()).get("request_id") != f"{STREAM}:{number}":
            assert result["code"] == "version_conflict"
        assert result["code"] == "version_conflict"
        assert server.active("BTC")["pause"]["reason"] == "meanwhile"


def packed(*words: bytes) -> bytes:
    """A command as it is sent to Redis."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

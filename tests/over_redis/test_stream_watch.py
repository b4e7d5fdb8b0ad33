"""Entries that others take out of a stream, and an end that they put to it, are noticed and said."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from redis_running import STREAM, RunningRedis, eventually, redis_state, wait_for_redis
from running import RunningServer
from vivienne.changes.service import ConfigService
from vivienne.redis import group
from vivienne.redis.client import Client
from vivienne.redis.control import stream as module
from vivienne.redis.control.messages import ControlMessages
from vivienne.redis.control.names import ControlNames
from vivienne.redis.control.stream import ControlStream
from vivienne.redis.stream_watch import SHOWN_SECONDS, StreamWatch
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

SECONDS = 60.0
GREATEST = f"{2**64 - 1}-{2**64 - 1}"


@pytest.fixture(scope="module")
def redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(redis: RunningRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    redis.client.flushall()
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(group, "READ_SECONDS", 0.02)


def message(value: float) -> str:
    params = {"position_size_bang": value}
    return json.dumps({"type": "control", "strategy": "general_parameters", "params": params})


@asynccontextmanager
async def reading(redis: RunningRedis, path: Path) -> AsyncIterator[tuple[StreamWatch, ConfigService]]:
    service, client = ConfigService(SqliteRevisionStore(path), ["BTC"]), Client(redis.url)
    stream = ControlStream(ControlMessages(service), ControlNames("vivienne:control"), "me", lambda: True)
    running = asyncio.create_task(stream.run(client, lambda: None))
    try:
        yield stream.watch, service
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait([running], timeout=SECONDS)
        await client.aclose(close_connection_pool=True)
        await service.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not is_so():  # noqa: ASYNC110  # nothing to wait for but time
            await asyncio.sleep(0.01)


async def test_entries_that_are_taken_out_before_they_are_read_are_counted_and_said(
    redis: RunningRedis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with reading(redis, tmp_path / "v.db") as (watch, service):
        redis.add(message(1.0))
        await until(lambda: service.active(None).version == 1)
        with redis.client.pipeline(transaction=True) as batch:
            batch.xadd(STREAM, {"message": message(2.0)})
            batch.xadd(STREAM, {"message": "{}"}, maxlen=0, approximate=False)
            batch.execute()
        await until(lambda: watch.lost == 2)
        assert f"2 entries of the stream {STREAM} were gone before they could be read" in str(watch.trouble)
        assert "Add them again" in caplog.text
        redis.add(message(3.0))
        await until(lambda: service.active(None).version == 2)
        with redis.client.pipeline(transaction=True) as batch:
            batch.xadd(STREAM, {"message": message(4.0)})
            batch.xadd(STREAM, {"message": "{}"}, maxlen=0, approximate=False)
            batch.xadd(STREAM, {"message": message(5.0)})
            batch.execute()
        await until(lambda: service.active(None).version == 3)
        await until(lambda: watch.lost == 4)


async def test_entries_that_were_read_may_be_taken_out(redis: RunningRedis, tmp_path: Path) -> None:
    looks = 0

    async def look(watch: StreamWatch, client: Client) -> None:
        nonlocal looks
        await original(watch, client)
        looks += 1

    original = StreamWatch.look
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StreamWatch, "look", look)
        async with reading(redis, tmp_path / "v.db") as (watch, service):
            for number in range(1, 5):
                redis.add(message(float(number)))
                await until(lambda number=number: service.active(None).version == number)  # type: ignore[misc]
                redis.client.xtrim(STREAM, maxlen=0, approximate=False)
            redis.client.delete(STREAM)
            redis.add(message(9.0))
            await until(lambda: service.active(None).version == 5)
            before = looks
            await until(lambda: looks > before + 2)
            assert (watch.lost, watch.trouble) == (0, None)


def test_a_stream_that_nothing_can_be_added_to_is_said_with_the_way_out(redis: RunningRedis, tmp_path: Path) -> None:
    with RunningServer("--assets", "BTC", "--redis", redis.url, db=tmp_path / "v.db") as server:
        wait_for_redis(server)
        redis.client.xadd(STREAM, {"message": message(1.0)}, id=GREATEST)
        eventually(lambda: f"DEL {STREAM}" in redis_state(server), SECONDS)
        redis.client.delete(STREAM)
        eventually(lambda: redis_state(server) == "ok", SECONDS)


async def test_what_was_lost_is_said_for_a_while(redis: RunningRedis) -> None:
    now = [0.0]
    watch, client = StreamWatch(STREAM, "g", clock=lambda: now[0]), Client(redis.url)
    redis.client.xgroup_create(STREAM, "g", id="0", mkstream=True)
    redis.client.xadd(STREAM, {"message": "{}"})
    redis.client.xreadgroup("g", "me", {STREAM: ">"})
    try:
        await watch.look(client)
        redis.client.xadd(STREAM, {"message": "{}"}, maxlen=0, approximate=False)
        await watch.look(client)
        assert (watch.lost, watch.trouble) == (0, None)  # it may have come at this moment
        await watch.look(client)
        assert (watch.lost, watch.trouble) == (0, None)  # nobody has asked for it since
        watch.got(0)
        await watch.look(client)
        assert watch.lost == 1
        assert watch.trouble is not None
        now[0] = SHOWN_SECONDS
        assert watch.trouble is None
    finally:
        await client.aclose(close_connection_pool=True)


async def test_of_a_stream_that_was_never_read_what_was_lost_shows_with_the_first_entry_that_is_left(
    redis: RunningRedis, tmp_path: Path
) -> None:
    redis.client.xgroup_create(STREAM, "vivienne", id="0", mkstream=True)
    async with reading(redis, tmp_path / "v.db") as (watch, service):
        with redis.client.pipeline(transaction=True) as batch:
            batch.xadd(STREAM, {"message": message(2.0)})
            batch.xadd(STREAM, {"message": message(3.0)}, maxlen=1, approximate=False)
            batch.execute()
        await until(lambda: service.active(None).version == 1)
        await until(lambda: watch.lost == 1)

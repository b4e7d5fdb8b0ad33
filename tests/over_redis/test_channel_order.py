"""On the control channel pauses wait for no changes, and changes that are too many are refused."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from redis_running import CONTROL, RESULTS, RunningRedis
from vivienne.changes.service import ConfigService
from vivienne.redis.client import Client
from vivienne.redis.control import channel
from vivienne.redis.control.channel import ControlChannel
from vivienne.redis.control.messages import ControlMessages, Outcome
from vivienne.redis.control.names import ControlNames
from vivienne.redis.listening import heard
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

SECONDS = 60.0
CHANGE = {"type": "config_update", "config": {"bang_threshold": 85}}
PAUSE, RESUME = {"type": "control", "strategy": "pause"}, {"type": "resume"}


@pytest.fixture(scope="module")
def redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


class Held(ControlMessages):
    """Changes wait until they are let go."""

    def __init__(self, service: ConfigService) -> None:
        super().__init__(service)
        self.service = service
        self.let_go = asyncio.Event()

    async def carry_out(self, raw: bytes, request_id: str | None = None) -> Outcome:
        if not self.is_switch(raw):
            await self.let_go.wait()
        return await super().carry_out(raw, request_id)


@asynccontextmanager
async def listening(redis: RunningRedis, tmp_path: Path) -> AsyncIterator[tuple[Held, asyncio.Queue[dict[str, Any]]]]:
    """A process that listens to the channel, and the results."""
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ("BTC",))
    messages, client, results = Held(service), Client(redis.url), asyncio.Queue[dict[str, Any]]()
    both = [asyncio.Event(), asyncio.Event()]

    async def hear() -> None:
        async for raw in heard(client, both[0].set, RESULTS):
            if raw is not None:
                results.put_nowait(orjson.loads(raw))

    control = ControlChannel(messages, ControlNames(CONTROL), lambda: True)
    tasks = [asyncio.create_task(hear()), asyncio.create_task(control.run(client, both[1].set))]
    async with asyncio.timeout(SECONDS):
        for each in both:
            await each.wait()
        yield messages, results
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await client.aclose(close_connection_pool=True)
    await service.close()


async def test_a_pause_waits_for_no_change_that_was_published_before_it(redis: RunningRedis, tmp_path: Path) -> None:
    async with listening(redis, tmp_path) as (messages, results):
        for message in (CHANGE, CHANGE, RESUME, PAUSE):
            redis.send(message)
        resumed, paused = await results.get(), await results.get()
        # They keep their own order, so a resumption ends no pause that came after it.
        assert [each["message"].partition(":")[0] for each in (resumed, paused)] == ["Resumed", "Paused"]
        assert messages.service.paused().keys() == {"BTC"}
        messages.let_go.set()
        assert [(await results.get())["status"] for _ in range(2)] == ["success", "success"]


async def test_changes_that_are_too_many_are_refused_in_words(
    redis: RunningRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "MOST_WAITING", 3)
    async with listening(redis, tmp_path) as (messages, results):
        for _ in range(7):
            redis.send(CHANGE)
        redis.send({**PAUSE, "reason": "pause", "nonsense": "pause"})
        refused = [await results.get() for _ in range(4)]
        assert {each["code"] for each in refused} >= {"too_many_requests", "malformed"}
        assert "3 changes wait on this channel" in refused[0]["message"]
        messages.let_go.set()
        assert [(await results.get())["status"] for _ in range(4)] == ["success"] * 4

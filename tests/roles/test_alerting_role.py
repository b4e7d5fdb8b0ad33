"""Alerts of processes that share a database, put together as `vivienne serve` does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from vivienne.changes.alerts.requests import AlertRequest, SetRule
from vivienne.changes.requests import SwitchRequest
from vivienne.changes.service import ConfigService
from vivienne.outbox import inheriting
from vivienne.outbox.sending import Attempt
from vivienne.roles.alerting import alerting_of
from vivienne.roles.market import feed_of
from vivienne.roles.recording import recorded_market
from vivienne.settings.boot import Boot
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard
from vivienne.times import elapsed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import pytest

    from vivienne.outbox.sending import AnyChannel, Message

SECONDS = 60.0
RULE = {"name": "pauses", "assets": ["*"], "event": "pause", "channels": [{"type": "browser"}]}


class Told:
    """Takes every message, and knows what was told."""

    def __init__(self) -> None:
        self.actions: list[str] = []

    async def send(self, message: Message) -> Attempt:
        event: Any = message.event
        events = event["events"] if event["type"] == "several" else [event]
        self.actions += [each["details"]["action"] for each in events]
        return Attempt("delivered")

    def destination(self, channel: AnyChannel) -> str:
        return channel.id


@asynccontextmanager
async def process(database: str, **more: Any) -> AsyncIterator[tuple[ConfigService, Told]]:
    """A process that decides and sends alerts, and does not follow the others yet."""
    url = PostgresUrl.read(database)
    assert url is not None
    boot, told = Boot.read(db=database, assets="BTC", feed="push"), Told()
    service = ConfigService(PostgresRevisionStore(url), boot.assets)
    feed = feed_of(boot, boot.assets, service.metrics)
    market = recorded_market(boot, feed, service, StateBoard(Hub()), None)
    alerting = alerting_of(boot, market, service, {"browser": told}, {}, "a process", **more)
    tasks = [asyncio.create_task(run()) for run in alerting.tasks.values()]
    try:
        yield service, told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await service.close()


@asynccontextmanager
async def following(*services: ConfigService) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.follow()) for each in services]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def switch(service: ConfigService, action: Any) -> None:
    await service.switch(SwitchRequest(action, channel="test", author="ana"))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110  # what a test waits for has no event
            await asyncio.sleep(0.01)


async def test_one_of_several_processes_tells_of_all_pauses(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the last one that is told might not be the last one that was made. It is soon found out which one does."""
    monkeypatch.setattr(inheriting, "ALIVE_SECONDS", 0.1)
    monkeypatch.setattr(
        inheriting, "gone", lambda *_: []
    )  # by its number one of them is gone: they are one process here
    async with process(database) as (first, told), process(database) as (second, told_too), following(first, second):
        await first.change_alert(AlertRequest(SetRule(RULE), None, channel="test", author="ana"))
        await until(lambda: len(second.alerts.rules()) == 1)
        by_first: list[int] = []
        async with asyncio.timeout(SECONDS):
            while len(by_first) < 5 or by_first[-1] - by_first[-5] not in (0, 4):
                made = len(by_first)
                await switch((first, second)[made % 2], "pause")
                await until(lambda: len(told.actions) + len(told_too.actions) > made)  # noqa: B023  # it is awaited
                by_first.append(len(told.actions))


async def test_a_process_that_nothing_reaches_tells_of_no_resumption(database: str) -> None:
    async with process(database, hears=lambda: False) as (service, told):
        await service.change_alert(AlertRequest(SetRule(RULE), None, channel="test", author="ana"))
        service._following._seconds = lambda: elapsed() + 5.0  # so long it has not looked at the database
        await switch(service, "pause")
        await until(lambda: told.actions == ["paused"])
        await switch(service, "resume")
        await until(lambda: not service._following.is_up)
        assert told.actions == ["paused"]
        async with following(service):
            await until(lambda: told.actions == ["paused", "resumed"])

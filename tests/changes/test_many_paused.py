"""Thousands of assets that are paused one by one: nobody looks at all of them because one more is paused."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import orjson
import pytest
from fastapi import FastAPI

from revisions import revision
from vivienne import slices
from vivienne.access.budget import TimeBudgets
from vivienne.changes.pause.state import PauseInForce, Pauses, PausesInForce
from vivienne.changes.requests import SwitchRequest
from vivienne.changes.service import ConfigService
from vivienne.config.layers import GLOBAL
from vivienne.redis import pauses as announcing
from vivienne.redis.pauses import PauseAnnouncer
from vivienne.server.configuration import PREFIX, configuration_routes
from vivienne.server.operation import operation_routes
from vivienne.server.readiness import Readiness
from vivienne.server.store_health import StoreHealth
from vivienne.slices import one_piece
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from vivienne.live.view import MarketView
    from vivienne.slices import Pieces

MANY = 300
ASSETS = tuple(f"A{number}" for number in range(MANY))


class ByName(dict[str, PauseInForce]):
    """Pauses of layers, of which single ones may be asked for."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("looks at all of them")

    def values(self) -> Any:
        raise AssertionError("looks at all of them")

    items = keys = values


class Counted(Pauses):
    """Pauses that count how often somebody goes through them."""

    times = 0

    def __iter__(self) -> Iterator[PauseInForce]:
        type(self).times += 1
        return super().__iter__()


def pause(layer: str, number: int, version: int | None = None) -> PauseInForce:
    when = "2026-01-02T03:04:05.678Z"
    return PauseInForce(f"{layer}-{number}", layer, version, when, "ann", None, "rest", None)


def test_a_pause_is_found_without_a_look_at_those_of_other_assets() -> None:
    stored = ByName({asset: pause(asset, 1, number) for number, asset in enumerate(ASSETS, 1)})
    found = PausesInForce(stored, Counted(pause(asset, 2) for asset in ASSETS), Counted([pause(GLOBAL, 3)]))
    for asset in ASSETS:
        assert found.own(asset) == found.of(asset) == pause(asset, 2)
        assert all(found.knows(f"{asset}-{number}", asset) for number in (1, 2))
        assert not found.knows(f"{asset}-1", GLOBAL)
        assert not found.knows("A0-3", asset)
        assert found.waiting(asset) == []
    assert found.knows(f"{GLOBAL}-3", GLOBAL)
    assert Counted.times < 10  # to note where they are

    only_stored = PausesInForce(stored)
    assert [only_stored.of(asset) for asset in ASSETS] == [only_stored.own(asset) for asset in ASSETS]
    assert only_stored.paused(ASSETS) == [*ASSETS]


def test_of_several_pauses_the_latest_shows_and_what_is_stored_goes_before_what_was_heard() -> None:
    first, of_all, last = pause("A0", 1), pause(GLOBAL, 2), pause("A0", 3)
    assert PausesInForce(held=Pauses([first, of_all])).of("A0") == of_all
    assert PausesInForce(held=Pauses([of_all, last])).of("A0") == last
    assert PausesInForce(held=Pauses([of_all, last])).own(GLOBAL) == of_all
    stored = {"A0": pause("A0", 4, 7), GLOBAL: pause(GLOBAL, 5, 8)}
    heard = PausesInForce(stored).hearing(first, last, of_all, pause("A1", 6))
    assert (heard.of("A0"), heard.own("A0")) == (stored[GLOBAL], stored["A0"])
    assert heard.heard == (last, of_all, pause("A1", 6))  # one of each kind and layer
    assert (first in heard.heard, last in heard.heard) == (False, True)
    assert heard.layers() == [GLOBAL, "A0", "A1"]
    assert heard.without_heard([last, of_all]).heard == (pause("A1", 6),)


def test_many_announcements_are_taken_in_one_go() -> None:
    Counted.times = 0
    before = PausesInForce(heard=Counted(pause(asset, 1) for asset in ASSETS))
    after = before.hearing(*(pause(asset, 2) for asset in ASSETS))
    assert (len(after.heard), {each.config_id for each in after.heard}) == (MANY, {f"{asset}-2" for asset in ASSETS})
    assert Counted.times <= 2


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    """All assets but the last one are paused one by one."""
    store = SqliteRevisionStore(tmp_path / "v.db")
    store.append(
        *(revision(number, layer=asset, action="pause", document={}) for number, asset in enumerate(ASSETS[:-1], 1))
    )
    found = ConfigService(store, ASSETS)
    yield found
    await found.close()


class Redis:
    """Remembers which assets were announced, a list for each message."""

    def __init__(self) -> None:
        self.published: list[list[str]] = []
        self.came = asyncio.Event()

    async def publish(self, _channel: str, message: bytes) -> None:
        await asyncio.sleep(0)
        self.published.append([each["asset_symbol"] for each in orjson.loads(message)["pauses"]])
        self.came.set()

    async def next(self) -> list[str]:
        """The next message."""
        async with asyncio.timeout(30):
            while not self.published:
                self.came.clear()
                await self.came.wait()
        return self.published.pop(0)


async def running(announcer: PauseAnnouncer, redis: Redis) -> asyncio.Task[None]:
    """An announcer that has announced what was there."""
    task = asyncio.create_task(announcer.run(cast("Any", redis), lambda: None))
    found = [asset for message in (await redis.next(), await redis.next()) for asset in message]
    assert sorted(found) == sorted(ASSETS[:-1])
    return task


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_new_pause_is_announced_without_a_look_at_all_assets(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "REPEAT_SECONDS", 600.0)
    looks: list[int] = []

    def look() -> Pieces[list[str]]:
        looks.append(len(looks))
        yield
        return []

    redis = Redis()
    task = await running(PauseAnnouncer(service, "p-1", look), redis)
    for switch in ("pause", "resume", "pause"):
        await service.switch(SwitchRequest(cast("Any", switch), channel="test", asset=ASSETS[-1]))
        if switch == "pause":
            assert await redis.next() == [ASSETS[-1]]
    assert (looks, redis.published) == ([], [])
    await ended(task)


async def test_a_pause_is_announced_while_all_assets_are_looked_at(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "REPEAT_SECONDS", 0.0)
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    looking = asyncio.Event()

    def look() -> Pieces[list[str]]:
        while True:
            looking.set()
            yield

    redis = Redis()
    task = await running(PauseAnnouncer(service, "p-1", look), redis)
    async with asyncio.timeout(30):
        await looking.wait()
    await service.switch(SwitchRequest("pause", channel="test", asset=ASSETS[-1]))
    assert await redis.next() == [ASSETS[-1]]
    await ended(task)


async def test_what_somebody_may_not_have_heard_is_announced_again(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "REPEAT_SECONDS", 0.01)
    redis = Redis()
    task = await running(PauseAnnouncer(service, "p-1", lambda: one_piece(lambda: ["A7", ASSETS[-1]])), redis)
    assert [await redis.next() for _ in range(3)] == [["A7"]] * 3  # the other one is not paused
    await ended(task)


@pytest.mark.parametrize("path", ["/ready", f"{PREFIX}/pause"])
async def test_others_have_their_turn_while_all_pauses_are_listed(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    made, seen = [0], set[int]()

    def counted(self: PauseInForce) -> Any:
        made[0] += 1
        return self.config_id

    monkeypatch.setattr(PauseInForce, "sentence", counted)
    monkeypatch.setattr(PauseInForce, "entry", counted)
    app, store = FastAPI(), StoreHealth(service)
    market = SimpleNamespace(is_local=True, assets=ASSETS, troubles=lambda: one_piece(dict))
    operation_routes(service, store, Readiness(service, cast("MarketView", market), store)).add_to(app)
    configuration_routes(service, TimeBudgets(monotonic)).add_to(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        asking = asyncio.create_task(client.get(path))
        while not asking.done():
            seen.add(made[0])
            await asyncio.sleep(0)
        assert len((await asking).json()["paused"]) == MANY - 1
    assert seen >= {*range(MANY - 1)}

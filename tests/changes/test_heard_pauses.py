"""Pauses that another process announces: in force at once, and no longer than the database or a resumption allows."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import orjson
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError

from revisions import revision
from vivienne.changes.pause import adopting, hearing
from vivienne.changes.requests import KnownPause, SwitchRequest
from vivienne.changes.service import ConfigService
from vivienne.errors import StoreReplaced, StoreUnavailable, VersionConflict
from vivienne.redis.pauses import PauseAnnouncer
from vivienne.server.operation import operation_routes
from vivienne.server.readiness import Readiness
from vivienne.server.store_health import StoreHealth
from vivienne.slices import one_piece
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.times import now, written
from vivienne.wire.pause import PauseClaim

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vivienne.live.view import MarketView
    from vivienne.store.revision import Revision

ASSETS = ("BTC", "ETH")
RESUME = SwitchRequest("resume", channel="test", asset="BTC")


@pytest.fixture
def store(tmp_path: Path) -> SqliteRevisionStore:
    """Stands for a database to which other processes append."""
    found = SqliteRevisionStore(tmp_path / "v.db")
    found.append(revision(1))
    return found


@pytest.fixture
async def service(store: SqliteRevisionStore) -> AsyncIterator[ConfigService]:
    found = ConfigService(store, ASSETS)
    yield found
    await found.close()


def claim(version: int | None, asset: str | None = None, *, ago: float = 0.0, name: str = "c-1") -> PauseClaim:
    at = written(now() - timedelta(seconds=ago))
    return {"config_id": name, "asset_symbol": asset, "version": version, "created_at": at}


def paused(service: ConfigService) -> list[str]:
    return list(service.paused())


async def announced_by(service: ConfigService) -> list[str]:
    """Names of the pauses that a process announces to one that has just connected."""
    published: list[PauseClaim] = []

    class Redis:
        async def publish(self, _channel: str, message: bytes) -> None:
            published.extend(orjson.loads(message)["pauses"])

    announcer = PauseAnnouncer(service, "p-1")
    with suppress(TimeoutError):
        async with asyncio.timeout(0.0):
            await announcer.run(cast("Any", Redis()), asyncio.Event().set)
    return [each["config_id"] for each in published]


@pytest.mark.parametrize("version", [0, 2**53, 10**30])
def test_a_version_that_no_database_has_is_no_announcement(version: int) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(PauseClaim).validate_python(claim(version))


@pytest.mark.parametrize("version", [None, 7])
async def test_it_is_in_force_at_once_and_names_nobody(service: ConfigService, version: int | None) -> None:
    told: list[Any] = []
    service.listen_to_held(lambda _assets: told.append(paused(service)))
    service.hear(claim(version))

    assert [list(ASSETS)] == told
    pause = service.active("BTC").pause
    assert pause is not None
    assert ("anonymous", "redis", version) == (pause.author, pause.channel, pause.version)
    service.hear(claim(version))
    assert 1 == len(told)


async def test_what_is_over_or_bears_on_nothing_here_is_left_out(
    service: ConfigService, store: SqliteRevisionStore
) -> None:
    store.append(revision(2, "BTC", "pause", config_id="c-1"), revision(3, "BTC", "resume"))
    await service.catch_up()
    service.hear(claim(2, "BTC"))
    service.hear(claim(7, "DOGE"))
    await service.look()
    assert [] == paused(service)


async def test_when_it_is_read_it_is_the_stored_one(service: ConfigService, store: SqliteRevisionStore) -> None:
    service.hear(claim(2, "BTC"))
    store.append(revision(2, "BTC", "pause", config_id="c-1", author="ada"))
    await service.catch_up()

    pause = service.active("BTC").pause
    assert pause is not None
    assert ("ada", 2, ["BTC"]) == (pause.author, pause.version, paused(service))
    store.append(revision(3, "BTC", "resume"))
    await service.catch_up()
    assert [] == paused(service)


@pytest.mark.parametrize("version", [1, 7])
async def test_one_that_the_database_lost_stays_and_is_stored_again(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """Whether it has other revisions of such versions by now, or none."""
    monkeypatch.setattr(hearing, "BELIEVED_SECONDS", 0.0)
    announced = claim(version, ago=10.0)
    service.hear(announced)
    await service.look()
    (pause,) = service.pauses().heard
    assert (list(ASSETS), None) == (paused(service), pause.version)

    monkeypatch.setattr(adopting, "ADOPT_SECONDS", 0.0)
    await service.look()
    assert 2 == service.pauses().stored["global"].version
    await service.switch(replace(RESUME, asset=None))
    service.hear(announced)
    await service.look()
    assert [] == paused(service)


@pytest.fixture
def failing(store: SqliteRevisionStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[StoreUnavailable | None], None]:
    """Has every look at the database fail with an error; or succeed, with None."""
    after = store.after
    why: StoreUnavailable | None = None

    def look(version: int, limit: int) -> list[Revision]:
        if why is not None:
            raise why
        return after(version, limit)

    def fail(error: StoreUnavailable | None) -> None:
        nonlocal why
        why = error

    monkeypatch.setattr(store, "after", look)
    monkeypatch.setattr(store, "append_to_replaced", lambda *_: None)  # this engine is never replaced
    return fail


@pytest.mark.parametrize("error", [StoreUnavailable("down"), StoreReplaced("another one")])
@pytest.mark.parametrize("is_known", [False, True])
async def test_one_that_cannot_be_looked_up_is_in_force_whatever_its_version(
    service: ConfigService,
    store: SqliteRevisionStore,
    failing: Callable[[StoreUnavailable | None], None],
    error: StoreUnavailable,
    *,
    is_known: bool,
) -> None:
    """Whether the database failed before or not: one that lost versions numbers others anew."""
    store.append(revision(2), revision(3))
    await service.catch_up()
    told: list[Any] = []
    service.listen_to_held(lambda _assets: told.append(paused(service)))
    failing(error)
    if is_known:
        await service.look()
    for _ in range(5):  # it is repeated until it is confirmed
        service.hear(claim(2, "BTC"))
        await service.look()

    assert [["BTC"]] == told
    pause = service.active("BTC").pause
    assert pause is not None
    assert ("c-1", 2, "anonymous") == (pause.config_id, pause.version, pause.author)


async def test_one_that_was_over_ends_when_it_can_be_looked_up_again(
    service: ConfigService,
    store: SqliteRevisionStore,
    failing: Callable[[StoreUnavailable | None], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing, "BELIEVED_SECONDS", 0.0)
    store.append(revision(2, "BTC", "pause", config_id="c-1"), revision(3, "BTC", "resume"))
    restarted = ConfigService(store, ASSETS)  # does not remember which ones ended
    await service.catch_up()
    failing(StoreUnavailable("down"))
    for each in (service, restarted):
        each.hear(claim(2, "BTC"))
        await each.look()
    assert ([], ["BTC"]) == (paused(service), paused(restarted))

    failing(None)
    await restarted.look()
    assert [] == paused(restarted)
    restarted.hear(claim(2, "BTC"))
    await restarted.look()
    failing(StoreUnavailable("down"))
    await restarted.look()
    restarted.hear(claim(2, "BTC"))
    assert [] == paused(restarted)
    assert 3 == restarted.newest[0]
    await restarted.close()


@pytest.mark.parametrize("is_looked_up", [False, True])
async def test_one_of_which_a_replaced_database_may_have_lost_the_resumption_is_in_force(
    service: ConfigService,
    store: SqliteRevisionStore,
    failing: Callable[[StoreUnavailable | None], None],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_looked_up: bool,
) -> None:
    """Also while it cannot be read after that; and not any more once the database is there that has the resumption."""
    monkeypatch.setattr(hearing, "BELIEVED_SECONDS", 0.0)
    store.append(revision(2, "BTC", "pause", config_id="c-1"), revision(3, "BTC", "resume"))
    await service.catch_up()
    if is_looked_up:
        service.hear(claim(2, "BTC"))
        await service.look()
    failing(StoreUnavailable("down"))
    service.hear(claim(2, "BTC"))
    await service.look()
    assert [] == paused(service)

    failing(StoreReplaced("another one"))
    await service.look()
    failing(StoreUnavailable("down"))
    await service.look()
    service.hear(claim(2, "BTC"))
    assert ["BTC"] == paused(service)

    failing(None)
    await service.look()
    service.hear(claim(2, "BTC"))
    await service.look()
    assert [] == paused(service)


async def test_forged_ones_do_not_switch_assets_on_and_off_while_they_cannot_be_looked_up(
    service: ConfigService, failing: Callable[[StoreUnavailable | None], None]
) -> None:
    told: list[Any] = []
    service.listen_to_held(lambda _assets: told.append(paused(service)))
    failing(StoreUnavailable("down"))
    for number in range(hearing.MOST_LOOKED_UP + 10):
        service.hear(claim(1, "BTC", name=f"c-{number}"))
    for number in range(10):
        await service.look()
        service.hear(claim(1, "BTC", name=f"d-{number}"))
    assert [["BTC"]] == told
    assert 1 == len(service.pauses().heard)


async def test_one_that_nobody_stores_is_stored_once_and_names_nobody(
    service: ConfigService, store: SqliteRevisionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ConfigService(store, ASSETS)
    for each in (service, other):
        each.hear(claim(None, "BTC"))
        await each.look()
    assert ["BTC"] == list(service.unstored())

    monkeypatch.setattr(adopting, "ADOPT_SECONDS", 0.0)
    for each in (service, other):
        await each.look()
    assert ({}, ["BTC"]) == (service.unstored(), paused(other))
    (stored,) = store.after(1, 9)
    assert ("c-1", "BTC", "pause", "anonymous", "redis") == (
        stored.config_id, stored.layer, stored.action, stored.author, stored.channel,
    )  # fmt: skip
    await other.close()


async def forge(service: ConfigService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Announce five pauses, each in a message of its own, that are stored without delay."""
    monkeypatch.setattr(adopting, "ADOPT_SECONDS", 0.0)
    for number in range(5):
        service.hear(claim(None, "BTC", ago=10.0, name=f"c-{number}"))
        await service.look()


async def test_forged_ones_write_one_revision_for_each_resumption(
    service: ConfigService, store: SqliteRevisionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await forge(service, monkeypatch)
    assert [2] == [each.version for each in store.after(1, 9)]

    await service.switch(RESUME)
    service.hear(claim(None, "BTC", name="c-9"))
    await service.look()
    # What was announced meanwhile is stored by the resumption that ends it, and nothing for a while after it.
    assert ["pause", "pause", "resume"] == [each.action for each in store.after(1, 9)]
    assert (["BTC"], 4) == (paused(service), store.after(1, 9)[-1].version)
    monkeypatch.setattr(adopting, "AFTER_RESUMPTION", timedelta(0))
    await service.look()
    assert 5 == store.after(1, 9)[-1].version


async def test_one_of_what_is_paused_already_is_stored_so_that_all_processes_name_the_same(
    service: ConfigService, store: SqliteRevisionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else those who read at one process which pause there is, and resume at another one, are refused for ever."""
    other = ConfigService(store, ASSETS)  # it did not hear of it
    await service.switch(replace(RESUME, switch="pause"))
    service.hear(claim(None, "BTC"))
    await service.look()
    assert ["BTC"] == list(service.unstored())

    monkeypatch.setattr(adopting, "ADOPT_SECONDS", 0.0)
    await service.look()
    await other.catch_up()
    for asked, resumed in ((other, service), (service, other)):
        pause = asked.pauses().last("BTC")
        assert pause is not None
        assert None is resumed.pauses().unknown("BTC", [KnownPause(pause.config_id, pause.created_at)])
    assert {} == service.unstored()
    await other.close()


async def test_forged_ones_of_what_stays_paused_are_stored_once_in_a_while(
    service: ConfigService, store: SqliteRevisionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.switch(replace(RESUME, switch="pause"))
    await forge(service, monkeypatch)
    assert [2, 3] == [each.version for each in store.after(1, 9)]
    monkeypatch.setattr(adopting, "AFTER_ADOPTION", timedelta(0))
    await service.look()
    assert 4 == store.after(1, 9)[-1].version


async def test_one_that_another_process_stores_in_the_same_moment_stays_in_force(
    service: ConfigService, store: SqliteRevisionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    service.listen_to_held(lambda _assets: told.append(paused(service)))
    service.hear(claim(None, "BTC"))
    free_name = adopting.free_name

    async def after_another_one(*asked: Any) -> str | None:
        if not store.after(1, 9):
            store.append(revision(2, "BTC", "pause", config_id="c-1"))
        return await free_name(*asked)

    monkeypatch.setattr(adopting, "free_name", after_another_one)
    monkeypatch.setattr(adopting, "ADOPT_SECONDS", 0.0)
    await service.look()
    assert (["BTC"], 2) == (paused(service), service.pauses().stored["BTC"].version)
    assert [] not in told


async def test_who_asks_is_told_of_a_stored_pause_and_of_one_that_nobody_stored(service: ConfigService) -> None:
    """Else a process that has just started names another one to those who resume than the others do."""
    await service.switch(replace(RESUME, switch="pause"))
    service.hear(claim(None, "BTC"))
    stored = service.pauses().stored["BTC"].config_id
    assert {stored, "c-1"} == set(await announced_by(service))


async def test_one_of_another_layer_does_not_take_the_name_of_a_pause(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopting, "ADOPT_SECONDS", 0.0)
    service.hear(claim(None, "BTC"))
    await service.look()
    service.hear(claim(None))
    await service.look()
    assert {"BTC", "global"} == set(service.pauses().stored)
    for asset in (None, "BTC"):
        await service.switch(replace(RESUME, asset=asset))
    for _ in range(2):  # each is recognized by the name under which it was stored
        service.hear(claim(None, "BTC"), claim(None))
        assert [] == paused(service)


@pytest.mark.parametrize("hours", [-1, 0, 1])
async def test_one_that_is_not_stored_yet_stays_until_somebody_resumes_who_knows_of_it(
    service: ConfigService, store: SqliteRevisionStore, hours: int
) -> None:
    """Whatever the clocks of those say who resume: only then is it known what was asked for first."""
    announced = claim(None, "BTC", ago=10.0)
    service.hear(announced)
    await service.look()
    store.append(revision(2, "BTC", "resume", created_at=written(now() + timedelta(hours=hours))))
    await service.look()
    assert ["BTC"] == paused(service)

    assert [] == (await service.switch(RESUME))["paused"]
    assert [] == paused(service)
    assert ["resume", "pause", "resume"] == [each.action for each in store.after(1, 9)]
    service.hear(announced)  # by a process that has not heard of that
    assert [] == paused(service)
    service.hear(claim(None, "BTC", name="c-2"))
    assert ["BTC"] == paused(service)


@pytest.mark.parametrize("ago", [3.0, 60.0, 86_400.0])
async def test_one_of_a_process_whose_clock_is_behind_is_in_force_after_a_resumption(
    service: ConfigService, ago: float
) -> None:
    await service.switch(RESUME)
    service.hear(claim(None, "BTC", ago=ago))
    assert ["BTC"] == paused(service)
    await service.look()
    assert ["BTC"] == paused(service)
    assert [] == (await service.switch(RESUME))["paused"]


async def test_a_resumption_in_one_process_ends_it_in_all(
    service: ConfigService, store: SqliteRevisionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "BELIEVED_SECONDS", 0.0)
    other = ConfigService(store, ASSETS)
    for each in (service, other):
        each.hear(claim(None, "BTC"))
    await service.switch(RESUME)
    await other.look()
    assert ([], []) == (paused(service), paused(other))

    restarted = ConfigService(store, ASSETS)  # it does not remember which ones ended, and finds it in the database
    restarted.hear(claim(None, "BTC"))
    assert ["BTC"] == paused(restarted)
    await restarted.look()
    assert [] == paused(restarted)
    restarted.hear(claim(None, "BTC"))
    assert [] == paused(restarted)
    for each in (other, restarted):
        await each.close()


async def test_one_from_the_future_is_from_now(service: ConfigService) -> None:
    service.hear(claim(None, "BTC", ago=-3_600.0))
    (pause,) = service.pauses().heard
    assert pause.created_at <= written(now())


async def test_of_many_announcements_one_is_kept_for_each_asset_and_kind(service: ConfigService) -> None:
    told: list[Any] = []
    service.listen_to_held(lambda _assets: told.append(paused(service)))
    for number in range(50):
        service.hear(claim(None, "BTC", name=f"c-{number}"))
        service.hear(claim(7 + number, "BTC", name=f"d-{number}"))

    assert 2 == len(service.pauses().heard)
    assert [["BTC"]] == told


async def test_until_it_is_stored_ready_names_it_and_who_asks_hears_of_it(service: ConfigService) -> None:
    service.hear(claim(None, "BTC"))
    assert ["c-1"] == await announced_by(service)

    app = FastAPI()
    market = SimpleNamespace(is_local=True, assets=ASSETS, troubles=lambda: one_piece(dict))
    store = StoreHealth(service)
    readiness = Readiness(service, cast("MarketView", market), store)
    operation_routes(service, store, readiness).add_to(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        ready = (await client.get("/ready")).json()
    assert ("degraded", ["BTC"]) == (ready["status"], list(ready["unstored_pauses"]))


async def test_a_resumption_names_the_last_pause_that_is_told_also_one_that_nobody_stores(
    service: ConfigService,
) -> None:
    """What has to be named and what is told are the same: else it would be refused for ever."""
    first = (await service.switch(SwitchRequest("pause", channel="test", asset="BTC")))["pause"]
    assert first is not None
    await asyncio.sleep(0.01)  # times have milliseconds
    service.hear(claim(None, "BTC", name="c-2"))
    told = service.pauses().last("BTC")
    assert told is not None
    assert told.config_id == "c-2"
    with pytest.raises(VersionConflict, match="not the pause to end"):
        await service.switch(replace(RESUME, ends=(KnownPause(first["config_id"], first["created_at"]),)))
    assert paused(service) == ["BTC"]
    await service.switch(replace(RESUME, ends=(KnownPause(told.config_id, "as another process has it"),)))
    assert paused(service) == []

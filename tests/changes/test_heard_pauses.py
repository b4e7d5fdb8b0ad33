"""Pauses that another process announces: in force at once, and no longer than the database or a resumption allows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from revisions import revision
from vivienne.changes.pause import hearing
from vivienne.changes.requests import SwitchRequest
from vivienne.changes.service import ConfigService
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.wire.pause import PauseClaim

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


@pytest.mark.parametrize("version", [None, 7])
async def test_it_is_in_force_at_once_and_names_nobody(service: ConfigService, version: int | None) -> None:
    told: list[Any] = []
    service.listen_to_held(lambda: told.append(paused(service)))
    service.hear(claim(version))

    assert [list(ASSETS)] == told
    pause = service.active("BTC").pause
    assert pause is not None
    assert ("anonymous", "redis", version) == (pause.author, pause.channel, pause.version)
    service.hear(claim(version))
    assert 1 == len(told)


async def test_what_was_read_already_or_bears_on_nothing_here_is_left_out(service: ConfigService) -> None:
    service.hear(claim(1))
    service.hear(claim(7, "DOGE"))
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


async def test_one_that_claims_to_be_stored_and_is_not_ends_and_does_not_come_back(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.hear(claim(7))
    await service.look()
    assert list(ASSETS) == paused(service)
    monkeypatch.setattr(hearing, "BELIEVED_SECONDS", 0.0)
    await service.look()
    assert [] == paused(service)
    service.hear(claim(7))
    assert [] == paused(service)


async def test_one_that_is_not_stored_yet_stays_until_it_is_resumed(
    service: ConfigService, store: SqliteRevisionStore
) -> None:
    announced = claim(None, "BTC", ago=10.0)
    service.hear(announced)
    await service.look()
    store.append(revision(2, "BTC", "resume", created_at=written(now() - timedelta(hours=1))))
    await service.look()
    assert ["BTC"] == paused(service)

    await service.switch(RESUME)
    assert [] == paused(service)
    service.hear(announced)  # by a process that has not heard of that
    assert [] == paused(service)
    service.hear(claim(None, "BTC", name="c-2"))
    assert ["BTC"] == paused(service)


async def test_one_that_may_have_been_asked_for_after_a_resumption_stays(service: ConfigService) -> None:
    """Clocks differ, and a pause must get through."""
    await service.switch(RESUME)
    service.hear(claim(None, "BTC", ago=3.0))
    assert ["BTC"] == paused(service)

    answer = await service.switch(RESUME)
    assert ["BTC"] == answer["paused"]
    assert "resume again in some seconds" in answer["message"]


async def test_one_from_the_future_is_from_now(service: ConfigService) -> None:
    service.hear(claim(None, "BTC", ago=-3_600.0))
    (pause,) = service.pauses().heard
    assert pause.created_at <= written(now())


async def test_of_many_announcements_one_is_kept_for_each_asset_and_kind(service: ConfigService) -> None:
    told: list[Any] = []
    service.listen_to_held(lambda: told.append(paused(service)))
    for number in range(50):
        service.hear(claim(None, "BTC", name=f"c-{number}"))
        service.hear(claim(7 + number, "BTC", name=f"d-{number}"))

    assert 2 == len(service.pauses().heard)
    assert [["BTC"]] == told

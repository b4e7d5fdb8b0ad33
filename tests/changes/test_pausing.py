"""A pause outlives everything but a resumption: restarts, a broken configuration, and a store that does not take it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from revisions import revision
from vivienne.access.caller import ENTRY, Caller
from vivienne.changes.asked import Asked
from vivienne.changes.pause import service as pausing
from vivienne.changes.requests import (
    Activate,
    ChangeRequest,
    Delete,
    KnownPause,
    Replacement,
    Reset,
    SwitchRequest,
    Update,
)
from vivienne.changes.service import ConfigService
from vivienne.changes.writer import MOST_WAITING
from vivienne.errors import Forbidden, NotStored, StoreUnavailable, UnknownTarget, VersionConflict
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vivienne.changes.requests import Switch
    from vivienne.store.revision import AppliedRevision, Revision
    from vivienne.wire.answers import Switched

ASSETS = ("BTC", "ETH")
EVE = Caller(address="192.0.2.8")
SECONDS = 10.0


class Store(SqliteRevisionStore):
    """The real store, which can be told to fail, to fail after its work, or to wait."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.fails = False
        self.fails_afterwards = False
        self.is_defective = False
        self.may_append = threading.Event()
        self.may_append.set()

    def append(self, *revisions: Revision, under: str | None = None, ends: tuple[int, str] | None = None) -> None:
        if self.fails:
            raise StoreUnavailable("the disk is full")
        if self.is_defective:
            raise RuntimeError("nobody expected that")
        assert self.may_append.wait(30)
        super().append(*revisions, under=under, ends=ends)
        if self.fails_afterwards:
            raise StoreUnavailable("the disk reports an error")

    def prove(self) -> None:
        if self.fails:
            raise StoreUnavailable("the disk is full")
        super().prove()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOLD_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(pausing, name, 0.05)
    monkeypatch.setattr(pausing, "ANSWER_SECONDS", 0.2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vivienne.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    store = Store(path)
    yield store
    store.may_append.set()
    store.close()


@pytest.fixture
async def service(store: Store) -> AsyncIterator[ConfigService]:
    service = ConfigService(store, ASSETS)
    yield service
    store.may_append.set()
    await service.close()


def asked(switch: Switch, asset: str | None = None, **more: Any) -> SwitchRequest:
    return SwitchRequest(switch, channel="test", asset=asset, **more)


async def pause(service: ConfigService, asset: str | None = None, **more: Any) -> Switched:
    return await service.switch(asked("pause", asset, **more))


async def resume(service: ConfigService, asset: str | None = None, **more: Any) -> Switched:
    return await service.switch(asked("resume", asset, **more))


async def bang(service: ConfigService, value: float, asset: str | None = None) -> str:
    update = Update({"settings": {"state_threshold_bang": value}}, partial=True)
    return (await service.change(ChangeRequest(update, channel="test", asset=asset)))["config_id"]


async def actions(service: ConfigService) -> list[str]:
    """What was done, oldest first."""
    history = (await service.history(None, 1000, None))["history"]
    return [entry["action"] for entry in reversed(history)]


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not reached():  # noqa: ASYNC110  # what it waits for has no event
            await asyncio.sleep(0.01)


# On disk


async def test_a_pause_that_is_not_stored_is_known_by_its_name(service: ConfigService, store: Store) -> None:
    store.fails = True
    held = (await pause(service, "BTC"))["pause"]
    assert held is not None
    assert not held["stored"]
    store.fails = False
    await until(lambda: not service.pauses().held)
    with pytest.raises(VersionConflict, match="not the pause to end"):
        await resume(service, "BTC", ends=())
    assert (await resume(service, "BTC", ends=(KnownPause(held["config_id"], held["created_at"]),)))["paused"] == []


async def test_a_pause_that_the_store_never_takes_keeps_no_other_one_from_it(
    service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(*revisions: Revision, **more: Any) -> None:
        if any(each.asset_symbol == "BTC" for each in revisions):
            raise StoreUnavailable("value too long")
        SqliteRevisionStore.append(store, *revisions, **more)

    store.fails = True
    for asset in ASSETS:
        assert (await pause(service, asset))["status"] == "not_stored_yet"
    monkeypatch.setattr(store, "append", append)
    store.fails = False
    await until(lambda: [each.layer for each in service.pauses().held] == ["BTC"])
    assert list(service.paused()) == list(ASSETS)
    monkeypatch.undo()


@pytest.mark.parametrize("asset", [None, "BTC"])
async def test_a_pause_survives_a_restart(store: Store, path: Path, asset: str | None) -> None:
    first = ConfigService(store, ASSETS)
    await pause(first, asset, author="ada", reason="enough")
    expected = first.pauses()
    await first.close()

    again = ConfigService(SqliteRevisionStore(path), ASSETS)
    try:
        assert expected == again.pauses()
        assert (ASSETS if asset is None else (asset,)) == tuple(again.paused())
        found = again.active("BTC").pause
        assert found is not None
        assert ("ada", "enough", 1) == (found.author, found.reason, found.version)
        await resume(again, asset)
        assert {} == again.paused()
    finally:
        await again.close()


async def test_a_resumption_survives_a_restart(store: Store, path: Path) -> None:
    first = ConfigService(store, ASSETS)
    await pause(first)
    await pause(first, "ETH")
    await resume(first)
    await first.close()

    again = ConfigService(SqliteRevisionStore(path), ASSETS)
    try:
        assert ["ETH"] == [*again.paused()]
    finally:
        await again.close()


async def test_a_pause_alters_no_value_and_no_active_configuration(service: ConfigService) -> None:
    config_id = await bang(service, 85)
    before = service.active("BTC")

    answer = await pause(service, "BTC")

    after = service.active("BTC")
    assert (before.document, before.sources, config_id) == (after.document, after.sources, after.config_id)
    assert (1, 2) == (answer["previous_version"], answer["version"])
    assert after.version == answer["version"]


async def test_a_pause_and_changes_share_one_sequence(service: ConfigService) -> None:
    await bang(service, 85)
    await pause(service)
    await bang(service, 86, "BTC")
    await resume(service)

    assert ["partial_update", "pause", "partial_update", "resume"] == await actions(service)
    assert 4 == service.active().version


async def test_no_change_of_configuration_resumes(service: ConfigService) -> None:
    first, second = await bang(service, 85), await bang(service, 86)
    await pause(service)

    for intent in (
        Activate(first),
        Delete(first),
        Delete(second),
        Reset(),
        Update({"bang_threshold": 90}, partial=False),
    ):
        await service.change(ChangeRequest(intent, channel="test"))
        assert [*ASSETS] == [*service.paused()]
    await service.replace(Replacement({"global": {}, "BTC": {"bang_threshold": 91}}, empty_others=True))
    assert [*ASSETS] == [*service.paused()]


async def test_after_a_deletion_the_configuration_before_a_pause_is_in_force(service: ConfigService) -> None:
    first = await bang(service, 85)
    await pause(service)
    second = await bang(service, 86)

    await service.change(ChangeRequest(Delete(second), channel="test"))

    assert first == service.active().config_id
    assert 85 == service.active().configuration.settings.state_threshold_bang


async def test_a_pause_works_while_the_stored_configuration_is_broken(store: Store, path: Path) -> None:
    first = ConfigService(store, ASSETS)
    await bang(first, 85)
    await bang(first, 90, "BTC")
    await first.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE revisions SET document = ?", (b'{"settings": {"gone": 1}}',))

    service = ConfigService(SqliteRevisionStore(path), ASSETS)
    try:
        assert {"global", "BTC"} == service.ignored.keys()
        for asset in (None, "BTC"):
            assert [*ASSETS] == (await pause(service, asset))["paused"]
        assert {"global", "BTC"} == service.ignored.keys()
        assert [*ASSETS] == (await resume(service, "BTC"))["paused"]
        assert [] == (await resume(service))["paused"]
    finally:
        await service.close()


async def test_listeners_are_told_before_it_is_acknowledged(service: ConfigService) -> None:
    told: list[Any] = []

    def listener(change: AppliedRevision) -> None:
        told.append((change.revision.action, change.assets, [*service.paused()]))

    service.listen(listener)
    await pause(service, "BTC")
    await resume(service, "BTC")

    assert [("pause", ["BTC"], ["BTC"]), ("resume", ["BTC"], [])] == told


# Refusals


async def test_an_unknown_asset_is_refused(service: ConfigService) -> None:
    with pytest.raises(UnknownTarget, match="Unknown asset 'DOGE'; known are BTC, ETH"):
        await pause(service, "DOGE")


@pytest.mark.parametrize("switch", ["pause", "resume"])
async def test_a_stale_version_is_refused(service: ConfigService, switch: Switch) -> None:
    await bang(service, 85)
    with pytest.raises(VersionConflict):
        await service.switch(asked(switch, expected_version=0))
    assert ["partial_update"] == await actions(service)
    await service.switch(asked(switch, expected_version=1))


async def test_a_pause_is_not_refused_because_its_request_id_was_used(service: ConfigService) -> None:
    update = Update({"bang_threshold": 85}, partial=True)
    await service.change(ChangeRequest(update, channel="test", request_id="r"))

    assert "success" == (await pause(service, request_id="r"))["status"]
    assert [*ASSETS] == [*service.paused()]


async def test_a_pause_that_is_repeated_pauses_again(service: ConfigService) -> None:
    await pause(service, request_id="r")
    await resume(service)

    again = await pause(service, request_id="r")

    assert ("success", 3) == (again["status"], again["version"])
    assert [*ASSETS] == again["paused"] == [*service.paused()]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause waits for the store, however slow this machine is."""
    monkeypatch.setattr(pausing, "HOLD_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
async def test_pauses_without_end_pause_and_fill_no_history(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service._pausing._repeats._rate, "most", 3)
    answers = [await pause(service, "BTC", reason=f"number {number}", caller=EVE) for number in range(20)]
    assert {answer["status"] for answer in answers} == {"success"}
    assert all(answer["paused"] == ["BTC"] for answer in answers)
    stored = len(await actions(service))
    assert 4 <= stored <= 6  # the first, so many, and what time has allowed since
    assert "as before: paused by" in answers[-1]["message"]
    assert answers[-1]["version"] == service.active("BTC").version

    # Others, other assets, and what is not paused any longer are stored at once.
    await pause(service, "BTC", caller=Caller(address="192.0.2.9"))
    await pause(service, "ETH", caller=EVE)
    await resume(service, "BTC")
    assert (await pause(service, "BTC", caller=EVE))["paused"] == ["BTC", "ETH"]
    assert len(await actions(service)) == stored + 4

    # One that waits for its turn is not ended by a resumption that was asked for before it.
    async with service._writer._turns.turn("somebody", is_urgent=True):
        before = asyncio.create_task(resume(service, "BTC", caller=Caller(address="192.0.2.10")))
        await asyncio.sleep(0)
        after = asyncio.create_task(pause(service, "BTC", caller=EVE))
        await asyncio.sleep(0)
    await asyncio.gather(before, after, return_exceptions=True)
    assert "BTC" in service.paused()


@pytest.mark.usefixtures("patient")
async def test_a_resumption_that_names_a_pause_does_not_end_a_later_one_that_has_the_entry_of_that(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service._pausing._repeats._rate, "most", 2)
    for _ in range(6):
        answer = await pause(service, "BTC", caller=EVE)
    assert answer["pause"] is not None
    known = KnownPause(answer["pause"]["config_id"], answer["pause"]["created_at"])
    await asyncio.sleep(0.01)  # times have milliseconds
    later = await pause(service, "BTC", caller=EVE)
    assert later["pause"] is not None
    assert later["pause"]["config_id"] == known.config_id
    with pytest.raises(VersionConflict, match="not the pause to end"):
        await resume(service, "BTC", ends=(known,))
    known = KnownPause(known.config_id, later["pause"]["created_at"])
    assert (await resume(service, "BTC", ends=(known,)))["paused"] == []


@pytest.mark.usefixtures("patient")
async def test_callers_who_pause_in_turn_fill_no_history_and_an_entry_says_who_asked_for_it(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service._pausing._repeats._rate, "most", 2)
    callers = [Caller(address=f"192.0.2.{number}") for number in (8, 9)]
    for number in range(20):
        for place, caller in enumerate(callers):
            await pause(service, "BTC", author=f"of {place} in {number}", address=caller.address, caller=caller)
    entries = (await service.history("BTC", 100, None))["history"]
    assert len(entries) <= 7  # the first, so many of each, and what time has allowed since
    assert all((entry["address"] == "192.0.2.8") == entry["author"].startswith("of 0") for entry in entries)
    times = [entry["created_at"] for entry in entries]
    assert times == sorted(times, reverse=True)


@pytest.mark.usefixtures("patient")
async def test_a_repeated_pause_outlives_a_restart_and_a_resumption_from_before_it(
    service: ConfigService, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service._pausing._repeats._rate, "most", 2)
    for number in range(6):
        await pause(service, "BTC", reason=f"number {number}", caller=EVE)
    before = written(now())
    await asyncio.sleep(0.01)  # times have milliseconds
    assert (await pause(service, "BTC", reason="the last", caller=EVE))["status"] == "success"
    stored = await actions(service)
    await service.close()

    again = ConfigService(SqliteRevisionStore(path), ASSETS)
    try:
        assert before < again.paused()["BTC"].created_at
        with pytest.raises(VersionConflict, match="resume again"):
            await again.switch(replace(asked("resume", "BTC"), asked=Asked(before, before)))
        assert ["BTC"] == [*again.paused()]
        assert stored == await actions(again)
    finally:
        await again.close()


async def test_a_repeated_pause_is_not_taken_for_stored_in_a_database_that_is_gone(
    service: ConfigService, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service._pausing._repeats._rate, "most", 2)
    for _ in range(5):
        assert (await pause(service, "BTC", caller=EVE))["status"] == "success"
    path.unlink()  # noqa: ASYNC240
    assert {(await pause(service, "BTC", caller=EVE))["status"] for _ in range(5)} == {"not_stored_yet"}


async def test_an_entry_of_the_stream_that_is_read_again_does_not_pause_again(service: ConfigService) -> None:
    entry = replace(asked("pause"), request_id="stream:1-0", caller=Caller(via=ENTRY))
    first = await service.switch(entry)
    await service.switch(asked("resume"))

    assert first == await service.switch(entry)
    assert {} == service.paused()


async def test_nobody_uses_up_the_name_of_an_entry(service: ConfigService) -> None:
    await service.switch(replace(asked("resume"), request_id="stream:1-0"))
    await service.switch(replace(asked("pause"), request_id="stream:1-0", caller=Caller(via=ENTRY)))
    assert [*ASSETS] == [*service.paused()]


@pytest.mark.parametrize("switch", ["pause", "resume"])
async def test_whose_token_ended_before_its_turn_pauses_and_resumes_nothing(
    service: ConfigService, switch: Switch
) -> None:
    ended = Caller("127.0.0.1", "ann", "tuner", is_valid=lambda: False)
    with pytest.raises(Forbidden, match="'ann' was revoked or has expired"):
        await service.switch(replace(asked(switch), caller=ended))
    assert [] == await actions(service)


# A store that does not take it


async def test_of_many_pauses_that_wait_for_the_store_each_is_told_for_its_assets_only(
    service: ConfigService, store: Store
) -> None:
    """States are published for it. All of them for each of hundreds of pauses would hold up everything for seconds."""
    told: list[str] = []
    service.listen_to_held(told.extend)
    store.fails = True
    await pause(service, "BTC")
    assert told == ["BTC"]
    for _ in range(10):  # nothing is paused by these that was not
        await pause(service, "BTC")
    assert told == ["BTC"]
    await pause(service)
    assert told == ["BTC", *ASSETS]


async def test_a_pause_the_store_refuses_is_in_force_at_once_and_says_so(service: ConfigService, store: Store) -> None:
    told: list[list[str]] = []
    service.listen_to_held(lambda _assets: told.append([*service.paused()]))
    store.fails = True

    answer = await pause(service, "BTC", author="ada")

    assert ("not_stored_yet", 0, ["BTC"]) == (answer["status"], answer["version"], answer["paused"])
    assert "not stored yet: the disk is full" in answer["message"]
    assert [["BTC"]] == told
    held = service.active("BTC").pause
    assert held is not None
    assert "paused by ada (test, not stored yet)" == held.sentence()
    assert (None, False) == (held.entry()["version"], held.entry()["stored"])
    assert held.entry() == answer["pause"]
    with pytest.raises(StoreUnavailable, match="the last change could not be stored: the disk is full"):
        await service.check()


async def test_a_pause_is_stored_once_as_soon_as_the_store_takes_it(service: ConfigService, store: Store) -> None:
    store.fails = True
    answer = await pause(service, author="ada", reason="enough")

    store.fails = False
    await until(lambda: service.pauses().held == ())

    [entry] = (await service.history(None, 10, None))["history"]
    assert (answer["config_id"], "ada", "enough") == (entry["config_id"], entry["author"], entry["reason"])
    assert [*ASSETS] == [*service.paused()]
    await service.check()


async def test_a_pause_that_waits_is_stored_though_its_name_is_taken(service: ConfigService, store: Store) -> None:
    """Its name was announced, and somebody may announce it again, for another layer."""
    store.fails = True
    answer = await pause(service)
    SqliteRevisionStore.append(store, revision(1, "BTC", "pause", config_id=answer["config_id"]))

    store.fails = False
    await service.catch_up()
    await until(lambda: service.pauses().held == ())
    assert ["global", "BTC"] == sorted(service.pauses().stored, reverse=True)


async def test_a_slow_store_does_not_hold_a_pause_up(service: ConfigService, store: Store) -> None:
    store.may_append.clear()
    asking = asyncio.create_task(pause(service, "BTC"))
    await until(lambda: "BTC" in service.paused())
    assert "not_stored_yet" == (await asking)["status"]

    store.may_append.set()
    await until(lambda: service.pauses().held == ())

    assert ["pause"] == await actions(service)
    assert ["BTC"] == [*service.paused()]


async def test_a_pause_goes_before_the_changes_that_wait(service: ConfigService, store: Store) -> None:
    store.may_append.clear()
    changes = [asyncio.create_task(bang(service, 85)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    asking = asyncio.create_task(pause(service, "BTC"))
    await until(lambda: "BTC" in service.paused())

    store.may_append.set()
    await asyncio.gather(asking, *changes)

    assert "pause" == (await actions(service))[1]


def of(address: str, switch: Switch, asset: str) -> SwitchRequest:
    return SwitchRequest(switch, channel="test", asset=asset, caller=Caller(address))


async def test_a_pause_that_was_slow_to_be_stored_holds_nothing_up_afterwards(
    service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "ANSWER_SECONDS", 60.0)
    store.may_append.clear()
    asking = asyncio.create_task(pause(service, "BTC"))
    await asyncio.sleep(0)
    other = asyncio.create_task(service.switch(of("192.0.2.2", "pause", "ETH")))
    await until(lambda: {"BTC", "ETH"} == {*service.paused()})
    await asyncio.sleep(3 * pausing.RETRY_SECONDS)  # the first one waits twice now, with the other one in between

    store.may_append.set()
    assert ["success", "success"] == [(await asking)["status"], (await other)["status"]]
    async with asyncio.timeout(5):
        await bang(service, 85)
    assert ["pause", "pause", "partial_update"] == await actions(service)


async def test_a_pause_waits_for_no_flood_of_pauses_of_another(service: ConfigService, store: Store) -> None:
    store.may_append.clear()
    flood = [asyncio.create_task(service.switch(of("192.0.2.1", "pause", "ETH"))) for _ in range(20)]
    await asyncio.sleep(0)
    asking = asyncio.create_task(service.switch(of("192.0.2.2", "pause", "BTC")))
    await until(lambda: "BTC" in service.paused())

    store.may_append.set()
    await asyncio.gather(asking, *flood)
    await until(lambda: service.pauses().held == ())

    paused = (await service.history(None, 1000, None))["history"]
    assert "BTC" in [entry["asset_symbol"] for entry in reversed(paused)][:3]


async def test_a_resumption_that_had_to_wait_ends_no_later_pause_of_another(
    service: ConfigService, store: Store
) -> None:
    await pause(service, "BTC")
    store.may_append.clear()
    before = [asyncio.create_task(service.switch(of("192.0.2.1", "resume", "ETH"))) for _ in range(3)]
    resuming = asyncio.create_task(service.switch(of("192.0.2.1", "resume", "BTC")))
    await asyncio.sleep(0)
    pausing_again = asyncio.create_task(service.switch(of("192.0.2.2", "pause", "BTC")))
    await asyncio.sleep(0)

    store.may_append.set()
    await asyncio.gather(*before, pausing_again)
    with pytest.raises(VersionConflict, match="paused after"):
        await resuming
    assert ["BTC"] == [*service.paused()]


async def test_a_pause_that_is_asked_for_after_a_resumption_stays(service: ConfigService, store: Store) -> None:
    store.may_append.clear()
    change = asyncio.create_task(bang(service, 85))
    await asyncio.sleep(0)
    resuming = asyncio.create_task(resume(service, "BTC"))
    await asyncio.sleep(0)
    assert "not_stored_yet" == (await pause(service, "BTC"))["status"]

    store.may_append.set()
    await asyncio.gather(change, resuming)
    await until(lambda: service.pauses().held == ())

    assert ["BTC"] == [*service.paused()]
    assert ["partial_update", "resume", "pause"] == await actions(service)


async def test_a_pause_that_was_stored_although_the_store_failed_is_stored_once(
    service: ConfigService, store: Store
) -> None:
    store.fails_afterwards = True
    answer = await pause(service)
    store.fails_afterwards = False

    await until(lambda: service.pauses().held == ())

    assert ["pause"] == await actions(service)
    assert [*ASSETS] == answer["paused"] == [*service.paused()]


async def test_a_pause_is_in_force_when_the_one_who_asked_has_gone(service: ConfigService, store: Store) -> None:
    store.fails = True
    asking = asyncio.create_task(pause(service))
    await asyncio.sleep(0)
    asking.cancel()

    await until(lambda: [*service.paused()] == [*ASSETS])
    store.fails = False
    await until(lambda: service.pauses().held == ())
    assert ["pause"] == await actions(service)


async def test_the_same_request_while_the_store_is_away_is_one_pause(service: ConfigService, store: Store) -> None:
    store.fails = True
    answers = [await pause(service, request_id="r") for _ in range(3)]
    other = await pause(service, "BTC", request_id="r")
    store.fails = False
    await until(lambda: service.pauses().held == ())

    assert ["pause", "pause"] == await actions(service)
    assert 1 == len({answer["config_id"] for answer in answers} - {other["config_id"]})


async def test_a_resumption_needs_the_store(service: ConfigService, store: Store) -> None:
    await pause(service)
    store.fails = True

    with pytest.raises(NotStored, match="the disk is full"):
        await resume(service)

    assert [*ASSETS] == [*service.paused()]
    store.fails = False
    assert [] == (await resume(service))["paused"]


async def test_a_resumption_ends_a_pause_that_is_not_stored_yet_and_stores_both(
    service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "RETRY_SECONDS", SECONDS)
    store.fails = True
    await pause(service, "BTC", request_id="r")
    with pytest.raises(NotStored):
        await resume(service, "BTC")
    assert ["BTC"] == [*service.paused()]

    store.fails = False
    answer = await resume(service, "BTC")

    assert ([], 2) == (answer["paused"], answer["version"])
    assert {} == service.paused()
    assert ["pause", "resume"] == await actions(service)


async def test_resuming_one_leaves_the_unstored_pause_of_all(service: ConfigService, store: Store) -> None:
    await pause(service, "BTC")
    store.fails = True
    await pause(service)
    store.fails = False

    assert [*ASSETS] == (await resume(service, "BTC"))["paused"]
    await until(lambda: service.pauses().held == ())
    assert [*ASSETS] == [*service.paused()]


async def test_many_pauses_without_a_store_are_bounded(
    service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "MOST_HELD", 3)
    store.fails = True
    for _ in range(10):
        await pause(service, "BTC")
    await pause(service, "ETH")

    assert 4 == len(service.pauses().held)
    assert [*ASSETS] == [*service.paused()]


async def test_an_older_pause_that_is_stored_on_top_of_a_newer_one_does_not_hide_it(service: ConfigService) -> None:
    older, between = (written(now() - timedelta(milliseconds=ago)) for ago in (20, 10))
    await pause(service, "BTC", reason="the newer one")
    await pause(service, "BTC", asked=Asked(older, older))  # which waited

    with pytest.raises(VersionConflict):
        await resume(service, "BTC", asked=Asked(between, between))
    assert ["BTC"] == [*service.paused()]
    assert [] == (await resume(service, "BTC"))["paused"]


@pytest.mark.parametrize("request_id", [None, "the same"])
async def test_a_resumption_that_waited_ends_no_pause_that_came_since_without_a_store(
    service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch, request_id: str | None
) -> None:
    """Neither one that is covered by those that wait, nor one that is asked for again by its name."""
    monkeypatch.setattr(pausing, "MOST_HELD", 2)
    monkeypatch.setattr(pausing, "RETRY_SECONDS", SECONDS)
    store.fails = True
    for _ in range(3):
        await pause(service, "BTC", request_id=request_id)
    await asyncio.sleep(0.002)  # times have milliseconds
    between = written(now())
    await asyncio.sleep(0.002)
    assert "not_stored_yet" == (await pause(service, "BTC", request_id=request_id))["status"]

    store.fails = False
    with suppress(VersionConflict):
        await resume(service, "BTC", asked=Asked(between, between))
    assert ["BTC"] == [*service.paused()]
    assert [] == (await resume(service, "BTC"))["paused"]


async def test_changes_wait_for_the_store_while_a_pause_does_not(service: ConfigService, store: Store) -> None:
    store.may_append.clear()
    changing = asyncio.create_task(bang(service, 85))
    await asyncio.sleep(0.01)

    assert [*ASSETS] == (await pause(service))["paused"]

    store.may_append.set()
    await changing
    await until(lambda: service.pauses().held == ())
    assert ["partial_update", "pause"] == await actions(service)


@pytest.fixture
async def held(service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause of BTC that is not stored yet, while its request_id was used for something else."""
    monkeypatch.setattr(pausing, "RETRY_SECONDS", 3600)
    store.fails = True
    await pause(service, "BTC", request_id="r")
    store.fails = False
    await service.change(
        ChangeRequest(Update({"settings": {"state_threshold_bang": 85}}, partial=True), channel="test", request_id="r")
    )


@pytest.mark.usefixtures("held")
async def test_a_pause_in_force_that_is_asked_for_again_stays_whatever_became_of_its_request_id(
    service: ConfigService,
) -> None:
    again = await pause(service, "BTC", request_id="r")

    assert ("success", ["BTC"]) == (again["status"], again["paused"])
    assert ["BTC"] == [*service.paused()]


@pytest.mark.usefixtures("held")
async def test_a_resumption_stores_a_pause_whose_request_id_is_taken(service: ConfigService) -> None:
    async with asyncio.timeout(SECONDS / 5):
        answer = await resume(service, "BTC")

    assert [] == answer["paused"]
    assert ["partial_update", "pause", "resume"] == await actions(service)


async def test_a_defect_does_not_keep_a_pause_from_being_stored_later(service: ConfigService, store: Store) -> None:
    store.fails = True
    await pause(service, "BTC")
    store.fails, store.is_defective = False, True
    await asyncio.sleep(0.2)  # four attempts

    store.is_defective = False

    await until(lambda: service.pauses().held == ())
    assert ["pause"] == await actions(service)


async def test_the_history_has_what_whoever_pauses_says_of_themselves(service: ConfigService) -> None:
    await pause(service, author="desk", claimed_author="ada")

    [entry] = (await service.history(None, 10, None))["history"]
    assert ("desk", "ada") == (entry["author"], entry["claimed_author"])

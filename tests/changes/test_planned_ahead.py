"""Changes of many assets are planned a little at a time and before their turn, so that a pause waits for none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from vivienne import slices
from vivienne.changes.plan import Prepared
from vivienne.changes.requests import (
    ChangeRequest,
    Delete,
    Replacement,
    SeveralRequest,
    SwitchRequest,
    UndoRequest,
    Update,
)
from vivienne.changes.service import ConfigService
from vivienne.config.documents import leaves
from vivienne.errors import ChangeRefused
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

ASSETS = tuple(f"A{number}" for number in range(120))
BANG = "settings.state_threshold_bang"


@pytest.fixture
async def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ConfigService]:
    """All assets set something, by a change of all of them."""
    service = ConfigService(SqliteRevisionStore(tmp_path / "vivienne.db"), ASSETS)
    await service.change_several(several(85))
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)  # a step at a time
    yield service
    await service.close()


def several(bang: float, **more: Any) -> SeveralRequest:
    return SeveralRequest(ASSETS, {"bang_threshold": bang}, channel="rest", **more)


def pause(asset: str | None = None) -> SwitchRequest:
    return SwitchRequest("pause", channel="rest", asset=asset)


def changed_for_all(service: ConfigService, _made: str) -> Awaitable[object]:
    return service.change(ChangeRequest(Update({"bang_threshold": 90}, partial=True), channel="rest"))


def refused_for_all(service: ConfigService, _made: str) -> Awaitable[object]:
    return service.change(
        ChangeRequest(Update({"bang_threshold": 90, "aim_threshold": 89}, partial=True), channel="rest")
    )


def several_changed(service: ConfigService, _made: str) -> Awaitable[object]:
    return service.change_several(several(86))


def several_tried(service: ConfigService, _made: str) -> Awaitable[object]:
    return service.try_several(several(86))


def undone(service: ConfigService, made: str) -> Awaitable[object]:
    return service.undo(UndoRequest(made, channel="rest"))


def replaced(service: ConfigService, _made: str) -> Awaitable[object]:
    return service.replace(Replacement({"A0": {"bang_threshold": 91}}, empty_others=True))


@pytest.mark.parametrize("change", [changed_for_all, refused_for_all, several_changed, several_tried, undone, replaced])
async def test_others_have_their_turn_while_a_change_of_many_assets_is_planned(
    service: ConfigService, change: Callable[[ConfigService, str], Awaitable[object]]
) -> None:
    (made,) = (await service.history("A7", 1, None))["history"]
    changing, turns, paused = asyncio.ensure_future(change(service, made["config_id"])), 0, None
    while not changing.done():
        await asyncio.sleep(0)
        turns += 1
        if turns == 20:
            paused = asyncio.create_task(service.switch(pause("A3")))
    assert turns > len(ASSETS)
    assert paused is not None
    assert (await paused)["status"] == "success"
    outcome = changing.exception()
    assert outcome is None or isinstance(outcome, ChangeRefused)
    versions = [entry["version"] for entry in (await service.history(None, 1_000, None))["history"]]
    assert versions == [*range(len(versions), 0, -1)]
    assert service.paused().keys() == {"A3"}


async def test_a_pause_does_not_wait_for_a_change_that_is_planned(service: ConfigService) -> None:
    is_planned = asyncio.Event()

    async def plan() -> None:
        await is_planned.wait()

    async def prepare() -> Prepared[str]:
        return Prepared(answer="made")

    changing = asyncio.create_task(service._writer.write(prepare, "rest", "ann", ahead=plan))
    await asyncio.sleep(0)
    assert (await service.switch(pause()))["status"] == "success"
    assert not changing.done()
    is_planned.set()
    assert await changing == "made"


async def test_what_was_planned_before_another_change_is_planned_again(service: ConfigService) -> None:
    """One layer of it is changed between: the plan is of what is in force when it is made."""
    other = ConfigService(service._store, ASSETS)  # another process on the same store
    planned = service._ahead(lambda: service._planning.plan(asked))
    asked = ChangeRequest(Update({"aim_threshold": 84}, partial=True), channel="rest", asset="A1")
    await planned.work_out()
    assert (await planned.result()).document["settings"]["state_threshold_bang"] == 85
    await other.change(ChangeRequest(Update({"bang_threshold": 88}, partial=True), channel="rest", asset="A1"))
    await service.catch_up()
    assert (await planned.result()).document["settings"]["state_threshold_bang"] == 88


async def test_a_refusal_that_was_planned_does_not_outlive_its_reason(service: ConfigService) -> None:
    asked = ChangeRequest(Update({"aim_threshold": 86}, partial=True), channel="rest", asset="A1")
    planned = service._ahead(lambda: service._planning.plan(asked))
    await planned.work_out()
    with pytest.raises(ChangeRefused):
        await planned.result()
    await service.change(ChangeRequest(Update({"bang_threshold": 88}, partial=True), channel="rest", asset="A1"))
    assert (await planned.result()).layer == "A1"


async def test_an_asset_that_is_named_often_is_looked_up_once(service: ConfigService) -> None:
    tried = await service.try_several(
        SeveralRequest(("a1", "A1", *("A2",) * 9_000), {"bang_threshold": 86}, channel="rest")
    )
    assert tried["assets"] == ["A1", "A2"]


async def test_an_undo_of_a_change_of_which_a_layer_was_deleted_since(service: ConfigService) -> None:
    changed = await service.change_several(several(87))
    (of_a0,) = (layer["config_id"] for layer in changed["layers"] if layer["asset_symbol"] == "A0")
    await service.change(ChangeRequest(Delete(of_a0), channel="rest"))
    with pytest.raises(ChangeRefused, match="A0 has changed since"):
        await service.undo(UndoRequest(changed["layers"][1]["config_id"], channel="rest"))
    assert leaves(service.active("A0").document)[BANG] == 85

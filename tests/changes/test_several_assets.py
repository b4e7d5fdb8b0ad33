"""Several assets are changed as one change: stored together, in force together, once, or not at all."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from vivienne.changes import writer
from vivienne.changes.requests import ChangeRequest, Replacement, SeveralRequest, SwitchRequest, UndoRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.config.documents import leaves
from vivienne.errors import (
    InvalidConfiguration,
    NotStored,
    RequestIdReused,
    UnknownRevision,
    UnknownTarget,
    VersionConflict,
)
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path

    from vivienne.store.revision import AppliedRevision

BANG, AIM = (f"settings.state_threshold_{level}" for level in ("bang", "aim"))


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    service = ConfigService(SqliteRevisionStore(tmp_path / "vivienne.db"), ("BTC", "ETH", "SOL"))
    yield service
    await service.close()


def several(*assets: str, document: Any = None, source: str | None = None, **more: Any) -> SeveralRequest:
    return SeveralRequest(assets, document, source, channel="rest", author="ann", **more)


async def update(service: ConfigService, asset: str, **values: object) -> None:
    request = ChangeRequest(Update(values, partial=True), channel="rest", asset=asset)
    await service.change(request)


def in_force(service: ConfigService, path: str = BANG) -> list[Any]:
    return [leaves(service.active(asset).document)[path] for asset in ("BTC", "ETH", "SOL")]


async def test_a_change_is_laid_over_what_each_of_the_assets_sets(service: ConfigService) -> None:
    await update(service, "ETH", aim_threshold=66)
    seen: list[tuple[str, list[Any]]] = []

    def see(change: AppliedRevision) -> None:
        seen.append((change.revision.layer, in_force(service)))

    service.listen(see)
    answer = await service.change_several(several("btc", "ETH", document={"bang_threshold": 85}, reason="calm"))

    assert in_force(service) == [85, 85, 80]
    assert in_force(service, AIM) == [70, 66, 70]
    assert sorted(seen) == [("BTC", [85, 85, 80]), ("ETH", [85, 85, 80])]
    assert (answer["status"], sorted(answer["assets"]), answer["version"]) == ("success", ["BTC", "ETH"], 3)
    made = (await service.history(None, 2, None))["history"]
    assert {entry["asset_symbol"] for entry in made} == {"BTC", "ETH"}
    for entry in made:
        signed = (entry["action"], entry["channel"], entry["author"], entry["reason"])
        assert signed == ("partial_update", "rest", "ann", "calm")


async def test_a_change_of_hundreds_of_assets_is_a_few_lines_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assets = [f"A{number}" for number in range(300)]
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), assets)
    with caplog.at_level(logging.INFO, "vivienne.changes"):
        await service.change_several(several(*assets, document={"bang_threshold": 85}))
    await service.close()

    lines = [record.getMessage() for record in caplog.records if "version" in record.getMessage()]
    assert len(lines) == 11
    assert "(version 1, by ann, rest)" in lines[0]
    assert lines[-1] == "The same change has 290 more versions, up to 300"


async def test_a_change_of_many_assets_counts_as_many_while_it_waits(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 4)
    monkeypatch.setattr(writer, "_MOST_COUNTED", 2)

    def asked(bang: float) -> Coroutine[Any, Any, object]:
        return service.change_several(several("BTC", "ETH", "SOL", document={"bang_threshold": bang}))

    under_way = [asyncio.create_task(asked(85)), asyncio.create_task(asked(86))]
    await asyncio.sleep(0)
    with pytest.raises(NotStored, match="retry in a moment"):
        await asked(87)
    await service.switch(SwitchRequest("pause", channel="rest", asset="BTC"))
    await asyncio.gather(*under_way)
    await asked(87)
    assert in_force(service) == [87, 87, 87]


async def test_the_assets_are_changed_in_the_order_they_are_asked_in_whatever_was_changed_before(
    service: ConfigService,
) -> None:
    await update(service, "SOL", aim_threshold=66)

    await service.change_several(several("ETH", "SOL", "BTC", document={"bang_threshold": 85}))

    made = (await service.history(None, 3, None))["history"]
    assert [entry["asset_symbol"] for entry in made] == ["BTC", "SOL", "ETH"]


async def test_a_copy_sets_what_the_other_asset_sets_and_nothing_else(service: ConfigService) -> None:
    await update(service, "SOL", bang_threshold=91)
    await update(service, "ETH", aim_threshold=66)

    answer = await service.change_several(several("BTC", "ETH", source="sol"))

    assert (in_force(service), in_force(service, AIM)) == ([91, 91, 91], [70, 70, 70])
    changed = {layer["asset_symbol"]: layer["changed"] for layer in answer["layers"]}
    assert sorted(changed["ETH"], key=str) == [{"path": AIM, "old": 66}, {"path": BANG, "new": 91}]
    again = await service.change_several(several("BTC", "SOL", source="SOL"))
    assert (again["status"], again["version"]) == ("unchanged", answer["version"])


async def test_what_is_wrong_for_one_asset_changes_none_and_names_it(service: ConfigService) -> None:
    await update(service, "ETH", aim_threshold=79)

    with pytest.raises(InvalidConfiguration) as refused:
        await service.change_several(several("BTC", "ETH", document={"bang_threshold": 75}))

    assert {problem.asset for problem in refused.value.problems} == {"ETH"}
    assert in_force(service) == [80, 80, 80]
    with pytest.raises(UnknownTarget, match="DOGE"):
        await service.change_several(several("BTC", "DOGE", document={"bang_threshold": 85}))
    with pytest.raises(InvalidConfiguration, match="sets nothing"):
        await service.change_several(several("BTC", document={}))


async def test_the_newest_version_of_the_assets_is_the_one_to_expect(service: ConfigService) -> None:
    await update(service, "BTC", bang_threshold=81)
    await update(service, "ETH", bang_threshold=82)
    await update(service, "SOL", bang_threshold=83)

    with pytest.raises(VersionConflict, match="at version 2, not 1"):
        await service.change_several(several("BTC", "ETH", document={"bang_threshold": 85}, expected_version=1))
    await service.change_several(several("BTC", "ETH", document={"bang_threshold": 85}, expected_version=2))

    assert in_force(service) == [85, 85, 83]


async def test_a_repeated_request_is_made_once(service: ConfigService) -> None:
    asked = several("BTC", "ETH", document={"bang_threshold": 85}, request_id="r1")

    first = await service.change_several(asked)

    assert await service.change_several(asked) == first
    assert service.active("BTC").version == 1
    with pytest.raises(RequestIdReused):
        await service.change_several(several("BTC", document={"bang_threshold": 85}, request_id="r1"))


async def test_a_trial_says_what_would_be_and_changes_nothing(service: ConfigService) -> None:
    tried = await service.try_several(several("BTC", "ETH", document={"bang_threshold": 85}))

    assert (tried["status"], tried["assets"], in_force(service)) == ("valid", ["BTC", "ETH"], [80, 80, 80])


def undo(config_id: str, **more: Any) -> UndoRequest:
    return UndoRequest(config_id, channel="rest", author="bob", **more)


async def made_ids(service: ConfigService, count: int) -> list[str]:
    """Of the newest revisions, the newest last."""
    return [entry["config_id"] for entry in (await service.history(None, count, None))["history"]][::-1]


async def test_a_change_of_several_assets_is_undone_as_one_change_and_the_undo_too(service: ConfigService) -> None:
    await update(service, "ETH", bang_threshold=90, aim_threshold=66)
    await update(service, "SOL", bang_threshold=83)
    await service.change_several(several("BTC", "ETH", "SOL", document={"bang_threshold": 85}))
    first, middle, last = await made_ids(service, 3)
    await service.switch(SwitchRequest("pause", channel="rest", asset="ETH"))

    undone = await service.undo(undo(middle, reason="too few", request_id="u1"))

    assert (undone["status"], sorted(undone["assets"])) == ("success", ["BTC", "ETH", "SOL"])
    assert (in_force(service), in_force(service, AIM)) == ([80, 90, 83], [70, 66, 70])
    made = (await service.history(None, 3, None))["history"]
    assert [(entry["author"], entry["reason"]) for entry in made] == [("bob", "too few")] * 3
    assert await service.undo(undo(middle, reason="too few", request_id="u1")) == undone
    for config_id in (first, last):
        with pytest.raises(VersionConflict, match=r"BTC has changed since: version .* by bob.*too few"):
            await service.undo(undo(config_id))
    await service.undo(undo(made[1]["config_id"]))
    assert in_force(service) == [85, 85, 85]


async def test_of_a_change_of_which_one_asset_has_changed_since_nothing_is_undone(service: ConfigService) -> None:
    await service.change_several(several("BTC", "ETH", document={"bang_threshold": 85}))
    (made,) = await made_ids(service, 1)
    await update(service, "ETH", bang_threshold=86)

    with pytest.raises(VersionConflict, match="ETH has changed since: version 3 by anonymous") as refused:
        await service.undo(undo(made))

    assert [problem.asset for problem in refused.value.problems] == ["ETH"]
    assert in_force(service) == [85, 86, 80]


async def test_a_single_change_and_a_file_are_undone_in_the_same_way(service: ConfigService) -> None:
    await service.replace(Replacement({"global": {"bang_threshold": 88}, "SOL": {"bang_threshold": 91}}))
    (file,) = await made_ids(service, 1)
    await update(service, "BTC", bang_threshold=81)
    (single,) = await made_ids(service, 1)

    await service.undo(undo(single))
    assert in_force(service) == [88, 88, 91]
    await service.undo(undo(file))
    assert in_force(service) == [80, 80, 80]


async def test_only_configurations_can_be_undone(service: ConfigService) -> None:
    paused = await service.switch(SwitchRequest("pause", channel="rest"))

    with pytest.raises(UnknownRevision, match="is a pause, not a configuration"):
        await service.undo(undo(paused["config_id"]))
    with pytest.raises(UnknownRevision, match="Unknown config_id"):
        await service.undo(undo("nope"))

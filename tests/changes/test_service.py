"""One door for change: a change is made whole, once, on disk and in force before it is acknowledged, or not at all."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from vivienne.access.budget import TimeBudgets
from vivienne.access.caller import Caller
from vivienne.changes.pruning import prune
from vivienne.changes.requests import Activate, ChangeRequest, Delete, Reset, SwitchRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.changes.writer import MOST_WAITING
from vivienne.config.documents import leaves
from vivienne.config.tunables import DEFAULTS
from vivienne.errors import (
    ChangeRefused,
    InvalidConfiguration,
    NotStored,
    RequestIdReused,
    StoreUnavailable,
    UnknownRevision,
    UnknownTarget,
    VersionConflict,
)
from vivienne.store.revision import AppliedRevision, Revision
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.thread import StoreThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from vivienne.changes.requests import Intent

ASSETS = ("BTC", "ETH")
BANG, AIM, LOADED = (f"settings.state_threshold_{level}" for level in ("bang", "aim", "loaded"))
SQUEEZE = "filters.volatility.volatility_squeeze_threshold"


class Store(SqliteRevisionStore):
    """The real store, which can be told to fail or to wait before it takes a revision."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.fails = False
        self.fails_afterwards = False
        self.silent = False
        self.unproven = False
        self.looks = 0
        self.appending = threading.Event()
        self.may_append = threading.Event()
        self.may_append.set()

    def append(self, *revisions: Revision, under: str | None = None, ends: tuple[int, str] | None = None) -> None:
        self.appending.set()
        if self.fails:
            raise StoreUnavailable("the disk is full")
        assert self.may_append.wait(30)
        super().append(*revisions, under=under, ends=ends)
        if self.fails_afterwards:
            raise StoreUnavailable("the disk reports an error")

    def prove(self) -> None:
        if self.fails or self.unproven:
            raise StoreUnavailable("the disk is full")
        super().prove()

    def by_config_id(self, config_id: str) -> Revision | None:
        if self.silent:
            raise StoreUnavailable("the disk does not answer")
        return super().by_config_id(config_id)

    def after(self, version: int, limit: int) -> list[Revision]:
        self.looks += 1
        return super().after(version, limit)

    async def reached(self) -> None:
        """Until a revision is being taken."""
        assert await asyncio.to_thread(self.appending.wait, 30)
        self.appending.clear()


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


def request(intent: Intent, asset: str | None = None, **more: Any) -> ChangeRequest:
    return ChangeRequest(intent, channel="test", asset=asset, **more)


def thresholds(**values: object) -> dict[str, Any]:
    return {"settings": {f"state_threshold_{level}": value for level, value in values.items()}}


def partial(asset: str | None = None, /, **values: object) -> ChangeRequest:
    """Lay thresholds over a layer."""
    return request(Update(thresholds(**values), partial=True), asset)


def full(asset: str | None = None, /, **values: object) -> ChangeRequest:
    """Set thresholds and nothing else."""
    return request(Update(thresholds(**values), partial=False), asset)


def in_force(service: ConfigService, asset: str | None = None, path: str = BANG) -> Any:
    return leaves(service.active(asset).document)[path]


def everything(service: ConfigService) -> list[Any]:
    return [service.active(asset) for asset in (None, *ASSETS)]


async def versions(service: ConfigService) -> list[int]:
    page = await service.history(None, 1000, None)
    return [revision["version"] for revision in page["history"]]


# What is in force


async def test_at_first_the_defaults_are_in_force(service: ConfigService) -> None:
    for asset in (None, *ASSETS):
        active = service.active(asset)
        assert (active.version, active.config_id, active.document) == (0, None, DEFAULTS)
        assert active.asset_symbol == asset
        assert active.configuration.settings.state_threshold_bang == 80
        assert set(active.sources.values()) == {"default"}


async def test_the_case_of_an_asset_does_not_matter(service: ConfigService) -> None:
    answer = await service.change(partial("bTc", bang=90))

    assert answer["asset_symbol"] == "BTC"
    assert service.active("btc") is service.active("BTC")


@pytest.mark.parametrize("asset", ["DOGE", "", "global", "GLOBAL", "BTC "])
async def test_an_unknown_asset_is_refused_with_those_that_are_known(service: ConfigService, asset: str) -> None:
    with pytest.raises(UnknownTarget, match="known are BTC, ETH"):
        service.active(asset)
    with pytest.raises(UnknownTarget, match="known are BTC, ETH"):
        await service.change(partial(asset, bang=90))
    with pytest.raises(UnknownTarget, match="known are BTC, ETH"):
        await service.history(asset, 10, None)
    with pytest.raises(UnknownTarget, match="known are BTC, ETH"):
        await service.configurations(asset, 10, None)
    assert await versions(service) == []


# Updates


async def test_a_partial_update_merges_into_what_the_layer_sets(service: ConfigService) -> None:
    await service.change(partial("BTC", bang=90))
    await service.change(partial("BTC", aim=75))

    assert [in_force(service, "BTC", path) for path in (BANG, AIM)] == [90, 75]
    assert [in_force(service, "ETH", path) for path in (BANG, AIM)] == [80, 70]


async def test_a_full_update_replaces_all_the_layer_sets(service: ConfigService) -> None:
    await service.change(partial("BTC", bang=90))
    answer = await service.change(full("BTC", aim=75))

    assert [in_force(service, "BTC", path) for path in (BANG, AIM)] == [80, 75]
    assert service.active("BTC").sources[BANG] == "default"
    assert {(change["path"], change["old"], change["new"]) for change in answer["changed"]} == {
        (BANG, 90, 80),
        (AIM, 70, 75),
    }


async def test_a_full_update_of_an_asset_leaves_what_is_set_for_all(service: ConfigService) -> None:
    await service.change(partial(bang=85))
    await service.change(full("BTC", aim=75))

    assert in_force(service, "BTC") == 85
    assert service.active("BTC").sources[BANG] == "global"


async def test_an_update_tells_all_there_is_to_know(service: ConfigService) -> None:
    await service.change(partial("ETH", bang=95))
    answer = await service.change(partial(bang=90))

    assert answer == {
        "status": "success",
        "message": "Configuration updated: 1 value changed for all assets",
        "config_id": service.active().config_id,
        "version": 2,
        "previous_version": 0,
        "asset_symbol": None,
        "changed": [{"path": BANG, "old": 80, "new": 90}],
        "assets": ["BTC"],
        "config": service.active().document,
        "warnings": [],
    }


async def test_flat_nested_and_mixed_updates_are_the_same_change(service: ConfigService) -> None:
    for document in (
        {"bang_threshold": 90, "volatility_squeeze_threshold": 0.02},
        {"settings": {"state_threshold_bang": 90}, "filters": {"volatility": {"volatility_squeeze_threshold": 0.02}}},
        {"settings": {"state_threshold_bang": 90}, "volatility_squeeze_threshold": 0.02},
    ):
        await service.change(request(Update(document, partial=False), "BTC"))
        assert [in_force(service, "BTC", path) for path in (BANG, SQUEEZE)] == [90, 0.02]

    page = await service.configurations("BTC", 3, None)
    assert len(page["configurations"]) == 3
    assert all(each["config"] == page["configurations"][0]["config"] for each in page["configurations"])


async def test_a_value_is_kept_as_it_was_sent(service: ConfigService) -> None:
    await service.change(partial("BTC", bang=85.0, aim=75))

    assert [repr(in_force(service, "BTC", path)) for path in (BANG, AIM)] == ["85.0", "75"]


async def test_a_change_that_changes_no_value_is_still_recorded(service: ConfigService) -> None:
    answer = await service.change(partial("BTC", bang=80))

    assert (answer["version"], answer["changed"], answer["assets"]) == (1, [], [])
    assert answer["message"] == "Configuration updated: no value changed for BTC"
    assert service.active("BTC").sources[BANG] == "asset"


@pytest.mark.parametrize("document", [{}, {"settings": {}}, {"settings": {}, "filters": {"levels": {}}}])
@pytest.mark.parametrize("is_partial", [True, False])
async def test_an_update_that_sets_nothing_is_refused(
    service: ConfigService, document: dict[str, Any], is_partial: bool
) -> None:
    await service.change(partial("BTC", bang=90))

    with pytest.raises(InvalidConfiguration, match="sets nothing"):
        await service.change(request(Update(document, partial=is_partial), "BTC"))
    assert in_force(service, "BTC") == 90


async def test_everything_wrong_with_an_update_is_said_at_once_and_nothing_changes(service: ConfigService) -> None:
    document = {
        "bang_treshold": 90,
        "bang_threshold": 60,
        "settings": {"position_size_bang": None},
        "levels_buffer_percent": 0.5,
    }
    before = everything(service)

    with pytest.raises(InvalidConfiguration) as refused:
        await service.change(request(Update(document, partial=True), "BTC"))

    assert {problem.path for problem in refused.value.problems} == {
        "bang_treshold", BANG, "settings.position_size_bang", "filters.levels.levels_buffer_percent",
    }  # fmt: skip
    assert everything(service) == before
    assert await versions(service) == []


@pytest.mark.parametrize(
    "refused",
    [
        lambda service: service.change(request(Update({"bang_threshold": 900}, partial=True))),
        lambda service: service.change(request(Update({"bang_threshold": 80}, partial=True), expected_version=7)),
        lambda service: service.validate(request(Update({"bang_threshold": 900}, partial=True))),
        lambda service: service.switch(SwitchRequest("pause", channel="test", asset="DOGE")),
        lambda service: service.switch(SwitchRequest("resume", channel="test", expected_version=7)),
    ],
)
async def test_what_is_refused_leaves_no_garbage(
    service: ConfigService, refused: Callable[[ConfigService], Awaitable[object]]
) -> None:
    """Of a flood of refusals it would fill the memory before anybody looks for it."""
    service.charge_with(lambda *_: None, TimeBudgets(monotonic, share=1.0, at_once=100.0), lambda *_: None)

    told: list[weakref.ref[ChangeRefused]] = []
    gc.disable()
    try:
        for _ in range(5):
            try:
                await refused(service)
            except ChangeRefused as error:
                told.append(weakref.ref(error))
        await asyncio.sleep(0)  # its task is forgotten
        assert [None] * 5 == [each() for each in told]
    finally:
        gc.enable()


async def test_a_rule_is_judged_on_what_would_be_in_force(service: ConfigService) -> None:
    await service.change(partial(aim=60))
    await service.change(partial("BTC", bang=65))

    with pytest.raises(InvalidConfiguration) as refused:
        await service.change(partial(aim=70))

    assert [(problem.path, problem.asset) for problem in refused.value.problems] == [(AIM, "BTC")]
    assert in_force(service, None, AIM) == 60


# Resets


async def test_a_reset_value_is_inherited_again(service: ConfigService) -> None:
    await service.change(partial(bang=85))
    await service.change(partial("BTC", bang=90, aim=75))
    answer = await service.change(request(Reset((BANG,)), "BTC"))

    assert answer["changed"] == [{"path": BANG, "old": 90, "new": 85}]
    assert [in_force(service, "BTC", path) for path in (BANG, AIM)] == [85, 75]
    assert service.active("BTC").sources[BANG] == "global"


async def test_a_section_can_be_reset(service: ConfigService) -> None:
    document = {**thresholds(bang=90, aim=75), "filters": {"volatility": {"volatility_squeeze_threshold": 0.02}}}
    await service.change(request(Update(document, partial=True), "BTC"))
    await service.change(request(Reset(("settings",)), "BTC"))

    assert [in_force(service, "BTC", path) for path in (BANG, AIM, SQUEEZE)] == [80, 70, 0.02]
    await service.change(request(Reset(("filters.volatility",)), "BTC"))
    assert service.active("BTC").document == DEFAULTS


async def test_a_reset_without_paths_resets_the_whole_layer_and_no_other(service: ConfigService) -> None:
    await service.change(partial(bang=85))
    await service.change(partial("BTC", bang=90))
    await service.change(request(Reset(), "BTC"))

    assert [in_force(service, asset) for asset in ("BTC", "ETH")] == [85, 85]
    await service.change(request(Reset()))
    assert service.active("BTC").document == DEFAULTS


@pytest.mark.parametrize("name", ["bang_threshold", "state_threshold_bang", BANG])
async def test_a_reset_takes_flat_names(service: ConfigService, name: str) -> None:
    await service.change(partial("BTC", bang=90))
    await service.change(request(Reset((name,)), "BTC"))

    assert in_force(service, "BTC") == 80


async def test_a_note_can_be_reset(service: ConfigService) -> None:
    document = {"description": "calm", "settings": {"description": "calmer"}}
    await service.change(request(Update(document, partial=True), "BTC"))
    await service.change(request(Reset(("description", "settings.description")), "BTC"))

    assert service.active("BTC").document == DEFAULTS


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("bang_treshold", "bang_threshold"),
        ("settings.state_treshold_bang", BANG),
        ("filters.level", "filters.levels"),
        ("nowhere.description", "description"),
        ("settings.state_threshold_bang.description", BANG),
        ("settings.xdescription", "settings.description"),
        ("", ""),
    ],
)
async def test_an_unknown_path_is_not_reset(service: ConfigService, name: str, nearest: str) -> None:
    await service.change(partial("BTC", bang=90))

    with pytest.raises(InvalidConfiguration, match="Unknown path") as refused:
        await service.change(request(Reset((AIM, name)), "BTC"))

    assert [problem.path for problem in refused.value.problems] == [name]
    assert nearest.rpartition(".")[2][:4] in refused.value.problems[0].message
    assert await versions(service) == [1]


async def test_resetting_what_is_not_set_changes_no_value(service: ConfigService) -> None:
    answer = await service.change(request(Reset((BANG,)), "BTC"))

    assert answer["changed"] == []
    assert service.active("BTC").document == DEFAULTS


@pytest.mark.parametrize("name", [BANG, "bang_threshold"])
async def test_a_reset_that_breaks_a_rule_is_refused_on_the_value_that_was_to_be_reset(
    service: ConfigService, name: str
) -> None:
    await service.change(partial("BTC", bang=90, aim=85))

    with pytest.raises(InvalidConfiguration) as refused:
        await service.change(request(Reset((name,)), "BTC"))

    assert [problem.path for problem in refused.value.problems] == [BANG]
    assert in_force(service, "BTC") == 90


# Activating


async def test_a_former_configuration_can_be_put_in_force_again(service: ConfigService) -> None:
    first = await service.change(partial("BTC", bang=90))
    await service.change(partial("BTC", bang=95, aim=75))
    answer = await service.change(request(Activate(first["config_id"])))

    assert [in_force(service, "BTC", path) for path in (BANG, AIM)] == [90, 70]
    assert (answer["version"], answer["asset_symbol"]) == (3, "BTC")
    assert answer["config_id"] not in {first["config_id"], None}
    assert service.active("BTC").config_id == answer["config_id"]
    [newest] = (await service.history("BTC", 1, None))["history"]
    assert (newest["action"], newest["target"]) == ("activate", first["config_id"])


async def test_an_activation_is_judged_by_what_it_would_inherit_now(service: ConfigService) -> None:
    first = await service.change(partial("BTC", bang=75))
    await service.change(partial("BTC", bang=95))
    await service.change(partial(aim=78))

    with pytest.raises(InvalidConfiguration, match="Aim threshold"):
        await service.change(request(Activate(first["config_id"])))
    assert in_force(service, "BTC") == 95


@pytest.mark.parametrize("intent", [Activate("no-such-id"), Delete("no-such-id")])
async def test_an_unknown_config_id_is_refused(service: ConfigService, intent: Intent) -> None:
    with pytest.raises(UnknownRevision, match="'no-such-id'"):
        await service.change(request(intent))
    assert await versions(service) == []


# Deleting


async def test_deleting_what_is_in_force_leads_back_step_by_step_to_the_defaults(service: ConfigService) -> None:
    answers = [await service.change(partial("BTC", bang=bang)) for bang in (85, 90, 95)]
    seen = []
    for answer in reversed(answers):
        assert service.active("BTC").config_id == answer["config_id"]
        await service.change(request(Delete(answer["config_id"])))
        seen.append(in_force(service, "BTC"))

    assert seen == [90, 85, 80]
    active = service.active("BTC")
    assert (active.document, active.config_id, active.version) == (DEFAULTS, None, 6)
    assert (await service.configurations("BTC", 10, None))["configurations"] == []


async def test_deleting_a_former_configuration_leaves_what_is_in_force(service: ConfigService) -> None:
    first = await service.change(partial("BTC", bang=85))
    second = await service.change(partial("BTC", bang=90))
    third = await service.change(partial("BTC", bang=95))
    answer = await service.change(request(Delete(second["config_id"])))

    assert (answer["changed"], answer["assets"]) == ([], [])
    assert in_force(service, "BTC") == 95
    assert service.active("BTC").config_id == third["config_id"]
    await service.change(request(Delete(third["config_id"])))
    assert in_force(service, "BTC") == 85, "the one in between is deleted"
    assert service.active("BTC").config_id == first["config_id"]


async def test_a_configuration_cannot_be_deleted_twice(service: ConfigService) -> None:
    answer = await service.change(partial("BTC", bang=85))
    await service.change(request(Delete(answer["config_id"])))

    with pytest.raises(UnknownRevision, match="was already deleted"):
        await service.change(request(Delete(answer["config_id"])))
    assert await versions(service) == [2, 1]


async def test_the_record_of_a_deletion_cannot_be_deleted(service: ConfigService) -> None:
    answer = await service.change(partial("BTC", bang=85))
    deletion = await service.change(request(Delete(answer["config_id"])))

    with pytest.raises(UnknownRevision, match="is a deletion"):
        await service.change(request(Delete(deletion["config_id"])))


async def test_an_activation_can_be_deleted_again(service: ConfigService) -> None:
    first = await service.change(partial("BTC", bang=85))
    second = await service.change(partial("BTC", bang=90))
    third = await service.change(request(Activate(first["config_id"])))
    await service.change(request(Delete(third["config_id"])))

    assert in_force(service, "BTC") == 90
    assert service.active("BTC").config_id == second["config_id"]


async def test_deleting_for_all_shows_what_is_below(service: ConfigService) -> None:
    answer = await service.change(partial(bang=90))
    deletion = await service.change(request(Delete(answer["config_id"])))

    assert deletion["assets"] == ["BTC", "ETH"]
    assert [in_force(service, asset) for asset in (None, "BTC")] == [80, 80]


async def test_a_deletion_that_would_break_an_asset_is_refused_and_names_it(service: ConfigService) -> None:
    answer = await service.change(partial(bang=90))
    await service.change(partial("BTC", aim=85))

    with pytest.raises(InvalidConfiguration) as refused:
        await service.change(request(Delete(answer["config_id"])))

    assert [problem.asset for problem in refused.value.problems] == ["BTC"]
    assert in_force(service) == 90


# Versions


async def test_versions_are_one_sequence_over_all_layers(service: ConfigService) -> None:
    answers = [
        await service.change(partial(bang=90)),
        await service.change(partial("BTC", bang=91)),
        await service.change(partial("ETH", bang=92)),
        await service.change(request(Reset(), "BTC")),
    ]
    answers.append(await service.change(request(Activate(answers[1]["config_id"]))))
    answers.append(await service.change(request(Delete(answers[4]["config_id"]))))

    assert [answer["version"] for answer in answers] == [1, 2, 3, 4, 5, 6]
    assert [service.active(asset).version for asset in (None, "BTC", "ETH")] == [1, 6, 3]
    assert await versions(service) == [6, 5, 4, 3, 2, 1]


async def test_a_refused_change_takes_no_version(service: ConfigService) -> None:
    with pytest.raises(InvalidConfiguration):
        await service.change(partial(bang=101))

    assert (await service.change(partial(bang=90)))["version"] == 1


async def test_a_change_on_top_of_the_version_in_force_is_made(service: ConfigService) -> None:
    await service.change(replace(partial("BTC", bang=90), expected_version=0))
    answer = await service.change(replace(partial("BTC", bang=91), expected_version=1))

    assert (answer["version"], answer["previous_version"]) == (2, 1)


@pytest.mark.parametrize("expected", [0, 1, 3, 99])
async def test_a_change_on_top_of_another_version_is_refused(service: ConfigService, expected: int) -> None:
    await service.change(partial("BTC", bang=90))
    await service.change(partial("BTC", bang=91))

    with pytest.raises(VersionConflict, match=f"at version 2, not {expected}"):
        await service.change(replace(partial("BTC", bang=92), expected_version=expected))
    assert in_force(service, "BTC") == 91


async def test_a_global_change_moves_every_asset_on(service: ConfigService) -> None:
    await service.change(partial("BTC", bang=90))
    await service.change(partial(aim=60))

    with pytest.raises(VersionConflict):
        await service.change(replace(partial("BTC", bang=91), expected_version=1))
    with pytest.raises(VersionConflict):
        await service.change(replace(partial("ETH", bang=91), expected_version=0))
    assert (await service.change(replace(partial("ETH", bang=91), expected_version=2)))["version"] == 3


async def test_a_change_of_one_asset_moves_no_other_on_and_not_the_global_layer(service: ConfigService) -> None:
    await service.change(partial("BTC", bang=90))

    assert [service.active(asset).version for asset in (None, "BTC", "ETH")] == [0, 1, 0]
    assert (await service.change(replace(partial("ETH", bang=91), expected_version=0)))["version"] == 2
    assert (await service.change(replace(partial(aim=60), expected_version=0)))["version"] == 3


@pytest.mark.parametrize("kind", [Activate, Delete])
async def test_activating_and_deleting_keep_to_the_expected_version_too(
    service: ConfigService, kind: type[Activate | Delete]
) -> None:
    answer = await service.change(partial("BTC", bang=90))
    await service.change(partial("BTC", bang=95))

    with pytest.raises(VersionConflict):
        await service.change(request(kind(answer["config_id"]), expected_version=1))
    await service.change(request(kind(answer["config_id"]), expected_version=2))
    assert await versions(service) == [3, 2, 1]


# Repeated requests


async def test_a_repeated_request_is_answered_as_the_first_time_and_not_made_again(service: ConfigService) -> None:
    asked = replace(partial("BTC", bang=90), request_id="r-1", expected_version=0)
    first = await service.change(asked)
    await service.change(partial("BTC", bang=95))

    assert await service.change(asked) == first
    assert in_force(service, "BTC") == 95
    assert await versions(service) == [2, 1]


async def test_a_repeated_request_is_known_after_a_restart(service: ConfigService, path: Path) -> None:
    asked = replace(partial("BTC", bang=90), request_id="r-1")
    first = await service.change(asked)
    await service.close()

    again = ConfigService(SqliteRevisionStore(path), ASSETS)
    assert await again.change(asked) == first
    assert await versions(again) == [1]
    with pytest.raises(RequestIdReused):
        await again.change(replace(partial("BTC", bang=91), request_id="r-1"))
    await again.close()


@pytest.mark.parametrize(
    "other",
    [
        partial("BTC", bang=91),
        full("BTC", bang=90),
        partial("ETH", bang=90),
        partial(bang=90),
        request(Reset(), "BTC"),
        replace(partial("BTC", bang=90), expected_version=1),
    ],
)
async def test_a_request_id_does_not_stand_for_another_change(service: ConfigService, other: ChangeRequest) -> None:
    await service.change(replace(partial("BTC", bang=90), request_id="r-1"))

    with pytest.raises(RequestIdReused, match=r"'r-1' was used for another change \(version 1\)"):
        await service.change(replace(other, request_id="r-1"))
    assert await versions(service) == [1]


async def test_the_order_of_names_does_not_make_another_change(service: ConfigService) -> None:
    first = await service.change(replace(partial("BTC", bang=90, aim=75), request_id="r-1"))

    assert await service.change(replace(partial("BTC", aim=75, bang=90), request_id="r-1")) == first


async def test_a_change_whose_answer_is_no_longer_kept_is_not_made_again(
    service: ConfigService, store: SqliteRevisionStore
) -> None:
    asked = replace(partial("BTC", bang=90), request_id="r-1")
    version = (await service.change(asked))["version"]
    await prune(store, StoreThread(10.0), timedelta(days=-1))

    with pytest.raises(RequestIdReused, match=r"Its answer is no longer kept, and it is not made again"):
        await service.change(asked)
    assert store.heads()[0].version == version


async def test_a_request_id_is_that_of_its_caller(service: ConfigService) -> None:
    asked = replace(partial("BTC", bang=90), request_id="r-1")
    for caller in (Caller("127.0.0.1"), Caller("127.0.0.2"), Caller("127.0.0.1", "ann"), Caller(via="redis")):
        await service.change(replace(asked, caller=Caller("127.0.0.3")))
        await service.change(replace(asked, caller=caller))
    assert 5 == service.active("BTC").version


async def test_a_refused_change_does_not_use_up_its_request_id(service: ConfigService) -> None:
    with pytest.raises(InvalidConfiguration):
        await service.change(replace(partial("BTC", bang=101), request_id="r-1"))

    assert (await service.change(replace(partial("BTC", bang=90), request_id="r-1")))["version"] == 1


async def test_the_same_request_twice_at_once_is_made_once(service: ConfigService) -> None:
    asked = replace(partial("BTC", bang=90), request_id="r-1")

    answers = await asyncio.gather(*(service.change(asked) for _ in range(20)))

    assert all(answer == answers[0] for answer in answers)
    assert await versions(service) == [1]


async def test_every_kind_of_change_can_be_repeated(service: ConfigService) -> None:
    first = await service.change(partial("BTC", bang=90))
    intents: list[Intent] = [Reset((BANG,)), Activate(first["config_id"]), Delete(first["config_id"])]
    for number, intent in enumerate(intents):
        asked = request(intent, request_id=f"r-{number}")
        assert await service.change(asked) == await service.change(asked)

    assert await versions(service) == [4, 3, 2, 1]


# Trying out


async def test_trying_a_change_out_says_what_it_would_do_and_changes_nothing(service: ConfigService) -> None:
    told: list[int] = []
    service.listen(lambda change: told.append(change.revision.version))
    before = everything(service)

    outcome = await service.validate(partial(bang=90))

    assert outcome["status"] == "valid"
    assert outcome["changed"] == [{"path": BANG, "old": 80, "new": 90}]
    assert outcome["assets"] == ["BTC", "ETH"]
    assert outcome["config"]["settings"]["state_threshold_bang"] == 90
    assert outcome["version"] == 0
    assert everything(service) == before
    assert await versions(service) == []
    assert told == []


async def test_a_change_that_was_tried_out_does_what_was_said(service: ConfigService) -> None:
    outcome = await service.validate(partial("BTC", bang=90, aim=75))
    answer = await service.change(partial("BTC", bang=90, aim=75))

    assert {name: answer[name] for name in ("changed", "assets", "config", "asset_symbol")} == {
        name: outcome[name] for name in ("changed", "assets", "config", "asset_symbol")
    }


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (partial(bang=101), InvalidConfiguration),
        (partial("DOGE", bang=90), UnknownTarget),
        (replace(partial(bang=90), expected_version=5), VersionConflict),
        (request(Delete("no-such-id")), UnknownRevision),
    ],
)
async def test_trying_out_is_refused_as_the_change_would_be(
    service: ConfigService, asked: ChangeRequest, error: type[ChangeRefused]
) -> None:
    with pytest.raises(error) as tried:
        await service.validate(asked)
    with pytest.raises(error) as made:
        await service.change(asked)

    assert tried.value.problems == made.value.problems


# Who is told


async def test_listeners_see_the_change_in_force_before_it_is_acknowledged(service: ConfigService) -> None:
    seen: list[tuple[int, list[str], list[float]]] = []

    def listener(change: AppliedRevision) -> None:
        values = [in_force(service, asset) for asset in change.assets]
        seen.append((change.revision.version, change.assets, values))

    service.listen(listener)
    change = asyncio.create_task(service.change(partial("BTC", bang=90)))
    change.add_done_callback(lambda _: seen.append((0, ["acknowledged"], [])))
    await change
    await service.change(partial(bang=85))

    assert seen == [(1, ["BTC"], [90]), (0, ["acknowledged"], []), (2, ["BTC", "ETH"], [90, 85])]


async def test_a_revision_is_on_disk_before_anyone_is_told(service: ConfigService, store: Store) -> None:
    stored: list[bool] = []
    service.listen(lambda change: stored.append(store.by_config_id(change.revision.config_id) == change.revision))

    await service.change(partial("BTC", bang=90))

    assert stored == [True]


async def test_nobody_is_told_of_a_refused_change(service: ConfigService) -> None:
    told: list[int] = []
    service.listen(lambda change: told.append(change.revision.version))

    with pytest.raises(InvalidConfiguration):
        await service.change(partial(bang=101))

    assert told == []


async def test_what_was_in_force_is_not_changed_under_those_who_hold_it(service: ConfigService) -> None:
    held = service.active("BTC")
    await service.change(partial("BTC", bang=90))

    assert leaves(held.document)[BANG] == held.configuration.settings.state_threshold_bang == 80
    now = service.active("BTC")
    assert leaves(now.document)[BANG] == now.configuration.settings.state_threshold_bang == 90


# Many at once


async def increment(service: ConfigService, asset: str) -> None:
    while True:
        active = service.active(asset)
        size = leaves(active.document)["filters.combined_vwap.distribution_trade_count_threshold"] + 1
        document = {"distribution_trade_count_threshold": size}
        await asyncio.sleep(0)
        try:
            await service.change(request(Update(document, partial=True), asset, expected_version=active.version))
        except VersionConflict:
            continue
        return


async def test_no_increment_is_lost_when_many_make_them_at_once(service: ConfigService) -> None:
    await asyncio.gather(*(increment(service, "BTC") for _ in range(60)))

    assert in_force(service, "BTC", "filters.combined_vwap.distribution_trade_count_threshold") == 260
    assert await versions(service) == list(range(60, 0, -1))


async def test_changes_at_once_are_made_one_after_the_other(service: ConfigService) -> None:
    answers = await asyncio.gather(*(service.change(partial("BTC", bang=80 + n / 10)) for n in range(50)))

    assert sorted(answer["version"] for answer in answers) == list(range(1, 51))
    history = (await service.history("BTC", 100, None))["history"]
    for newer, older in pairwise(history):
        olds = [change["old"] for change in newer["changed"]]
        assert olds in ([], [older["config"]["settings"]["state_threshold_bang"]])
    assert in_force(service, "BTC") == history[0]["config"]["settings"]["state_threshold_bang"]


async def test_more_changes_than_may_wait_are_refused_at_once(service: ConfigService, store: Store) -> None:
    store.may_append.clear()
    waiting = [asyncio.create_task(service.change(partial("BTC", bang=90))) for _ in range(MOST_WAITING)]
    await store.reached()

    with pytest.raises(NotStored, match="retry in a moment"):
        await service.change(partial("BTC", bang=95))
    other = asyncio.create_task(service.change(replace(partial("BTC", bang=91), caller=Caller("192.0.2.2"))))

    store.may_append.set()
    answers = await asyncio.gather(*waiting)
    versions = [answer["version"] for answer in (*answers, await other)]
    assert sorted(versions) == list(range(1, MOST_WAITING + 2))
    assert versions[-1] <= 3  # it did not wait for those of the other caller
    assert (await service.change(partial("BTC", bang=95)))["version"] == MOST_WAITING + 2


async def test_a_change_whose_caller_goes_away_is_still_made(service: ConfigService, store: Store) -> None:
    store.may_append.clear()
    gone = asyncio.create_task(service.change(partial("BTC", bang=90)))
    await store.reached()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert in_force(service, "BTC") == 80
    store.may_append.set()

    answer = await service.change(partial("BTC", aim=75))

    assert (answer["version"], answer["previous_version"]) == (2, 1)
    assert [in_force(service, "BTC", path) for path in (BANG, AIM)] == [90, 75]
    assert await versions(service) == [2, 1]


async def test_a_change_whose_caller_goes_away_while_it_waits_is_still_made(
    service: ConfigService, store: Store
) -> None:
    store.may_append.clear()
    first = asyncio.create_task(service.change(partial("BTC", bang=90)))
    await store.reached()
    second = asyncio.create_task(service.change(partial("BTC", aim=75)))
    await asyncio.sleep(0)
    second.cancel()
    store.may_append.set()
    await first

    assert (await service.change(partial("BTC", loaded=40)))["version"] == 3
    assert [in_force(service, "BTC", path) for path in (BANG, AIM, LOADED)] == [90, 75, 40]


async def test_where_nobody_else_can_write_nobody_looks_for_what_others_did(
    service: ConfigService, store: Store
) -> None:
    answer = await service.change(replace(partial("BTC", bang=90), request_id="r-1"))
    await service.change(replace(partial("BTC", bang=90), request_id="r-1"))
    for refused in (partial(bang=101), replace(partial(bang=91), expected_version=7), request(Delete("nothing"))):
        with pytest.raises(ChangeRefused):
            await service.change(refused)
    await service.change(request(Delete(answer["config_id"])))
    await service.history(None, 10, None)

    assert store.looks == 0


# A store that fails


async def test_a_change_the_store_does_not_take_is_not_made(service: ConfigService, store: Store) -> None:
    await service.change(partial("BTC", bang=85))
    before = everything(service)
    told: list[int] = []
    service.listen(lambda change: told.append(change.revision.version))
    store.fails = True

    with pytest.raises(NotStored, match="Nothing was changed: the disk is full"):
        await service.change(partial("BTC", bang=90))

    assert everything(service) == before
    assert told == []
    assert await versions(service) == [1]


async def test_once_the_store_recovers_changes_are_made_again(service: ConfigService, store: Store) -> None:
    asked = replace(partial("BTC", bang=90), request_id="r-1")
    store.fails = True
    with pytest.raises(NotStored):
        await service.change(asked)
    store.fails = False

    assert (await service.change(asked))["version"] == 1
    assert in_force(service, "BTC") == 90


async def test_a_write_that_reports_an_error_and_reached_the_disk_all_the_same_is_acknowledged(
    service: ConfigService, store: Store
) -> None:
    store.fails_afterwards = True
    answer = await service.change(partial("BTC", bang=90))
    assert answer["version"] == 1
    assert in_force(service, "BTC", BANG) == 90


async def test_a_change_of_which_nobody_knows_whether_it_was_stored_counts_once_the_store_says_so(
    service: ConfigService, store: Store, path: Path
) -> None:
    asked = replace(partial("BTC", bang=90), request_id="r-1")
    told: list[int] = []
    service.listen(lambda change: told.append(change.revision.version))
    store.fails_afterwards = store.silent = True
    with pytest.raises(NotStored, match="It is unknown whether the change was stored"):
        await service.change(asked)
    assert in_force(service, "BTC", BANG) == 80
    store.fails_afterwards = store.silent = False

    answer = await service.change(partial("BTC", aim=75))

    assert (answer["version"], answer["previous_version"]) == (2, 1)
    assert [in_force(service, "BTC", path) for path in (BANG, AIM)] == [90, 75]
    assert told == [1, 2]
    assert (await service.change(asked))["version"] == 1
    before = everything(service)
    await service.close()
    again = ConfigService(SqliteRevisionStore(path), ASSETS)
    assert [(each.version, each.document) for each in everything(again)] == [
        (each.version, each.document) for each in before
    ]
    await again.close()


async def test_a_doubt_settles_itself_once_the_store_answers(
    service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.changes.writer.DOUBT_SECONDS", 0.01)
    store.fails_afterwards = store.silent = True
    with pytest.raises(NotStored):
        await service.change(partial("BTC", bang=90))
    with pytest.raises(StoreUnavailable, match="the last change could not be stored"):
        await service.check()
    store.fails_afterwards = store.silent = False

    for _ in range(500):
        if in_force(service, "BTC", BANG) == 90:
            break
        await asyncio.sleep(0.01)

    assert in_force(service, "BTC", BANG) == 90
    await service.check()


async def test_an_asset_in_another_case_is_the_same_request(service: ConfigService) -> None:
    first = await service.change(replace(partial("BTC", bang=90), request_id="r-1"))
    again = await service.change(replace(partial("btc", bang=90), request_id="r-1"))
    assert again == first


async def test_a_wrong_value_is_told_once_and_not_as_a_broken_rule_too(service: ConfigService) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        await service.change(partial("BTC", bang=-5))
    assert [problem.message for problem in refused.value.problems] == ["Bang threshold must be between 0 and 100"]


async def test_looking_back_gives_up_on_a_store_that_does_not_answer(
    service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.may_append.clear()
    change = asyncio.create_task(service.change(partial("BTC", bang=90)))
    await store.reached()
    for calls in (service._thread.reads, service._thread.pages):
        monkeypatch.setattr(calls, "_timeout", 0.05)

    with pytest.raises(StoreUnavailable, match="did not answer"):
        await service.history(None, 10, None)
    with pytest.raises(StoreUnavailable, match="did not answer"):
        await service.check()
    monkeypatch.undo()
    store.may_append.set()
    assert (await change)["version"] == 1
    await service.check()


async def test_a_slow_store_is_given_up_on_and_the_change_lands_all_the_same(
    service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = replace(partial("BTC", bang=90), request_id="r-1")
    monkeypatch.setattr("vivienne.changes.writer.STORE_TIMEOUT", 0.05)
    store.may_append.clear()

    with pytest.raises(NotStored, match="the change may still be made"):
        await service.change(asked)
    assert in_force(service, "BTC") == 80
    monkeypatch.undo()
    store.may_append.set()

    assert (await service.change(asked))["version"] == 1, "sent again, it is answered and not made twice"
    assert in_force(service, "BTC") == 90
    assert await versions(service) == [1]


async def test_whether_the_store_answers_can_be_asked(service: ConfigService, store: Store) -> None:
    await service.check()

    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE revisions")
    with pytest.raises(StoreUnavailable):
        await service.check()


@pytest.mark.parametrize("kind", [Activate, Delete])
async def test_a_store_that_cannot_be_read_refuses_the_change(
    service: ConfigService, store: Store, kind: type[Activate | Delete]
) -> None:
    answer = await service.change(partial("BTC", bang=90))
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE revisions")

    with pytest.raises(NotStored):
        await service.change(request(kind(answer["config_id"])))
    assert in_force(service, "BTC") == 90


async def test_closing_waits_for_what_is_under_way(service: ConfigService, store: Store, path: Path) -> None:
    store.may_append.clear()
    change = asyncio.create_task(service.change(partial("BTC", bang=90)))
    await store.reached()
    closing = asyncio.create_task(service.close())
    await asyncio.sleep(0)
    store.may_append.set()
    await closing

    assert (await change)["version"] == 1
    again = ConfigService(SqliteRevisionStore(path), ASSETS)
    assert in_force(again, "BTC") == 90
    await again.close()


async def test_a_change_after_closing_is_refused(service: ConfigService) -> None:
    await service.close()

    with pytest.raises(NotStored):
        await service.change(partial("BTC", bang=90))
    assert in_force(service, "BTC") == 80


# Looking back


async def test_a_revision_says_who_when_how_and_why(store: Store) -> None:
    service = ConfigService(store, ASSETS, clock=lambda: datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC))
    asked = ChangeRequest(
        Update(thresholds(bang=90), partial=True),
        channel="rest",
        asset="BTC",
        request_id="r-1",
        author="ann",
        reason="calmer",
        address="127.0.0.1",
    )
    answer = await service.change(asked)

    assert (await service.history(None, 10, None))["history"] == [
        {
            "config_id": answer["config_id"],
            "version": 1,
            "asset_symbol": "BTC",
            "is_active": True,
            "action": "partial_update",
            "target": None,
            "created_at": "2026-01-02T03:04:05.678Z",
            "author": "ann",
            "channel": "rest",
            "address": "127.0.0.1",
            "reason": "calmer",
            "request_id": "r-1",
            "changed": [{"path": BANG, "old": 80, "new": 90}],
            "config": thresholds(bang=90),
        }
    ]
    await service.close()


async def story(service: ConfigService) -> list[str]:
    """Global 1, BTC 2, ETH 3, BTC 4, 5 deletes BTC 4, global 6. Gives the config_ids."""
    answers = [
        await service.change(partial(bang=81)),
        await service.change(partial("BTC", bang=82)),
        await service.change(partial("ETH", bang=83)),
        await service.change(partial("BTC", bang=84)),
    ]
    answers.append(await service.change(request(Delete(answers[3]["config_id"]))))
    answers.append(await service.change(partial(bang=86)))
    return [answer["config_id"] for answer in answers]


@pytest.mark.parametrize(
    ("asset", "history", "configurations"),
    [(None, [6, 5, 4, 3, 2, 1], [6, 3, 2, 1]), ("btc", [6, 5, 4, 2, 1], [2]), ("ETH", [6, 3, 1], [3])],
)
async def test_the_history_has_all_that_bears_on_an_asset_and_configurations_what_can_be_activated(
    service: ConfigService, asset: str | None, history: list[int], configurations: list[int]
) -> None:
    await story(service)

    told = await service.history(asset, 100, None)
    listed = await service.configurations(asset, 100, None)

    assert [each["version"] for each in told["history"]] == history
    assert [each["version"] for each in listed["configurations"]] == configurations
    assert told["next"] is listed["next"] is None


async def test_the_active_configuration_of_each_layer_is_marked(service: ConfigService) -> None:
    ids = await story(service)
    history = (await service.history(None, 100, None))["history"]

    assert {each["config_id"] for each in history if each["is_active"]} == {ids[5], ids[1], ids[2]}
    assert [service.active(asset).config_id for asset in (None, "BTC", "ETH")] == [ids[5], ids[1], ids[2]]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
async def test_next_leads_through_all_pages(service: ConfigService, limit: int) -> None:
    await story(service)

    seen: list[int] = []
    before: int | None = None
    while True:
        page = await service.history(None, limit, before)
        seen += [each["version"] for each in page["history"]]
        assert len(page["history"]) <= limit
        before = page["next"]
        if before is None:
            break
        assert before == seen[-1]

    assert seen == [6, 5, 4, 3, 2, 1]


async def test_a_page_before_a_version_starts_below_it(service: ConfigService) -> None:
    await story(service)

    page = await service.configurations(None, 2, 6)

    assert [each["version"] for each in page["configurations"]] == [3, 2]
    assert page["next"] == 2
    assert (await service.configurations(None, 2, 1))["configurations"] == []


# Restarts


async def test_after_a_restart_the_same_is_in_force(service: ConfigService, path: Path) -> None:
    await story(service)
    before = everything(service)
    await service.close()

    again = ConfigService(SqliteRevisionStore(path), ASSETS)
    assert everything(again) == before
    assert (await again.change(partial("BTC", bang=90)))["version"] == 7
    await again.close()


def stored(path: Path, *documents: tuple[str, dict[str, Any]]) -> None:
    """Put documents into a store without asking whether they hold."""
    store = SqliteRevisionStore(path)
    for version, (layer, document) in enumerate(documents, start=1):
        store.append(
            Revision(version, f"id-{version}", layer, "update", document, [], "ann", "test", "2026-01-01T00:00:00.000Z")
        )
    store.close()


async def test_a_stored_layer_that_does_not_hold_is_left_out_said_and_can_be_repaired(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored(path, ("BTC", {"settings": {"gone": 1, "state_threshold_bang": 90}}), ("ETH", thresholds(bang=95)))

    service = ConfigService(SqliteRevisionStore(path), ASSETS)

    assert [in_force(service, asset) for asset in ASSETS] == [80, 95]
    assert [problem.path for problem in service.ignored["BTC"]] == ["settings.gone"]
    assert "The stored configuration of BTC is not valid any more" in caplog.text
    with pytest.raises(InvalidConfiguration, match="'gone'"):
        await service.change(partial("BTC", aim=75))
    await service.change(full("BTC", bang=91))
    assert service.ignored == {}
    assert in_force(service, "BTC") == 91
    await service.close()


async def test_a_layer_left_out_can_be_reset(path: Path) -> None:
    stored(path, ("BTC", {"settings": {"gone": 1}}))
    service = ConfigService(SqliteRevisionStore(path), ASSETS)

    await service.change(request(Reset(), "BTC"))

    assert service.ignored == {}
    assert service.active("BTC").document == DEFAULTS
    await service.close()


async def test_configurations_of_assets_that_are_not_decided_any_more_are_kept_and_disturb_nobody(path: Path) -> None:
    stored(path, ("DOGE", thresholds(bang=90)), ("BTC", thresholds(bang=85)))
    service = ConfigService(SqliteRevisionStore(path), ASSETS)

    assert [each.version for each in everything(service)] == [0, 2, 0]
    with pytest.raises(UnknownTarget, match="'DOGE'; known are BTC, ETH"):
        await service.change(request(Activate("id-1")))
    assert (await service.change(partial("BTC", bang=86)))["version"] == 3
    await service.close()


async def test_nobody_is_told_of_assets_that_are_not_decided_any_more(path: Path) -> None:
    stored(path, ("DOGE", thresholds(bang=90)))
    service = ConfigService(SqliteRevisionStore(path), ASSETS)
    told: list[str] = []
    service.listen(lambda change: told.extend(change.assets))

    answer = await service.change(request(Delete("id-1")))

    assert answer["version"] == 2
    assert set(told) <= set(ASSETS)
    await service.close()


async def test_readiness_fails_from_a_change_that_could_not_be_stored_until_one_could_be(
    service: ConfigService, store: Store
) -> None:
    store.fails = True
    with pytest.raises(NotStored):
        await service.change(partial("BTC", bang=90))
    with pytest.raises(StoreUnavailable, match="the last change could not be stored: the disk is full"):
        await service.check()
    store.fails = False
    await service.check()
    assert (await service.change(partial("BTC", bang=90)))["version"] == 1


async def test_a_change_that_can_be_read_and_is_not_synced_is_not_acknowledged_until_it_is(
    service: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.changes.writer.DOUBT_SECONDS", 0.01)
    store.fails_afterwards = store.unproven = True
    with pytest.raises(NotStored, match="It is unknown whether the change was stored"):
        await service.change(partial("BTC", bang=90))
    assert in_force(service, "BTC", BANG) == 80
    with pytest.raises(StoreUnavailable, match="the last change could not be stored"):
        await service.check()
    store.fails_afterwards = store.unproven = False

    for _ in range(500):
        if in_force(service, "BTC", BANG) == 90:
            break
        await asyncio.sleep(0.01)

    assert in_force(service, "BTC", BANG) == 90


async def test_a_record_of_a_deletion_cannot_be_activated(service: ConfigService) -> None:
    first = await service.change(partial("BTC", bang=90))
    deletion = await service.change(request(Delete(first["config_id"])))
    with pytest.raises(UnknownRevision, match="is a deletion"):
        await service.change(request(Activate(deletion["config_id"])))


async def test_a_deleted_configuration_can_be_put_in_force_again(service: ConfigService) -> None:
    first = await service.change(partial("BTC", bang=90))
    await service.change(request(Delete(first["config_id"])))
    assert in_force(service, "BTC", BANG) == 80
    await service.change(request(Activate(first["config_id"])))
    assert in_force(service, "BTC", BANG) == 90


async def test_a_layer_that_is_left_out_is_not_called_active(store: Store, path: Path) -> None:
    """BTC sets aim 75; while it is not decided, bang becomes 72 for all."""
    service = ConfigService(store, ASSETS)
    await service.change(partial("BTC", aim=75))
    await service.close()
    service = ConfigService(SqliteRevisionStore(path), ["ETH"])
    for_all = await service.change(partial(None, bang=72))
    await service.close()

    service = ConfigService(SqliteRevisionStore(path), ASSETS)
    assert service.ignored.keys() == {"BTC"}
    assert service.active("BTC").config_id == for_all["config_id"]
    listed = await service.configurations("BTC", 10, None)
    assert [entry["is_active"] for entry in listed["configurations"]] == [False]
    await service.close()


async def test_a_global_change_that_every_asset_overrides_says_so(service: ConfigService) -> None:
    for asset in ASSETS:
        await service.change(partial(asset, bang=90))
    answer = await service.change(partial(None, bang=85))
    assert answer["assets"] == []
    assert "each of which overrides it, so nothing is different" in answer["message"]


async def test_another_reason_is_another_request(service: ConfigService) -> None:
    asked = replace(partial("BTC", bang=90), request_id="r-1", reason="calmer")
    await service.change(asked)
    with pytest.raises(RequestIdReused):
        await service.change(replace(asked, reason="bolder"))

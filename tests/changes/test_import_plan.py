"""Several layers replaced as one change: checked together, stored together, in force together, or not at all."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vivienne.changes.requests import ChangeRequest, Replacement, Update
from vivienne.changes.service import ConfigService
from vivienne.config.documents import leaves
from vivienne.errors import InvalidConfiguration, NotStored, StoreUnavailable
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import AppliedRevision, Revision
    from vivienne.wire.document import Document

ASSETS = ("BTC", "ETH", "SOL")
NULL = "Signal weight rsi must be a number, not null; to go back to the inherited value, reset it"
BANG, AIM = (f"settings.state_threshold_{level}" for level in ("bang", "aim"))


def thresholds(**values: object) -> Document:
    return {"settings": {f"state_threshold_{level}": value for level, value in values.items()}}


def replacement(*, empty_others: bool = False, **documents: Document) -> Replacement:
    """By layer, in which `everyone` stands for the global one."""
    named = {("global" if layer == "everyone" else layer): document for layer, document in documents.items()}
    return Replacement(named, empty_others, author="ann", reason="moved")


def in_force(service: ConfigService, asset: str | None, path: str = BANG) -> Any:
    return leaves(service.active(asset).document)[path]


async def update(service: ConfigService, asset: str | None, **values: object) -> int:
    request = ChangeRequest(Update(thresholds(**values), partial=True), channel="rest", asset=asset)
    return (await service.change(request))["version"]


async def history(service: ConfigService) -> list[Any]:
    page = await service.history(None, 1000, None)
    return [(entry["version"], entry["asset_symbol"], entry["config"]) for entry in reversed(page["history"])]


class Shared(PostgresRevisionStore):
    """The real store, in which something can happen before or after a change is appended."""

    def __init__(self, database: str) -> None:
        url = PostgresUrl.read(database)
        assert url is not None
        super().__init__(url)
        self.before_append: Callable[[tuple[Revision, ...]], None] = lambda _: None
        self.after_append: Callable[[], None] = lambda: None

    def append(self, *revisions: Revision, under: str | None = None, ends: tuple[int, str] | None = None) -> None:
        self.before_append(revisions)
        super().append(*revisions, under=under, ends=ends)
        self.after_append()


@asynccontextmanager
async def serving(store: RevisionStore, assets: tuple[str, ...] = ASSETS) -> AsyncIterator[ConfigService]:
    service = ConfigService(store, assets)
    try:
        yield service
    finally:
        await service.close()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    async with serving(SqliteRevisionStore(tmp_path / "v.db")) as made:
        yield made


@pytest.fixture
def store(database: str) -> Shared:
    """The store of the service `here`, which closes it."""
    return Shared(database)


@pytest.fixture
async def here(store: Shared) -> AsyncIterator[ConfigService]:
    async with serving(store) as made:
        yield made


@pytest.fixture
async def there(database: str) -> AsyncIterator[ConfigService]:
    async with serving(Shared(database)) as made:
        yield made


# One change


async def test_each_layer_that_is_different_gets_a_revision_of_the_same_change(service: ConfigService) -> None:
    await update(service, "ETH", bang=91)

    answer = await service.replace(
        replacement(everyone=thresholds(bang=85), BTC=thresholds(aim=80), ETH=thresholds(bang=91), SOL={})
    )

    page = await service.history(None, 1000, None)
    assert [(3, "BTC"), (2, None)] == [(entry["version"], entry["asset_symbol"]) for entry in page["history"][:2]]
    for entry in page["history"][:2]:
        assert ("import", "ann", "moved", True) == tuple(
            entry[name] for name in ("channel", "author", "reason", "is_active")
        )
    assert page["history"][0]["created_at"] == page["history"][1]["created_at"]
    assert [{"path": BANG, "old": 80, "new": 85}] == page["history"][1]["changed"]
    assert ("success", "2 layers replaced", 3) == (answer["status"], answer["message"], answer["version"])
    assert ["BTC", "SOL"] == answer["assets"]
    assert [
        (None, 2, [{"path": BANG, "new": 85}]),
        ("BTC", 3, [{"path": AIM, "new": 80}]),
    ] == [(layer["asset_symbol"], layer["version"], layer["changed"]) for layer in answer["layers"]]
    assert [85, 91, 85] == [in_force(service, asset) for asset in ("BTC", "ETH", "SOL")]
    assert 80 == in_force(service, "BTC", AIM)


async def test_layers_that_would_not_hold_one_after_the_other_hold_together(service: ConfigService) -> None:
    await service.replace(replacement(everyone=thresholds(loaded=40, aim=60, bang=70), BTC=thresholds(aim=65)))

    told: list[tuple[Any, Any]] = []
    service.listen(lambda _: told.append((in_force(service, "BTC"), in_force(service, "ETH"))))
    await service.replace(replacement(everyone=thresholds(loaded=75, aim=80, bang=90), BTC=thresholds(aim=85)))

    assert [(90, 90), (90, 90)] == told, "nobody sees a part of it"


async def test_layers_that_are_not_named_are_left_alone_or_emptied(service: ConfigService) -> None:
    await update(service, "BTC", bang=95)
    await update(service, None, bang=85)

    await service.replace(replacement(ETH=thresholds(bang=90)))
    assert [85, 95, 90] == [in_force(service, asset) for asset in (None, "BTC", "ETH")]

    await service.replace(replacement(empty_others=True, ETH=thresholds(bang=90)))
    assert [80, 80, 90] == [in_force(service, asset) for asset in (None, "BTC", "ETH")]
    assert [(4, None, {}), (5, "BTC", {})] == (await history(service))[-2:]


async def test_what_is_set_already_is_nothing_to_do(service: ConfigService) -> None:
    await update(service, "BTC", bang=95)

    answer = await service.replace(replacement(BTC=thresholds(bang=95.0), everyone={"settings": {}}))

    assert ("unchanged", [], 1) == (answer["status"], answer["layers"], answer["version"])
    assert 1 == len(await history(service))


async def test_trying_out_changes_nothing(service: ConfigService) -> None:
    asked = replacement(everyone=thresholds(bang=85), BTC=thresholds(aim=80))

    answer = await service.try_replacement(asked)

    assert ("valid", 0) == (answer["status"], answer["version"])
    assert [[{"path": BANG, "new": 85}], [{"path": AIM, "new": 80}]] == [each["changed"] for each in answer["layers"]]
    assert [] == await history(service)
    assert 80 == in_force(service, None)


# Refused


async def test_everything_that_is_wrong_is_told_with_its_layer_and_nothing_is_changed(service: ConfigService) -> None:
    await update(service, "SOL", bang=81)

    with pytest.raises(InvalidConfiguration) as refused:
        await service.replace(
            replacement(
                everyone={**thresholds(aim=85, bang=90), "sgnals": {}},
                BTC={"settings": {"state_threshold_bang": "90"}, "rsi_weight": None},
                ETH=thresholds(bang=84),
            )
        )

    assert {
        (None, "sgnals", "Unknown name 'sgnals'; the nearest known name is 'signals'"),
        ("BTC", BANG, "Bang threshold must be a number, not a text (without the quotes)"),
        ("BTC", "signal_weights.rsi", NULL),
        ("ETH", BANG, "Aim threshold (85) must not be above bang threshold (84)"),
        ("SOL", BANG, "Aim threshold (85) must not be above bang threshold (81)"),
    } == {(problem.asset, problem.path, problem.message) for problem in refused.value.problems}  # fmt: skip
    assert 1 == len(await history(service))


async def test_what_is_inherited_is_told_of_the_global_layer_only(service: ConfigService) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        await service.replace(
            replacement(everyone=thresholds(aim=85), BTC=thresholds(loaded=10), ETH={"rsi_weight": 0.1})
        )

    assert [None] == [problem.asset for problem in refused.value.problems]


async def test_layers_of_assets_that_nobody_decides_here_must_hold_too(tmp_path: Path) -> None:
    async with serving(SqliteRevisionStore(tmp_path / "v.db"), ("DOGE",)) as other:
        await update(other, "DOGE", bang=81)
    async with serving(SqliteRevisionStore(tmp_path / "v.db"), ("BTC",)) as service:
        with pytest.raises(InvalidConfiguration, match="Aim threshold"):
            await service.replace(replacement(everyone=thresholds(aim=85, bang=90)))

        answer = await service.replace(
            replacement(everyone=thresholds(aim=85, bang=90), DOGE={}, ADA={"rsi_weight": 1})
        )

    assert [None, "DOGE", "ADA"] == [layer["asset_symbol"] for layer in answer["layers"]]


async def test_a_layer_that_did_not_hold_before_hinders_nothing_and_can_be_repaired(tmp_path: Path) -> None:
    async with serving(SqliteRevisionStore(tmp_path / "v.db")) as service:
        await update(service, "BTC", bang=90)
    store = SqliteRevisionStore(tmp_path / "v.db")
    (head,) = store.heads()
    store.append(replace(head, version=2, config_id="of-a-later-version", document={"settings": {"new": 1}}))
    async with serving(store) as service:
        assert ["BTC"] == list(service.ignored)

        await service.replace(replacement(everyone=thresholds(bang=85)))
        assert ["BTC"] == list(service.ignored)
        await service.replace(replacement(BTC=thresholds(bang=95)))

        assert {} == service.ignored
        assert 95 == in_force(service, "BTC")


# With other processes


async def test_others_put_it_in_force_as_one_change_however_they_read_it(
    here: ConfigService, there: ConfigService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("vivienne.changes.ledger._BATCH", 2)
    await here.replace(replacement(everyone=thresholds(loaded=40, aim=60, bang=70), BTC=thresholds(aim=65)))
    await there.catch_up()
    told: list[tuple[int, list[Any]]] = []

    def listener(change: AppliedRevision) -> None:
        assert not change.made_here
        told.append((change.revision.version, [in_force(there, asset) for asset in ASSETS]))

    there.listen(listener)
    await here.replace(
        replacement(
            everyone=thresholds(loaded=75, aim=80, bang=90), BTC=thresholds(aim=85), ETH=thresholds(bang=91),
            SOL=thresholds(bang=92),
        )
    )  # fmt: skip
    await update(here, "SOL", bang=93)

    await there.catch_up()

    assert [(version, [90, 91, 92]) for version in (3, 4, 5, 6)] + [(7, [90, 91, 93])] == told
    assert "is not valid" not in caplog.text


async def test_one_that_was_overtaken_is_planned_again_on_what_is_in_force_then(
    here: ConfigService, there: ConfigService, store: Shared, database: str
) -> None:
    other = Shared(database)

    def overtake(revisions: tuple[Revision, ...]) -> None:
        store.before_append = lambda _: None
        first = replace(revisions[0], layer="BTC", document=thresholds(bang=95), channel="rest")
        other.append(replace(first, config_id="faster-1"), replace(first, version=first.version + 1, config_id="f-2"))

    store.before_append = overtake
    answer = await here.replace(replacement(everyone=thresholds(bang=85), BTC=thresholds(bang=96)))
    other.close()

    assert [3, 4] == [layer["version"] for layer in answer["layers"]]
    assert [{"path": BANG, "old": 95, "new": 96}] == answer["layers"][1]["changed"]
    await there.catch_up()
    assert [85, 96] == [in_force(there, asset) for asset in (None, "BTC")]


async def test_it_is_refused_when_what_others_set_meanwhile_does_not_allow_it(
    here: ConfigService, there: ConfigService
) -> None:
    await update(there, "ETH", bang=81)

    with pytest.raises(InvalidConfiguration, match=r"Aim threshold \(85\) must not be above bang threshold \(81\)"):
        await here.replace(replacement(everyone=thresholds(aim=85, bang=90)))
    await there.catch_up()
    assert 1 == len(await history(there))


async def test_nothing_to_do_is_said_of_what_others_made_of_it(here: ConfigService, there: ConfigService) -> None:
    await update(there, None, bang=85)
    assert "unchanged" == (await here.replace(replacement(everyone=thresholds(bang=85))))["status"]

    await update(there, None, bang=86)
    assert "success" == (await here.replace(replacement(everyone=thresholds(bang=85))))["status"]


async def test_a_connection_lost_at_the_commit_does_not_lose_a_part(
    here: ConfigService, there: ConfigService, store: Shared
) -> None:
    def lose() -> None:
        raise StoreUnavailable("the connection to the server is lost")

    told: list[tuple[int, bool]] = []
    here.listen(lambda change: told.append((change.revision.version, change.made_here)))
    store.after_append = lose
    answer = await here.replace(replacement(everyone=thresholds(bang=85), BTC=thresholds(bang=96)))

    assert 2 == answer["version"]
    assert [(1, True), (2, True)] == told
    await there.catch_up()
    assert [85, 96] == [in_force(there, asset) for asset in (None, "BTC")]


async def test_a_database_that_does_not_take_it_has_nothing_of_it(
    here: ConfigService, there: ConfigService, store: Shared
) -> None:
    def fail(_: object) -> None:
        raise StoreUnavailable("the disk of the server is full")

    store.before_append = fail
    with pytest.raises(NotStored, match="Nothing was changed: the disk of the server is full"):
        await here.replace(replacement(everyone=thresholds(bang=85), BTC=thresholds(bang=96)))

    assert not await there.catch_up()
    assert 80 == in_force(here, "BTC")

"""Several services on one PostgreSQL database: one sequence of versions, and all come to agree on what is in force."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from sizes import rounds
from vivienne.access.caller import Caller
from vivienne.changes.asked import Asked, Way
from vivienne.changes.pause import adopting, hearing, seen, shared_entries
from vivienne.changes.pause import service as pausing
from vivienne.changes.requests import (
    Activate,
    ChangeRequest,
    Delete,
    KnownPause,
    Reset,
    SeveralRequest,
    SwitchRequest,
    Update,
)
from vivienne.changes.service import ConfigService
from vivienne.config.documents import leaves
from vivienne.errors import (
    InvalidConfiguration,
    NotStored,
    RequestIdReused,
    StoreUnavailable,
    UnknownRevision,
    VersionConflict,
)
from vivienne.rates import Rate
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.postgres_connection import BoundedConnection
from vivienne.times import elapsed, now, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from postgres_server import PostgresServer
    from vivienne.changes.requests import Intent
    from vivienne.store.revision import AppliedRevision, Revision

ASSETS = ("BTC", "ETH")
BANG, AIM = "settings.state_threshold_bang", "settings.state_threshold_aim"
COUNT = "filters.combined_vwap.distribution_trade_count_threshold"
SECONDS = 20.0


class Store(PostgresRevisionStore):
    """The real store, which can let something happen between planning and appending, and counts what is asked."""

    def __init__(self, url: PostgresUrl) -> None:
        super().__init__(url)
        self.before_append: Callable[[Revision], None] = lambda _: None
        self.after_append: Callable[[], None] = lambda: None

    def append(self, *revisions: Revision, under: str | None = None, ends: tuple[int, str] | None = None) -> None:
        self.before_append(revisions[0])
        super().append(*revisions, under=under, ends=ends)
        self.after_append()


def opened(database: str) -> Store:
    url = PostgresUrl.read(database)
    assert url is not None
    return Store(url)


@pytest.fixture
def store(database: str) -> Store:
    """The store of the service `here`, which closes it."""
    return opened(database)


@pytest.fixture
async def here(store: Store) -> AsyncIterator[ConfigService]:
    service = ConfigService(store, ASSETS)
    yield service
    await service.close()


@pytest.fixture
def faster(database: str) -> Iterator[Callable[[Revision], None]]:
    """Takes the version of a revision before it."""
    other = opened(database)

    def overtake(revision: Revision) -> None:
        other.append(replace(revision, config_id=f"faster-{revision.version}", document=thresholds(bang=90)))

    yield overtake
    other.close()


@pytest.fixture
async def there(database: str) -> AsyncIterator[ConfigService]:
    service = ConfigService(opened(database), ASSETS)
    yield service
    await service.close()


def request(intent: Intent, asset: str | None = "BTC", **more: Any) -> ChangeRequest:
    return ChangeRequest(intent, channel="test", asset=asset, **more)


def thresholds(**values: float) -> dict[str, Any]:
    return {"settings": {f"state_threshold_{level}": value for level, value in values.items()}}


def partial(asset: str | None = "BTC", /, *, expected: int | None = None, **values: float) -> ChangeRequest:
    """Lay thresholds over a layer."""
    return request(Update(thresholds(**values), partial=True), asset, expected_version=expected)


def in_force(service: ConfigService, asset: str | None = "BTC", path: str = BANG) -> Any:
    return leaves(service.active(asset).document)[path]


def everything(service: ConfigService) -> list[Any]:
    actives = [service.active(asset) for asset in (None, *ASSETS)]
    return [(each.version, each.config_id, each.document, each.sources) for each in actives]


async def listed_as_active(service: ConfigService) -> set[str]:
    page = await service.history(None, 1000, None)
    return {entry["config_id"] for entry in page["history"] if entry["is_active"]}


async def history(service: ConfigService) -> list[int]:
    page = await service.history(None, 1000, None)
    return [entry["version"] for entry in page["history"]]


# Following


async def test_a_change_made_elsewhere_is_in_force_after_catching_up(here: ConfigService, there: ConfigService) -> None:
    answer = await here.change(partial(bang=90))
    assert in_force(there) == 80

    assert await there.catch_up()

    assert everything(there) == everything(here)
    assert there.active("BTC").config_id == answer["config_id"]
    assert not await there.catch_up()


async def test_listeners_can_tell_what_was_made_here_from_what_was_followed(
    here: ConfigService, there: ConfigService
) -> None:
    told: dict[str, list[tuple[int, list[str], bool]]] = {"here": [], "there": []}

    def listener(name: str) -> Callable[[AppliedRevision], None]:
        return lambda change: told[name].append((change.revision.version, change.assets, change.made_here))

    here.listen(listener("here"))
    there.listen(listener("there"))
    await here.change(partial(bang=90))
    await there.change(partial(None, aim=75))
    await here.catch_up()

    assert told == {
        "here": [(1, ["BTC"], True), (2, ["BTC", "ETH"], False)],
        "there": [(1, ["BTC"], False), (2, ["BTC", "ETH"], True)],
    }


async def test_more_than_is_read_at_a_time_is_followed_in_order(
    here: ConfigService, there: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.changes.ledger._BATCH", 3)
    told: list[int] = []
    there.listen(lambda change: told.append(change.revision.version))
    for step in range(7):
        await here.change(partial(bang=81 + step))

    await there.catch_up()

    assert told == [1, 2, 3, 4, 5, 6, 7]
    assert in_force(there) == 87


async def test_deletions_that_are_followed_lead_back_step_by_step(here: ConfigService, there: ConfigService) -> None:
    ids = [(await here.change(partial(bang=bang)))["config_id"] for bang in (85, 90, 95)]
    await there.catch_up()
    seen: list[tuple[Any, str | None]] = []
    there.listen(lambda _: seen.append((in_force(there), there.active("BTC").config_id)))

    await here.change(request(Delete(ids[2]), None))
    await here.change(request(Delete(ids[0]), None))
    await here.change(request(Delete(ids[1]), None))
    await there.catch_up()

    assert seen == [(90, ids[1]), (90, ids[1]), (80, None)]
    assert everything(there) == everything(here)
    assert await listed_as_active(there) == await listed_as_active(here) == set()


async def test_everything_that_can_be_asked_is_followed(here: ConfigService, there: ConfigService) -> None:
    first = await here.change(partial(bang=90))
    await here.change(partial(None, aim=75))
    await here.change(request(Update({"settings": {"state_threshold_bang": 95}}, partial=False), "ETH"))
    await here.change(request(Reset(), "BTC"))
    await here.change(request(Activate(first["config_id"]), None))

    await there.catch_up()

    assert everything(there) == everything(here)
    assert await listed_as_active(there) == await listed_as_active(here)


async def test_a_change_that_changed_nothing_before_one_of_another_process_is_made(
    here: ConfigService, there: ConfigService
) -> None:
    def several(bang: float) -> SeveralRequest:
        return SeveralRequest(("BTC",), {"bang_threshold": bang}, channel="test")

    first = await here.change_several(several(81))
    await there.look()
    await here.change_several(several(82))
    assert (await there.change_several(several(81)))["status"] == "success"
    await here.look()
    assert (81, 81) == (in_force(here), in_force(there))
    # What it would set again is not what is in force by now.
    await here.change_several(several(84))
    assert (await there.change_several(several(81)))["status"] == "success"
    assert first["status"] == "success"


async def test_a_service_with_other_assets_follows_what_bears_on_its_own(here: ConfigService, database: str) -> None:
    other = ConfigService(opened(database), ("ETH", "SOL"))
    try:
        await here.change(partial("BTC", bang=90))
        await here.change(partial("ETH", bang=91))
        await other.change(partial("SOL", bang=75))
        await here.change(partial(None, aim=78))  # BTC and ETH can take it, SOL cannot

        await other.catch_up()
        await here.catch_up()

        assert [in_force(other, asset) for asset in ("ETH", "SOL")] == [91, 80]
        assert list(other.ignored) == ["SOL"]
        assert [in_force(here, asset) for asset in ("BTC", "ETH")] == [90, 91]
        assert (await other.change(request(Reset(), "SOL")))["version"] == 5
        assert other.ignored == {}
    finally:
        await other.close()


async def test_a_revision_that_does_not_hold_here_is_left_out_and_said(
    here: ConfigService, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    await here.change(partial(bang=90))
    later = opened(database)
    (head,) = later.heads()
    later.append(replace(head, version=2, config_id="of-a-later-version", document={"settings": {"new": 1}}))
    later.close()

    await here.catch_up()

    assert in_force(here) == 80
    assert "The stored configuration of BTC is not valid any more" in caplog.text
    assert (await here.change(request(Reset(), "BTC")))["version"] == 3
    assert here.ignored == {}


# Nobody is refused because memory is stale


async def test_a_change_on_top_of_a_version_made_elsewhere_is_made(here: ConfigService, there: ConfigService) -> None:
    version = (await here.change(partial(bang=90)))["version"]

    answer = await there.change(partial(expected=version, aim=75))

    assert (answer["version"], answer["previous_version"]) == (2, 1)
    assert [in_force(there, "BTC", path) for path in (BANG, AIM)] == [90, 75]


async def test_a_change_on_top_of_a_version_that_is_only_believed_to_be_in_force_is_refused(
    here: ConfigService, there: ConfigService
) -> None:
    await here.change(partial(bang=90))
    await here.change(partial(bang=91))

    with pytest.raises(VersionConflict, match="is at version 2, not 0"):
        await there.change(partial(expected=0, bang=95))
    assert everything(there) == everything(here), "and whoever was refused finds the present state"


async def test_a_change_is_planned_on_what_others_set(here: ConfigService, there: ConfigService) -> None:
    await here.change(partial(bang=90))

    answer = await there.change(partial(aim=85))

    assert answer["changed"] == [{"path": AIM, "old": 70, "new": 85}]
    assert [in_force(there, "BTC", path) for path in (BANG, AIM)] == [90, 85], "which 80 would not have allowed"


async def test_a_change_that_what_others_set_does_not_allow_is_refused(
    here: ConfigService, there: ConfigService
) -> None:
    await here.change(partial(aim=79, bang=79))

    with pytest.raises(InvalidConfiguration):
        await there.change(partial(bang=75))
    assert await history(here) == [1]


async def test_a_change_can_be_tried_out_on_what_others_set(here: ConfigService, there: ConfigService) -> None:
    await here.change(partial(bang=90))

    outcome = await there.validate(partial(aim=85))

    assert outcome["changed"] == [{"path": AIM, "old": 70, "new": 85}]


async def test_what_was_made_elsewhere_can_be_activated_and_deleted(here: ConfigService, there: ConfigService) -> None:
    first = await here.change(partial(bang=90))
    await here.change(partial(bang=91))

    await there.change(request(Activate(first["config_id"]), None))
    answer = await here.change(request(Delete(first["config_id"]), None))
    with pytest.raises(UnknownRevision, match="was already deleted"):
        await there.change(request(Delete(first["config_id"]), None))

    assert (answer["version"], in_force(here), in_force(there)) == (4, 90, 90)
    assert everything(there) == everything(here)


# At the same time


async def increment(service: ConfigService) -> None:
    while True:
        active = service.active("BTC")
        document = {"distribution_trade_count_threshold": leaves(active.document)[COUNT] + 1}
        try:
            await service.change(request(Update(document, partial=True), expected_version=active.version))
        except VersionConflict:
            continue
        return


@pytest.mark.sized
async def test_no_increment_is_lost_between_two_services(here: ConfigService, there: ConfigService) -> None:
    before, each = in_force(here, "BTC", COUNT), rounds(60, 15)

    await asyncio.gather(*(increment(service) for service in (here, there) for _ in range(each)))

    await asyncio.gather(here.catch_up(), there.catch_up())
    assert in_force(here, "BTC", COUNT) == in_force(there, "BTC", COUNT) == before + 2 * each
    assert await history(here) == list(range(2 * each, 0, -1))


async def test_changes_at_once_are_one_sequence_without_gaps(here: ConfigService, there: ConfigService) -> None:
    answers = await asyncio.gather(
        *(
            service.change(partial(asset, bang=80 + n / 10))
            for n in range(40)
            for service, asset in ((here, "BTC"), (there, None))
        )
    )

    await asyncio.gather(here.catch_up(), there.catch_up())
    assert sorted(answer["version"] for answer in answers) == list(range(1, 81))
    assert everything(here) == everything(there)
    told = {answer["version"]: answer["config"] for answer in answers}
    assert told[80] in [here.active(asset).document for asset in (None, "BTC")]


async def test_one_who_is_always_overtaken_is_refused_in_the_end(
    here: ConfigService, store: Store, faster: Callable[[Revision], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.changes.writer.CONTENTION_SECONDS", 0.25)
    store.before_append = faster
    with pytest.raises(NotStored, match=r"Nothing was changed: other processes were first for 0.25 s; retry"):
        await here.change(partial(bang=95))
    assert in_force(here) == 90

    store.before_append = lambda _: None
    assert (await here.change(partial(bang=95)))["previous_version"] > 1


# Repeated requests


async def test_a_request_sent_to_both_at_once_is_made_once_and_answered_the_same(
    here: ConfigService, there: ConfigService
) -> None:
    for number in range(10):
        asked = replace(partial(bang=81 + number), request_id=f"r-{number}")
        first, second = await asyncio.gather(here.change(asked), there.change(asked))
        assert first == second

    assert await history(here) == list(range(10, 0, -1))


async def test_whoever_is_answered_a_repeated_request_finds_it_in_force(
    here: ConfigService, there: ConfigService
) -> None:
    asked = replace(partial(bang=90), request_id="r-1")
    first = await here.change(asked)

    assert await there.change(asked) == first
    assert everything(there) == everything(here)
    with pytest.raises(RequestIdReused):
        await there.change(replace(asked, reason="another one"))


# A store that fails


async def wait_for(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.02)


async def test_an_outage_is_said_once_and_so_is_its_end_and_then_all_is_followed(
    here: ConfigService, there: ConfigService, postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    following = asyncio.create_task(there.follow())
    try:
        await here.change(partial(bang=90))
        there.hint()
        await wait_for(lambda: in_force(there) == 90)
        await asyncio.to_thread(postgres.stop, "immediate")
        await wait_for(lambda: "cannot be followed" in caplog.text)
        for _ in range(3):
            there.hint()
            await asyncio.sleep(0.1)
        with pytest.raises(StoreUnavailable):
            await there.check()
        with pytest.raises(NotStored, match=r"Nothing was changed: the database postgresql://\*\*\*@"):
            await here.change(partial(bang=91))
        await asyncio.to_thread(postgres.start)
        await here.change(partial(bang=92))
        await wait_for(lambda: in_force(there) == 92)
        await wait_for(lambda: "are followed again" in caplog.text)
        await there.check()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    said = [record.getMessage() for record in caplog.records if "followed" in record.getMessage()]
    assert len(said) == 2, said


async def test_it_is_ready_again_after_an_outage_without_another_change(
    here: ConfigService, postgres: PostgresServer
) -> None:
    await here.change(partial(bang=90))
    await asyncio.to_thread(postgres.stop, "immediate")
    with pytest.raises(NotStored, match=r"Nothing was changed: the database postgresql://\*\*\*@"):
        await here.change(partial(bang=91))
    with pytest.raises(StoreUnavailable):
        await here.check()
    await asyncio.to_thread(postgres.start)

    await here.check()


async def test_a_commit_the_server_is_still_working_on_is_waited_for(
    here: ConfigService,
    there: ConfigService,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a standby that does not answer, a commit hangs after it was written and before it is visible."""
    await here.change(partial(bang=90))
    told: list[tuple[int, bool]] = []
    here.listen(lambda change: told.append((change.revision.version, change.made_here)))
    monkeypatch.setattr(BoundedConnection, "patience", 0.5)
    await asyncio.gather(here.catch_up(), there.catch_up())
    postgres.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    postgres.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(0.5)  # the server takes it up in the background
    try:
        change = asyncio.create_task(here.change(partial(bang=91)))
        await asyncio.wait([change], timeout=SECONDS)
        assert not await there.catch_up()
        with pytest.raises(NotStored, match="It is unknown whether the change was stored"):
            await change
        assert in_force(here) == 90
    finally:
        postgres.execute("ALTER SYSTEM RESET synchronous_standby_names")
        postgres.execute("SELECT pg_reload_conf()")

    await wait_for(lambda: in_force(here) == 91)
    await there.catch_up()
    assert told == [(2, True)]
    assert everything(there) == everything(here)


async def test_a_connection_lost_at_the_commit_does_not_lose_the_change(
    here: ConfigService, there: ConfigService, store: Store
) -> None:
    def lose() -> None:
        raise StoreUnavailable("the connection to the server is lost")

    told: list[bool] = []
    here.listen(lambda change: told.append(change.made_here))
    store.after_append = lose
    assert (await here.change(partial(bang=90)))["version"] == 1
    store.after_append = lambda: None

    assert (await there.change(partial(aim=75)))["version"] == 2
    assert (await here.change(partial(aim=76)))["version"] == 3
    assert told == [True, False, True]


async def test_a_doubtful_change_that_another_one_overtook_is_not_made(
    here: ConfigService, store: Store, faster: Callable[[Revision], None]
) -> None:
    def fail(revision: Revision) -> None:
        faster(revision)
        raise StoreUnavailable("the connection to the server is lost")

    store.before_append = fail
    with pytest.raises(NotStored, match="Nothing was changed"):
        await here.change(partial(bang=95))
    store.before_append = lambda _: None

    assert (await here.change(partial(aim=75)))["version"] == 2
    assert in_force(here) == 90


# A database that is not the one that was read


async def refused(service: ConfigService, words: str) -> None:
    """It follows nothing, changes nothing and is not ready, and says why."""
    with pytest.raises(StoreUnavailable, match=words):
        await service.catch_up()
    with pytest.raises(NotStored, match=words):
        await service.change(partial(bang=70))
    with pytest.raises(StoreUnavailable, match=words):
        await service.check()


@pytest.mark.parametrize("on_top", [0, 2, 3])
async def test_after_a_failover_that_lost_changes_nothing_is_mixed_with_those_made_since(
    here: ConfigService, postgres: PostgresServer, database: str, on_top: int
) -> None:
    for value in (90, 91, 92):
        await here.change(partial(bang=value))
    before = everything(here)
    await asyncio.to_thread(postgres.execute, "DELETE FROM revisions WHERE version > 1", url=database)
    restarted = ConfigService(opened(database), ASSETS)
    for value in range(on_top):
        await restarted.change(partial("ETH", aim=60 + value))

    await refused(here, r"has lost revisions or is another one: it had (another )?version 3")

    assert before == everything(here)
    assert list(range(1 + on_top, 0, -1)) == await history(restarted)
    await restarted.check()
    await restarted.close()


async def test_a_pause_that_a_failover_lost_outlives_the_restart_that_it_asks_for(
    here: ConfigService, store: Store, postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "RETRY_SECONDS", 0.01)
    looking_up = Mock(wraps=store.by_config_id)
    monkeypatch.setattr(store, "by_config_id", looking_up)
    await here.change(partial("BTC", bang=90))
    await here.change(partial("BTC", bang=91))
    await here.switch(SwitchRequest("pause", channel="test", asset="BTC", author="ada", reason="enough"))
    await asyncio.to_thread(postgres.execute, "DELETE FROM revisions WHERE version > 1", url=database)
    await here.switch(SwitchRequest("pause", channel="test", asset="ETH"))  # which is only held
    for _ in range(2):
        await here.look()
    looking_up.reset_mock()
    await wait_for(lambda: looking_up.call_count > 1)
    with pytest.raises(StoreUnavailable):
        await here.check()
    assert ["BTC", "ETH"] == list(here.paused())

    restarted = ConfigService(opened(database), ASSETS)
    assert (["BTC", "ETH"], [3, 2, 1]) == (list(restarted.paused()), await history(restarted))
    assert ("ada", "enough") == (restarted.paused()["BTC"].author, restarted.paused()["BTC"].reason)
    assert 90 == in_force(restarted)
    await restarted.switch(SwitchRequest("resume", channel="test", asset="BTC"))
    await here.look()
    await restarted.look()
    assert ["ETH"] == list(restarted.paused())
    await restarted.close()


async def test_a_pause_that_is_only_announced_while_a_database_is_replaced_is_stored_in_the_new_one(
    here: ConfigService, there: ConfigService, postgres: PostgresServer, database: str
) -> None:
    for value in (90, 91):
        await here.change(partial(bang=value))
    await there.catch_up()
    await asyncio.to_thread(postgres.execute, "DELETE FROM revisions WHERE version > 1", url=database)
    for each in (here, there):
        each.hear({"config_id": "c-1", "asset_symbol": "BTC", "version": None, "created_at": written(now())})
        await each.look()

    restarted = ConfigService(opened(database), ASSETS)
    assert (["BTC"], [2, 1]) == (list(restarted.paused()), await history(restarted))
    assert "anonymous" == restarted.paused()["BTC"].author
    await restarted.switch(SwitchRequest("resume", channel="test", asset="BTC"))
    await here.look()
    await restarted.look()
    assert [] == list(restarted.paused())
    await restarted.close()


async def test_a_pause_in_the_new_database_reaches_those_that_followed_the_old_one(
    here: ConfigService, postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version is one that they followed without it. They stay paused until they are restarted, and not after it."""
    monkeypatch.setattr(hearing, "BELIEVED_SECONDS", 0.0)
    for value in (90, 91, 92, 93):
        await here.change(partial(bang=value))
    await asyncio.to_thread(postgres.execute, "DELETE FROM revisions WHERE version > 1", url=database)
    gateway = ConfigService(opened(database), ASSETS)
    pause, resume = (SwitchRequest(switch, channel="test", asset=None) for switch in ("pause", "resume"))
    await gateway.switch(replace(pause, asset="BTC"))
    announced = [each.claim() for each in gateway.pauses().all()]
    here.hear(*announced)
    await here.look()
    assert ["BTC"] == list(here.paused())
    await gateway.switch(pause)
    announced = [each.claim() for each in gateway.pauses().all()]
    here.hear(*announced)
    assert ASSETS == tuple(here.paused())
    assert {2, 3} == {each.version for each in here.pauses().heard}

    for asset in (None, "BTC"):
        await gateway.switch(replace(resume, asset=asset))
    await here.look()
    assert [5, 4, 3, 2, 1] == await history(gateway)
    assert ASSETS == tuple(here.paused())

    restarted = ConfigService(opened(database), ASSETS)
    for each in (gateway, restarted):
        each.hear(*announced)  # by those that were not restarted yet
        await each.look()
        assert {} == each.paused()
        await each.close()


@pytest.mark.parametrize("versions", [[3], [4], [3, None], [4, None]])
async def test_a_pause_that_was_announced_as_stored_and_that_a_failover_lost_is_stored_again(
    here: ConfigService, there: ConfigService, postgres: PostgresServer, database: str, versions: list[int | None]
) -> None:
    """One for each layer, by those that heard; whether they had followed another change of that version or not."""
    for value in (90, 91, 92):
        await here.change(partial(bang=value))
    await there.catch_up()
    await asyncio.to_thread(postgres.execute, "DELETE FROM revisions WHERE version > 1", url=database)
    for each in (here, there):
        for version in versions:
            name = f"c-{version}"
            each.hear({"config_id": name, "asset_symbol": "BTC", "version": version, "created_at": written(now())})
    for _ in range(2):
        await asyncio.gather(here.look(), there.look())

    restarted = ConfigService(opened(database), ASSETS)
    assert (["BTC"], [2, 1]) == (list(restarted.paused()), await history(restarted))
    assert "anonymous" == restarted.paused()["BTC"].author
    await restarted.close()


async def test_a_pause_that_nobody_stores_is_stored_once_by_several(
    here: ConfigService, there: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopting, "ADOPT_SECONDS", 0.0)
    for each in (here, there):
        each.hear({"config_id": "c-1", "asset_symbol": None, "version": None, "created_at": written(now())})
    await asyncio.gather(here.look(), there.look())
    for each in (here, there):
        await each.look()
        assert ({}, ASSETS) == (each.unstored(), tuple(each.paused()))
    assert [1] == await history(here)


async def test_a_database_that_was_migrated_under_a_running_process_is_left_alone(
    here: ConfigService, postgres: PostgresServer, database: str
) -> None:
    await here.change(partial(bang=90))
    await asyncio.to_thread(postgres.execute, "UPDATE alembic_version SET version_num = '999'", url=database)

    await refused(here, "was migrated to schema 999 while this process was running")
    assert [1] == await history(here)


async def test_a_revision_of_an_unknown_kind_is_not_skipped(
    here: ConfigService, there: ConfigService, postgres: PostgresServer, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    await here.change(partial(bang=90))
    await there.catch_up()
    await here.change(partial(bang=91))
    await asyncio.to_thread(
        postgres.execute, "UPDATE revisions SET action = 'schedule' WHERE version = 2", url=database
    )
    unknown = "version 2 in .* is of the kind 'schedule', which this version of Vivienne does not know"
    following = asyncio.create_task(there.follow())
    await wait_for(lambda: "cannot be followed" in caplog.text)
    following.cancel()

    await refused(there, unknown)
    assert 90 == in_force(there)
    assert not [record for record in caplog.records if record.exc_info]
    store = opened(database)
    with pytest.raises(StoreUnavailable, match=unknown):
        ConfigService(store, ASSETS)
    store.close()


# Resuming, while others pause


RESUME = SwitchRequest("resume", channel="test", asset="BTC")


@pytest.fixture
def few_repeats(here: ConfigService, there: ConfigService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of pauses that repeat one in force one is stored for each caller, however long a test takes."""
    for each in (here, there):
        monkeypatch.setattr(each._pausing._repeats, "_rate", Rate(1, 60.0, lambda: 0.0))
    monkeypatch.setattr(pausing, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(pausing, "HOLD_SECONDS", SECONDS)


@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize("behind", [0.0, 3_600.0])
async def test_a_pause_of_another_process_outlives_a_resumption_that_was_asked_for_before_it(
    here: ConfigService, database: str, store: Store, *, is_paused: bool, behind: float
) -> None:
    """Also if the clock of that process is behind."""
    there = ConfigService(opened(database), ASSETS, clock=lambda: now() - timedelta(seconds=behind))
    loop = asyncio.get_running_loop()
    pause = SwitchRequest("pause", channel="test", asset="BTC", author="ada", reason="the newer one")
    if is_paused:
        await here.switch(replace(pause, reason="the older one"))
        await there.catch_up()

    def pause_there(_: Revision) -> None:
        store.before_append = lambda _: None
        asyncio.run_coroutine_threadsafe(there.switch(pause), loop).result(SECONDS)

    store.before_append = pause_there
    with pytest.raises(VersionConflict, match="Somebody paused after this resumption was asked for"):
        await here.switch(RESUME)

    await there.catch_up()
    assert ["the newer one"] * 2 == [each.paused()["BTC"].reason for each in (here, there)]
    assert [] == (await here.switch(RESUME))["paused"]
    await there.catch_up()
    assert {} == there.paused()
    await there.close()


@pytest.mark.parametrize("is_heard", [False, True])
@pytest.mark.parametrize("ahead", [-3_600.0, -1.0, 0.0])
async def test_a_pause_of_another_process_outlives_a_resumption_that_waited_whatever_the_clocks_say(
    here: ConfigService, database: str, ahead: float, *, is_heard: bool
) -> None:
    there = ConfigService(opened(database), ASSETS, clock=lambda: now() + timedelta(seconds=ahead))
    asked = written(now() - timedelta(seconds=0.5))
    await there.switch(SwitchRequest("pause", channel="test", asset="BTC"))
    if is_heard:
        await here.catch_up()

    with pytest.raises(VersionConflict, match="Somebody paused after this resumption was asked for"):
        await here.switch(replace(RESUME, asked=Asked(asked, asked)))

    assert ["BTC"] == list(here.paused())
    assert [] == (await here.switch(RESUME))["paused"]
    await there.close()


@pytest.mark.parametrize("ahead", [-3_600.0, 0.2, 3_600.0])
async def test_a_resumption_that_waited_ends_a_pause_that_was_heard_of_before_whatever_the_clocks_say(
    here: ConfigService, database: str, ahead: float
) -> None:
    there = ConfigService(opened(database), ASSETS, clock=lambda: now() + timedelta(seconds=ahead))
    await there.switch(SwitchRequest("pause", channel="test", asset="BTC"))
    await here.catch_up()
    asked = written(now())
    await asyncio.sleep(0.3)

    assert [] == (await here.switch(replace(RESUME, asked=Asked(asked, asked))))["paused"]
    await there.close()


async def test_a_resumption_ends_a_pause_of_another_process_that_was_announced_before_it(
    here: ConfigService, there: ConfigService
) -> None:
    answer = await there.switch(SwitchRequest("pause", channel="test", asset="BTC"))
    here.hear(
        {"config_id": answer["config_id"], "asset_symbol": "BTC", "version": None, "created_at": written(now())}
    )  # and it was not read from the database yet
    assert [] == (await here.switch(RESUME))["paused"]
    await there.catch_up()
    assert {} == there.paused()


@pytest.mark.usefixtures("few_repeats")
@pytest.mark.parametrize("is_here", [False, True])
async def test_a_pause_that_was_answered_without_being_stored_outlives_a_resumption_from_before_it(
    here: ConfigService, there: ConfigService, store: Store, *, is_here: bool
) -> None:
    """Pauses of what is paused already are stored so many times a minute, and counted as asked for all the same."""
    pause = SwitchRequest("pause", channel="test", asset="BTC", author="ada")
    other = here if is_here else there
    for _ in range(2):
        await other.switch(pause)
    await here.catch_up()
    was_asked = written(now() - timedelta(milliseconds=2)) if is_here else None
    resumption = replace(RESUME, asked=Asked(was_asked, was_asked)) if was_asked else RESUME
    loop = asyncio.get_running_loop()
    answers: list[Any] = []

    def pause_there(_: Revision) -> None:
        store.before_append = lambda _: None
        time.sleep(0.002)  # times have milliseconds
        answers.append(asyncio.run_coroutine_threadsafe(other.switch(pause), loop).result(SECONDS))

    if is_here:
        answers.append(await here.switch(pause))
        with pytest.raises(VersionConflict, match="Somebody paused after this resumption"):
            await here.switch(resumption)
    else:
        store.before_append = pause_there
        with pytest.raises(VersionConflict, match="Somebody paused after this resumption"):
            await here.switch(resumption)
        await there.look()
    assert "as before" in answers[0]["message"]
    assert ["BTC"] == list(other.paused())

    async def both() -> bool:
        for each in (here, there):
            await each.catch_up()
        return all(each.paused().get("BTC") and each.paused()["BTC"].version for each in (here, there))

    async with asyncio.timeout(SECONDS):
        while not await both():  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)
    assert {"ada"} == {each.paused()["BTC"].author for each in (here, there)}
    assert [] == (await here.switch(RESUME))["paused"]
    await there.catch_up()
    assert {} == there.paused()


@pytest.mark.usefixtures("few_repeats")
async def test_an_older_pause_that_is_stored_covers_no_newer_one_that_is_not(
    here: ConfigService, there: ConfigService
) -> None:
    pause = SwitchRequest("pause", channel="test", asset="BTC")
    first, asked, last = (written(now() + timedelta(milliseconds=ms)) for ms in (-30, -10, 0))
    for _ in range(2):
        await there.switch(replace(pause, asked=Asked(first, first)))
    assert "as before" in (await there.switch(replace(pause, asked=Asked(last, last))))["message"]

    older = replace(pause, asked=Asked(first, first), caller=Caller("192.0.2.7"))  # which has an allowance of its own
    assert "as before" not in (await there.switch(older))["message"]
    await here.catch_up()
    with pytest.raises(VersionConflict):  # which is of the time of the newer one
        await here.switch(replace(RESUME, asked=Asked(asked, asked)))
    await there.look()

    assert ["BTC"] == list(there.paused())


@pytest.mark.parametrize("ahead", [5, 3_600])
async def test_a_clock_that_is_put_back_keeps_nobody_from_resuming(
    here: ConfigService, there: ConfigService, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    for each in (here, there):
        monkeypatch.setattr(each._pausing, "_clock", lambda: written(now() + timedelta(seconds=ahead)))
        monkeypatch.setattr(each._ledger, "_clock", lambda: written(now() + timedelta(seconds=ahead)))
    await there.switch(SwitchRequest("pause", channel="test", asset="BTC"))
    await here.catch_up()
    for each in (here, there):
        monkeypatch.setattr(each._pausing, "_clock", lambda: written(now()))
        monkeypatch.setattr(each._ledger, "_clock", lambda: written(now()))
    assert [] == (await here.switch(RESUME))["paused"]


@pytest.mark.usefixtures("few_repeats")
async def test_a_resumption_that_waited_ends_no_pause_that_shares_the_entry_of_an_earlier_one(
    here: ConfigService, there: ConfigService
) -> None:
    pause = SwitchRequest("pause", channel="test", asset="BTC")
    for _ in range(4):
        await there.switch(pause)
    await here.look()
    before = written(now())
    await asyncio.sleep(0.01)  # times have milliseconds
    assert "as before" in (await there.switch(pause))["message"]
    with pytest.raises(VersionConflict, match="resume again"):
        await here.switch(replace(RESUME, asked=Asked(before, before)))
    assert [] == (await here.switch(RESUME))["paused"]
    await there.look()
    assert {} == there.paused()


@pytest.mark.usefixtures("few_repeats")
@pytest.mark.parametrize("most", [1, 500])
async def test_all_processes_name_a_pause_that_is_repeated_again_and_again_by_one_time(
    here: ConfigService, there: ConfigService, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Else those who read at one which pause there is, and resume at another one, are refused for ever."""
    monkeypatch.setattr(shared_entries, "MOST_AT_ONCE", most)
    for asset in ("BTC", "ETH"):
        for _ in range(4):
            await there.switch(SwitchRequest("pause", channel="test", asset=asset))
            await here.look()
            await asyncio.sleep(0.002)  # times have milliseconds
        await here.look()
        told, known = here.pauses().last(asset), there.pauses().last(asset)
        assert told is not None
        assert known is not None
        assert told.created_at == known.created_at
        ends = (KnownPause(told.config_id, told.created_at),)
    assert ["BTC"] == (await there.switch(replace(RESUME, ends=ends, asset="ETH")))["paused"]


async def test_a_process_that_stood_still_looks_before_it_goes_on(here: ConfigService, there: ConfigService) -> None:
    await there.switch(SwitchRequest("pause", channel="test", asset="BTC"))
    here._following._seconds = lambda: elapsed() + 2.0
    following = asyncio.create_task(here.follow())
    await here.look_if_late(1.0, SECONDS)
    assert ["BTC"] == list(here.paused())

    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_who_waits_for_a_slow_database_waits_once_in_a_while(
    here: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts of positions come one after the other: each would wait for a look of its own."""
    now, look, looks = elapsed(), here._following._look, 0

    async def slow() -> None:
        nonlocal looks, now
        await look()
        looks, now = looks + 1, now + 0.9

    monkeypatch.setattr(here._following, "_look", slow)
    here._following._seconds = lambda: now
    now += 9.0
    for _ in range(5):
        looking = asyncio.create_task(here.look_if_late(1.0, SECONDS))
        await asyncio.sleep(0)
        if not looking.done():
            await here.look()
        await looking
        now += 0.15
    assert looks == 1


async def test_who_waits_for_a_database_that_hangs_waits_once(here: ConfigService) -> None:
    """Alerts of positions come one after the other, and a pause after them."""
    here._following._seconds = lambda: elapsed() + 9.0
    async with asyncio.timeout(SECONDS):
        for most in (0.01, 3_600.0):  # nobody looks
            await here.look_if_late(1.0, most)
        await here.look()
        here._following._seconds = lambda: elapsed() + 19.0
        following = asyncio.create_task(here.follow())
        await here.look_if_late(1.0, 3_600.0)
        assert here._following._seconds() - here._following._looked_at < SECONDS
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


@pytest.mark.usefixtures("few_repeats")
@pytest.mark.parametrize("repeats", [0, 2])
@pytest.mark.parametrize("other_first", [False, True])
async def test_after_a_pause_of_its_own_way_a_resumption_that_waited_ends_none_of_others(
    here: ConfigService, there: ConfigService, *, other_first: bool, repeats: int
) -> None:
    """The other pause may be stored before that one, after it, or be covered by it."""
    way, long_ago = Way(), written(now() - timedelta(seconds=10))
    own = SwitchRequest("pause", channel="test", asset="BTC")

    def waited(request: SwitchRequest) -> SwitchRequest:
        return replace(request, asked=Asked(written(now()), long_ago, way.next()))

    if other_first:
        await there.switch(own)
        await here.look()
        await here.switch(waited(own))
    else:
        await here.switch(waited(own))
        await there.look()
        await there.switch(own)
        await here.look()
    for _ in range(repeats):
        await here.switch(replace(own, caller=Caller("192.0.2.7")))
        await here.switch(waited(own))
    with pytest.raises(VersionConflict, match="resume again"):
        await here.switch(waited(replace(RESUME, asset="BTC")))
    assert ["BTC"] == list(here.paused())

    await here.switch(replace(RESUME, asset="BTC", asked=Asked(written(now()), written(now()), way.next())))
    assert {} == here.paused()


@pytest.mark.usefixtures("few_repeats")
@pytest.mark.parametrize("repeats", [0, 3])
async def test_what_came_the_same_way_keeps_its_order_however_long_it_waited(
    here: ConfigService, there: ConfigService, repeats: int
) -> None:
    way, long_ago = Way(), written(now() - timedelta(seconds=10))
    pause = SwitchRequest("pause", channel="test", asset="BTC")
    for _ in range(3):
        for _ in range(1 + repeats):
            await here.switch(replace(pause, asked=Asked(written(now()), long_ago, way.next())))
        await here.switch(replace(RESUME, asset="BTC", asked=Asked(written(now()), long_ago, way.next())))
        assert {} == here.paused()
        await there.look()
        assert {} == there.paused()
    times = [each["created_at"] for each in (await here.history("BTC", 100, None))["history"]]
    assert times == sorted(times, reverse=True)


async def test_a_pause_that_a_balancer_sent_elsewhere_too_is_not_in_force_before_that_is_known(
    here: ConfigService, there: ConfigService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has ended since, and would come back for all who are told of it."""
    long_ago = written(now() - timedelta(seconds=10))
    pause = SwitchRequest("pause", channel="test", asset="BTC", trace_id="of one request")
    await there.switch(pause)
    await there.switch(RESUME)
    pause_of = store.pause_of
    told: list[Any] = []

    def slow(*asked: Any) -> Revision | None:
        time.sleep(0.2)  # the database is slow
        return pause_of(*asked)

    monkeypatch.setattr(store, "pause_of", slow)
    monkeypatch.setattr(pausing, "HOLD_SECONDS", 0.01)
    monkeypatch.setattr(pausing, "ANSWER_SECONDS", SECONDS)
    here.listen_to_held(told.append)
    waited = Asked(written(now()), long_ago, sent_as="of one request")
    assert "success" == (await here.switch(replace(pause, asked=waited)))["status"]
    assert ({}, []) == (here.paused(), told)


async def test_a_resumption_ends_a_pause_of_another_process_that_was_answered_before_it(
    here: ConfigService, there: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here nobody has heard of it yet: a balancer may send one after the other to several processes."""
    monkeypatch.setattr(seen, "AT_ONCE_SECONDS", SECONDS)  # however slow this machine is
    for _ in range(5):
        await there.switch(SwitchRequest("pause", channel="test", asset="BTC"))
        assert [] == (await here.switch(RESUME))["paused"]
        await there.catch_up()
        assert {} == there.paused()


async def test_a_resumption_ends_a_pause_that_the_same_process_is_still_storing(
    here: ConfigService, there: ConfigService
) -> None:
    await there.change(partial(bang=90))  # so that the first attempt to store is too late
    pausing_here = asyncio.create_task(here.switch(SwitchRequest("pause", channel="test", asset="BTC")))
    await asyncio.sleep(0)
    assert [] == (await here.switch(RESUME))["paused"]
    assert ["BTC"] == (await pausing_here)["paused"]
    await there.catch_up()
    assert {} == there.paused()

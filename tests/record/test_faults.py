"""Whatever happens to the record, decisions go on, and what is missing is marked."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from making import MIDNIGHT
from postgres_server import PASSWORD, USER
from recorded_live import MINUTE, SECONDS, asset_of, decided, decided_anew, reading, recorded, recorder, walk
from vivienne.changes.requests import ChangeRequest, Update
from vivienne.errors import RecordUnavailable
from vivienne.market.types import MINUTE_MS
from vivienne.record import recorder as recording
from vivienne.record.database import open_record
from vivienne.record.judging.account import account
from vivienne.record.judging.costs import Costs
from vivienne.record.pruning import Pruning
from vivienne.record.sqlite import SqliteRecord
from vivienne.record.tables import metadata
from vivienne.record.waiting import Waiting
from vivienne.record.writing import Markets, Writing
from vivienne.store.address import PostgresUrl

# ruff: noqa: ASYNC240  # files of a test are small

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from postgres_server import PostgresServer
    from vivienne.changes.service import ConfigService
    from vivienne.live.asset import DecisionMade
    from vivienne.record.recorder import Recorder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "v-record.db"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "TOGETHER_SECONDS", 0.0)
    monkeypatch.setattr(recording, "_FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(recording, "_LONGEST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr("vivienne.store.sqlite_connection._LOCK_TIMEOUT", 0.05)


@asynccontextmanager
async def running(to: Recorder) -> AsyncIterator[Recorder]:
    """Record until the end of the block, and then what is left."""
    task = asyncio.create_task(to.run())
    yield to
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not is_so():  # noqa: ASYNC110  # threads set no event of the loop
            await asyncio.sleep(0.01)


def take(to: Recorder, made: list[DecisionMade]) -> None:
    for each in made:
        to.take(each)


async def test_a_full_disk_delays_the_record_and_loses_nothing(
    service: ConfigService, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asset, to = asset_of(service), recorder(path)
    pages = 40

    def limit(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(Engine, "connect", limit)
    try:
        async with running(to):
            take(to, decided(asset, walk(0, 800)))
            await until(lambda: to.trouble)
            assert to.trouble is not None
            assert f"The record {path} cannot grow: the disk is full" in to.trouble
            take(to, decided(asset, walk(800, 10)))
            pages = 10_000
            await until(lambda: to.written == 810)
            await until(lambda: to.trouble is None)
    finally:
        event.remove(Engine, "connect", limit)

    assert caplog.text.count("Decisions are not recorded: ") == 1
    assert "Decisions are recorded again; 0 of them were lost" in caplog.text
    with reading(path) as record:
        [series] = record.series(1)
        assert record.decided_bars(series).is_decided.tolist() == [True] * 810
        assert record.gaps(1, 0, 10**15) == []


async def test_the_end_of_a_disk_is_left_to_the_configuration(
    service: ConfigService, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, to = decided(asset_of(service), walk(0, 20)), recorder(path)
    monkeypatch.setattr("vivienne.record.sqlite.RESERVED_BYTES", 1 << 60)

    async with running(to):
        take(to, made)
        await until(lambda: to.trouble)
        assert to.trouble is not None
        assert "its disk is nearly full" in to.trouble
        monkeypatch.setattr("vivienne.record.sqlite.RESERVED_BYTES", 1 << 20)
        await until(lambda: to.written == 20)


async def test_a_disk_that_hangs_holds_nobody_up_and_what_found_no_room_is_a_gap(
    service: ConfigService, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung, add = threading.Event(), Writing.add

    def slowly(self: Writing, *args: Any) -> None:
        hung.wait(SECONDS)
        add(self, *args)

    monkeypatch.setattr(Writing, "add", slowly)
    monkeypatch.setattr(recording, "_SLOW_SECONDS", 0.0)
    asset, to = asset_of(service), recorder(path)
    to.waiting = Waiting(most=20)
    made = decided(asset, walk(0, 60))

    async with running(to):
        take(to, made[:10])
        await until(lambda: not to.waiting)
        begin = monotonic()
        take(to, made[10:])
        assert monotonic() - begin < SECONDS / 2
        await until(lambda: to.trouble)
        assert to.trouble is not None
        assert "The record is slow" in to.trouble
        hung.set()

    kept = to.written
    assert 10 < kept < 60
    with reading(path) as record:
        [series] = record.series(1)
        assert sum(record.decided_bars(series).is_decided.tolist()) == kept
        [gap] = record.gaps(1, 0, 10**15)
        assert (gap.reason, gap.decisions) == ("lost", 60 - kept)
        assert (gap.from_time, gap.to_time) == (MIDNIGHT + kept * MINUTE_MS, MIDNIGHT + 59 * MINUTE_MS)


async def test_a_file_that_is_locked_by_another_program_is_written_later(service: ConfigService, path: Path) -> None:
    made = decided(asset_of(service), walk(0, 10))
    await recorded(recorder(path), made[:5])
    to = recorder(path, started_at=MIDNIGHT + 1)

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with running(to):
            take(to, made[5:])
            await until(lambda: to.trouble)
            assert to.trouble is not None
            assert "is locked by another program" in to.trouble
            other.execute("ROLLBACK")
            await until(lambda: to.written == 5)

    with reading(path) as record:
        assert decided_anew(record, 1) == 10


async def test_a_damaged_file_is_said_and_another_one_is_begun_when_it_is_moved_away(
    service: ConfigService, path: Path
) -> None:
    made = decided(asset_of(service), walk(0, 40))
    await recorded(recorder(path), made[:20])
    path.write_bytes(path.read_bytes()[:4096] + b"\x07" * 200_000)
    to = recorder(path, started_at=MIDNIGHT + 1)

    async with running(to):
        take(to, made[20:])
        await until(lambda: to.trouble)
        assert to.trouble is not None
        assert "is damaged" in to.trouble
        path.rename(path.with_suffix(".damaged"))
        await until(lambda: to.written == 20)

    with reading(path) as record:
        [series] = record.series(1)
        assert record.decided_bars(series).is_decided.tolist() == [*[False] * 20, *[True] * 20]
        assert decided_anew(record, 1) == 20


async def test_a_record_whose_lock_was_deleted_is_locked_anew(service: ConfigService, path: Path) -> None:
    """Another process could write it too; if none has it, this one goes on."""
    made, to = decided(asset_of(service), walk(0, 10)), recorder(path)
    lock = path.with_name(f"{path.name}.lock")

    async with running(to):
        take(to, made[:5])
        await until(lambda: to.written == 5)
        lock.unlink()
        take(to, made[5:])
        await until(lambda: to.written == 10)
        with pytest.raises(RecordUnavailable, match="is in use by another Vivienne"):
            SqliteRecord(path, "to write")


async def test_a_file_that_is_deleted_in_use_is_begun_again_with_what_is_remembered(
    service: ConfigService, path: Path
) -> None:
    made, to = decided(asset_of(service), walk(0, 10)), recorder(path)

    async with running(to):
        take(to, made[:5])
        await until(lambda: to.written == 5)
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()
        take(to, made[5:])
        await until(lambda: to.written == 15)

    with reading(path) as record:
        [series] = record.series(1)
        assert record.decided_bars(series).is_decided.tolist() == [True] * 10


async def test_of_two_processes_on_one_file_the_second_one_says_who_has_it_and_waits(
    service: ConfigService, path: Path
) -> None:
    made = decided(asset_of(service), walk(0, 10))
    one, two = recorder(path), recorder(path, name="two", started_at=MIDNIGHT + 1)

    async with running(one):
        take(one, made[:5])
        await until(lambda: one.written == 5)
        async with running(two):
            take(two, made[5:])
            await until(lambda: two.trouble)
            assert two.trouble is not None
            assert "is in use by another Vivienne" in two.trouble
            assert "--record" in two.trouble
            assert one.trouble is None

    assert (one.written, two.written) == (5, 0)


async def test_a_record_of_a_later_version_is_not_touched(service: ConfigService, path: Path) -> None:
    made = decided(asset_of(service), walk(0, 10))
    await recorded(recorder(path), made[:5])
    with closing(sqlite3.connect(path)) as later, later:
        later.execute("UPDATE record_schema SET version = 99")
    before = path.read_bytes()
    to = recorder(path, started_at=MIDNIGHT + 1)

    async with running(to):
        take(to, made[5:])
        await until(lambda: to.trouble)
        assert to.trouble is not None
        assert "was written by a later version of Vivienne (schema 99, this one knows 2)" in to.trouble

    assert path.read_bytes() == before


async def test_a_file_of_another_program_is_not_touched(service: ConfigService, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE mine (x)")
    before = path.read_bytes()
    to = recorder(path)

    async with running(to):
        take(to, decided(asset_of(service), walk(0, 3)))
        await until(lambda: to.trouble)
        assert to.trouble is not None
        assert "is not a record of Vivienne" in to.trouble

    assert path.read_bytes() == before


async def test_a_server_that_ends_the_connection_costs_nothing(service: ConfigService, database: str) -> None:
    url = PostgresUrl.read(database)
    assert url is not None
    made, to = decided(asset_of(service), walk(0, 20)), recorder(url)

    async with running(to):
        take(to, made[:10])
        await until(lambda: to.written == 10)
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                          "AND datname = current_database()")  # fmt: skip
        take(to, made[10:])
        await until(lambda: to.written == 20)

    with reading(url) as record:
        assert decided_anew(record, 1) == 20
        assert record.gaps(1, 0, 10**15) == []
        assert len(record.sessions(1)) == 1


async def test_a_user_without_rights_is_told_what_to_grant(
    service: ConfigService, postgres: PostgresServer, database: str
) -> None:
    url = PostgresUrl.read(database.replace(f"{USER}:", "scribe:"))
    assert url is not None
    postgres.execute(f"CREATE USER scribe PASSWORD '{PASSWORD}'")
    try:
        await _recorded_once_granted(service, postgres, database, url)
    finally:
        postgres.execute("DROP OWNED BY scribe", url=database)
        postgres.execute("DROP USER scribe")


async def _recorded_once_granted(
    service: ConfigService, postgres: PostgresServer, database: str, url: PostgresUrl
) -> None:
    made, to = decided(asset_of(service), walk(0, 10)), recorder(url)

    async with running(to):
        take(to, made[:5])
        await until(lambda: to.trouble)
        assert to.trouble is not None
        assert "let its owner GRANT CREATE ON SCHEMA public" in to.trouble
        owner = PostgresUrl.read(database)
        assert owner is not None
        await asyncio.to_thread(lambda: open_record(owner, "to write").close())
        tables = ", ".join(metadata.tables)
        postgres.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO scribe", url=database)
        await until(lambda: to.written == 5)

    with reading(url) as record:
        assert decided_anew(record, 1) == 5


async def test_a_clock_that_went_back_changes_nothing(
    service: ConfigService, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = decided(asset_of(service), walk(0, 20))
    to = recorder(path)
    take(to, made[:10])
    to.write_all()  # and it is killed
    to.let_go()
    monkeypatch.setattr(recording, "now", lambda: datetime(1980, 1, 1, tzinfo=UTC))

    await recorded(recorder(path, started_at=1), made[10:])

    with reading(path) as record:
        [series] = record.series(1)
        assert record.decided_bars(series).is_decided.tolist() == [True] * 20
        assert [each.ended_cleanly for each in record.sessions(1)] == [False, True]
        [gap] = record.gaps(1, 0, 10**15)
        assert gap.from_time <= gap.to_time
        assert decided_anew(record, 1) == 20


async def test_a_renamed_asset_and_another_symbol_are_other_series(service: ConfigService, path: Path) -> None:
    renamed = recorder(path, started_at=MIDNIGHT + 1)
    await recorded(recorder(path), decided(asset_of(service), walk(0, 5)))
    await recorded(renamed, decided(asset_of(service, "ETH"), walk(0, 7)))
    elsewhere = recorder(path, started_at=MIDNIGHT + 2, market=Markets(MINUTE, {"BTC": "XBT/USD"}))
    await recorded(elsewhere, decided(asset_of(service), walk(0, 9)))

    with reading(path) as record:
        found = {(each.asset, each.market): len(record.bars(each)) for each in record.series(1)}
        assert found == {("BTC", ""): 5, ("ETH", ""): 7, ("BTC", "XBT/USD"): 9}
        assert record.one_series(1, "BTC", "1m", "XBT/USD") is not None


async def test_of_many_versions_those_that_decided_are_kept_once(service: ConfigService, path: Path) -> None:
    asset = asset_of(service)
    made: list[DecisionMade] = []
    for number in range(40):
        threshold = 80 + number % 7
        update = Update({"settings": {"state_threshold_bang": threshold}}, partial=True)
        await service.change(ChangeRequest(update, channel="test"))
        if number % 2:
            made += decided(asset, walk(number // 2, 1))

    await recorded(recorder(path), made)

    with reading(path) as record:
        [series] = record.series(1)
        rows = record.bars(series)
        assert [row.made.config_version for row in rows if row.made] == [*range(2, 41, 2)]
        assert len({row.made.configuration_id for row in rows if row.made}) == 7
        assert decided_anew(record, 1) == 20


async def test_retention_in_the_middle_of_a_paper_position_leaves_later_trades_as_they_were(
    service: ConfigService, path: Path
) -> None:
    update = {"settings": {"state_threshold_loaded": 5, "state_threshold_aim": 10, "state_threshold_bang": 20}}
    await service.change(ChangeRequest(Update(update, partial=True), channel="test"))
    asset = asset_of(service)
    await recorded(recorder(path), decided(asset, walk(0, 900)))

    def trades() -> list[Any]:
        with reading(path) as record:
            [series] = record.series(1)
            columns = record.decided_bars(series)
        steps = account({"BTC": columns}, MINUTE_MS, Costs(fee=0.0, slippage=0.0))
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return [*done.value.trades]

    before = trades()
    longest = max(before[:-1], key=lambda each: (each.exited_at or 0) - each.entered_at)
    assert longest.exited_at is not None
    cut = longest.entered_at + MINUTE_MS  # the decision on this bar still asks for the position
    assert cut + 2 * MINUTE_MS <= longest.exited_at
    database = open_record(path, "to write")
    newest = MIDNIGHT + 899 * MINUTE_MS
    assert sum(Pruning(database, 1, timedelta(milliseconds=newest - cut)).steps()) > 0
    database.close()

    assert [each.entered_at for each in trades()] == [each.entered_at for each in before if each.entered_at > cut]

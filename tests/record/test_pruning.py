"""What is older than it is to be kept goes, a little at a time; what stays can be made again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from making import MIDNIGHT
from recorded_live import RUN, asset_of, decided, decided_anew, reading, recorded, recorder, walk
from vivienne.changes.requests import ChangeRequest, Update
from vivienne.market.types import Bars
from vivienne.record.database import open_record
from vivienne.record.forgetting import Forgetting, forget_configurations
from vivienne.record.interning import Interning
from vivienne.record.pruning import Pruning
from vivienne.record.tables import bars, configurations

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from vivienne.changes.service import ConfigService
    from vivienne.store.address import PostgresUrl

KEEP = timedelta(minutes=100)


def prune(where: Path | PostgresUrl, run_id: int = 1) -> list[int]:
    """Take out what is too old; the numbers of rows that were taken at once."""
    database = open_record(where, "to write")
    taken = [*Pruning(database, run_id, KEEP).steps()]
    database.close()
    return taken


async def test_old_decisions_go_and_their_bars_as_soon_as_no_decision_needs_them(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    first, second = asset_of(service), asset_of(service, window=3_000)
    first.load(Bars.from_candles(walk(0, 600)))
    second.load(Bars.from_candles(walk(0, 2_500)))
    await recorded(recorder(where), decided(first, walk(600, 5)))
    await recorded(recorder(where, started_at=MIDNIGHT + 1), decided(second, walk(2_500, 200)))

    taken = prune(where)

    assert (max(taken), sum(taken) >= 605) == (500, True)
    with reading(where) as record:
        [series] = record.series(1)
        rows = record.bars(series)
        assert [row.bar for row in rows] == walk(1_340, 1_360)  # from the anchor of the decisions on
        assert [row.made is not None for row in rows] == [*[False] * 1_259, *[True] * 101]
        assert decided_anew(record, 1) == 101
    assert sum(prune(where)) == 0


async def test_segments_assets_and_gaps_that_are_too_old_go(service: ConfigService, where: Path | PostgresUrl) -> None:
    bitcoin, ether = asset_of(service), asset_of(service, "ETH")
    made = [*decided(ether, walk(0, 40)), *decided(ether, walk(200, 5)), *decided(bitcoin, walk(0, 40))]
    await recorded(recorder(where), [*made, *decided(bitcoin, walk(2_800, 40))])

    prune(where)

    with reading(where) as record:
        assert {series.asset: len(record.bars(series)) for series in record.series(1)} == {"BTC": 40}
        assert record.gaps(1, 0, 10**15) == []  # that of the other asset ends where the kept bars begin


async def test_only_the_newest_simulations_are_kept(service: ConfigService, tmp_path: Path) -> None:
    where = tmp_path / "r.db"
    made = decided(asset_of(service), walk(0, 3))
    for number in range(7):
        run = RUN._replace(key=f"simulated:{number}", is_real=False)
        await recorded(recorder(where, run=run, started_at=number), made)
    await recorded(recorder(where, started_at=99), made)

    prune(where, run_id=7)

    with reading(where) as record:
        kept = {run.key: len(record.series(run.id)) for run in record.runs()}
    assert kept == {**{f"simulated:{number}": int(number >= 2) for number in range(7)}, "push": 1}


async def test_a_process_takes_out_what_is_too_old_by_itself(
    service: ConfigService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.record.recorder._FIRST_PRUNE_SECONDS", 0.0)
    monkeypatch.setattr("vivienne.record.recorder._STEP_SECONDS", 0.0)
    where = tmp_path / "r.db"
    to = recorder(where, keep=timedelta(minutes=20))

    await recorded(to, decided(asset_of(service), walk(0, 100)))
    await recorded(recorder(where, started_at=MIDNIGHT + 1, keep=timedelta(minutes=20)), [])

    with reading(where) as record:
        [series] = record.series(1)
        assert [row.made is not None for row in record.bars(series)] == [*[False] * 79, *[True] * 21]


async def test_a_bar_of_the_far_future_takes_nothing_out(service: ConfigService, where: Path | PostgresUrl) -> None:
    """It came of a wrong clock."""
    await recorded(recorder(where), decided(asset_of(service), walk(0, 40)))
    database = open_record(where, "to write")
    with database.transaction() as connection:
        newest = connection.execute(select(func.max(bars.c.open_time))).scalar_one()
        connection.execute(update(bars).where(bars.c.open_time == newest).values(open_time=2**45))
    database.close()

    assert sum(prune(where)) == 0
    with reading(where) as record:
        [series] = record.series(1)
        assert len(record.bars(series)) == 40


async def test_a_series_of_a_later_version_keeps_none_from_being_taken_out(
    service: ConfigService, tmp_path: Path
) -> None:
    where = tmp_path / "r.db"
    await recorded(recorder(where), decided(asset_of(service), walk(0, 2_000)))
    with closing(sqlite3.connect(where)) as record, record:
        record.execute(
            "INSERT INTO record_series (run_id, asset, timeframe, market, segment, begins_at) "
            "SELECT run_id, 'OLD', '2h', market, segment, begins_at FROM record_series"
        )
        record.execute("CREATE TEMP TABLE copied AS SELECT * FROM record_bars")
        record.execute("UPDATE copied SET series_id = (SELECT max(id) FROM record_series)")
        record.execute("INSERT INTO record_bars SELECT * FROM copied")
    assert sum(prune(where)) > 100


def kept_configurations(where: Path | PostgresUrl) -> list[int]:
    database = open_record(where, "to write")
    with database.transaction() as connection:
        found = [*connection.execute(select(configurations.c.id).order_by(configurations.c.id)).scalars()]
    database.close()
    return found


async def test_configurations_go_with_the_last_decision_that_was_made_with_them(
    service: ConfigService, where: Path | PostgresUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.record.forgetting._ROWS", 70)
    asset = asset_of(service)
    made = decided(asset, walk(0, 100))
    for threshold, first, count in ((30, 100, 150), (20, 250, 50)):
        update = Update({"settings": {"state_threshold_loaded": threshold}}, partial=True)
        await service.change(ChangeRequest(update, channel="test"))
        made += decided(asset, walk(first, count))
    await recorded(recorder(where), made)
    assert kept_configurations(where) == [1, 2, 3]

    prune(where)  # of the first no decision is left; what nothing refers to twice goes
    assert kept_configurations(where) == [1, 2, 3]
    prune(where)

    assert kept_configurations(where) == [2, 3]
    with reading(where) as record:
        assert decided_anew(record, 1) == 101
    assert sum(prune(where)) == 0


def test_all_bars_are_looked_at_only_now_and_then(where: Path | PostgresUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    database, forgetting, now = open_record(where, "to write"), Forgetting(), [10.0]
    monkeypatch.setattr("vivienne.record.forgetting.monotonic", lambda: now[0])
    with database.transaction() as connection:
        Interning(database).configuration(connection, {"settings": {}})
    looks = []
    for now[0] in (10.0, 1_000.0, 100_000.0):
        looks.append(sum(forgetting.steps(database, is_likely=True)))
    database.close()
    assert looks == [0, 0, 1]


def test_a_process_that_remembers_a_configuration_adds_it_again_once_it_has_gone(where: Path | PostgresUrl) -> None:
    database = open_record(where, "to write")
    interning, document = Interning(database), {"settings": {"state_threshold_loaded": 50}}
    numbers = []
    for _ in range(2):
        with database.transaction() as connection:
            interning.confirm(connection, [document])
            numbers.append(interning.configuration(connection, document))
        assert sum(forget_configurations(database, is_likely=True)) == len(numbers) - 1
    database.close()
    assert kept_configurations(where) == numbers[1:] != numbers[:1]

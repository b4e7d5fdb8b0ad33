"""`vivienne verify` finds what was altered or removed after it was recorded, and takes nothing else for it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import struct
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import bindparam, text

from making import MIDNIGHT
from recorded_live import RUN, asset_of, decided, reading, recorded, recorder, walk
from verified import BETWEEN, FIRST, HISTORY, record_with_changes_and_restarts, run, spoil, verification_of, verified
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.metrics.registry import Metrics
from vivienne.record.database import open_record
from vivienne.record.forgetting import Forgetting
from vivienne.record.place import beside
from vivienne.record.pruning import Pruning
from vivienne.record.reading.scope import Scope
from vivienne.record.verifying.daily import DailyVerification
from vivienne.record.verifying.running import Verification
from vivienne.store.address import PostgresUrl
from vivienne.times import iso

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.changes.service import ConfigService

DECIDED = HISTORY + 20
AT = iso(MIDNIGHT + DECIDED * MINUTE_MS)


@pytest.mark.parametrize(
    ("column", "value", "recorded", "was"),
    [
        ("status", "2", "stale", "live"),
        ("is_paused", "1", True, False),
        ("config_version", "config_version + 1", 1, 0),
        ("session_id", "3", 3, 1),
        ("cap", "cap + 1", None, None),
        ("used", "used - 1", None, None),
        ("source", "1", "streamed", "pushed"),
    ],
)
def test_an_altered_value_is_named_with_what_it_was(
    db: Path, column: str, value: str, recorded: object, was: object
) -> None:
    spoil(db, f"UPDATE record_bars SET {column} = {value} WHERE open_time = ? AND series_id = 1", DECIDED)  # noqa: S608
    code, found = verified(db)
    assert (code, found["different"], found["altered"], found["missing"]) == (1, 1, 1, 0)
    named = {each["field"]: (each["recorded"], each["decided"]) for each in found["differences"]}
    assert column in named
    if recorded is not None:
        assert named[column] == (recorded, was)
    assert {each["time"] for each in found["differences"]} == {AT}


@pytest.mark.parametrize("column", ["open", "volume", "quote_volume", "trade_count", "taker_buy_volume"])
def test_an_altered_bar_is_named_though_no_decision_reads_the_value(db: Path, column: str) -> None:
    spoil(
        db,
        f"UPDATE record_bars SET {column} = coalesce({column} * 1.0001, 1) WHERE open_time = ? AND series_id = 1",  # noqa: S608
        DECIDED,
    )
    code, found = verified(db)
    assert (code, found["different"], found["altered"]) == (1, 1, 1)
    [difference] = found["differences"]
    assert (difference["time"], difference["found_by"]) == (AT, "seal")
    assert difference["field"] in ("bar", column)


def test_a_bar_without_a_decision_is_verified_too(db: Path) -> None:
    spoil(db, "UPDATE record_bars SET open = open * 1.0001 WHERE open_time = ? AND series_id = 1", HISTORY - 5)
    code, found = verified(db)
    assert (code, found["different"], found["altered"]) == (1, 0, 1)


def test_a_bit_that_a_disk_has_turned_is_named_with_both_values(db: Path) -> None:
    with closing(sqlite3.connect(db.with_name("v-record.db"))) as record:
        [open_price] = record.execute(
            "SELECT open FROM record_bars WHERE open_time = ? AND series_id = 1", [MIDNIGHT + DECIDED * MINUTE_MS]
        ).fetchone()
    with closing(sqlite3.connect(db.with_name("v-record.db"))) as record, record:
        record.execute(
            "UPDATE record_bars SET open = ? WHERE open_time = ? AND series_id = 1",
            (_another_bit(open_price, 40), MIDNIGHT + DECIDED * MINUTE_MS),
        )
    [difference] = verified(db)[1]["differences"]
    assert (difference["field"], difference["recorded"], difference["decided"]) == (
        "open", _another_bit(open_price, 40), open_price,
    )  # fmt: skip


def _another_bit(value: float, bit: int) -> float:
    [bits] = struct.unpack("<q", struct.pack("<d", value))
    return float(struct.unpack("<d", struct.pack("<q", bits ^ 1 << bit))[0])


@pytest.mark.parametrize("column", ["level", "raw_level", "side", "trend", "volatility", "levels", "status", "source"])
def test_a_number_that_stands_for_nothing_is_a_difference(db: Path, column: str) -> None:
    spoil(db, f"UPDATE record_bars SET {column} = 77 WHERE open_time = ? AND series_id = 1", DECIDED)  # noqa: S608
    code, found = verified(db)
    assert (code, found["different"]) == (1, 1)
    assert (AT, column, 77) in {(each["time"], each["field"], each["recorded"]) for each in found["differences"]}


@pytest.mark.parametrize(
    ("column", "value"),
    [("used", "NULL"), ("used", "-7"), ("cap", "NULL"), ("status", "NULL"), ("level", "'high'"), ("close", "x'00'"),
     ("close", "0"), ("high", "1e999"), ("low", "-1"), ("open", "1e308"), ("blocks_id", "NULL"), ("is_whole", "'x'"),
     ("session_id", "'one'"), ("config_version", "'two'"), ("open_time", "'noon'"), ("open_time", "1 << 55"),
     ("bar_seal", "NULL"), ("decision_seal", "NULL"), ("number", "NULL"), ("number", "1 << 60")],
)  # fmt: skip
def test_values_that_cannot_be_read_are_differences(db: Path, column: str, value: str) -> None:
    spoil(db, f"UPDATE record_bars SET {column} = {value} WHERE open_time = ? AND series_id = 1", DECIDED)  # noqa: S608
    code, found = verified(db)
    assert code == 1
    assert found["altered"] >= 1
    assert found["differences"]


@pytest.mark.parametrize("number", [DECIDED, HISTORY, HISTORY + 2 * BETWEEN - 1])
def test_a_decision_that_was_made_unknown_is_missing(db: Path, whole: tuple[Path, int], number: int) -> None:
    """All of it, as if it was too old; the bar stays."""
    with closing(sqlite3.connect(db.with_name("v-record.db"))) as record:
        columns = [row[1] for row in record.execute("PRAGMA table_info(record_bars)")]
    decision = columns[columns.index("config_version") : columns.index("bar_seal")]
    nothing = ", ".join(f"{name} = NULL" for name in decision)
    spoil(db, f"UPDATE record_bars SET {nothing} WHERE open_time = ? AND series_id = 1", number)  # noqa: S608
    code, found = verified(db)
    assert (code, found["decisions"], found["missing"]) == (1, whole[1] - 1, 1)
    [place] = found["missing_at"]
    assert place["count"] == 1
    assert place["before"] == iso(MIDNIGHT + (number + 1) * MINUTE_MS)
    assert f"BTC 1m: 1 are missing {'between' if place['after'] else 'before'} " in run(db).stdout


def test_a_decision_of_which_only_the_version_is_gone_is_a_difference(db: Path) -> None:
    spoil(db, "UPDATE record_bars SET config_version = NULL WHERE open_time = ? AND series_id = 1", DECIDED)
    code, found = verified(db)
    assert (code, found["different"], found["altered"]) == (1, 1, 1)
    assert [each["field"] for each in found["differences"]] == ["config_version"]


def test_a_decided_bar_that_is_gone_is_missing(db: Path) -> None:
    spoil(db, "DELETE FROM record_bars WHERE open_time = ? AND series_id = 1", DECIDED)
    code, found = verified(db)
    assert (code, found["missing_reasons"]["they are no longer in the record"]) == (1, 1)


def test_the_newest_decisions_that_are_gone_are_missing_also_after_more_were_recorded(db: Path) -> None:
    last = HISTORY + 6 * BETWEEN - 1
    spoil(db, "DELETE FROM record_bars WHERE open_time > ? AND series_id = 1", last - 20)
    code, found = verified(db)
    assert (code, found["missing"]) == (1, 20)
    assert found["missing_at"][0]["after"] == iso(MIDNIGHT + (last - 20) * MINUTE_MS)
    assert verified(db, "--asset", "ETH")[0] == 0


def test_a_series_whose_bars_are_all_gone_is_missing_and_stays_so(db: Path, whole: tuple[Path, int]) -> None:
    spoil(db, "DELETE FROM record_bars WHERE series_id = 1")
    assert verified(db)[1]["missing"] == whole[1] // 2
    database = open_record(db.with_name("v-record.db"), "to write")
    for _ in Pruning(database, 1, timedelta(days=365), Forgetting()).steps():
        pass
    database.close()
    code, found = verified(db)
    assert (code, found["missing"]) == (1, whole[1] // 2)


@pytest.mark.parametrize(
    ("statement", "table", "is_removed"),
    [
        ("UPDATE record_sessions SET program_version = '9' WHERE id = 2", "record_sessions", False),
        ("DELETE FROM record_sessions WHERE id = 2", "record_sessions", True),
        ("DELETE FROM record_sessions", "record_sessions", True),
        ("UPDATE record_series SET asset = 'DOGE' WHERE id = 1", "record_series", False),
        ("UPDATE record_series SET timeframe = '7m' WHERE id = 1", "record_series", False),
        ("DELETE FROM record_series WHERE id = 1", "record_series", True),
        ("UPDATE record_series SET numbered = 3 WHERE id = 1", "record_series", False),
        ("DELETE FROM record_runs", "record_runs", True),
        ("UPDATE record_runs SET key = 'another'", "record_runs", False),
        ("UPDATE record_configurations SET document = (SELECT document FROM record_configurations WHERE id = 1)",
         "record_configurations", False),
    ],
)  # fmt: skip
def test_rows_of_other_tables_are_verified_too(db: Path, statement: str, table: str, is_removed: bool) -> None:
    spoil(db, statement)
    code, found = verified(db)
    assert code == 1
    assert (table, is_removed) in {(each["table"], each["is_removed"]) for each in found["altered_rows"]}


def test_all_of_it_is_said_in_words(db: Path) -> None:
    spoil(db, "UPDATE record_bars SET status = 2 WHERE open_time = ? AND series_id = 1", DECIDED)
    spoil(db, "UPDATE record_bars SET volume = 5 WHERE open_time = ? AND series_id = 1", HISTORY)
    spoil(db, "DELETE FROM record_bars WHERE open_time > ? AND series_id = 2", HISTORY + 6 * BETWEEN - 4)
    spoil(db, "UPDATE record_sessions SET program_version = '9' WHERE id = 2")
    said = run(db)
    assert said.exit_code == 1
    assert f"BTC 1m {AT}: status was altered after it was recorded: it is stale instead of live\n" in said.stdout
    assert f"BTC 1m {FIRST}: the bar was altered after it was recorded: its checksum is " in said.stdout
    last = iso(MIDNIGHT + (HISTORY + 6 * BETWEEN - 4) * MINUTE_MS)
    assert f"ETH 1m: 3 are missing after {last}: they are no longer in the record\n" in said.stdout
    assert "Row 2 of record_sessions was altered after it was recorded\n" in said.stdout
    assert "2 bars are not as they were recorded\n" in said.stdout


async def test_in_postgresql_too(database: str) -> None:
    url = PostgresUrl.read(database)
    assert url is not None
    decisions = await asyncio.to_thread(lambda: asyncio.run(record_with_changes_and_restarts(url)))
    record = open_record(beside(url), "to write")
    with record.transaction() as connection:
        at = {"at": MIDNIGHT + DECIDED * MINUTE_MS}
        of = "WHERE series_id = 1 AND open_time "
        connection.execute(text(f"UPDATE record_bars SET status = 3 {of}= :at").bindparams(bindparam("at")), at)  # noqa: S608
        connection.execute(text(f"DELETE FROM record_bars {of}> :at").bindparams(bindparam("at")), {"at": at["at"] + 6_000_000})  # noqa: S608, E501  # fmt: skip
    record.close()
    code, found = await asyncio.to_thread(verified, database)
    assert (code, found["altered"]) == (1, 1)
    assert found["decisions"] + found["missing"] == decisions
    assert [(each["field"], each["recorded"], each["decided"]) for each in found["differences"]] == [
        ("status", "paused", "live")
    ]


async def test_what_is_too_old_and_gaps_are_no_faults(service: ConfigService, where: Path | PostgresUrl) -> None:
    first, second = asset_of(service), asset_of(service, window=3_000)
    first.load(Bars.from_candles(walk(0, 600)))
    second.load(Bars.from_candles(walk(0, 2_500)))
    await recorded(recorder(where), [*decided(first, walk(600, 5)), *decided(first, walk(1_300, 40))])
    await recorded(recorder(where, started_at=MIDNIGHT + 1), decided(second, walk(2_500, 200)))
    for keep in (timedelta(minutes=150), timedelta(minutes=100)):
        database = open_record(where, "to write")
        for _ in Pruning(database, 1, keep).steps():
            pass
        database.close()
    await recorded(recorder(where, started_at=MIDNIGHT + 2), decided(second, walk(2_700, 5)))

    found = verification(where)
    assert (found.decisions, found.damaged, found.unsealed) == (106, 0, 0)
    # What is removed behind the back of Vivienne is one, though it is old.
    await removed(where, MIDNIGHT + 2_610 * MINUTE_MS)
    assert verification(where).missing["they are no longer in the record"] == 12


async def removed(where: Path | PostgresUrl, until: int) -> None:
    database = open_record(where, "to write")
    with database.transaction() as connection:
        connection.execute(text("DELETE FROM record_bars WHERE open_time <= :until").bindparams(until=until))
    database.close()


async def test_a_hole_without_a_gap_is_one_and_with_one_is_none(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    bitcoin = asset_of(service)
    await recorded(recorder(where), [*decided(bitcoin, walk(0, 40)), *decided(bitcoin, walk(200, 40))])
    assert verification(where).damaged == 0
    database = open_record(where, "to write")
    with database.transaction() as connection:
        connection.execute(text("DELETE FROM record_gaps"))
    database.close()
    found = verification(where)
    assert found.missing == {"bars between decided ones are not recorded, and no gap says so": 160}


async def test_two_processes_that_decide_the_same_are_no_fault(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    made = decided(asset_of(service), walk(0, 60))
    await recorded(recorder(where), made[:40])
    await recorded(recorder(where, name="two", started_at=MIDNIGHT + 1), made[20:])
    await recorded(recorder(where, name="three", started_at=MIDNIGHT + 2), made[10:50])
    found = verification(where)
    assert (found.decisions, found.damaged, found.different.total(), found.unsealed) == (60, 0, 0, 0)


async def test_a_bar_that_is_decided_later_is_no_fault(service: ConfigService, where: Path | PostgresUrl) -> None:
    """The newer process records the bars before its first decision, which an older one decided."""
    made = decided(asset_of(service), walk(0, 60))
    await recorded(recorder(where), made[:20])
    await recorded(recorder(where, name="two", started_at=MIDNIGHT + 1), made[40:])
    await recorded(recorder(where, name="one", started_at=MIDNIGHT), made[20:45])
    found = verification(where)
    assert (found.decisions, found.damaged, found.different.total()) == (60, 0, 0)


async def test_a_process_that_begins_meanwhile_is_no_fault(
    service: ConfigService, where: Path | PostgresUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.record.verifying.columns._ROWS", 10)
    asset = asset_of(service)
    await recorded(recorder(where), decided(asset, walk(0, 20)))
    with reading(where) as reader:
        found = Verification(reader)
        [series] = reader.all_series()
        steps = found.steps(series)
        next(steps)
        await recorded(recorder(where, name="two", started_at=MIDNIGHT + 1), decided(asset, walk(20, 20)))
        for _ in steps:
            pass
        found.look_at_rows()
        assert (found.decisions, found.damaged, found.different.total()) == (40, 0, 0)


def verification(where: Path | PostgresUrl) -> Verification:
    with reading(where) as reader:
        return verification_of(reader)


def of_an_earlier_version(where: Path) -> None:
    """Make the tables those of schema 1."""
    with closing(sqlite3.connect(where)) as record, record:
        for table, columns in {
            "bars": ("number", "decision_seal", "bar_seal"), "series": ("numbered", "kept_from", "seal"),
            "runs": ("seal",), "sessions": ("seal",), "gaps": ("seal",),
        }.items():  # fmt: skip
            for column in columns:
                record.execute(f"ALTER TABLE record_{table} DROP COLUMN {column}")
        record.execute("UPDATE record_schema SET version = 1")


async def test_a_record_of_an_earlier_version_goes_on_and_is_verified(
    service: ConfigService, db: Path, whole: tuple[Path, int]
) -> None:
    where = db.with_name("v-record.db")
    of_an_earlier_version(where)
    refused = run(db)
    assert refused.exit_code == 2
    assert "was written by an earlier version of Vivienne (schema 1, this one reads 2)" in refused.stderr

    asset = asset_of(service)
    asset.load(Bars.from_candles(walk(0, HISTORY + 6 * BETWEEN)))
    await recorded(recorder(where, started_at=MIDNIGHT + 9), decided(asset, walk(HISTORY + 6 * BETWEEN, 10)))

    code, found = verified(db)
    assert (code, found["decisions"], found["different"], found["missing"]) == (0, whole[1] + 10, 0, 0)
    assert found["unsealed"] > whole[1]
    assert "bars have no checksum: an earlier version recorded them" in run(db).stdout
    spoil(db, "UPDATE record_bars SET status = 2 WHERE open_time = ? AND series_id = 1", HISTORY + 6 * BETWEEN + 3)
    assert verified(db)[1]["altered"] == 1
    spoil(db, "UPDATE record_bars SET status = 77 WHERE open_time = ? AND series_id = 1", HISTORY)
    code, found = verified(db)
    assert {"time": FIRST, "field": "status", "recorded": 77, "decided": None, "found_by": "value"}.items() <= next(
        each for each in found["differences"] if each["time"] == FIRST
    ).items()


async def test_the_server_says_that_its_record_was_altered(db: Path, caplog: pytest.LogCaptureFixture) -> None:
    daily = DailyVerification(db.with_name("v-record.db"), Scope(RUN.key, "1m"), ["BTC"], "1.2.3", Metrics(), rest=0)
    spoil(db, "DELETE FROM record_bars WHERE open_time > ? AND series_id = 1", HISTORY + 6 * BETWEEN - 4)
    await daily.verify()
    samples: dict[Any, Any] = {each.family: each.value for each in daily._samples()}
    assert samples["vivienne_record_damaged_rows"] == 3
    assert "3 bars, decisions and other rows of the record were altered or removed" in caplog.text
    assert json.dumps(daily.newest.outcome() if daily.newest else None)

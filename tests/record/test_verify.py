"""`vivienne verify`: every recorded decision is made again from the record, and what differs is named."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from making import MIDNIGHT, candles_in
from recorded_live import RUN, recorder
from verified import FIRST, HISTORY, record_with_changes_and_restarts, run, spoil, verified
from vivienne.market.types import MINUTE_MS
from vivienne.metrics.registry import Metrics
from vivienne.record.reading.scope import Scope
from vivienne.record.verifying.daily import DailyVerification
from vivienne.store.address import PostgresUrl
from vivienne.times import iso

if TYPE_CHECKING:
    from pathlib import Path


def test_after_changes_and_restarts_every_decision_is_equal(whole: tuple[Path, int]) -> None:
    db, decisions = whole
    assert verified(db) == (
        0,
        {
            "decisions": decisions,
            "different": 0,
            "different_by_program": {},
            "missing": 0,
            "missing_reasons": {},
            "missing_at": [],
            "altered": 0,
            "altered_rows": [],
            "unsealed": 0,
            "differences": [],
            "configurations": {"compared": 8, "different": [], "unknown": 0},
            "gaps": 0,
        },
    )
    said = run(db)
    assert f"{decisions:,} decisions were decided anew: all of them are equal, to the last bit" in said.stdout


def test_a_process_may_write_the_record_meanwhile(db: Path, whole: tuple[Path, int]) -> None:
    writing = recorder(db.with_name("v-record.db"), name="another")
    writing.write_all()
    try:
        code, found = verified(db)
    finally:
        writing.let_go()
    assert (code, found["decisions"]) == (0, whole[1])


def test_on_a_real_market_too(marketdata: Path, tmp_path: Path) -> None:
    real = candles_in(marketdata / "klines" / "BTCUSDT-1m-2025-10-06_2025-11-02.csv.gz")
    minutes = lambda first, count: real[7_000 + first : 7_000 + first + count]  # noqa: E731
    decisions = asyncio.run(record_with_changes_and_restarts(tmp_path / "v.db", minutes))
    code, found = verified(tmp_path / "v.db")
    assert (code, found["decisions"], found["different"], found["missing"]) == (0, decisions, 0, 0)


def test_in_postgresql_too(database: str) -> None:
    url = PostgresUrl.read(database)
    assert url is not None
    decisions = asyncio.run(record_with_changes_and_restarts(url))
    code, found = verified(database)
    assert (code, found["decisions"], found["different"], found["missing"]) == (0, decisions, 0, 0)
    assert found["configurations"] == {"compared": 8, "different": [], "unknown": 0}


def test_a_part_of_the_record_can_be_verified(whole: tuple[Path, int]) -> None:
    db, decisions = whole
    assert verified(db, "--asset", "btc")[1]["decisions"] == decisions // 2
    begin = iso(MIDNIGHT + (HISTORY + 100) * MINUTE_MS)
    assert verified(db, "--from", begin)[1]["decisions"] == decisions - 200


@pytest.mark.parametrize(
    ("column", "value", "field", "shown"),
    [
        ("level", "3 - level", "level", None),
        ("confidence", "confidence + 1e-16 + confidence * 2.3e-16", "confidence", None),
        ("support", "NULL", "support", "nothing"),
        ("blocks_id", "(SELECT max(id) FROM record_blocks) + 1", "blocks", None),
        ("atr", "atr * 1.0000000000000003", "atr", None),
        ("history", "history + 1", "history", "452"),
    ],
)
def test_a_value_that_differs_is_named_with_both_values(
    db: Path, column: str, value: str, field: str, shown: str | None
) -> None:
    spoil(db, f"UPDATE record_bars SET {column} = {value} WHERE open_time = ? AND series_id = 1", HISTORY)  # noqa: S608
    code, found = verified(db)
    assert (code, found["different"]) == (1, 1)
    [difference] = found["differences"]
    assert (difference["asset"], difference["time"], difference["field"]) == ("BTC", FIRST, field)
    assert difference["recorded"] != difference["decided"]
    said = run(db)
    assert said.exit_code == 1
    assert f"BTC 1m {FIRST}: {field} was recorded as {shown or ''}" in said.stdout


def test_a_changed_bar_changes_the_decisions_that_were_made_from_it(db: Path) -> None:
    spoil(db, "UPDATE record_bars SET close = high WHERE open_time = ? AND series_id = 1", HISTORY)
    code, found = verified(db)
    assert code == 1
    assert found["different"] > 10
    assert {each["asset"] for each in found["differences"]} == {"BTC"}


def test_decisions_whose_bars_or_configuration_are_gone_are_missing(db: Path, whole: tuple[Path, int]) -> None:
    spoil(db, "DELETE FROM record_bars WHERE open_time = ? AND series_id = 1", HISTORY - 10)
    code, found = verified(db)
    assert (code, found["different"]) == (1, 0)
    assert found["missing"] == found["missing_reasons"]["bars that they were made from are not recorded"] > 0
    assert found["missing"] + found["decisions"] == whole[1]

    spoil(db, "DELETE FROM record_configurations WHERE id = 2")
    assert verified(db)[1]["missing_reasons"]["their configuration is not recorded"] > 0


def test_a_recorded_configuration_that_the_database_does_not_have_is_told(db: Path) -> None:
    with closing(sqlite3.connect(db)) as revisions, revisions:
        document = json.dumps({"settings": {"state_threshold_loaded": 21}}).encode()
        assert revisions.execute("UPDATE revisions SET document = ? WHERE version = 1", (document,)).rowcount == 1
    code, found = verified(db)
    assert (code, found["different"]) == (1, 0)
    assert {"asset": "BTC", "version": 1} in found["configurations"]["different"]
    db.unlink()
    code, found = verified(db)
    assert code == 0
    assert found["configurations"] == {"compared": 0, "different": [], "unknown": 8}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--record", "none.db"], "There is no record"),
        (["--asset", "DOGE"], "The record has no decisions on DOGE; recorded are BTC, ETH"),
        (["--from", "yesterday"], "--from 'yesterday' is not a time"),
    ],
)
def test_what_cannot_be_verified_is_said(whole: tuple[Path, int], flags: list[str], words: str) -> None:
    found = run(whole[0], *flags)
    assert found.exit_code == 2
    assert words in found.stderr


async def test_the_server_verifies_its_own_record_and_logs_what_differs(
    db: Path, whole: tuple[Path, int], caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    daily = DailyVerification(db.with_name("v-record.db"), Scope(RUN.key, "1m"), ["BTC"], "1.2.3", metrics, rest=0)
    await daily.verify()
    assert daily.newest is not None
    assert (daily.newest.decisions, daily.newest.different.total()) == (whole[1] // 2, 0)

    spoil(db, "UPDATE record_bars SET level = 3 - level WHERE open_time = ? AND series_id = 1", HISTORY)
    await daily.verify()
    assert daily.newest.different == {"1.2.3": 1}
    assert f"BTC 1m {FIRST}: level was recorded as " in caplog.text
    samples = {(each.family, *each.labels): each.value for each in daily._samples()}
    assert samples["vivienne_record_different_decisions", "this_version"] == 1
    assert samples["vivienne_record_different_decisions", "other_versions"] == 0
    assert samples["vivienne_record_verified_decisions",] == whole[1] // 2


async def test_what_another_version_decided_otherwise_is_told_apart(db: Path) -> None:
    spoil(db, "UPDATE record_bars SET level = 3 - level WHERE open_time = ? AND series_id = 1", HISTORY)
    said = run(db)
    assert said.exit_code == 1
    assert "1 decisions that version 1.2.3 recorded are different" in said.stdout
    daily = DailyVerification(db.with_name("v-record.db"), Scope(RUN.key, "1m"), ["BTC"], "1.2.4", Metrics(), rest=0)
    await daily.verify()
    samples = {(each.family, *each.labels): each.value for each in daily._samples()}
    assert samples["vivienne_record_different_decisions", "this_version"] == 0
    assert samples["vivienne_record_different_decisions", "other_versions"] == 1


async def test_a_verification_leaves_time_to_others_and_ends_when_it_is_told(whole: tuple[Path, int]) -> None:
    path = whole[0].with_name("v-record.db")
    # It would rest for hours.
    daily = DailyVerification(path, Scope(RUN.key, "1m"), ["BTC", "ETH"], "1", Metrics(), rest=1e6)
    running = asyncio.create_task(daily.verify())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert daily.newest is None


async def test_a_record_that_cannot_be_read_is_verified_another_day(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await DailyVerification(tmp_path / "none.db", Scope(RUN.key, "1m"), ["BTC"], "1", Metrics()).verify()
    assert "The record was not verified: The record" in caplog.text

"""Decisions that were written and that the record has lost since are written again, or are a gap."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import text

from making import MIDNIGHT
from recorded_live import SECONDS, asset_of, decided, decided_anew, reading, recorder, walk
from verified import verification_of
from vivienne.market.types import MINUTE_MS
from vivienne.record import recorder as recording
from vivienne.record import written
from vivienne.record.database import open_record
from vivienne.record.pruning import Pruning
from vivienne.record.waiting import Waiting
from vivienne.store.address import PostgresUrl

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from vivienne.changes.service import ConfigService
    from vivienne.live.asset import DecisionMade
    from vivienne.record.reader import Gap
    from vivienne.record.recorder import Recorder

FORGET = (
    "DELETE FROM record_bars WHERE open_time >= {0}",
    "UPDATE record_series SET numbered = (SELECT coalesce(max(number), 0) FROM record_bars WHERE series_id = id)",
    "DELETE FROM record_gaps WHERE from_time >= {0}",
    "DELETE FROM record_series WHERE numbered = 0",
)
"""What a standby does not have that did not receive the decisions from a bar on."""


def lost_since(first: int) -> list[str]:
    return [each.format(MIDNIGHT + first * MINUTE_MS) for each in FORGET]


def write(to: Recorder, made: list[DecisionMade]) -> None:
    for each in made:
        to.take(each)
    to.write_all()


def lose(to: Recorder, where: Path | PostgresUrl, first: int) -> None:
    """The record that is opened next does not have the decisions from a bar on."""
    to.let_go()
    database = open_record(where, "to write")
    with database.transaction() as connection:
        for each in lost_since(first):
            connection.execute(text(each))
    database.close()


def found(where: Path | PostgresUrl, count: int) -> tuple[list[bool], list[Gap]]:
    """Which bars of BTC are decided, and the gaps; and all is as it was decided, and nothing is missed."""
    with reading(where) as record:
        verification = verification_of(record)
        assert (verification.damaged, verification.different.total()) == (0, 0)
        assert decided_anew(record, 1) == count
        series = next(each for each in record.series(1) if each.asset == "BTC")
        return record.decided_bars(series).is_decided.tolist(), record.gaps(1, 0, 10**15)


async def test_what_a_failover_of_postgresql_lost_is_written_again(
    service: ConfigService, database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recording, "TOGETHER_SECONDS", 0.0)
    monkeypatch.setattr(recording, "_FIRST_PAUSE_SECONDS", 0.02)
    url = PostgresUrl.read(database)
    assert url is not None
    made, to = decided(asset_of(service), walk(0, 30)), recorder(url)
    running = asyncio.create_task(to.run())

    async def until_written(number: int) -> None:
        async with asyncio.timeout(SECONDS):
            while to.written < number:  # noqa: ASYNC110  # threads set no event of the loop
                await asyncio.sleep(0.01)

    for each in made[:20]:
        to.take(each)
    await until_written(20)
    with psycopg.connect(database) as other:
        for lost in lost_since(15):
            other.execute(lost.encode())
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                      "AND datname = current_database()")  # fmt: skip
    for each in made[20:]:
        to.take(each)
    await until_written(35)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert found(url, 30) == ([True] * 30, [])
    assert to.waiting.lost == 0
    assert "The record has lost decisions that were written, as in a failover: 5 are written again" in caplog.text


async def test_what_is_not_remembered_any_more_is_a_gap_and_counted(
    service: ConfigService, where: Path | PostgresUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written, "MOST_KEPT", 4)
    made, to = decided(asset_of(service), walk(0, 60)), recorder(where)
    write(to, made[:40])
    lose(to, where, 25)
    write(to, made[40:50])

    decisions, [gap] = found(where, 39)
    assert decisions == [*[True] * 25, *[False] * 11, *[True] * 14]
    assert (gap.reason, gap.decisions, to.waiting.lost) == ("lost", 11, 11)
    assert (gap.from_time, gap.to_time) == (MIDNIGHT + 25 * MINUTE_MS, MIDNIGHT + 35 * MINUTE_MS)

    lose(to, where, 48)  # once more
    write(to, made[50:])
    assert found(where, 60 - 11) == ([*decisions, *[True] * 10], [gap])
    to.let_go()


async def test_a_gap_that_was_lost_is_written_again_and_counted_once(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    made, to = decided(asset_of(service), walk(0, 40)), recorder(where)
    to.waiting = Waiting(most=10)  # with room for 8 of one asset
    write(to, made[:8])
    write(to, made[8:30])
    gaps = found(where, 16)[1]
    assert [(each.reason, each.decisions) for each in gaps] == [("lost", 14)]

    lose(to, where, 12)
    write(to, made[30:32])

    decisions, again = found(where, 18)
    assert (decisions, again, to.waiting.lost) == ([*[True] * 16, *[False] * 14, *[True] * 2], gaps, 14)
    to.let_go()


async def test_what_was_written_long_before_the_newest_is_a_gap_too(
    service: ConfigService, where: Path | PostgresUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quiet asset has lost its only decisions, and its series."""
    time = [1_000.0]
    monkeypatch.setattr(written, "monotonic", lambda: time[0])
    bitcoin, ether, to = asset_of(service), asset_of(service, "ETH"), recorder(where)
    write(to, decided(bitcoin, walk(0, 10)))
    write(to, decided(ether, walk(10, 5)))
    time[0] += 100
    write(to, decided(bitcoin, walk(10, 10)))
    lose(to, where, 10)
    for _ in range(2):  # it is lost again before anything was written
        to._open()
        to.let_go()
    write(to, decided(bitcoin, walk(20, 2)))

    decisions, [gap] = found(where, 22)
    assert decisions == [True] * 22
    assert (gap.reason, gap.decisions, to.waiting.lost, gap.series_id) == ("lost", 5, 5, None)
    to.let_go()


async def test_a_record_that_is_whole_gets_nothing_again(
    service: ConfigService, where: Path | PostgresUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what another process decided, nor what was too old to be kept, nor an asset that is quiet."""
    monkeypatch.setattr(written, "MOST_KEPT", 0)
    bitcoin, ether = asset_of(service), asset_of(service, "ETH")
    made, to = decided(bitcoin, walk(0, 300)), recorder(where)
    write(to, [*decided(ether, walk(0, 20)), *made[:250]])
    to.let_go()
    to.write_all()
    assert (to.waiting.lost, to.written) == (0, 270)
    to.let_go()
    other = recorder(where, name="two", started_at=MIDNIGHT + 1)
    write(other, made[240:])
    other.let_go()
    database = open_record(where, "to write")
    for _ in Pruning(database, 1, timedelta(minutes=100)).steps():
        pass
    database.close()

    write(to, made[245:])

    decisions, gaps = found(where, 101)
    assert ([each for each in gaps if each.reason == "lost"], to.waiting.lost) == ([], 0)
    assert sum(decisions) == 101
    to.let_go()

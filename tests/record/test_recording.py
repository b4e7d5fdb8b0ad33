"""Every decision is recorded with the bars it was made from, whatever happens to the process."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from making import MIDNIGHT
from recorded_live import RUN, asset_of, decided, decided_anew, reading, recorded, recorder, walk
from vivienne.changes.requests import ChangeRequest, SwitchRequest, Update
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.record.reader import Range
from vivienne.record.writing import Writing
from vivienne.times import now

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from vivienne.changes.service import ConfigService
    from vivienne.live.asset import LiveAsset
    from vivienne.market.types import Candle
    from vivienne.store.address import PostgresUrl

CHANGE = ChangeRequest(Update({"settings": {"state_threshold_bang": 90}}, partial=True), channel="test")


def other_sums(candles: list[Candle]) -> list[Candle]:
    """The same minutes as an exchange has them, which adds in another order."""
    return [each._replace(quote_volume=each.quote_volume * (1 + 2**-52)) for each in candles]


def alike(service: ConfigService) -> LiveAsset:
    """The asset of a process whose history has 300 minutes."""
    asset = asset_of(service)
    asset.load(Bars.from_candles(walk(0, 300)))
    return asset


async def test_every_decision_comes_back_and_is_made_again_from_the_record(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    asset, known = asset_of(service), walk(0, 300)
    asset.load(Bars.from_candles(known), source="filled")
    made = decided(asset, walk(300, 20))
    await service.change(CHANGE)
    made += decided(asset, walk(320, 10))
    await service.switch(SwitchRequest(switch="pause", channel="test"))
    made += decided(asset, walk(330, 5))

    await recorded(recorder(where), made)

    with reading(where) as record:
        [run] = record.runs()
        [series] = record.series(run.id)
        rows = record.bars(series)
        assert [row.bar for row in rows] == walk(0, 335)
        assert [row.source for row in rows] == [*["filled"] * 300, *["pushed"] * 35]
        assert [row.made is None for row in rows] == [*[True] * 300, *[False] * 35]
        kept = [row.made for row in rows if row.made is not None]
        assert repr([each.decision for each in kept]) == repr(
            [each.decision for each in made]
        )  # NaN equals itself there
        assert [each.config_version for each in kept] == [*[0] * 20, *[1] * 10, *[2] * 5]
        assert [each.status for each in kept] == [*["live"] * 30, *["paused"] * 5]
        assert decided_anew(record, run.id) == 35
        [session] = record.sessions(run.id)
        assert (session.program_version, session.ended_cleanly) == ("1.2.3", True)
        assert record.gaps(run.id, 0, 10**15) == []


async def test_a_process_that_decided_from_other_bars_begins_a_segment_and_both_can_be_made_again(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    """The second one has its history from the exchange, whose sums differ in the last bit."""
    first, second = asset_of(service), asset_of(service)
    first.load(Bars.from_candles(walk(0, 300)))
    second.load(Bars.from_candles(other_sums(walk(100, 210))))

    await recorded(recorder(where), decided(first, walk(300, 10)))
    await recorded(recorder(where, started_at=MIDNIGHT + 1), decided(second, walk(310, 10)))

    with reading(where) as record:
        [run] = record.runs()
        [series] = record.series(run.id)
        assert [segment.begins_at for segment in series.segments] == [MIDNIGHT + n * MINUTE_MS for n in (300, 310)]
        assert [row.bar for row in record.bars(series)] == walk(0, 320)
        assert decided_anew(record, run.id) == 20


async def test_a_process_with_the_same_bars_goes_on_where_the_last_one_stopped(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    first, second = asset_of(service), asset_of(service)
    first.load(Bars.from_candles(walk(0, 300)))
    second.load(Bars.from_candles(walk(0, 315)))

    await recorded(recorder(where), decided(first, walk(300, 10)))
    await recorded(recorder(where, started_at=MIDNIGHT + 1), decided(second, walk(315, 10)))

    with reading(where) as record:
        [run] = record.runs()
        [series] = record.series(run.id)
        assert len(series.segments) == 1
        rows = record.bars(series, Range(first=MIDNIGHT + 300 * MINUTE_MS))
        assert [row.bar for row in rows] == walk(300, 25)
        assert [row.made is not None for row in rows] == [*[True] * 10, *[False] * 5, *[True] * 10]
        assert decided_anew(record, run.id) == 20


async def test_a_bar_that_two_processes_decide_is_recorded_as_it_was_decided_first(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    first, second = alike(service), alike(service)
    made = decided(first, walk(300, 10))
    await service.change(CHANGE)

    await recorded(recorder(where), made)
    await recorded(recorder(where, started_at=MIDNIGHT + 1), decided(second, walk(300, 12)))

    with reading(where) as record:
        [run] = record.runs()
        [series] = record.series(run.id)
        columns = record.decided_bars(series, Range(first=MIDNIGHT + 300 * MINUTE_MS))
        assert columns.version.tolist() == [*[0] * 10, 1, 1]
        assert decided_anew(record, run.id) == 12


async def test_a_replay_that_begins_again_keeps_what_was_decided_first_until_a_bar_is_another_one(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    first, second = alike(service), alike(service)

    await recorded(recorder(where), decided(first, walk(300, 10)))
    again = [*walk(300, 5), *other_sums(walk(305, 1)), *walk(306, 6)]
    await recorded(recorder(where, started_at=MIDNIGHT + 1), decided(second, again))

    with reading(where) as record:
        [run] = record.runs()
        [series] = record.series(run.id)
        assert [segment.begins_at for segment in series.segments] == [MIDNIGHT + n * MINUTE_MS for n in (300, 305)]
        assert [row.bar for row in record.bars(series)] == [*walk(0, 300), *again]
        assert decided_anew(record, run.id) == 10 + 7


async def test_the_file_alone_has_everything_once_it_is_closed_also_if_somebody_still_reads_it(
    service: ConfigService, tmp_path: Path
) -> None:
    path, copied = tmp_path / "record.db", tmp_path / "copied.db"
    asset = asset_of(service)
    asset.load(Bars.from_candles(walk(0, 300)))
    await recorded(recorder(path), decided(asset, walk(300, 5)))
    with reading(path) as record:
        [run] = record.runs()
        await recorded(recorder(path, started_at=MIDNIGHT + 1), decided(asset, walk(305, 5)))
        shutil.copy(path, copied)
    with reading(copied) as record:
        [series] = record.series(run.id)
        assert [row.bar for row in record.bars(series)] == walk(0, 310)


async def test_assets_runs_and_a_gap_of_the_market_are_told_apart(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    bitcoin, ether = asset_of(service), asset_of(service, "ETH")
    made = [*decided(bitcoin, walk(0, 5)), *decided(ether, walk(0, 7)), *decided(bitcoin, walk(200, 5))]
    await recorded(recorder(where), made)
    again = RUN._replace(key="simulated:1", feed="simulated", is_real=False)
    await recorded(recorder(where, run=again, started_at=MIDNIGHT + 1), decided(asset_of(service), walk(0, 3)))

    with reading(where) as record:
        assert [run.key for run in record.runs()] == ["push", "simulated:1"]
        one, two = record.runs()
        assert {each.asset: len(record.bars(each)) for each in record.series(one.id)} == {"BTC": 10, "ETH": 7}
        assert {each.asset: len(record.bars(each)) for each in record.series(two.id)} == {"BTC": 3}
        [gap] = record.gaps(one.id, 0, 10**15)
        assert (gap.from_time, gap.to_time) == (MIDNIGHT + 5 * MINUTE_MS, MIDNIGHT + 199 * MINUTE_MS)
        assert (gap.reason, gap.decisions) == ("feed", 0)
        assert decided_anew(record, one.id) + decided_anew(record, two.id) == 20


async def test_a_market_with_a_bar_now_and_then_is_one_gap(service: ConfigService, where: Path | PostgresUrl) -> None:
    bitcoin = asset_of(service)
    made = [each for first in (0, 150, 300, 450) for each in decided(bitcoin, walk(first, 5))]
    await recorded(recorder(where), [*made, *decided(bitcoin, walk(600, 30)), *decided(bitcoin, walk(800, 5))])

    with reading(where) as record:
        [run] = record.runs()
        gaps = [(gap.from_time - MIDNIGHT, gap.to_time - MIDNIGHT) for gap in record.gaps(run.id, 0, 10**15)]
        found = [(first // MINUTE_MS, last // MINUTE_MS) for first, last in gaps]
        assert found == [(5, 599), (630, 799)]
        [series] = record.series(run.id)
        assert len(record.newest_gaps(series, 0, 10**15, is_real=True, most=1)) == 1


async def test_what_is_decided_while_a_write_lasts_is_in_the_gap_of_a_kill(
    service: ConfigService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [now()]
    monkeypatch.setattr("vivienne.record.recorder.now", lambda: clock[0])
    asset, where = asset_of(service), tmp_path / "r.db"
    killed = recorder(where)
    first, second = decided(asset, walk(0, 2))
    add = Writing.add

    def slowly(writing: Writing, *given: Any) -> None:
        clock[0] += timedelta(seconds=1)
        killed.take(second)
        clock[0] += timedelta(seconds=4)
        add(writing, *given)

    killed.take(first)
    killed._open()
    monkeypatch.setattr(Writing, "add", slowly)
    killed._write_some()
    killed.let_go()
    monkeypatch.setattr(Writing, "add", add)
    other = recorder(where, started_at=MIDNIGHT + 1)
    other.write_all()
    other.let_go()

    with reading(where) as record:
        [run] = record.runs()
        [gap] = record.gaps(run.id, 0, 10**15)
        came = round((clock[0] - timedelta(seconds=4)).timestamp() * 1_000)
        assert gap.from_time < came <= gap.to_time


async def test_a_replaced_process_records_nothing(service: ConfigService, tmp_path: Path) -> None:
    made: list[Any] = decided(asset_of(service), walk(0, 5))
    replaced = recorder(tmp_path / "r.db", is_silent=lambda: True)

    await recorded(replaced, made)

    with reading(tmp_path / "r.db") as record:
        assert record.series(record.runs()[0].id) == []

"""A process that starts knows what was recorded: its bars count, and its decisions are on the chart again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from making import MIDNIGHT
from recorded_live import MINUTE, RUN, asset_of, decided, decided_anew, reading, recorded, recorder, walk
from vivienne.changes.requests import ChangeRequest, SwitchRequest, Update
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.record.recalling import Recalling
from vivienne.roles.recording import memory_of
from vivienne.settings.boot import Boot

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.changes.service import ConfigService
    from vivienne.live.asset import LiveAsset
    from vivienne.market.types import Candle
    from vivienne.store.address import PostgresUrl

CHANGE = ChangeRequest(Update({"settings": {"state_threshold_bang": 90}}, partial=True), channel="test")


def started(service: ConfigService, where: Path | PostgresUrl) -> LiveAsset:
    """An asset as a process has it that starts."""
    asset, memory = asset_of(service), Recalling(recorder(where).recording)
    recalled = memory.recall("BTC", 2_500)
    memory.close()
    if recalled is not None:
        asset.recall(recalled)
    return asset


def with_other_sums(candles: list[Candle]) -> list[Candle]:
    """The same minutes as an exchange has them, which adds in another order."""
    return [each._replace(quote_volume=each.quote_volume * (1 + 2**-52)) for each in candles]


async def test_two_restarts_change_no_decision_and_all_are_on_the_chart(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    """The exchange adds in another order, and has fewer bars each time."""
    lasting, first = asset_of(service), asset_of(service)
    for each in (lasting, first):
        each.load(Bars.from_candles([]), bars=Bars.from_candles(walk(0, 300)), source="filled")
    expected, made = decided(lasting, walk(300, 10)), decided(first, walk(300, 10))
    await recorded(recorder(where), made)
    await service.change(CHANGE)

    second = started(service, where)
    second.load(Bars.from_candles([]), bars=Bars.from_candles(with_other_sums(walk(100, 210))), source="filled")
    expected, made = expected + decided(lasting, walk(310, 10)), made + (newer := decided(second, walk(310, 10)))
    await recorded(recorder(where, started_at=MIDNIGHT + 1), newer)
    await service.switch(SwitchRequest(switch="pause", channel="test"))

    third = started(service, where)
    third.load(Bars.from_candles([]), bars=Bars.from_candles(with_other_sums(walk(200, 120))), source="filled")
    expected, made = expected + decided(lasting, walk(320, 10)), made + (newer := decided(third, walk(320, 10)))
    await recorded(recorder(where, started_at=MIDNIGHT + 2), newer)

    assert repr([each.decision for each in made]) == repr([each.decision for each in expected])
    assert third.chart(330) == lasting.chart(330) | {"changes": third.chart(1)["changes"]}
    with reading(where) as record:
        [run] = record.runs()
        [series] = record.series(run.id)
        assert len(series.segments) == 1
        assert decided_anew(record, run.id) == 30


async def test_until_data_comes_the_recorded_bars_are_shown_and_nothing_is_decided_on_them(
    service: ConfigService, tmp_path: Path
) -> None:
    where = tmp_path / "r.db"
    await recorded(recorder(where), decided(asset_of(service), walk(0, 400)))

    asset = started(service, where)
    asset.load(Bars.from_candles([]), is_whole=False)
    asset.decide_again()

    data = asset.data()
    assert (data["status"], data["position_size"], data["price"]) == ("stale", 0.0, None)
    assert data["status_reason"] == "no whole minute has come since the start"
    chart = asset.chart(100)["bars"]
    assert [bar["close"] for bar in chart] == [each.close for each in walk(300, 100)]
    assert {(bar["recomputed"], bar["config_version"]) for bar in chart} == {(False, 0)}

    asset.take(walk(400, 1)[0])
    asset.decide()
    assert asset.data()["status"] == "live"


@pytest.mark.parametrize(("missed", "closes"), [(0, 401), (60, 461), (61, 1)])
async def test_a_feeder_that_goes_on_after_a_restart_needs_no_history(
    service: ConfigService, tmp_path: Path, missed: int, closes: int
) -> None:
    """Minutes that were missed are filled as far as they are while a process runs, and the bars are incomplete."""
    await recorded(recorder(tmp_path / "r.db"), decided(asset_of(service), walk(0, 400)))

    asset = started(service, tmp_path / "r.db")
    asset.take(walk(400 + missed, 1)[0], "pushed")
    asset.decide()

    assert len(asset.closes(1_000)) == closes
    assert asset.data()["status"] == ("live" if closes > 1 else "warming_up")
    sources = [bar["source"] for bar in asset.chart(missed + 2)["bars"]]
    assert sources == ["pushed", *["incomplete"] * missed, "pushed"][-closes:]


async def test_wrong_bars_that_were_recorded_can_be_replaced(
    service: ConfigService, where: Path | PostgresUrl, tmp_path: Path
) -> None:
    """One start with --new-history takes those of the market, and later ones go on with these."""
    wrong = [each._replace(high=each.high * 50, close=each.close * 50) for each in walk(350, 50)]
    right, first, second = walk(0, 410), asset_of(service), asset_of(service)
    first.load(Bars.from_candles(right[:350]))
    await recorded(recorder(where), decided(first, wrong))
    anew = recorder(where, started_at=MIDNIGHT + 1)
    memory = memory_of(Boot.read(db=str(tmp_path / "v.db"), new_history=True), anew)
    assert memory.recall("BTC", 2_500) is None

    second.load(Bars.from_candles(right[:400]))
    await recorded(anew, decided(second, right[400:]))

    recalled = started(service, where)
    assert recalled._bars.window.bars().close.tolist() == [each.close for each in right]


async def test_a_history_that_has_other_bars_is_said_and_the_recorded_ones_count(
    service: ConfigService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    where = tmp_path / "r.db"
    await recorded(recorder(where), decided(asset_of(service), walk(0, 400)))
    others = [each._replace(close=each.open) for each in walk(390, 5)]

    asset = started(service, where)
    differing = asset.load(Bars.from_candles([]), bars=Bars.from_candles([*walk(200, 190), *others, *walk(395, 10)]))

    assert differing == 5
    assert "BTC: 5 bars of its new history differ" in caplog.text
    assert asset.closes(1_000) == [each.close for each in walk(0, 405)]


@pytest.mark.parametrize("begin", [0, 100])
async def test_a_history_of_minutes_fills_what_was_not_recorded_before_and_after(
    service: ConfigService, tmp_path: Path, begin: int
) -> None:
    where, short = tmp_path / "r.db", asset_of(service)
    short.load(Bars.from_candles(walk(begin, 350 - begin)))
    await recorded(recorder(where), decided(short, walk(350, 50)))

    asset = started(service, where)
    asset.load(Bars.from_candles(walk(0, 420)))

    assert asset.closes(1_000) == [each.close for each in walk(0, 420)]
    lasting = asset_of(service)
    lasting.load(Bars.from_candles(walk(0, 420)))
    assert [bar["status"] for bar in asset.chart(1_000)["bars"]] == [
        bar["status"] for bar in lasting.chart(1_000)["bars"]
    ]
    known = {bar["time"]: bar["recomputed"] for bar in asset.chart(1_000)["bars"]}
    assert list(known.values()).count(False) == 50


async def test_the_newest_segment_counts_and_decisions_of_older_ones_stay(
    service: ConfigService, where: Path | PostgresUrl
) -> None:
    first, other = asset_of(service), asset_of(service)
    first.load(Bars.from_candles(walk(0, 300)))
    await recorded(recorder(where), decided(first, walk(300, 20)))
    other.load(Bars.from_candles(with_other_sums(walk(250, 70))))  # it started without the record
    await recorded(recorder(where, started_at=MIDNIGHT + 1), decided(other, walk(320, 130)))

    asset = started(service, where)
    made = decided(asset, walk(450, 10))
    await recorded(recorder(where, started_at=MIDNIGHT + 2), made)

    held = made[0].basis.held.bars
    assert held.open_time.tolist() == [MIDNIGHT + number * MINUTE_MS for number in range(451)]
    assert np.array_equal(held[250:320].quote_volume, [each.quote_volume for each in with_other_sums(walk(250, 70))])
    decided_before = [bar["config_version"] for bar in asset.chart(1_000)["bars"][300:450]]
    assert decided_before[:20] == [0] * 20
    with reading(where) as record:
        [run] = record.runs()
        [series] = record.series(run.id)
        assert len(series.segments) == 2
        assert decided_anew(record, run.id) == 160


def test_without_a_record_or_with_a_damaged_one_nothing_is_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "r.db"
    assert Recalling(recorder(path).recording).recall("BTC", 2_500) is None
    assert (caplog.text, path.exists()) == ("", False)

    path.write_bytes(b"not a database" * 1_000)

    assert Recalling(recorder(path).recording).recall("BTC", 2_500) is None
    assert "Earlier decisions are not known" in caplog.text
    assert "is not a SQLite database" in caplog.text


async def test_another_run_timeframe_or_asset_is_not_known(service: ConfigService, tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    await recorded(recorder(path), decided(asset_of(service), walk(0, 20)))

    again = Recalling(recorder(path, run=RUN._replace(key="simulated:2")).recording)
    same = Recalling(recorder(path).recording)

    assert again.recall("BTC", 100) is None
    assert same.recall("ETH", 100) is None
    found = same.recall("BTC", 10)
    assert found is not None
    assert len(found.bars) == 10
    assert MINUTE.milliseconds == MINUTE_MS
    again.close()
    same.close()


async def test_invalid_bars_of_a_record_are_not_taken(
    service: ConfigService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "r.db"
    await recorded(recorder(path), decided(asset_of(service), walk(0, 40)))
    for value in (-5.0, float("inf"), 0.0):
        damage(path, "close", value, walk(29, 1)[0].open_time)
        found = Recalling(recorder(path).recording).recall("BTC", 2_500)
        assert found is not None
        assert [*found.bars.candles()] == walk(30, 10)
    assert "30 recorded bars are invalid" in caplog.text

    damage(path, "close", "text", walk(39, 1)[0].open_time)
    assert Recalling(recorder(path).recording).recall("BTC", 2_500) is None
    assert "Earlier decisions of BTC are not known" in caplog.text


def damage(path: Path, column: str, value: object, open_time: int) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE record_bars SET {column} = ? WHERE open_time = ?", (value, open_time))  # noqa: S608

"""What a chart gets: the bars, the indicators of now, and the decisions as they were made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from making import MIDNIGHT, document_of, minutes, resampled
from vivienne.agent.filters import FILTERS
from vivienne.agent.indicators import indicators
from vivienne.changes.requests import ChangeRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.config.documents import merged
from vivienne.live.asset import LiveAsset
from vivienne.live.change_marks import ChangeMarks
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.market.feeds.base import MinuteSource

HISTORY = 250
LEVELS = ("loaded", "aim", "bang")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    service = ConfigService(SqliteRevisionStore(tmp_path / "vivienne.db"), ["BTC"])
    yield service
    await service.close()


@pytest.fixture
def asset(service: ConfigService) -> LiveAsset:
    return LiveAsset("BTC", feed="by hand", timeframe=Timeframe.M1, window=2500, active=lambda: service.active("BTC"))


def test_before_the_first_bar_there_is_nothing_to_draw(asset: LiveAsset) -> None:
    assert asset.chart(10)["bars"] == []


def test_a_chart_has_the_last_bars_oldest_first(asset: LiveAsset) -> None:
    candles = minutes(HISTORY)
    asset.load(Bars.from_candles(candles))
    for limit in (1, 7, HISTORY, 900):
        bars = asset.chart(limit)["bars"]
        wanted = candles[-limit:]
        assert [iso(candle.open_time) for candle in wanted] == [bar["time"] for bar in bars]
        assert [candle.close for candle in wanted] == [bar["close"] for bar in bars]


async def test_a_chart_has_the_indicators_of_the_periods_in_force(asset: LiveAsset, service: ConfigService) -> None:
    candles = minutes(HISTORY)
    asset.load(Bars.from_candles(candles))
    before = asset.chart(5)["bars"]
    await service.change(ChangeRequest(Update({"ema_fast_period": 5}, partial=True), channel="test"))
    after = asset.chart(5)["bars"]
    periods = service.active("BTC").configuration.indicators
    wanted = indicators(Bars.from_candles(candles), periods, 1, 5).now
    assert wanted.ema_fast.tolist() == [bar["ema_fast"] for bar in after]
    assert [bar["ema_fast"] for bar in before] != [bar["ema_fast"] for bar in after]
    assert [bar["bollinger_upper"] for bar in before] == [bar["bollinger_upper"] for bar in after]


async def test_the_readings_of_a_bar_stay_those_that_its_decision_used(
    asset: LiveAsset, service: ConfigService
) -> None:
    candles = minutes(HISTORY + 1)
    asset.load(Bars.from_candles(candles[:HISTORY]))
    asset.decide()
    asset.take(candles[HISTORY])
    [made] = asset.decide_closed()
    explanation = asset.data()["explanation"]
    assert explanation is not None
    values = {signal["id"]: signal["reading"] for signal in explanation["signals"]}
    assert made.bar["rsi"] == pytest.approx(values["rsi"], rel=1e-4)
    assert made.bar["macd_histogram_atr"] == pytest.approx(values["macd"], rel=1e-4)

    await service.change(ChangeRequest(Update({"rsi_period": 5, "macd_fast_period": 4}, partial=True), channel="test"))
    *before, last = asset.chart(2)["bars"]
    assert (last["rsi"], last["macd_atr"]) == (made.bar["rsi"], made.bar["macd_atr"])
    assert last["macd_histogram_atr"] == made.bar["macd_histogram_atr"]
    again = indicators(Bars.from_candles(candles[:HISTORY]), service.active("BTC").configuration.indicators, 1, 1).now
    assert before[0]["rsi"] == again.rsi[-1], "a bar from before the start is decided again"


def test_where_an_indicator_has_no_value_yet_there_is_null_and_no_nan(asset: LiveAsset) -> None:
    asset.load(Bars.from_candles(minutes(HISTORY)))
    chart = asset.chart(HISTORY)
    assert json.dumps(chart, allow_nan=False)
    assert chart["bars"][0]["ema_slow"] is None
    assert chart["bars"][0]["clarity_level"] == "idle"


async def test_a_decision_stays_what_it_was_when_its_bar_closed(asset: LiveAsset, service: ConfigService) -> None:
    candles = minutes(HISTORY + 2)
    asset.load(Bars.from_candles(candles[:HISTORY]))
    asset.decide()
    asset.take(candles[HISTORY])
    asset.decide()
    decided = asset.chart(1)["bars"][0]

    # Everything is loaded from now on, if anything votes.
    switches = dict.fromkeys([barrier.switch for barrier in FILTERS], False)
    document = merged(document_of(switches), {"settings": {f"state_threshold_{level}": 0 for level in LEVELS}})
    answer = await service.change(ChangeRequest(Update(document, partial=True), channel="test"))
    asset.decide()
    asset.take(candles[HISTORY + 1])
    asset.decide()

    history, *_, loaded, kept, newest = asset.chart(HISTORY)["bars"]
    assert kept == decided
    assert kept["config_version"] == 0
    assert newest["config_version"] == answer["version"]
    assert newest["clarity_level"] == "bang"
    assert history["config_version"] is None
    assert [(bar["status"], bar["recomputed"]) for bar in (history, loaded, kept, newest)] == [
        ("warming_up", True), ("live", True), ("live", False), ("live", False),
    ]  # fmt: skip


def test_a_bar_that_closed_while_warming_up_is_not_from_before_the_start(asset: LiveAsset) -> None:
    candles = minutes(3)
    asset.load(Bars.from_candles(candles[:2]))
    asset.decide()
    assert [bar["recomputed"] for bar in asset.chart(2)["bars"]] == [True, True]
    asset.take(candles[2])
    [made] = asset.decide_closed()

    bars = asset.chart(3)["bars"]
    assert [bar["status"] for bar in bars] == ["warming_up"] * 3
    assert [bar["recomputed"] for bar in bars] == [True, True, False]
    assert made.bar["recomputed"] is False


def test_a_bar_came_from_where_its_weakest_minute_came_from(service: ConfigService) -> None:
    asset = LiveAsset("BTC", feed="by hand", timeframe=Timeframe.M3, window=2500, active=lambda: service.active("BTC"))
    candles = minutes(3 * HISTORY + 12)
    history = resampled(candles[: 3 * HISTORY], Timeframe.M3)
    asset.load(Bars.from_candles([]), bars=history, source="filled")
    whole: list[MinuteSource] = ["streamed", "streamed", "streamed"]
    sources: list[MinuteSource] = [*whole, "streamed", "filled", "streamed", "incomplete", "filled", "streamed"]
    for candle, source in zip(candles[3 * HISTORY :], sources, strict=False):
        asset.take(candle, source)
    asset.decide()
    asset.take(candles[3 * HISTORY + 11], "streamed")  # two minutes before it never came
    newest = [made.bar["source"] for made in asset.decide_closed()]

    bars = asset.chart(5)["bars"]
    assert [bar["source"] for bar in bars] == ["filled", "streamed", "filled", "incomplete", "incomplete"]
    assert newest == ["incomplete"]


def test_a_chart_agrees_with_the_state_on_the_newest_bar(asset: LiveAsset) -> None:
    asset.load(Bars.from_candles(minutes(HISTORY)))
    asset.decide()
    data, bar = asset.data(), asset.chart(1)["bars"][0]
    assert data["bar_time"] == bar["time"]
    for name in ("clarity_level", "side", "signal_confidence", "position_size"):
        assert data[name] == bar[name]


def test_a_chart_tells_an_entry_that_is_held_from_a_level_that_was_not_reached(asset: LiveAsset) -> None:
    asset.load(Bars.from_candles(minutes(HISTORY)))
    bars = asset.chart(HISTORY)["bars"]
    held = [bar for bar in bars if bar["blocked"] and bar["raw_clarity_level"] != "idle"]
    assert held
    assert {0.0} == {bar["position_size"] for bar in held}
    free = [bar for bar in bars if not bar["blocked"]]
    assert [bar["raw_clarity_level"] for bar in free] == [bar["clarity_level"] for bar in free]


def test_a_chart_has_the_open_bar_as_far_as_it_has_come(asset: LiveAsset) -> None:
    candles = minutes(HISTORY)
    asset.load(Bars.from_candles(candles))
    assert asset.chart(1)["forming"] is None
    last = candles[-1]
    asset.move(last.close + 2, last.open_time + 70_000)
    asset.move(last.close - 1, last.open_time + 80_000)
    wanted = {
        "time": iso(last.open_time + 60_000),
        "open": last.close + 2,
        "high": last.close + 2,
        "low": last.close - 1,
        "close": last.close - 1,
        "volume": None,
        "quote_volume": None,
        "source": None,
    }
    assert wanted == asset.chart(1)["forming"]


def test_the_open_bar_of_a_longer_timeframe_is_made_of_its_minutes_and_the_price(service: ConfigService) -> None:
    candles = minutes(32)
    asset = LiveAsset("BTC", feed="by hand", timeframe=Timeframe.M15, window=2500, active=lambda: service.active("BTC"))
    asset.load(Bars.from_candles(candles))
    price = max(candle.high for candle in candles) + 1
    asset.move(price, candles[-1].open_time + 90_000)
    wanted = {
        "time": iso(candles[30].open_time),
        "open": candles[30].open,
        "high": price,
        "low": min(candles[30].low, candles[31].low),
        "close": price,
        "volume": candles[30].volume + candles[31].volume,
        "quote_volume": candles[30].quote_volume + candles[31].quote_volume,
        "source": None,
    }
    assert wanted == asset.chart(1)["forming"]


async def test_a_chart_marks_a_change_at_the_markets_time(asset: LiveAsset, service: ConfigService) -> None:
    asset.load(Bars.from_candles(minutes(HISTORY)))
    asset.decide()
    assert asset.chart(1)["changes"] == []
    moment = minutes(HISTORY)[-1].open_time + 65_000
    asset.move(100.0, moment)
    answer = await service.change(ChangeRequest(Update({"bang_threshold": 90}, partial=True), channel="test"))
    asset.decide()
    asset.decide()
    assert [{"version": answer["version"], "time": iso(moment)}] == asset.chart(1)["changes"]


def test_closes_are_the_newest_oldest_first(asset: LiveAsset) -> None:
    candles = minutes(HISTORY)
    asset.load(Bars.from_candles(candles))
    assert [candle.close for candle in candles[-3:]] == asset.closes(3)
    assert [candle.close for candle in candles] == asset.closes(1000)
    assert asset.closes(0) == []


def test_of_more_changes_than_are_kept_the_last_ones_are_listed_in_order() -> None:
    marks = ChangeMarks(3)
    assert marks.listed() == []

    for version in range(1, 8):
        marks.add(version, MIDNIGHT + version * MINUTE_MS)

    assert [mark["version"] for mark in marks.listed()] == [5, 6, 7]
    assert marks.listed()[0]["time"] == iso(MIDNIGHT + 5 * MINUTE_MS)

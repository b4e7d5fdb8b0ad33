"""What a chart gets: the bars, the indicators of now, and the decisions as they were made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from making import document_of, minutes
from vivienne.agent.filters import FILTERS
from vivienne.agent.indicators import indicators
from vivienne.config.documents import merged
from vivienne.config.requests import Request, Update
from vivienne.config.service import ConfigService
from vivienne.config.store import SqliteRevisionStore
from vivienne.live.asset import LiveAsset
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HISTORY = 150
LEVELS = ("loaded", "aim", "bang")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    service = ConfigService(SqliteRevisionStore(tmp_path / "vivienne.db"), ["BTC"])
    yield service
    await service.close()


@pytest.fixture
def asset(service: ConfigService) -> LiveAsset:
    return LiveAsset("BTC", feed="by hand", timeframe=Timeframe.M1, window=1000, active=lambda: service.active("BTC"))


def test_before_the_first_bar_there_is_nothing_to_draw(asset: LiveAsset) -> None:
    assert asset.chart(10)["bars"] == []


def test_a_chart_has_the_last_bars_oldest_first(asset: LiveAsset) -> None:
    candles = minutes(HISTORY)
    asset.load(candles)
    for limit in (1, 7, HISTORY, 500):
        bars = asset.chart(limit)["bars"]
        wanted = candles[-limit:]
        assert [iso(candle.open_time) for candle in wanted] == [bar["time"] for bar in bars]
        assert [candle.close for candle in wanted] == [bar["close"] for bar in bars]


async def test_a_chart_has_the_indicators_of_the_periods_in_force(asset: LiveAsset, service: ConfigService) -> None:
    candles = minutes(HISTORY)
    asset.load(candles)
    before = asset.chart(5)["bars"]
    await service.change(Request(Update({"ema_fast_period": 5}, partial=True), "test"))
    after = asset.chart(5)["bars"]
    periods = service.active("BTC").configuration.indicators
    wanted = indicators(Bars.from_candles(candles), periods, 1, 5)
    assert wanted.ema_fast[1:].tolist() == [bar["ema_fast"] for bar in after]
    assert [bar["ema_fast"] for bar in before] != [bar["ema_fast"] for bar in after]
    assert [bar["bollinger_upper"] for bar in before] == [bar["bollinger_upper"] for bar in after]


def test_where_an_indicator_has_no_value_yet_there_is_null_and_no_nan(asset: LiveAsset) -> None:
    asset.load(minutes(HISTORY))
    chart = asset.chart(HISTORY)
    assert json.dumps(chart, allow_nan=False)
    assert chart["bars"][0]["ema_slow"] is None
    assert chart["bars"][0]["clarity_level"] == "idle"


async def test_a_decision_stays_what_it_was_when_its_bar_closed(asset: LiveAsset, service: ConfigService) -> None:
    candles = minutes(HISTORY + 2)
    asset.load(candles[:HISTORY])
    asset.decide()
    asset.take(candles[HISTORY])
    asset.decide()
    decided = asset.chart(1)["bars"][0]

    # Everything is loaded from now on, if anything votes.
    switches = dict.fromkeys([barrier.switch for barrier in FILTERS], False)
    document = merged(document_of(switches), {"settings": {f"state_threshold_{level}": 0 for level in LEVELS}})
    answer = await service.change(Request(Update(document, partial=True), "test"))
    asset.decide()
    asset.take(candles[HISTORY + 1])
    asset.decide()

    history, *_, kept, newest = asset.chart(HISTORY)["bars"]
    assert kept == decided
    assert kept["config_version"] == 0
    assert newest["config_version"] == answer["version"]
    assert newest["clarity_level"] == "bang"
    assert history["config_version"] is None


def test_a_chart_agrees_with_the_state_on_the_newest_bar(asset: LiveAsset) -> None:
    asset.load(minutes(HISTORY))
    asset.decide()
    data, bar = asset.data(), asset.chart(1)["bars"][0]
    assert data["bar_time"] == bar["time"]
    for name in ("clarity_level", "side", "signal_confidence", "position_size"):
        assert data[name] == bar[name]

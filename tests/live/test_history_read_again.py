"""A history that is read again fills what was missing; bars that were decided on stay as they were."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from vivienne.changes.service import ConfigService
from vivienne.live.asset import LiveAsset
from vivienne.live.asset_bars import AssetBars
from vivienne.live.freshness import Freshness
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars, Candle
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = 1_760_000_400_000


def candle(place: int, close: float = 100.0, *, volume: float = 1.0) -> Candle:
    return Candle(BEGIN + place * MINUTE_MS, 100.0, 200.0, 50.0, close, volume, volume * 100.0, 1.0, 0.5)


def history(*places: int, close: float = 100.0) -> Bars:
    return Bars.from_candles([candle(place, close) for place in places])


@pytest.fixture
def bars() -> AssetBars:
    """Three bars of history, two of the stream, one that came incomplete."""
    made = AssetBars("BTC", Timeframe.M1, 10, Freshness())
    made.begin_with(history(0, 1, 2), "filled")
    made.take(candle(3, 103.0), "streamed")
    made.take(candle(4, 104.0), "streamed")
    made.take(candle(5, 105.0), "incomplete")
    return made


def test_streamed_bars_stay_and_incomplete_ones_are_filled(bars: AssetBars, caplog: pytest.LogCaptureFixture) -> None:
    read = [candle(place, 100.0 + place if place > 2 else 100.0) for place in range(1, 8)]
    read[2] = read[2]._replace(quote_volume=90.0)  # an estimate
    read[4] = read[4]._replace(close=111.0, volume=7.0)
    bars.begin_with(Bars.from_candles(read), "filled")
    assert bars.window.bars().open_time.tolist() == [BEGIN + place * MINUTE_MS for place in range(8)]
    assert bars.window.bars().close.tolist() == [100.0, 100.0, 100.0, 103.0, 104.0, 111.0, 106.0, 107.0]
    assert bars.window.bars().quote_volume[3] == 100.0
    assert bars.window.sources() == ["filled"] * 3 + ["streamed"] * 2 + ["filled"] * 3
    assert (bars.differing, bars.price) == (0, 107.0)
    assert caplog.text == ""


def test_a_bar_that_is_read_otherwise_is_said_and_stays(bars: AssetBars, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    bars.begin_with(history(*range(7), close=100.0), "filled")
    assert bars.window.bars().close.tolist()[3:6] == [103.0, 104.0, 100.0]
    assert bars.differing == 2
    assert "2 bars of its new history differ" in caplog.text


@pytest.mark.parametrize(
    ("places", "kept"), [(range(7, 10), range(7, 10)), (range(6, 9), range(9)), (range(4), range(5))]
)
def test_known_bars_stay_where_no_bar_is_missing_between_up_to_an_incomplete_one(
    bars: AssetBars, places: range, kept: range
) -> None:
    bars.begin_with(history(*places), "filled")
    times = bars.window.bars().open_time.tolist()
    assert times == [BEGIN + place * MINUTE_MS for place in kept]


def test_a_bar_that_was_decided_on_is_not_decided_again_where_the_history_ends_before_it(bars: AssetBars) -> None:
    bars.newly_closed = 0
    bars.begin_with(history(*range(4), close=100.0), "filled")
    assert not bars.take(candle(4, 99.0), "filled")
    assert bars.take(candle(5, 105.0), "filled")
    assert (bars.newly_closed, bars.window.bars().close.tolist()[4:]) == (1, [104.0, 105.0])


@pytest.mark.parametrize("apart", [1, 2, 50])
async def test_a_long_history_is_taken_a_little_at_a_time_and_until_then_what_was_known_is_known(
    apart: int, tmp_path: Path
) -> None:
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    asset = LiveAsset("BTC", feed="push", timeframe=Timeframe.M15, window=10, active=lambda: service.active("BTC"))
    asset.load(history(*range(45)), source="pushed")
    asset.decide_again()
    known, price = asset.chart(10), asset.data()["price"]
    count, pieces = 20_000 if apart == 1 else 200, 0
    for _ in asset.loading(history(*range(60, 60 + count * apart, apart), close=50.0), source="pushed"):
        pieces += 1
        assert asset.data()["price"] == price
        if pieces % 50 == 1:
            assert asset.chart(10) == known
    assert pieces >= (3 if apart == 1 else count)
    asset.decide_again()
    assert asset.data()["price"] == 50.0
    assert len(asset.chart(20)["bars"]) == 10
    await service.close()

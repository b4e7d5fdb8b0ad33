"""Files as exchanges and their downloaders really write them."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from making import candles_in, columns_of, resampled
from sizes import FULL
from vivienne.market.bars import BarBuilder, GapFiller, Restart
from vivienne.market.feeds.base import MinuteClosed
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars, Candle

if TYPE_CHECKING:
    from pathlib import Path

UNBROKEN = {
    "BTCUSDT-1m-2017-08-17_2017-08-23.csv.gz": 9_840,
    "BTCUSDT-1m-2022-08-14_2022-08-15.csv.gz": 2_880,
    "BTCUSDT-1m-2024-12-31_2025-01-01.csv.gz": 2_880,
    "BTCUSDT-1m-2025-02.csv.gz": 40_320,
    "BTCUSDT-1m-2025-10-06_2025-11-02.csv.gz": 40_320,
    "ETHUSDT-1m-2022-08-14.zip": 1_440,
    "ETHUSDT-1m-2022-08-15.zip": 1_440,
    "BTCUSDT_1m_2025-10-29_2025-11-01.karasik.csv.gz": 4_319,  # without the last, unclosed one
    "ETHUSDT_1m_2025-10-29_2025-11-01.karasik.csv.gz": 4_319,
}


def cells(path: Path) -> list[list[str]]:
    """The rows of a file, read without the project."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            text = archive.read(archive.namelist()[0]).decode()
    else:
        text = gzip.decompress(path.read_bytes()).decode()
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.sized
@pytest.mark.parametrize(("name", "count"), [each for each in UNBROKEN.items() if FULL or each[1] < 40_000])
def test_every_minute_of_a_kline_file_is_read(marketdata: Path, name: str, count: int) -> None:
    path = marketdata / "klines" / name
    candles = candles_in(path)
    assert count == len(candles)
    bars = Bars.from_candles(candles)
    assert {MINUTE_MS} == set(np.diff(bars.open_time).tolist())
    for column in columns_of(bars):
        assert np.isfinite(column).all()
    source = [row for row in cells(path) if row[1] != "open"][:count]
    expected = [[float(row[place]) for place in (1, 2, 3, 4, 5, 7, 8, 9)] for row in source]
    assert expected == [list(candle[1:]) for candle in candles]


def test_a_file_that_switches_to_microseconds_inside_has_no_seam(marketdata: Path) -> None:
    path = marketdata / "klines" / "BTCUSDT-1m-2024-12-31_2025-01-01.csv.gz"
    assert {13, 16} == {len(row[0]) for row in cells(path)}
    times = [candle.open_time for candle in candles_in(path)]
    assert list(range(1_735_603_200_000, 1_735_603_200_000 + 2_880 * MINUTE_MS, MINUTE_MS)) == times


def test_times_in_iso_8601_are_utc(marketdata: Path) -> None:
    """2025-10-29 04:22 UTC, the first row; the last one was still open when it was downloaded."""
    path = marketdata / "klines" / "BTCUSDT_1m_2025-10-29_2025-11-01.karasik.csv.gz"
    times = [candle.open_time for candle in candles_in(path)]
    assert (times[0], times[-1]) == (1_761_711_720_000, 1_761_711_720_000 + 4_318 * MINUTE_MS)
    assert cells(path)[-1][0] == "2025-11-01 04:21:00+00:00"


def test_an_outage_restarts_the_window_and_a_silence_does_not(marketdata: Path) -> None:
    candles = candles_in(marketdata / "klines" / "BTCUSDT-1m-2023-03-24.csv.gz")
    assert len(candles) == 1_360
    assert sum(candle.trade_count == 0 for candle in candles) == 72
    gaps = GapFiller()
    items = [item for candle in candles for item in gaps.add(candle)]
    assert [Restart(80)] == [item for item in items if isinstance(item, Restart)]
    assert candles == [item for item in items if isinstance(item, Candle)]
    assert gaps.ignored == 0


def test_no_bar_spans_an_outage(marketdata: Path) -> None:
    candles = candles_in(marketdata / "klines" / "BTCUSDT-1m-2023-03-24.csv.gz")
    known = {candle.open_time for candle in candles}
    gaps, builder, bars = GapFiller(), BarBuilder(Timeframe.M15), list[Candle]()
    for candle in candles:
        for item in gaps.add(candle):
            if isinstance(item, Restart):
                builder.restart()
            elif (bar := builder.add(item)) is not None:
                bars.append(bar)
    complete = [
        begin
        for begin in range(candles[0].open_time, candles[-1].open_time, 15 * MINUTE_MS)
        if all(begin + number * MINUTE_MS in known for number in range(15))
    ]
    assert complete == [bar.open_time for bar in bars]
    assert len(complete) < 1_440 / 15 - 5


def test_a_thin_market_has_minutes_without_trades(marketdata: Path) -> None:
    candles = candles_in(marketdata / "klines" / "BTCUSDT-1m-2017-08-17_2017-08-23.csv.gz")
    silent = [candle for candle in candles if candle.trade_count == 0]
    assert len(silent) == 2_894
    assert {(0.0, 0.0, 0.0)} == {(candle.volume, candle.quote_volume, candle.taker_buy_volume) for candle in silent}
    assert all(candle.open == candle.high == candle.low == candle.close for candle in silent)


@pytest.mark.sized
@pytest.mark.parametrize("timeframe", [Timeframe.M15, Timeframe.H1])
@pytest.mark.parametrize(
    "name",
    [
        "ETHUSDT-1m-2022-08-14.zip",
        *(["BTCUSDT-1m-2025-10-06_2025-11-02.csv.gz", "BTCUSDT-1m-2025-02.csv.gz"] if FULL else []),
    ],
)
def test_bars_equal_an_independent_resampling(marketdata: Path, name: str, timeframe: Timeframe) -> None:
    candles = candles_in(marketdata / "klines" / name)
    # These files begin at midnight and are unbroken, so bars are rows of a table.
    table = np.array(candles).reshape(-1, timeframe.minutes, len(Candle._fields))
    bars = resampled(candles, timeframe)
    assert table[:, 0, 0].tolist() == bars.open_time.tolist()
    assert table[:, 0, 1].tolist() == bars.open.tolist()
    assert table[:, :, 2].max(axis=1).tolist() == bars.high.tolist()
    assert table[:, :, 3].min(axis=1).tolist() == bars.low.tolist()
    assert table[:, -1, 4].tolist() == bars.close.tolist()
    for place, column in enumerate((bars.volume, bars.quote_volume, bars.trade_count, bars.taker_buy_volume), 5):
        np.testing.assert_allclose(column, table[:, :, place].sum(axis=1), rtol=1e-12)


async def test_trades_of_kraken_give_the_minutes_of_kraken(exchanges: Path) -> None:
    """Its answers are read as they came: JSON, packed, in seconds with a fraction."""
    minutes = {}
    for name in ("http_ohlc.json.gz", "http_trades.json.gz"):
        feed = ReplayFeed({"BTC": [exchanges / "kraken" / name]}, None)
        events = [event async for event in feed.follow("BTC")]
        minutes[name] = {event.candle.open_time: event.candle for event in events if isinstance(event, MinuteClosed)}
    candles, made = minutes.values()
    assert len(candles) == 720  # without the last, which is open
    assert len(made) == 272
    for time, candle in made.items():
        assert candle[:6] == pytest.approx(candles[time][:6], rel=1e-9)
        assert candle.trade_count == candles[time].trade_count

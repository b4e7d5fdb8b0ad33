"""Small inputs that once went wrong, each as it is right now. They are not part of the repository."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from vivienne.errors import MarketDataError
from vivienne.market.feeds.base import MinuteClosed, PriceMoved
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.timeframe import Timeframe
from vivienne.times import iso

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.types import Candle


@pytest.fixture
def files(shared_cases: Path) -> Path:
    return shared_cases / "files"


async def events_of(*paths: Path, skip: bool = False) -> list[FeedEvent]:
    feed = ReplayFeed({"BTC": [*paths]}, None, on_bad_row="skip" if skip else "stop")
    return [event async for event in feed.follow("BTC")]


async def minutes_of(*paths: Path, skip: bool = False) -> list[Candle]:
    return [event.candle for event in await events_of(*paths, skip=skip) if isinstance(event, MinuteClosed)]


async def prices_of(path: Path) -> list[PriceMoved]:
    return [event for event in await events_of(path) if isinstance(event, PriceMoved)]


async def test_two_days_of_trades_in_turn_are_both_there(files: Path) -> None:
    prices = await prices_of(files / "f01a_aggtrades_every_other_row_is_of_another_day.csv")
    assert len(prices) == 24
    assert [price.time for price in prices] == sorted(price.time for price in prices)
    assert {"2025-01-01", "2025-01-21"} == {iso(price.time)[:10] for price in prices}


@pytest.mark.parametrize("name", ["f01b_aggtrades_newest_first.csv", "f01c_aggtrades_pages_newest_first.csv"])
async def test_trades_that_are_newest_first_are_turned_round(files: Path, name: str) -> None:
    assert [100 + number / 2 for number in range(12)] == [price.price for price in await prices_of(files / name)]


async def test_candles_that_are_newest_first_are_turned_round(files: Path) -> None:
    closes = [c.close for c in await minutes_of(files / "f01e_candles_newest_first_for_comparison.csv")]
    assert [100.5, 101.5, 102.5, 103.5, 104.5] == closes


async def test_two_markets_are_refused(files: Path) -> None:
    with pytest.raises(MarketDataError, match="line 3: the column symbol has several values, BTC/USD, ETH/USD"):
        await events_of(files / "f02_two_symbols_one_hole.csv")


@pytest.mark.parametrize(
    ("name", "minutes", "short", "long"),
    [("f03_hourly.csv", 60, Timeframe.M15, Timeframe.H1), ("f03b_five_minutes.csv", 5, Timeframe.M1, Timeframe.M15)],
)
def test_longer_candles_are_refused_at_the_start_or_used_for_their_bars(
    files: Path, name: str, minutes: int, short: Timeframe, long: Timeframe
) -> None:
    with pytest.raises(MarketDataError, match=f"the candles are {minutes} minutes apart"):
        ReplayFeed({"BTC": [files / name]}, 60.0, timeframe=short)
    assert ReplayFeed({"BTC": [files / name]}, 60.0, timeframe=long).longest_candle == minutes


async def test_members_of_an_archive_give_what_the_files_give(files: Path) -> None:
    packed = await minutes_of(files / "f04a_two_parts.zip")
    apart = await minutes_of(files / "f04a_part2.csv", files / "f04a_part1.csv")
    assert list(map(repr, packed)) == list(map(repr, apart))
    assert (102, 103, 101, 102.5, 3) == packed[2][1:6]
    assert len(packed) == 5


async def test_what_a_mac_adds_to_an_archive_is_left_out(files: Path) -> None:
    assert len(await minutes_of(files / "f04c_macos.zip")) == 4


READ = {
    "f06a_seconds_with_point.csv": ("candles, 1 minute, known by its header, 3 rows", "2012-01-01T10:01"),
    "f06c_trades_seconds_with_fraction.csv": ("trades, known by its header, 3 rows", "2025-01-01T12:00:05.123"),
    "f07a_um_trades_no_header.csv": ("trades, Binance futures trades, 8 rows", "2025-01-01T12:00:10"),
    "f07b_um_aggtrades_no_header.csv": ("trades, Binance futures aggregated trades, 8 rows", "2025-01-01T12:00:10"),
    "f08a_kraken_ohlcvt.csv": ("candles, 1 minute, Kraken OHLCVT, 5 rows", "2025-01-01T12:00"),
    "f08c_kraken_time_and_sales.csv": ("trades, Kraken time and sales, 9 rows", "2025-01-01T12:00:00"),
    "f09a_bybit.csv": ("trades, Bybit trades, 2 rows", "2025-01-01T12:00:05.123"),
    "f09b_okx.csv": ("trades, OKX trades, 2 rows", "2025-01-01T12:00:05.123"),
    "f09d_coinbase.csv": ("trades, Coinbase trades, 2 rows", "2025-01-01T12:00:05.123"),
    "f10a_cryptodatadownload.csv": ("candles, 1 minute, CryptoDataDownload, 2 rows", "2025-01-01T12:00"),
    "f10b_yfinance.csv": ("candles, 1 minute, yfinance, 2 rows", "2025-01-01T12:00"),
    "f10c_massive.csv": ("candles, 1 minute, Massive, 2 rows", "2025-01-01T12:00"),
    "f10d_histdata.csv": ("candles, 1 minute, HistData, 2 rows", "2025-01-01T12:00"),
    "f10f_mt4.csv": ("candles, 1 minute, MetaTrader 4, 2 rows", "2025-01-01T12:00"),
    "f10i_utc_word.csv": ("candles, 1 minute, known by its header, 2 rows", "2025-01-01T12:00"),
    "f10j_header_in_the_middle.csv": ("candles, 1 minute, known by its header, 6 rows", "2025-01-01T12:00"),
}


@pytest.mark.parametrize("name", READ)
async def test_a_file_is_read_and_said_for_what_it_was_taken(
    files: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    summary, first = READ[name]
    with caplog.at_level("INFO"):
        events = await events_of(files / name)
    assert f"BTC: {summary}" in caplog.text
    assert ("the side is that of the maker" in caplog.text) == (name == "f09d_coinbase.csv")
    assert ("times are read as UTC" in caplog.text) == (name in {"f10d_histdata.csv", "f10f_mt4.csv"})
    event = events[0]
    assert isinstance(event, (MinuteClosed, PriceMoved))
    assert iso(event.candle.open_time if isinstance(event, MinuteClosed) else event.time).startswith(first)


async def test_without_a_side_the_taker_volume_is_unknown(files: Path) -> None:
    assert all(
        math.isnan(candle.taker_buy_volume) for candle in await minutes_of(files / "f08c_kraken_time_and_sales.csv")
    )


@pytest.mark.parametrize("name", ["f10h_kaggle_nan.csv", "f10l_bad_tick.csv", "f10m_open_below_low.csv"])
async def test_a_wrong_row_ends_the_replay_or_is_left_out(files: Path, name: str) -> None:
    with pytest.raises(MarketDataError, match=r"line 3: .* are not a valid candle"):
        await events_of(files / name)
    candles = await minutes_of(files / name, skip=True)
    assert ["12:00", "12:01", "12:02"] == [iso(candle.open_time)[11:16] for candle in candles]
    assert [True, False, True] == [candle.low > 0 and candle.low <= candle.open for candle in candles]

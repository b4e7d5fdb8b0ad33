"""Trades to minutes, as the exchange itself makes them."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from making import MIDNIGHT
from vivienne.market.bars import CandleBuilder
from vivienne.market.files import read_market_file
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from pathlib import Path

BTC = "BTCUSDT-spot-trades-2024-08-08T2354_2024-08-09T0005.csv.gz"
ETH = "ETHUSDT-spot-trades-2024-08-08T2354_2024-08-09T0005.csv.gz"
GOLDEN = "BTCUSDT-golden-1m-from-archive-2024-08-08T2355_0004.csv"


def trade(at_minute: float, price: float, quantity: float = 1.0, *, maker: bool = False, stands_for: int = 1) -> Trade:
    return Trade(MIDNIGHT + round(at_minute * MINUTE_MS), price, quantity, maker, stands_for)


def built(builder: CandleBuilder, *trades: Trade) -> list[Candle]:
    return [candle for item in trades if (candle := builder.add(item)) is not None]


def test_recorded_trades_give_the_candles_of_the_archive(marketdata: Path) -> None:
    with (marketdata / "trades" / GOLDEN).open(newline="") as text:
        golden = [
            (
                int(row["open_time"]), float(row["open"]), float(row["high"]), float(row["low"]), float(row["close"]),
                float(row["volume"]), float(row["quote_volume"]), int(row["count"]), float(row["tb"]),
            )
            for row in csv.DictReader(text)
        ]  # fmt: skip
    builder = CandleBuilder()
    trades = [item for item in read_market_file(marketdata / "trades" / BTC) if isinstance(item, Trade)]
    assert len(trades) == 19_904
    actual = built(builder, *trades)
    assert len(golden) == 10
    assert len(actual) == 10
    for expected, candle in zip(golden, actual, strict=True):
        assert expected == pytest.approx(candle, rel=1e-14, abs=0)  # sums of thousands of floats
        assert expected[:6] == (*candle[:5], round(candle.volume, 8))
        assert expected[7:] == (candle.trade_count, round(candle.taker_buy_volume, 8))
    assert builder.late == 0


def test_trades_of_a_second_asset_aggregate_to_whole_minutes(marketdata: Path) -> None:
    trades = [item for item in read_market_file(marketdata / "trades" / ETH) if isinstance(item, Trade)]
    builder = CandleBuilder()
    candles = built(builder, *trades)
    first = trades[0].time // MINUTE_MS * MINUTE_MS
    assert [first + number * MINUTE_MS for number in range(1, 11)] == [candle.open_time for candle in candles]
    for candle in candles:
        assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high
        assert candle.low <= candle.quote_volume / candle.volume <= candle.high
        assert 0 < candle.taker_buy_volume <= candle.volume
    end = candles[-1].open_time + MINUTE_MS
    inside = [item for item in trades if candles[0].open_time <= item.time < end]
    assert len(inside) == sum(candle.trade_count for candle in candles)


def test_a_minute_closes_with_the_first_trade_of_a_later_one() -> None:
    builder = CandleBuilder()
    assert builder.add(trade(0.5, 99)) is None
    assert builder.add(trade(1.0, 100, 2)) is None
    assert builder.add(trade(1.2, 105, 1, maker=True)) is None
    assert builder.add(trade(1.4, 95, 1)) is None
    assert builder.add(trade(1.999, 101, 4)) is None
    closed = builder.add(trade(2.0, 300))
    assert Candle(MIDNIGHT + MINUTE_MS, 100, 105, 95, 101, 8, 804, 4, 7) == closed


def test_the_minute_of_the_first_trade_is_left_out_since_it_may_not_be_whole() -> None:
    assert built(CandleBuilder(), trade(0.0, 99), trade(1.0, 99)) == []


def test_a_minute_without_trades_gives_no_candle() -> None:
    candles = built(CandleBuilder(), trade(0, 1), trade(1, 2), trade(4, 3), trade(5, 4))
    assert [MIDNIGHT + MINUTE_MS, MIDNIGHT + 4 * MINUTE_MS] == [candle.open_time for candle in candles]


def test_late_trades_are_counted_and_left_out() -> None:
    builder = CandleBuilder()
    built(builder, trade(0, 100), trade(1, 100))
    assert builder.late == 0
    assert builder.add(trade(0.9, 5_000)) is None
    assert builder.late == 1
    closed = builder.add(trade(2, 100))
    assert closed is not None
    assert (closed.high, closed.trade_count) == (100, 1)


def test_an_aggregated_trade_stands_for_several() -> None:
    candles = built(CandleBuilder(), trade(0, 1), trade(1, 10, 3, stands_for=7), trade(1.5, 10), trade(2, 1))
    assert candles[0].trade_count == 8
    assert candles[0].volume == 4


def test_a_minute_is_summed_trade_by_trade_and_given_when_the_next_one_begins() -> None:
    builder = CandleBuilder()
    built(builder, trade(0, 1), trade(1, 10, 3), trade(1.1, 12, 1, maker=True))
    assert Candle(MIDNIGHT + MINUTE_MS, 10, 12, 10, 12, 4, 42, 2, 3) == builder.add(trade(2, 1))

"""Shapes of files that exchanges, data sites and tools write: each gives its candles or trades."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, NamedTuple

import pytest

from vivienne.errors import MarketDataError
from vivienne.market.files import AssetFiles, trades_of
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_735_732_800_000
"""2025-01-01T12:00Z."""


class Shape(NamedTuple):
    """Rows as a source writes them: a name for the log, and a pattern for each row; the last row is of a later minute.

    `{s}`, `{ms}`, `{us}`, `{ns}` are the time in a unit, `{iso}`, `{dots}`, `{day}`, `{clock}` parts of it in text.
    """

    name: str
    row: str
    before: str = ""
    volume: float = 5.0
    quote: float = 500.0
    trades: float = math.nan
    taker: float = math.nan


CANDLES = [
    Shape("Binance klines", "{ms},100,101,99,100,5,{close},500,7,2,200,0", trades=7, taker=2),
    Shape("Binance klines", "{us},100,101,99,100,5,{close},500,7,2,200,0", trades=7, taker=2),
    Shape("Binance klines", "{ms},100,101,99,100,5,{close},500,7,2,200,0",
          "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
          "taker_buy_quote_volume,ignore\n", trades=7, taker=2),
    Shape("Binance COIN-M klines", "{ms},100,101,99,100,5,{close},5,7,2,2,0", quote=500, trades=7, taker=2),
    Shape("Binance COIN-M klines", "{ms},100,101,99,100,5,{close},5,7,2,2,0",
          "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
          "taker_buy_quote_volume,ignore\n", trades=7, taker=2),
    Shape("Kraken OHLCVT", "{s},100,101,99,100,5,7", trades=7),
    Shape("Bybit candles", "{ms},100,101,99,100,5,500.5", quote=500.5),
    Shape("Bybit candles", "{ms},100,101,99,100,5,500"),
    Shape("Bybit candles", "{ms},100,101,99,100,500,5"),
    Shape("Bybit candles", "{ms},100,101,99,100,50,0.5", volume=0.5, quote=50),
    Shape("known by its header", "{ms},100,101,99,100,500,5", "startTime,open,high,low,close,volume,turnover\n"),
    Shape("OKX candles", "BTC-USDT-SWAP,100,101,99,100,500,5,500,{ms},1",
          "instrument_name,open,high,low,close,vol,vol_ccy,vol_quote,open_time,confirm\n"),
    Shape("Coinbase candles", "{s},99,101,100,100.5,5", quote=500.8333),
    Shape("Bitfinex candles", "{ms},100,100.5,101,99,5", quote=500.8333),
    Shape("CryptoDataDownload", "{ms},{iso},BTCUSDT,100,101,99,100,500,5,7",
          "https://www.CryptoDataDownload.com\n"
          "Unix,Date,Symbol,Open,High,Low,Close,Volume USDT,Volume BTC,tradecount\n",
          trades=7),
    Shape("yfinance", "{iso}+00:00,100,101,99,100,5",
          "Price,Close,High,Low,Open,Volume\nTicker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD\nDatetime,,,,,\n"),
    Shape("known by its header", "{iso}+00:00,100,101,99,100,5", ",open,high,low,close,volume\n"),
    Shape("known by its header", "7,{iso}+00:00,100,101,99,100,5", ",when,Open,High,Low,Close,Volume\n"),
    Shape("known by its header", "{iso} UTC|100|101|99|100|5", "time|open|high|low|close|volume\n"),
    Shape("known by its header", "{s}.0,100,101,99,100,5", "Timestamp,Open,High,Low,Close,Volume\n"),
    Shape("known by its header", "{exponent},100,101,99,100,5", "Timestamp,Open,High,Low,Close,Volume\n"),
    Shape("MetaTrader 4", "{dots},{clock},100,101,99,100,5"),
    Shape("MetaTrader 4", "{dots},{clock},100,101,99,100,5", "Date,Time,Open,High,Low,Close,Volume\n"),
    Shape("candles without a header", "{date}|{clock}|100|101|99|100|5"),
    Shape("known by its header", "{date}|{clock}|100|101|99|100|5", "Date|Time|Open|High|Low|Close|Volume\n"),
    Shape("MetaTrader 5", "{dots}\t{clock}:00\t100\t101\t99\t100\t5\t0\t3",
          "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"),
    Shape("MetaTrader 5", "{dots}\t{clock}:00\t100\t101\t99\t100\t50\t5\t3",
          "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"),
    Shape("HistData", "{day} {digits}00;100;101;99;100;5"),
    Shape("known by its header", "BTC.V,1,{day},{digits}00,100,101,99,100,5,0",
          "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"),
    Shape("Massive", "X:BTC-USD,5,100,100,101,99,{ns},7",
          "ticker,volume,open,close,high,low,window_start,transactions\n", trades=7),
    Shape("Kaggle", "{s},100,101,99,100,5,500,100",
          "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price\n"),
    Shape("Alpaca", "{iso}Z,100,101,99,100,5,7,100",
          "timestamp,open,high,low,close,volume,trade_count,vwap\n", trades=7),
    Shape("candles without a header", "{s},100,101,99,100,5", "Zeit,Anfang,Hoch,Tief,Ende,Menge\n"),
]  # fmt: skip
TRADES = [
    ("Binance trades", "{id},100.5,0.5,50.25,{ms},{maker},True", ""),
    ("Binance futures trades", "{id},100.5,0.5,50.25,{ms},{flag}", ""),
    ("Binance COIN-M trades", "{id},100.5,5,0.5,{ms},{flag}", ""),
    ("Binance COIN-M trades", "{id},100.5,5,0.5,{ms},{flag}", "id,price,qty,base_qty,time,is_buyer_maker\n"),
    ("Binance trades", "{id},100.5,0.5,50,{ms},{flag}", "id,price,qty,quote_qty,time,is_buyer_maker\n"),
    ("Binance aggregated trades", "{id},100.5,0.5,{id},{id},{us},{maker},True", ""),
    ("Binance futures aggregated trades", "{id},100.5,0.5,{id},{id},{ms},{flag}", ""),
    ("Bybit trades", "{s}.0,BTCUSD,{Side},50,100.5,PlusTick,00000000-{id},5,0.5,50.25",
     "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"),
    ("Bybit trades", "{id},{ms},100.5,0.5,{side}", "id,timestamp,price,volume,side\n"),
    ("OKX trades", "BTC-USDT,{id},{side},100.5,0.5,{ms}", "instrument_name,trade_id,side,price,size,created_time\n"),
    ("Coinbase trades", "{id},{other},0.5,100.5,{iso}.000Z", "trade_id,side,size,price,time\n"),
    ("Tardis trades", "bybit,BTCUSDT,{us},{us},{id},{side},100.5,0.5",
     "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"),
]  # fmt: skip


def parts_of_time(ms: int) -> dict[str, object]:
    hours, minutes = divmod(ms // MINUTE_MS % 1440, 60)
    return {
        "s": ms // 1000, "ms": ms, "us": ms * 1000, "ns": ms * 1_000_000, "close": ms + 59_999,
        "exponent": f"{ms // 1000:.9E}", "iso": f"2025-01-01 {hours}:{minutes:02}:00", "dots": "2025.01.01",
        "date": "2025-01-01",
        "clock": f"{hours}:{minutes:02}", "day": "20250101", "digits": f"{hours}{minutes:02}",
    }  # fmt: skip


@pytest.mark.parametrize("shape", CANDLES, ids=lambda shape: f"{shape.name} {shape.row[:9]}")
def test_candles_are_read_whoever_wrote_them(tmp_path: Path, shape: Shape) -> None:
    rows = [shape.row.format(**parts_of_time(NOON + number * MINUTE_MS)) for number in range(4)]
    path = tmp_path / "data.csv"
    path.write_text(shape.before + "\n".join(rows) + "\n")

    files = AssetFiles([path])

    assert [report.summary for report in files.reports] == [
        f"candles, 1 minute, {shape.name}, 4 rows, 2025-01-01 to 2025-01-01"
    ]
    candles = [candle for stretch in files.stretches() for candle in stretch.rows.bars().candles()]
    assert [NOON, NOON + MINUTE_MS, NOON + 2 * MINUTE_MS] == [candle.open_time for candle in candles][:3]
    close = 100.5 if "100.5" in shape.row else 100.0
    expected = Candle(NOON, 100.0, 101.0, 99.0, close, shape.volume, shape.quote, shape.trades, shape.taker)
    assert candles[0] == pytest.approx(expected, rel=1e-4, nan_ok=True)


@pytest.mark.parametrize(("name", "row", "before"), TRADES, ids=[f"{name} {row[:9]}" for name, row, _ in TRADES])
def test_trades_are_read_with_the_side_that_took(tmp_path: Path, name: str, row: str, before: str) -> None:
    sides = [{"side": "buy", "Side": "Buy", "maker": "False", "flag": "false", "other": "SELL"},
             {"side": "sell", "Side": "Sell", "maker": "True", "flag": "true", "other": "BUY"}]  # fmt: skip
    rows = [
        row.format(id=7 + number, **parts_of_time(NOON + number * MINUTE_MS), **sides[number % 2])
        for number in range(4)
    ]
    path = tmp_path / "data.csv"
    path.write_text(before + "\n".join(rows) + "\n")

    files = AssetFiles([path])

    assert [report.summary for report in files.reports] == [f"trades, {name}, 4 rows, 2025-01-01 to 2025-01-01"]
    trades = [trade for stretch in files.stretches() for trade in trades_of(stretch.rows)]
    assert trades == [Trade(NOON + n * MINUTE_MS, 100.5, 0.5, buyer_is_maker=n % 2 == 1) for n in range(4)]


@pytest.mark.parametrize(
    ("row", "before"),
    [
        ("{s},100.5,0.5", ""),
        ("BTC,1,{ms}000000,100.5,0.5", "ticker,id,participant_timestamp,price,size\n"),
        ("b,BTC,{us},{us},{id},unknown,100.5,0.5", "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"),
    ],
)
def test_an_unknown_side_is_unknown(tmp_path: Path, row: str, before: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(before + "\n".join(row.format(id=n, **parts_of_time(NOON + n * 60_000)) for n in range(3)))
    trades = [trade for stretch in AssetFiles([path]).stretches() for trade in trades_of(stretch.rows)]
    assert [None, None, None] == [trade.buyer_is_maker for trade in trades]


def freqtrade() -> list[list[float]]:
    return [[NOON + n * MINUTE_MS, 100.0, 101.0, 99.0, 100.0, 5.0] for n in range(4)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(freqtrade()),
        json.dumps({"result": {"list": [[str(cell) for cell in row] for row in reversed(freqtrade())]}}),
        json.dumps([dict(zip(("time", "open", "high", "low", "close", "volume"), row, strict=True))
                    for row in freqtrade()]),
    ],
)  # fmt: skip
def test_json_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "BTC_USDT-1m.json"
    path.write_text(text)
    files = AssetFiles([path])
    assert files.reports[0].summary.startswith("candles, 1 minute, ")
    assert [NOON + n * MINUTE_MS for n in range(3)] == [
        time for stretch in files.stretches() for time in stretch.rows.time.tolist()
    ]


def test_a_long_table_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "BTC_USDT-1m.json"
    rows = [[NOON + n * MINUTE_MS, 100.0, 101.0, 99.0, 100.0, 5.0] for n in range(10_500)]
    path.write_text(json.dumps([dict(zip("tohlcv", row, strict=True)) for row in rows]))
    files = AssetFiles([path])
    assert [report.rows for report in files.reports] == [10_500]
    times = [time for stretch in files.stretches() for time in stretch.rows.time.tolist()]
    assert [row[0] for row in rows[:-1]] == times


@pytest.mark.parametrize(("name", "write"), [("feather", "write_ipc"), ("parquet", "write_parquet")])
def test_feather_and_parquet_are_read_with_the_extra(tmp_path: Path, name: str, write: str) -> None:
    """As freqtrade writes it: a column of times with a zone, and columns of numbers."""
    io, core = pytest.importorskip("arro3.io"), pytest.importorskip("arro3.core")
    columns = list(zip(*freqtrade(), strict=True))
    when = core.Array([int(ms) for ms in columns[0]], core.DataType.int64()).cast(
        core.DataType.timestamp("ms", tz="UTC")
    )
    arrays = {"date": when} | {
        field: core.Array(values, core.DataType.float64())
        for field, values in zip(("open", "high", "low", "close", "volume"), columns[1:], strict=True)
    }
    path = tmp_path / f"BTC_USDT-1m.{name}"
    getattr(io, write)(core.Table.from_pydict(arrays), str(path))
    files = AssetFiles([path])
    assert files.reports[0].shape == ("freqtrade" if name == "feather" else "known by its header")
    rows = next(files.stretches()).rows
    assert freqtrade()[0] == [rows.time[0], *rows.values[:5, 0]]


def test_without_the_extra_its_name_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("vivienne.market.files.tables.import_module", missing)
    path = tmp_path / "a.feather"
    path.write_bytes(b"ARROW1\0\0")
    with pytest.raises(MarketDataError, match=r"pip install 'vivienne\[parquet\]'"):
        AssetFiles([path])


def test_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(
        "time,open,high,low,close,volume\n" + "".join(f"{row[0]},1,1,1,1,1\n" for row in freqtrade()), "utf-16"
    )
    assert AssetFiles([path]).reports[0].rows == 4

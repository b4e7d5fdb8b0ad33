"""Shapes of files that exchanges, data sites and tools write, one entry each.

A shape without a header is known by the number and the content of its columns; a shape with one by names that only it
has. To add a shape, add an entry: the first one that fits is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vivienne.market.files.fields import Kind


class Shape(NamedTuple):
    """A known shape of a file.

    Attributes:
        name: for people.
        kind: what its rows are.
        columns: the fields of a file without a header, in order, separated by blanks; ``-`` is not used.
        header: names that a header of it has, as `plain_name` gives them.
        delimiter: the separator, if only that tells it from another shape; ``json`` and ``arrow`` are such files.
        is_maker_side: the column `side` has the side of the maker, not that of the taker.
        is_worth: the quote volume must be the worth of the volume, if only that tells it from another shape.
        has_dots: dates are written as 2025.01.01, which only MetaTrader does.
        remark: what a user should know of it.
    """

    name: str
    kind: Kind
    columns: str = ""
    header: str = ""
    delimiter: str = ""
    is_maker_side: bool = False
    is_worth: bool = False
    has_dots: bool = False
    remark: str = ""


_BROKER = "times are read as UTC; MetaTrader writes those of the broker"
_OHLCV = "open_time open high low close volume"
_KLINE = f"{_OHLCV} close_time quote_volume trade_count taker_buy_volume"

SHAPES: tuple[Shape, ...] = (
    # With a header
    Shape("Binance COIN-M klines", "candles", header="open_time close_time in_contracts"),
    Shape("Binance klines", "candles", header="open_time close_time taker_buy_volume taker_buy_quote_volume"),
    Shape("Binance klines", "candles", header="open_time close_time quote_asset_volume number_of_trades"),
    Shape("Vivienne", "candles", header="open_time close_time quote_volume trade_count taker_buy_volume"),
    Shape("Binance aggregated trades", "trades", header="agg_trade_id transact_time"),
    Shape("Binance trades", "trades", header="id price qty quote_qty time is_buyer_maker"),
    Shape("Binance COIN-M trades", "trades", header="id price qty base_qty time is_buyer_maker"),
    Shape("Bybit trades", "trades", header="trdmatchid"),
    Shape("Bybit trades", "trades", header="id timestamp price volume side"),
    Shape("Bybit trades", "trades", header="execid price size side time"),
    Shape("OKX trades", "trades", header="instrument_name trade_id side price size created_time"),
    Shape("OKX trades", "trades", header="instid tradeid px sz side ts"),
    Shape("OKX candles", "candles", header="instrument_name open vol vol_ccy confirm"),
    # https://docs.cdp.coinbase.com: the side of a trade is that of the order that was in the book.
    Shape("Coinbase trades", "trades", header="trade_id side size price time", is_maker_side=True,
          remark="the side is that of the maker; the taker is the other one"),
    Shape("Tardis trades", "trades", header="exchange symbol timestamp local_timestamp id side price amount"),
    Shape("CryptoDataDownload", "candles", header="unix date symbol open high low close"),
    Shape("freqtrade or ccxt trades", "trades", header="timestamp id type side price amount cost"),
    Shape("freqtrade", "candles", header="date open high low close volume", delimiter="arrow"),
    Shape("Massive", "candles", header="ticker window_start transactions"),
    Shape("Massive trades", "trades", header="ticker participant_timestamp conditions"),
    Shape("Kaggle", "candles", header="timestamp volume_btc volume_currency weighted_price"),
    Shape("MetaTrader 5", "candles", header="date time open high low close tickvol", has_dots=True,
          remark=_BROKER),
    Shape("MetaTrader 5", "candles", header="time open high low close tick_volume real_volume",
          remark=_BROKER),
    Shape("MetaTrader 4", "candles", header="date time open high low close volume", has_dots=True,
          remark=_BROKER),
    Shape("yfinance", "candles", header="date open high low close adj_close volume"),
    Shape("yfinance", "candles", header="datetime open high low close adj_close volume"),
    Shape("yfinance", "candles", header="price close high low open volume"),
    Shape("Alpaca", "candles", header="timestamp open high low close volume trade_count vwap"),
    # Without one
    Shape("freqtrade", "candles", _OHLCV, delimiter="json"),
    Shape("HistData", "candles", _OHLCV, delimiter=";",
          remark="times are read as UTC; HistData writes those of UTC-5"),
    Shape("candles without a header", "candles", _OHLCV),
    Shape("Bitfinex candles", "candles", "open_time open close high low volume"),
    Shape("Coinbase candles", "candles", "open_time low high open close volume"),
    Shape("MetaTrader 4", "candles", "open_time clock open high low close volume", has_dots=True, remark=_BROKER),
    Shape("candles without a header", "candles", "open_time clock open high low close volume"),
    Shape("MetaTrader 5", "candles", "open_time clock open high low close volume real_volume -",
          has_dots=True, remark=_BROKER),
    Shape("Bybit candles", "candles", f"{_OHLCV} quote_volume", is_worth=True),
    # Of inverse futures: the volume counts dollars, and the turnover coins.
    Shape("Bybit candles", "candles", "open_time open high low close quote_volume volume", is_worth=True),
    Shape("Kraken OHLCVT", "candles", f"{_OHLCV} trade_count"),
    Shape("Bybit candles", "candles", f"{_OHLCV} quote_volume"),
    Shape("Kraken OHLC", "candles", "open_time open high low close - volume trade_count"),
    Shape("OKX candles", "candles", f"{_OHLCV} coins quote_volume confirmed"),
    Shape("Binance COIN-M klines", "candles",
          "open_time open high low close contracts close_time volume trade_count - taker_buy_volume -"),
    Shape("Binance klines", "candles", f"{_KLINE} -"),
    Shape("Binance klines", "candles", f"{_KLINE} - -"),
    Shape("Kraken time and sales", "trades", "trade_time price quantity"),
    Shape("Kraken trades", "trades", "price quantity trade_time side - - trade_id"),
    Shape("freqtrade or ccxt trades", "trades", "trade_time trade_id - side price quantity -"),
    Shape("Binance COIN-M trades", "trades", "trade_id price contracts quantity trade_time buyer_is_maker"),
    Shape("Binance futures trades", "trades", "trade_id price quantity - trade_time buyer_is_maker"),
    Shape("Binance trades", "trades", "trade_id price quantity - trade_time buyer_is_maker -"),
    Shape("Binance futures aggregated trades", "trades",
          "trade_id price quantity first_id last_id trade_time buyer_is_maker"),
    Shape("Binance aggregated trades", "trades",
          "trade_id price quantity first_id last_id trade_time buyer_is_maker -"),
)  # fmt: skip

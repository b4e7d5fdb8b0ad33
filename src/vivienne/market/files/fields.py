"""Fields of candles and trades: the names that columns have for them, and what their cells look like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from vivienne.market.files import cells

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["candles", "trades"]


class Field(NamedTuple):
    """A field of a candle or a trade.

    Attributes:
        names: names of its column, as `plain_name` gives them, the better ones first.
        looks: whether a cell can be one of it.
    """

    names: tuple[str, ...]
    looks: Callable[[str], bool]


def plain_name(name: str) -> str:
    """The name of a column in small letters and digits, with underscores between words."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _anything(_: str) -> bool:
    return True


def _is_count(cell: str) -> bool:
    return cells.is_number(cell) and (not cell.strip() or float(cell) == float(cell) // 1 or float(cell) != float(cell))


_TIMES = ("timestamp", "datetime", "date_time", "date", "time", "ts", "t")
_PRICE_SUFFIX = ("", "_price")

CANDLE: dict[str, Field] = {
    "open_time": Field(
        ("open_time", "opentime", "open_timestamp", "unix", "unix_time", "unixtime", "unix_timestamp", "window_start",
         "interval_begin", "start", "start_time", "begin", *_TIMES, "gmt_time"),
        cells.is_time,
    ),
    "clock": Field(("time", "clock", "hour"), cells.is_clock),
    "open": Field(("open", "o", "open_price", "opening_price"), cells.is_number),
    "high": Field(("high", "h", "high_price", "max"), cells.is_number),
    "low": Field(("low", "l", "low_price", "min"), cells.is_number),
    "close": Field(("close", "c", "close_price", "last"), cells.is_number),
    "volume": Field(
        ("volume", "base_volume", "volume_base", "vol", "v", "real_volume", "tick_volume", "tickvol",
         "tickvolume", "amount"),
        cells.is_number,
    ),
    "real_volume": Field((), cells.is_number),
    "contracts": Field((), cells.is_number),
    "coins": Field(("vol_ccy", "volccy"), cells.is_number),
    "close_time": Field(("close_time", "closetime", "close_timestamp"), cells.is_time),
    "quote_volume": Field(
        ("quote_volume", "quote_asset_volume", "quotevolume", "volume_quote", "vol_quote", "vol_ccy_quote",
         "volccyquote", "qav", "turnover", "q"),
        cells.is_number,
    ),
    "trade_count": Field(
        ("count", "trade_count", "tradecount", "trades_count", "num_trades", "number_of_trades", "trades",
         "transactions", "n"),
        _is_count,
    ),
    "taker_buy_volume": Field(
        ("taker_buy_volume", "taker_buy_base", "taker_buy_base_asset_volume", "taker_buy_base_volume",
         "taker_base_vol", "taker_base", "tb"),
        cells.is_number,
    ),
    "taker_buy_quote": Field(("taker_buy_quote_volume",), cells.is_number),
    "confirmed": Field(("confirm", "confirmed", "is_closed", "is_final"), _anything),
}  # fmt: skip
TRADE: dict[str, Field] = {
    "trade_time": Field(
        ("trade_time_ms", "trade_time", "transact_time", "participant_timestamp", "created_time", "exec_time", "unix",
         *_TIMES),
        cells.is_time,
    ),
    "clock": Field(("time", "clock"), cells.is_clock),
    "price": Field(("price", "px", "p", "trade_price", "rate"), cells.is_number),
    "quantity": Field(
        ("homenotional", "base_qty", "qty", "quantity", "size", "amount", "sz", "base_size", "volume", "vol", "q", "v"),
        cells.is_number,
    ),
    "contracts": Field((), cells.is_number),
    "buyer_is_maker": Field(("is_buyer_maker", "buyer_is_maker", "buyer_maker", "isbuyermaker", "m"), _anything),
    "side": Field(("side", "taker_side", "aggressor_side", "aggressor", "direction"), cells.is_side),
    "trade_id": Field(
        ("trade_id", "agg_trade_id", "tradeid", "trdmatchid", "exec_id", "execid", "tid", "id", "a"), _anything
    ),
    "first_id": Field(("first_trade_id", "first_id", "f"), _anything),
    "last_id": Field(("last_trade_id", "last_id"), _anything),
}  # fmt: skip
FIELDS: dict[Kind, dict[str, Field]] = {"candles": CANDLE, "trades": TRADE}
NEEDED: dict[Kind, tuple[str, ...]] = {
    "candles": ("open_time", "open", "high", "low", "close", "volume"),
    "trades": ("trade_time", "price", "quantity"),
}
"""Fields without which a file cannot be read."""
SYMBOL = (
    "symbol", "ticker", "pair", "instrument", "instrument_name", "instrument_id", "inst_id", "instid", "product_id",
    "market", "coin", "asset", "asset_id", "contract",
)  # fmt: skip
"""Names of the column that says which market a row is of."""
KNOWN_NAMES = {name for fields in FIELDS.values() for field in fields.values() for name in field.names}


def kind_of(names: set[str]) -> Kind | None:
    """What the columns of a header are; None if they are neither. A few of the needed names are enough."""
    found = {kind: _count_found(kind, names) for kind in FIELDS}
    if found["candles"] >= 2 and found["candles"] >= found["trades"]:  # noqa: PLR2004  # a header, not a chance
        return "candles"
    return "trades" if found["trades"] >= 2 else None  # noqa: PLR2004  # the same


def _count_found(kind: Kind, names: set[str]) -> int:
    distinct = ("open", "high", "low", "close", "volume") if kind == "candles" else ("price", "quantity", "side",
                                                                                     "buyer_is_maker")  # fmt: skip
    return sum(any(name in names for name in FIELDS[kind][field].names) for field in distinct)

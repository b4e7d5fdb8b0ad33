"""Market data files: one-minute klines or trades, as exchanges and download tools write them.

Files are plain, gzip or zip CSV, with a header (column names of several exchanges and tools are known) or without one
(the Binance archive). Times are in s, ms, us or ns since the epoch, or ISO 8601. Errors name the file and the line.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from vivienne.errors import MarketDataError
from vivienne.market.checks import check_candle
from vivienne.market.lines import bounded_lines
from vivienne.market.types import DAY_MS, END_OF_TIME_MS, MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Row = list[str]

_NAMES: dict[str, tuple[str, ...]] = {
    "open_time": ("open_time", "opentime", "timestamp", "datetime", "date", "time"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume", "base_volume", "vol"),
    "close_time": ("close_time", "closetime"),
    "quote_volume": ("quote_volume", "quote_asset_volume", "quotevolume", "qav", "turnover"),
    "trade_count": ("count", "trade_count", "num_trades", "number_of_trades", "trades"),
    "taker_buy_volume": (
        "taker_buy_volume", "taker_buy_base", "taker_buy_base_asset_volume", "taker_buy_base_volume",
        "taker_base", "tb",
    ),
    "trade_time": ("trade_time_ms", "trade_time", "transact_time", "time", "timestamp"),
    "price": ("price",),
    "quantity": ("qty", "quantity", "size", "amount"),
    "buyer_is_maker": ("is_buyer_maker", "buyer_is_maker", "buyer_maker"),
    "first_id": ("first_trade_id", "first_id"),
    "last_id": ("last_trade_id", "last_id"),
}  # fmt: skip
_KLINE = ("open_time", "open", "high", "low", "close", "volume")
_TRADE = ("trade_time", "price", "quantity", "buyer_is_maker")

_KLINE_COLUMNS = [*_KLINE, "close_time", "quote_volume", "trade_count", "taker_buy_volume"]
_HEADERLESS: dict[int, list[str]] = {
    6: [*_KLINE],
    7: ["id", "price", "quantity", "quote", "trade_time", "buyer_is_maker", "best_match"],
    8: ["id", "price", "quantity", "first_id", "last_id", "trade_time", "buyer_is_maker", "best_match"],
    11: _KLINE_COLUMNS,
    12: _KLINE_COLUMNS,
}
_TRUE, _FALSE = {"true", "1", "t"}, {"false", "0", "f"}


def read_market_file(path: Path, next_file: int | None = None) -> Iterator[Candle | Trade]:
    """Read a file of one-minute candles or trades, in the order of the file.

    The last candle is dropped unless it ends a UTC day or the next file continues it. The last minute of a download was
    usually still open; only archives of whole days are known to end with a closed one.

    Args:
        path: the file.
        next_file: start time of the next file, ms since the epoch.

    Raises:
        MarketDataError: the file is missing, cannot be read, has an unknown format, or contains an invalid line.
    """
    with _translated(path), ExitStack() as open_files:
        for text in _texts(path, open_files):
            yield from _read(path, csv.reader(bounded_lines(path, text)), next_file)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise MarketDataError(path, "the file does not exist") from error
    except IsADirectoryError as error:
        raise MarketDataError(path, "this is a directory; list the files in it, in order of time") from error
    except PermissionError as error:
        raise MarketDataError(path, "permission to read the file is denied") from error
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise MarketDataError(path, f"the compressed data is damaged ({error})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MarketDataError(path, f"this is not a valid CSV file ({error})") from error
    except OSError as error:
        raise MarketDataError(path, f"the file cannot be read ({error.strerror})") from error


def _texts(path: Path, open_files: ExitStack) -> Iterator[io.TextIOBase]:
    """The CSV texts in a file: one text, or all in a zip archive, sorted by name."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise MarketDataError(path, "this is not a regular file")
    raw = open_files.enter_context(path.open("rb"))
    magic = raw.read(4)
    raw.seek(0)
    if magic[:4] == b"PK\x03\x04":
        archive = open_files.enter_context(zipfile.ZipFile(raw))
        members = sorted(name for name in archive.namelist() if name.lower().endswith(".csv"))
        if not members:
            raise MarketDataError(path, "the archive does not contain a .csv file")
        for name in members:
            yield io.TextIOWrapper(_member(path, archive, name, open_files), encoding="utf-8-sig", newline="")
    elif magic[:2] == b"\x1f\x8b":
        yield io.TextIOWrapper(gzip.GzipFile(fileobj=raw), encoding="utf-8-sig", newline="")
    elif magic == b"PAR1":
        raise MarketDataError(path, "Parquet is not supported; convert the data to CSV (plain, .gz or .zip)")
    else:
        yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _member(path: Path, archive: zipfile.ZipFile, name: str, open_files: ExitStack) -> IO[bytes]:
    try:
        return open_files.enter_context(archive.open(name))
    except (RuntimeError, NotImplementedError) as error:
        raise MarketDataError(path, f"{name} in the archive cannot be unpacked ({error})") from error


def _read(path: Path, rows: Any, next_file: int | None) -> Iterator[Candle | Trade]:
    first = next(rows, None)
    if first is None:
        raise MarketDataError(path, "the file is empty")
    columns, has_header = _columns(path, first)
    parse: Callable[[Row], Candle | Trade]
    parse = _trade_parser(columns) if "trade_time" in columns else _candle_parser(columns)
    items = _parsed(path, rows, parse, None if has_header else first)
    return items if "trade_time" in columns else _closed_candles(path, items, next_file)


def _parsed(
    path: Path, rows: Any, parse: Callable[[Row], Candle | Trade], first: Row | None
) -> Iterator[Candle | Trade]:
    try:
        if first is not None:
            yield parse(first)
        for row in rows:
            if row:
                yield parse(row)
    except IndexError as error:
        raise MarketDataError(path, "columns are missing in this row", line=rows.line_num) from error
    except ValueError as error:
        raise MarketDataError(path, _NO_NUMBER.sub(r"\1 is not a number", str(error)), line=rows.line_num) from error


_NO_NUMBER = re.compile(r"could not convert string to float: (.*)", re.DOTALL)
"""Python's own error message. Checking every cell first would cost more than reading the file."""


def _columns(path: Path, first: Row) -> tuple[dict[str, int], bool]:
    """The index of each known column, and whether the first row is a header."""
    if any(_is_number(cell) for cell in first[1:]):
        names = _HEADERLESS.get(len(first))
        if names is None:
            raise MarketDataError(
                path,
                f"the format of {len(first)} columns without a header is unknown; add a header with at least "
                f"{', '.join(_KLINE)} for candles, or time, price, qty, is_buyer_maker for trades",
                line=1,
            )
        return {name: place for place, name in enumerate(names)}, False
    header = [cell.strip().lower() for cell in first]
    wanted = _TRADE if "price" in header else _KLINE
    family = (*_TRADE, "first_id", "last_id") if "price" in header else (*_KLINE_COLUMNS,)
    found = {}
    for name in family:
        place = next((header.index(alias) for alias in _NAMES[name] if alias in header), None)
        if place is not None:
            found[name] = place
    missing = [name for name in wanted if name not in found]
    if missing:
        raise MarketDataError(path, f"the header has no column for {', '.join(missing)}", line=1)
    return found, True


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


_NANOSECONDS, _MICROSECONDS, _MILLISECONDS = 1e17, 1e14, 1e11


def _milliseconds(cell: str) -> int:
    """Convert a time to ms since the epoch. The size of a number gives its unit; text is ISO 8601, by default UTC."""
    try:
        time = _scaled(int(cell))
    except ValueError:
        time = _iso_milliseconds(cell)
    if not 0 <= time < END_OF_TIME_MS:
        raise ValueError(f"{cell} is not a valid time; it must be between 1970 and 2100")
    return time


def _scaled(number: int) -> int:
    if number >= _NANOSECONDS:
        return number // 1_000_000
    if number >= _MICROSECONDS:
        return number // 1_000
    return number if number >= _MILLISECONDS else number * 1_000


def _iso_milliseconds(cell: str) -> int:
    try:
        moment = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise ValueError(f"{cell!r} is not a valid time; it must be ISO 8601, or s, ms, us or ns since 1970") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _candle_parser(columns: dict[str, int]) -> Callable[[Row], Candle]:
    when, opened, high, low, close, volume = (columns[name] for name in _KLINE)
    closed = columns.get("close_time")
    quote, count, taker = (columns.get(name) for name in ("quote_volume", "trade_count", "taker_buy_volume"))

    def parse(row: Row) -> Candle:
        prices = float(row[opened]), float(row[high]), float(row[low]), float(row[close])
        base = float(row[volume])
        candle = Candle(
            _milliseconds(row[when]),
            *prices,
            base,
            # Without these columns, quote volume is typical price times volume, and counts are unknown.
            sum(prices[1:]) / 3 * base if quote is None else float(row[quote]),
            math.nan if count is None else float(row[count]),
            math.nan if taker is None else float(row[taker]),
        )
        check_candle(candle)
        if closed is not None and _milliseconds(row[closed]) - candle.open_time > MINUTE_MS:
            raise ValueError("this is not a one-minute candle; it closes more than a minute after it opens")
        return candle

    return parse


def _trade_parser(columns: dict[str, int]) -> Callable[[Row], Trade]:
    when, price_at, quantity_at, maker = (columns[name] for name in _TRADE)
    first, last = columns.get("first_id"), columns.get("last_id")

    def parse(row: Row) -> Trade:
        price, quantity, flag = float(row[price_at]), float(row[quantity_at]), row[maker].strip().lower()
        if not (0 < price < math.inf and 0 <= quantity < math.inf):
            raise ValueError(
                f"price {price}, quantity {quantity} are not a valid trade; the price must be above 0 and the quantity "
                "a number from 0"
            )
        if flag not in _TRUE and flag not in _FALSE:
            raise ValueError(f"{row[maker]!r} is not a valid is_buyer_maker; it must be true or false")
        trades = 1 if first is None or last is None else _trades_between(row[first], row[last])
        return Trade(_milliseconds(row[when]), price, quantity, flag in _TRUE, trades)

    return parse


def _trades_between(first: str, last: str) -> int:
    """Number of trades in an aggregated trade."""
    if int(last) < int(first):
        raise ValueError(f"trade ids {first} to {last} are not valid; the last id must not be below the first")
    return int(last) - int(first) + 1


_SPACING_SAMPLE = 100
_LEAST_SAMPLE = 10


def _closed_candles(path: Path, candles: Iterator[Any], next_file: int | None) -> Iterator[Candle]:
    """All candles except the last, and the last one too if it is known to be closed. Rejects longer candles."""
    held: Candle | None = None
    shortest, seen = math.inf, 0
    for candle in candles:
        if held is not None:
            step = candle.open_time - held.open_time
            if step < 0:
                raise MarketDataError(path, "the candles are not in order of time; sort them, oldest first")
            if seen < _SPACING_SAMPLE:
                seen += 1
                shortest = min(shortest, step or math.inf)
                if seen == _SPACING_SAMPLE:
                    _check_spacing(path, shortest)
            yield held
        held = candle
    if held is None:
        return
    if _LEAST_SAMPLE <= seen < _SPACING_SAMPLE:
        _check_spacing(path, shortest)
    end = held.open_time + MINUTE_MS
    if end % DAY_MS == 0 or end == next_file:
        yield held


def _check_spacing(path: Path, shortest: float) -> None:
    if MINUTE_MS < shortest < math.inf:
        minutes = shortest / MINUTE_MS
        raise MarketDataError(path, f"the candles are {minutes:g} minutes apart; one-minute candles are needed")

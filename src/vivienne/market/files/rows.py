"""Rows of candles or trades as columns of numbers, and how they are made of text cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from vivienne.market.checks import check_candle, valid_minutes
from vivienne.market.files import cells
from vivienne.market.types import END_OF_TIME_MS, MINUTE_MS, Bars, BoolArray, Candle, FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vivienne.market.files.recognition import Columns
    from vivienne.market.files.sources import Row

Fields: TypeAlias = "Mapping[str, cells.Column]"
CANDLE_VALUES = Candle._fields[1:]
TRADE_VALUES = ("price", "quantity", "buyer_is_maker", "trades")
UNKNOWN_TIME = -1


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a file as columns of equal length.

    Attributes:
        time: of the open of a candle, or of a trade, ms since the epoch; `UNKNOWN_TIME` if it cannot be read.
        values: a row for each of `CANDLE_VALUES` or `TRADE_VALUES`. NaN is unknown, also for ``buyer_is_maker``, which
            is 1 or 0.
        line: in the file, counted from 1.
        valid: False for rows that cannot be used.
        ids: ids of trades; None without any.
    """

    time: IntArray
    values: FloatArray
    line: IntArray
    valid: BoolArray
    ids: Any

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, rows: Any) -> Rows:
        """Some rows: a slice, a mask or an order."""
        ids = None if self.ids is None else self.ids[rows]
        return Rows(self.time[rows], self.values[:, rows], self.line[rows], self.valid[rows], ids)

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, one part after the other; at least one part is needed."""
        if len(parts) == 1:
            return parts[0]
        ids = None if any(part.ids is None for part in parts) else np.concatenate([part.ids for part in parts])
        return cls(
            np.concatenate([part.time for part in parts]),
            np.concatenate([part.values for part in parts], axis=1),
            np.concatenate([part.line for part in parts]),
            np.concatenate([part.valid for part in parts]),
            ids,
        )

    def numbered(self, lines: IntArray) -> Rows:
        """The same rows with their lines."""
        return Rows(self.time, self.values, lines, self.valid, self.ids)

    def bars(self) -> Bars:
        """The rows as candles."""
        return Bars(self.time, *self.values)


class CandleParser:
    """Makes rows of candles.

    Args:
        columns: of the file.
        length: length of a candle in ms; None to take it from `close_time`, if there is one.
    """

    def __init__(self, columns: Columns, length: int | None = None) -> None:
        self._places = columns.places
        self._names = columns.names
        self.length = length

    def parse(self, fields: Fields) -> Rows:
        """Columns of cells as columns of numbers, without their lines.

        Args:
            fields: the column of each field.

        Raises:
            ValueError: a cell cannot be read.
        """
        time = _times(fields, "open_time")
        prices = [cells.numbers(fields[name]) for name in ("open", "high", "low", "close", "volume")]
        unknown = np.full(len(time), math.nan)
        count, taker, quote = (
            cells.known_numbers(fields[name]) if name in fields else unknown
            for name in ("trade_count", "taker_buy_volume", "quote_volume")
        )
        _, high, low, close, volume = prices
        # Without this column, quote volume is typical price times volume.
        quote = np.where(np.isnan(quote), (high + low + close) / 3 * volume, quote)
        values = np.stack([*prices, quote, count, taker])
        valid = valid_minutes(Bars(time, *values))
        if "close_time" in fields and self.length is not None:
            valid &= cells.times(fields["close_time"]) - time <= self.length
        return Rows(time, values, time, valid, None)

    def spans(self, rows: Sequence[Row]) -> IntArray:
        """Time from open to close of each candle, ms; empty without `close_time`."""
        fields = fields_of(rows, self._places)
        if "close_time" not in fields:
            return np.empty(0, dtype=np.int64)
        return cells.times(fields["close_time"]) - _times(fields, "open_time")

    def is_open(self, row: Row) -> bool:
        """True if the row says that its candle is still open."""
        place = self._places.get("confirmed")
        return place is not None and len(row) > place and row[place].strip().lower() in ("0", "false")

    def check(self, row: Row) -> None:
        """Check one row.

        Raises:
            ValueError: it is not valid; the message gives the reason.
        """
        names = ("open", "high", "low", "close", "volume", "quote_volume", "trade_count", "taker_buy_volume")
        _check_cells(row, self._places, self._names, "open_time", names)
        parsed = self.parse(fields_of([row], self._places))
        check_candle(Candle(int(parsed.time[0]), *parsed.values[:, 0].tolist()))
        if not parsed.valid[0]:
            minutes = (self.length or 0) / MINUTE_MS
            raise ValueError(
                "this is not a one-minute candle; it closes more than a minute after it opens"
                if minutes == 1
                else f"this candle closes more than {minutes:g} minutes after it opens, unlike the others"
            )


class TradeParser:
    """Makes rows of trades; see `CandleParser`."""

    def __init__(self, columns: Columns) -> None:
        self._places = columns.places
        self._names = columns.names
        self._maker_sides = (
            {name: 1.0 - value for name, value in cells.SIDES.items()} if columns.is_maker_side else None
        )

    def parse(self, fields: Fields) -> Rows:
        """Columns of cells as columns of numbers, without their lines; see `CandleParser.parse`."""
        time = _times(fields, "trade_time")
        price, quantity = cells.numbers(fields["price"]), cells.numbers(fields["quantity"])
        values = np.stack([price, quantity, self._makers(fields, len(time)), _trades(fields, len(time))])
        valid = (price > 0) & (price < math.inf) & (quantity >= 0) & (quantity < math.inf)
        valid &= (time >= 0) & (time < END_OF_TIME_MS) & (values[3] >= 1)
        ids = _ids(fields["trade_id"]) if "trade_id" in fields else None
        return Rows(time, values, time, valid, ids)

    def _makers(self, fields: Fields, count: int) -> FloatArray:
        if "buyer_is_maker" in fields:
            return cells.words(fields["buyer_is_maker"], cells.FLAGS)
        if "side" in fields:
            return cells.words(fields["side"], self._maker_sides or cells.SIDES)
        return np.full(count, math.nan)

    def check(self, row: Row) -> None:
        """Check one row; see `CandleParser.check`."""
        _check_cells(row, self._places, self._names, "trade_time", ("price", "quantity"))
        for name, meaning in (("buyer_is_maker", cells.FLAGS), ("side", cells.SIDES)):
            if name in self._places and row[self._places[name]].strip().lower() not in meaning:
                right = "true or false" if name == "buyer_is_maker" else "buy or sell"
                cell, column = row[self._places[name]], self._names[self._places[name]]
                raise ValueError(f"{cell!r} is not a valid {column}; it must be {right}")
        parsed = self.parse(fields_of([row], self._places))
        price, quantity, _, trades = parsed.values[:, 0].tolist()
        if trades < 1:
            first, last = row[self._places["first_id"]], row[self._places["last_id"]]
            raise ValueError(f"trade ids {first} to {last} are not valid; the last id must not be below the first")
        if not parsed.valid[0]:
            raise ValueError(
                f"price {price}, quantity {quantity} are not a valid trade; the price must be above 0 and the quantity "
                "a number from 0"
            )


def fields_of(rows: Sequence[Row], places: Mapping[str, int]) -> dict[str, Sequence[str]]:
    """The column of each field.

    Raises:
        IndexError: a row is too short.
    """
    try:
        columns = list(zip(*rows, strict=True))
    except ValueError:
        width = max(places.values()) + 1
        if min(map(len, rows)) < width:
            raise IndexError("a row is too short") from None
        columns = list(zip(*(row[:width] for row in rows), strict=True))
    return {name: columns[place] for name, place in places.items()}


def _times(fields: Fields, name: str) -> IntArray:
    if "clock" not in fields:
        return cells.times(fields[name])
    return cells.times(
        [f"{date.strip()} {clock.strip()}" for date, clock in zip(fields[name], fields["clock"], strict=True)]
    )


def _trades(fields: Fields, count: int) -> FloatArray:
    """Number of trades that each row stands for."""
    if "first_id" not in fields or "last_id" not in fields:
        return np.ones(count)
    try:
        first, last = (np.fromiter(map(int, fields[name]), np.int64, count) for name in ("first_id", "last_id"))
    except OverflowError:
        raise ValueError("an id has too many digits") from None
    return (last - first + 1).astype(np.float64)


def _ids(column: cells.Column) -> Any:
    try:
        return column.copy() if isinstance(column, np.ndarray) else np.fromiter(map(int, column), np.int64, len(column))
    except (ValueError, OverflowError):
        return np.array(column, dtype=object)


def _check_cells(row: Row, places: Mapping[str, int], names: Sequence[str], time: str, numbers: Sequence[str]) -> None:
    """Name the first cell that cannot be read.

    Raises:
        ValueError: one cannot be read.
    """
    if len(row) <= max(places.values()):
        raise ValueError("columns are missing in this row")
    for name in numbers:
        place = places.get(name)
        if place is None or cells.is_number(row[place]):
            continue
        if row[place].strip() or name not in ("quote_volume", "trade_count", "taker_buy_volume"):
            hint = "; write a decimal point, and nothing between thousands" if "," in row[place] else ""
            raise ValueError(f"{row[place]!r} is not a number, in the column {names[place] or name}{hint}")
    cells.milliseconds(row[places[time]] if "clock" not in places else f"{row[places[time]]} {row[places['clock']]}")

"""Types of market data: trades, candles, and columns of closed bars."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ASSET_NAME = re.compile(r"(?=.{1,32}\Z)[A-Z0-9][A-Z0-9._-]*(?:[/:][A-Z0-9][A-Z0-9._-]*)*")
"""Valid asset names, such as BTC, BTC-PERP, BTC/USDT and BTC/USDT:USDT."""
VALID_NAME = "use letters and digits, with . _ - / : between them, at most 32, as in BTC or BTC/USDT"
"""The rule in words, for errors."""
MINUTE_MS = 60_000
DAY_MS = 86_400_000
END_OF_TIME_MS = 4_102_444_800_000
"""2100-01-01. A later time means a wrong unit."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class Trade(NamedTuple):
    """One trade of the exchange.

    Attributes:
        time: the exchange's trade time, ms since the epoch, UTC.
        price: in quote currency.
        quantity: in base currency.
        buyer_is_maker: True if the seller was the taker; None if it is unknown.
        trades: number of trades that an aggregated trade combines, otherwise 1.
    """

    time: int
    price: float
    quantity: float
    buyer_is_maker: bool | None
    trades: int = 1


class Candle(NamedTuple):
    """Prices and volumes of one span of time: a base minute, or a bar of the timeframe.

    Volumes and counts are NaN if the source does not contain them.

    Attributes:
        open_time: start of the span, ms since the epoch, UTC.
        volume: in base currency; ``taker_buy_volume`` is the part bought by takers.
        quote_volume: in quote currency.
        trade_count: number of trades; 0 without any.
    """

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    trade_count: float
    taker_buy_volume: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Closed bars or minutes as columns of equal length, oldest first. `Candle` explains the attributes."""

    open_time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    quote_volume: FloatArray
    trade_count: FloatArray
    taker_buy_volume: FloatArray

    def __len__(self) -> int:
        return len(self.open_time)

    def __getitem__(self, rows: slice) -> Bars:
        return Bars(*(getattr(self, name)[rows] for name in Candle._fields))

    def copy(self) -> Bars:
        """The same rows, which stay as they are."""
        return Bars(*(getattr(self, name).copy() for name in Candle._fields))

    def candle(self, row: int) -> Candle:
        """One row."""
        return Candle(*(getattr(self, name)[row].item() for name in Candle._fields))

    def candles(self) -> Iterator[Candle]:
        """All rows, one after the other."""
        return map(Candle, *(getattr(self, name).tolist() for name in Candle._fields))

    def followed_by(self, bar: Candle) -> Bars:
        """The same bars and one more."""
        return Bars(*(np.append(getattr(self, name), value) for name, value in zip(Candle._fields, bar, strict=True)))

    @classmethod
    def joined(cls, parts: Sequence[Bars]) -> Self:
        """The rows of all parts, one part after the other; at least one part is needed."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in Candle._fields))

    @classmethod
    def from_candles(cls, candles: Iterable[Candle]) -> Self:
        """Convert candles to columns."""
        columns = list(zip(*candles, strict=True)) or [()] * len(Candle._fields)
        return cls(
            np.array(columns[0], dtype=np.int64),
            *(np.array(column, dtype=np.float64) for column in columns[1:]),
        )

"""Rows of a downloaded file: candles as text. What is unknown is an empty cell."""

from __future__ import annotations

import math

from vivienne.market.checks import check_candle
from vivienne.market.types import Candle

COLUMNS = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "trade_count",
    "taker_buy_volume",
)  # fmt: skip
"""`close_time`, a ms before the end, says that a candle is closed."""
HEADER = ",".join(COLUMNS) + "\n"


def written(candle: Candle, length: int) -> str:
    """A line with a candle of this length, in ms."""
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    rest = (candle.quote_volume, candle.trade_count, candle.taker_buy_volume)
    cells = (str(candle.open_time), *map(_cell, prices), str(candle.open_time + length - 1), *map(_cell, rest))
    return ",".join(cells) + "\n"


def _cell(number: float) -> str:
    if math.isnan(number):
        return ""
    return str(int(number)) if number == int(number) else repr(number)


def read(line: str, length: int) -> Candle | None:
    """The candle of a line that `written` has made; None if the line is not whole."""
    cells = line.removesuffix("\n").split(",")
    if len(cells) != len(COLUMNS) or not line.endswith("\n"):
        return None
    try:
        opened, closed = int(cells[0]), int(cells[6])
        numbers = [float(cell) if cell else math.nan for cell in (*cells[1:6], *cells[7:])]
        candle = Candle(opened, *numbers)
        check_candle(candle)
    except ValueError:
        return None
    return candle if closed == opened + length - 1 else None

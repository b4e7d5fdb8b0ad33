"""Market data files: candles or trades, as exchanges, data sites and tools write them.

A file is looked through before it is used (`AssetFiles`): its shape, the order of its rows, the length of its candles,
and what is left out. It is then either read as it is meant, or refused with the place and the reason.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.errors import MarketDataError
from vivienne.market.files.asset_files import AssetFiles
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vivienne.market.files.rows import Rows

__all__ = ["AssetFiles", "read_market_file", "trades_of"]


def read_market_file(path: Path) -> Iterator[Candle | Trade]:
    """Read a file of one-minute candles or trades, in order of time.

    The last candle is left out if nothing says that it is closed: a `close_time`, or the end of a UTC day.

    Args:
        path: the file.

    Raises:
        MarketDataError: the file is missing, cannot be read, has an unknown format, or contains a wrong row.
    """
    for kind, length, rows in AssetFiles([path]).stretches():
        if kind == "trades":
            yield from trades_of(rows)
            continue
        if length != MINUTE_MS:
            raise MarketDataError(
                path, f"the candles are {length / MINUTE_MS:g} minutes apart; one-minute candles are needed"
            )
        yield from rows.bars().candles()


def trades_of(rows: Rows) -> Iterator[Trade]:
    """Rows as trades."""
    price, quantity, maker, trades = (column.tolist() for column in rows.values)
    for time, paid, amount, flag, count in zip(rows.time.tolist(), price, quantity, maker, trades, strict=True):
        is_maker = None if math.isnan(flag) else flag == 1.0
        yield Trade(time, paid, amount, is_maker, 1 if math.isnan(count) else int(count))

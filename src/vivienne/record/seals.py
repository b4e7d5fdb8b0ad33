"""Seals: checksums of what is recorded, kept beside it, so that a verification finds what was altered since.

A bar has a seal of its own, because it stays when its decision is too old to be kept. The order of the values is fixed
for ever. Each is taken as a 64-bit floating-point number, little-endian, and NULL as NaN: no number of the record needs
more. A seal has 48 bits. It is no signature: a program that may write the record can compute it too.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from sqlalchemy import update

from vivienne.record.tables import gaps, runs, series, sessions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from vivienne.market.types import FloatArray

SEALED_BAR = (
    "series_id", "open_time", "open", "high", "low", "close", "volume", "quote_volume", "trade_count",
    "taker_buy_volume", "source", "session_id",
)  # fmt: skip
"""Columns that the seal of a bar is of."""
SEALED_DECISION = (
    "series_id", "open_time", "session_id", "number", "config_version", "configuration_id", "status", "is_paused",
    "is_ready", "is_whole", "history", "used", "level", "raw_level", "side", "confidence", "size", "wanted", "cap",
    "blocks_id", "trend", "volatility", "levels", "support", "resistance", "rsi", "macd_atr", "macd_histogram_atr",
    "atr",
)  # fmt: skip
"""Columns that the seal of a decision is of."""
SEALED_ROWS: Mapping[Table, tuple[str, ...]] = {
    runs: ("id", "key", "feed", "exchange", "begun_at", "is_real"),
    series: ("id", "run_id", "asset", "timeframe", "market", "segment", "begins_at"),
    sessions: ("id", "run_id", "process", "program_version", "require_full_history", "started_at"),
    gaps: ("run_id", "series_id", "from_time", "to_time", "reason", "decisions"),
}
"""By table, the columns that the seals of its rows are of: those that never change."""

_SIZE = 6
_PACKED: Mapping[tuple[str, ...], Struct] = {
    names: Struct(f"<{len(names)}d") for names in (SEALED_BAR, SEALED_DECISION)
}


def bar_seal(row: Mapping[str, Any]) -> int:
    """The seal of a bar; `row` is one of the table `bars`."""
    return _seal_of(row, SEALED_BAR)


def decision_seal(row: Mapping[str, Any]) -> int:
    """The seal of a decision; `row` is one of the table `bars`."""
    return _seal_of(row, SEALED_DECISION)


def row_seal(table: Table, row: Mapping[str, Any]) -> int:
    """The seal of a row of another table."""
    values = [row.get(name) for name in SEALED_ROWS[table]]
    return int.from_bytes(blake2b(orjson.dumps(values, default=repr), digest_size=_SIZE).digest(), "little")


def seal(connection: Connection, table: Table, number: int, row: Mapping[str, Any]) -> None:
    """Seal a row that was just added, once its id is known."""
    sealed = row_seal(table, {**row, "id": number})
    connection.execute(update(table).where(table.c.id == number).values(seal=sealed))


def as_sealed(columns: Sequence[FloatArray]) -> FloatArray:
    """Many rows, one in each row of the array, in the form that seals are of.

    Args:
        columns: those of `SEALED_BAR` or `SEALED_DECISION`, in their order.
    """
    # Zero has no sign, since SQLite keeps none; and NaN has one form.
    table = np.column_stack(columns).astype("<f8", copy=False) + 0.0
    table[np.isnan(table)] = math.nan
    return table


def seals_of(rows: FloatArray) -> FloatArray:
    """The seals of rows in the form of `as_sealed`."""
    data, width = memoryview(rows.tobytes()), 8 * rows.shape[1]
    found = [_seal(data[begin : begin + width]) for begin in range(0, len(data), width)]
    return np.array(found, dtype=np.float64)  # exact: below 2**53


def _seal_of(row: Mapping[str, Any], names: tuple[str, ...]) -> int:
    values = [math.nan if (value := row[name]) is None or value != value else value + 0.0 for name in names]  # noqa: PLR0124  # NaN
    return _seal(_PACKED[names].pack(*values))


def _seal(data: bytes | memoryview) -> int:
    return int.from_bytes(blake2b(data, digest_size=_SIZE).digest(), "little")

"""Exports of recorded decisions: CSV, NDJSON and Parquet, written in pieces."""

from __future__ import annotations

import csv
import io
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vivienne.wire.record import ExportRow

ExportFormat = Literal["csv", "ndjson", "parquet"]
_ROW_GROUP = 4_096
"""Rows of a Parquet file that are written together."""


class Column(NamedTuple):
    """A column of an export.

    Attributes:
        name: as in `vivienne.wire.record.ExportRow`.
        kind: of its values. `words` are several texts, with spaces between them in CSV and Parquet.
    """

    name: str
    kind: Literal["time", "text", "words", "number", "whole", "flag"]


COLUMNS = (
    Column("time", "time"),
    Column("asset", "text"),
    Column("timeframe", "text"),
    Column("open", "number"),
    Column("high", "number"),
    Column("low", "number"),
    Column("close", "number"),
    Column("volume", "number"),
    Column("quote_volume", "number"),
    Column("trade_count", "whole"),
    Column("taker_buy_volume", "number"),
    Column("source", "text"),
    Column("status", "text"),
    Column("clarity_level", "text"),
    Column("raw_clarity_level", "text"),
    Column("side", "text"),
    Column("signal_confidence", "number"),
    Column("position_size", "number"),
    Column("size_decided", "number"),
    Column("size_wanted", "number"),
    Column("size_cap", "number"),
    Column("held", "flag"),
    Column("blocked_by", "words"),
    Column("blocks", "words"),
    Column("trend_direction", "text"),
    Column("volatility_status", "text"),
    Column("levels_status", "text"),
    Column("support", "number"),
    Column("resistance", "number"),
    Column("rsi", "number"),
    Column("macd_atr", "number"),
    Column("macd_histogram_atr", "number"),
    Column("atr", "number"),
    Column("history", "whole"),
    Column("config_version", "whole"),
    Column("program_version", "text"),
)
"""The columns of every format, in their order. New ones may be added at the end; docs/record.md gives their reasons."""
_NAMES = [each.name for each in COLUMNS]


def can_write_parquet() -> bool:
    """Tell whether the library for Parquet is installed."""
    return find_spec("arro3.io") is not None


def write_export(form: ExportFormat, pieces: Iterable[Sequence[ExportRow]], write: Callable[[bytes], None]) -> None:
    """Write an export. It blocks while it waits for the next piece, and while `write` does.

    Args:
        form: csv, ndjson or parquet; the last one needs `can_write_parquet`.
        pieces: the rows.
        write: takes the bytes, one part after the other.
    """
    if form == "parquet":
        _write_parquet(pieces, write)
        return
    if form == "csv":
        write(_csv([_NAMES]))
    for piece in pieces:
        if piece:
            write(_csv(map(_cells, piece)) if form == "csv" else _ndjson(piece))


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _ndjson(piece: Sequence[ExportRow]) -> bytes:
    ordered = ({name: row[name] for name in _NAMES} for row in piece)  # type: ignore[literal-required]  # all are there
    return b"".join(orjson.dumps(row) + b"\n" for row in ordered)


def _cells(row: ExportRow) -> Iterator[Any]:
    """The cells of a row of CSV."""
    for name, kind in COLUMNS:
        value: Any = row[name]  # type: ignore[literal-required]  # all are there
        if kind == "words":
            yield " ".join(value)
        elif kind == "flag":
            yield "true" if value else "false"
        else:
            yield value


class _Output(io.RawIOBase):
    """A file that hands on what is written.

    Python's errors must not pass through the library, which would panic and write past the log. They are kept, and from
    then on nothing is handed on, so that what was written has no end and nobody takes it for a whole table.

    Attributes:
        error: the first one, of writing or of reading.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        super().__init__()
        self._write = write
        self.error: BaseException | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.error is None:
            try:
                self._write(bytes(data))
            except BaseException as error:  # noqa: BLE001  # whoever writes raises it
                self.error = error
        return len(data)

    def until_error(self, pieces: Iterable[Sequence[ExportRow]]) -> Iterator[Sequence[ExportRow]]:
        """The pieces that have rows, until an error."""
        try:
            for piece in pieces:
                if self.error is not None:
                    return
                if piece:
                    yield piece
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001  # as above
            self.error = error


def _write_parquet(pieces: Iterable[Sequence[ExportRow]], write: Callable[[bytes], None]) -> None:
    core = import_module("arro3.core")
    types = {
        "time": core.DataType.timestamp("ms", tz="UTC"),
        "text": core.DataType.string(),
        "words": core.DataType.string(),
        "number": core.DataType.float64(),
        "whole": core.DataType.int64(),
        "flag": core.DataType.bool(),
    }
    schema = core.Schema([core.Field(name, types[kind]) for name, kind in COLUMNS])

    def batch(piece: Sequence[ExportRow]) -> Any:
        arrays = [_array(core, column, piece).cast(types[column.kind]) for column in COLUMNS]
        return core.RecordBatch.from_arrays(arrays, schema=schema)

    output = _Output(write)
    reader = core.RecordBatchReader.from_batches(schema, map(batch, output.until_error(pieces)))
    import_module("arro3.io").write_parquet(reader, output, max_row_group_size=_ROW_GROUP)
    if output.error is not None:
        raise output.error


def _array(core: Any, column: Column, piece: Sequence[ExportRow]) -> Any:
    values: list[Any] = [row[column.name] for row in piece]  # type: ignore[literal-required]  # all are there
    if column.kind == "number":
        return core.Array(values, type=core.DataType.float64())
    if column.kind == "whole":
        return core.Array(values, type=core.DataType.int64())
    if column.kind == "flag":
        return core.Array(values, type=core.DataType.bool())
    if column.kind == "words":
        values = [" ".join(value) for value in values]
    return core.Array(values, type=core.DataType.string())

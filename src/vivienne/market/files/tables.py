"""Rows from JSON and from tables of Arrow (Feather and Parquet)."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from vivienne.errors import MarketDataError

Row: TypeAlias = "Sequence[Any]"
"""Values as the table has them."""


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""


Refuse: TypeAlias = "Callable[[str], MarketDataError]"
"""Makes an error of a reason."""
Reader: TypeAlias = "Callable[[Path, Readable, Refuse], Iterator[list[Row]]]"
LARGEST_JSON = 64_000_000
"""Bytes. JSON has to be read as a whole, and takes twenty times as many in memory."""
_BLOCK_ROWS = 10_000
_LEAST_COLUMNS = 3
_DEEPEST = 4
_MOST_NAMES = 200
_MEANT = (
    "a list of rows such as freqtrade's [[time, open, high, low, close, volume], ...], or of objects such as "
    '{"timestamp": ..., "price": ..., "size": ..., "side": ...}'
)


def json_rows(_: Path, stream: Readable, error: Refuse) -> Iterator[list[Row]]:
    """The rows of the longest list of rows in a JSON document, with a row of names before objects.

    Raises:
        MarketDataError: it is not JSON, is too large, or has no rows.
    """
    raw = stream.read(LARGEST_JSON + 1)
    if len(raw) > LARGEST_JSON:
        raise error(f"the file exceeds the limit of {LARGEST_JSON:,} bytes for JSON; convert it to CSV")
    try:
        document = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as wrong:
        raise error(f"this is not valid JSON ({wrong}); it must be {_MEANT}") from wrong
    found: list[Any] = max(_lists(document, 0), key=len, default=[])
    if not found:
        raise error(f"there is no table in this JSON; it must be {_MEANT}")
    names = _names(found, error)
    rows = ([row.get(name) for name in names] if isinstance(row, dict) else row for row in found)
    yield from _blocks([names] if names else [], rows)


def _names(rows: list[Any], error: Refuse) -> list[str]:
    """The names in all objects, in order. Every row is made as long as that, so they are bounded."""
    names: dict[str, None] = {}
    for row in rows:
        if isinstance(row, dict):
            names.update(dict.fromkeys(row))
        if len(names) > _MOST_NAMES:
            raise error(f"its objects have more than {_MOST_NAMES} different names; rows of a table share theirs")
    return list(names)


def _lists(node: Any, depth: int) -> Iterator[list[Any]]:
    """Lists of rows at any depth."""
    if isinstance(node, list) and node and all(_is_row(row) for row in node):
        yield node
    elif depth < _DEEPEST and isinstance(node, (list, dict)):
        for each in node.values() if isinstance(node, dict) else node[:_BLOCK_ROWS]:
            yield from _lists(each, depth + 1)


def _is_row(row: Any) -> bool:
    """A list or an object of plain values."""
    if not isinstance(row, (list, dict)) or len(row) < _LEAST_COLUMNS:
        return False
    return not any(isinstance(cell, (list, dict)) for cell in (row.values() if isinstance(row, dict) else row))


def _arrow_reader(name: str) -> Reader:
    """Reads tables with this function of the library, which is an extra."""

    def read(path: Path, _: Readable, error: Refuse) -> Iterator[list[Row]]:
        try:
            library, core = import_module("arro3.io"), import_module("arro3.core")
        except ModuleNotFoundError as missing:
            raise error(
                "to read Feather and Parquet, install the library for it: pip install 'vivienne[parquet]'"
            ) from missing
        try:
            batches = getattr(library, name)(str(path))
            header: list[Row] = [list(batches.schema.names)]
            for batch in batches:
                # A batch has as many rows as the file says, in a fiftieth of the memory of the same rows in Python.
                for start in range(0, batch.num_rows, _BLOCK_ROWS):
                    part = batch.slice(start, min(_BLOCK_ROWS, batch.num_rows - start))
                    columns = [_values(part.column(place), core.DataType) for place in range(part.num_columns)]
                    yield from _blocks(header, zip(*columns, strict=True))
                    header = []
            if header:
                yield header
        except BaseException as wrong:
            # The library raises a bare exception or, from its Rust code, one that is not an `Exception`.
            if type(wrong) is not Exception and type(wrong).__module__ != "pyo3_runtime":
                raise
            raise error(f"the table cannot be read ({wrong})") from wrong

    return read


def _values(column: Any, types: Any) -> list[Any]:
    """The values of a column. Times are whole numbers of their unit, which their size tells."""
    values: list[Any] = (column.cast(types.int64()) if types.is_timestamp(column.type) else column).to_pylist()
    return values


def _blocks(first: Sequence[Row], rows: Iterable[Row]) -> Iterator[list[Row]]:
    block, rest = list(first), iter(rows)
    while part := list(islice(rest, _BLOCK_ROWS)):
        yield block + part
        block = []
    if block:
        yield block


def cell(value: Any) -> str:
    """A value as a cell of text."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


READERS: dict[str, Reader] = {
    "json": json_rows,
    "arrow": _arrow_reader("read_ipc"),
    "parquet": _arrow_reader("read_parquet"),
}
"""By the style of a source."""

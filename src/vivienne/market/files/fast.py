"""A fast way to columns of numbers, for tables without anything unusual in them.

NumPy reads lines and values several times as fast as Python splits and converts them. Whatever it cannot read is left
to the usual way, which also finds out what is wrong, so both ways give the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vivienne.market.files.cells import is_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vivienne.market.files.recognition import Columns
    from vivienne.market.files.sources import Block, Row

_WHOLE = ("open_time", "close_time", "trade_time", "first_id", "last_id", "trade_id")
"""Fields of whole numbers: times and ids have more digits than a float."""
_TEXT = ("buyer_is_maker", "side")
_NEVER = ("clock", "confirmed")
"""Fields that need the usual way."""
_LONGEST_WORD = 8
"""A longer word is cut, and known words are shorter, so that it has no meaning."""
_LONGEST_TEXT = 40
_LONGEST_SYMBOL = 64


class FastReader:
    """Reads blocks of one table.

    Args:
        columns: of the table.
        delimiter: the separator.
        sample: some rows; they tell which times are numbers.
    """

    def __init__(self, columns: Columns, delimiter: str, sample: Sequence[Row]) -> None:
        self._delimiter = delimiter
        self._symbol = "" if columns.symbol is None else str(columns.symbol)
        kinds = {field: _kind(field, place, sample) for field, place in columns.places.items()}
        self._is_usable = bool(sample) and None not in kinds.values()
        by_place: dict[int, tuple[str, str]] = {}
        self._fields = {}
        for field, place in columns.places.items():
            self._fields[field] = str(place)
            by_place[place] = (str(place), kinds[field] or "")
        if columns.symbol is not None:
            by_place[columns.symbol] = (self._symbol, f"U{_LONGEST_SYMBOL}")
        self._places = sorted(by_place)
        self._type = [by_place[place] for place in self._places]

    def read(self, block: Block) -> tuple[Mapping[str, Any], Any] | None:
        """The column of each field, and that of symbols; None if the block needs the usual way."""
        if not self._is_usable or block.is_quoted:
            return None
        try:
            found = self._of_table(block.table) if block.lines is None else self._of_lines(block.lines)
        except (ValueError, TypeError, OverflowError):
            return None
        if found is None:
            return None
        return {field: found[name] for field, name in self._fields.items()}, found.get(self._symbol)

    def _of_lines(self, lines: Sequence[str]) -> Mapping[str, Any] | None:
        if not any(lines):  # NumPy would warn
            return None
        found = np.loadtxt(
            lines, dtype=self._type, delimiter=self._delimiter, usecols=self._places, comments=None, ndmin=1
        )
        if len(found) != len(lines):  # empty lines are left out, and others would get wrong numbers
            return None
        return {name: found[name] for name, _ in self._type}

    def _of_table(self, table: Sequence[Sequence[Any]] | None) -> Mapping[str, Any]:
        columns = list(zip(*table or (), strict=True))
        return {
            name: _column(columns[place], kind) for place, (name, kind) in zip(self._places, self._type, strict=True)
        }


def _column(values: Sequence[Any], kind: str) -> Any:
    """Values as a column of this type.

    Raises:
        ValueError: they are not of it.
    """
    found = np.array(values)
    if kind == "f8" and found.dtype.kind in "fiU":
        return found.astype(np.float64)
    if kind == "i8" and found.dtype.kind in "iU":
        return found.astype(np.int64)
    if kind.startswith("U") and found.dtype.kind == "U":
        return found
    raise ValueError(f"this is not a column of {kind}")


def _kind(field: str, place: int, sample: Sequence[Row]) -> str | None:
    """The type of NumPy for a field; None if it needs the usual way."""
    cells = [row[place] for row in sample if len(row) > place]
    if field in _NEVER or not cells:
        return None
    if field in _TEXT:
        return f"U{_LONGEST_WORD}"
    if field not in _WHOLE:
        return "f8"
    if all(cell.strip().isdigit() for cell in cells):
        return "i8"
    is_text_time = field.endswith("time") and not any(map(is_number, cells))
    return f"U{_LONGEST_TEXT}" if is_text_time else None

"""The layout of a table: its separator, its header, and where its rows begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vivienne.market.files.cells import is_number, is_time
from vivienne.market.files.fields import KNOWN_NAMES, Kind, kind_of, plain_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.files.sources import Row, Source

_DELIMITERS = (",", ";", "\t", "|")
_HEADER_WITHIN = 40
"""Number of lines in which the header is looked for."""
_LEAST_NUMBERS = 2


class Layout(NamedTuple):
    """The layout of a table.

    Attributes:
        delimiter: the separator of cells.
        header: the row of names; None without one.
        kind: what the header is one of; None if its names are unknown, or without one.
        header_line: the line of the header, or 0.
        first_line: the line of the first row, counted from 1.
        skipped: lines before the first row that are neither header nor empty.
        sample: the first rows.
    """

    delimiter: str
    header: Row | None
    kind: Kind | None
    header_line: int
    first_line: int
    skipped: tuple[int, ...]
    sample: Sequence[Row]


def layout_of(source: Source) -> Layout:
    """Find the layout of a source from its first lines.

    Raises:
        MarketDataError: the source is empty, or cannot be read.
    """
    block = source.head()
    heads = {each: block.rows(each) for each in (_DELIMITERS if source.style == "text" else _DELIMITERS[:1])}
    delimiter = max(heads, key=lambda each: _score(heads[each]))
    head = heads[delimiter]
    if not any(head):
        raise source.error("the file is empty")
    header = max(range(min(len(head), _HEADER_WITHIN)), key=lambda place: _known(head[place]))
    kind = kind_of({plain_name(cell) for cell in head[header]})
    if kind is None:
        return _without_known_header(delimiter, head)
    first = header + 1
    while first < len(head) and not any(map(is_number, head[first])) and not any(map(is_time, head[first])):
        first += 1
    first = first if first < len(head) else header + 1
    return _layout(delimiter, head, header, first, kind)


def _layout(delimiter: str, head: list[Row], header: int | None, first: int, kind: Kind | None) -> Layout:
    return Layout(
        delimiter=delimiter,
        header=None if header is None else head[header],
        kind=kind,
        header_line=0 if header is None else header + 1,
        first_line=first + 1,
        skipped=tuple(place + 1 for place in range(first) if place != header and any(head[place])),
        sample=[row for row in head[first:] if row],
    )


def _without_known_header(delimiter: str, head: list[Row]) -> Layout:
    """The rows begin with the first that has numbers. A row of as many words before it is a header of unknown names."""
    first = next((place for place, row in enumerate(head) if is_data(row)), None)
    if first is None:
        first = next(place for place, row in enumerate(head) if any(row))
        return _layout(delimiter, head, first, first + 1, None)
    if head[first] == [str(number) for number in range(len(head[first]))]:  # as pandas names columns without names
        return _layout(delimiter, head, first, first + 1, None)
    is_header = first > 0 and len(head[first - 1]) == len(head[first])
    return _layout(delimiter, head, first - 1 if is_header else None, first, None)


def is_data(row: Row) -> bool:
    """True if a row has several numbers or times."""
    found = 0
    for cell in row:
        found += is_number(cell) or is_time(cell)
        if found >= _LEAST_NUMBERS:
            return True
    return False


def _known(row: Row) -> int:
    """Number of cells that are known names of columns."""
    return sum(plain_name(cell) in KNOWN_NAMES for cell in row)


def _score(head: list[Row]) -> tuple[int, int, int]:
    """How well a separator fits: names in the header, rows of data, and cells."""
    names = max(map(_known, head[:_HEADER_WITHIN]), default=0)
    return names if names > 1 else 0, sum(map(is_data, head[:_HEADER_WITHIN])), sum(map(len, head[:_HEADER_WITHIN]))

"""Lines of text in blocks, of a bounded length, so that a file whose line does not end fills no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator

    from vivienne.errors import MarketDataError

LONGEST_LINE = 65_536
"""Characters; lines of market data have a few hundred."""
MOST_EMPTY = 1_000_000
"""Empty lines one after the other, about. Compressed, they are a thousandth of their size."""
_BLOCK = 262_144


def blocks_of_lines(
    text: io.TextIOBase, error: Callable[[str, int], MarketDataError]
) -> Iterator[tuple[list[str], bool]]:
    """The lines of a text without their ends, many at a time, and whether quotation marks may be in them.

    Args:
        text: with line ends translated.
        error: makes an error of a reason and a line number.

    Raises:
        MarketDataError: a line is longer than `LONGEST_LINE`, or more than `MOST_EMPTY` are empty.
    """
    rest, seen, empty = "", 0, 0
    chunk = text.read(_BLOCK)
    while chunk:
        following = text.read(_BLOCK)
        is_quoted = '"' in chunk or '"' in rest
        lines = (rest + chunk).split("\n")
        rest = lines.pop()
        if rest and not following:  # the last line has no end
            lines.append(rest)
        _check(lines, seen, error)
        seen += len(lines)
        empty = 0 if chunk.strip("\n") else empty + len(chunk)
        if empty > MOST_EMPTY:
            raise error(f"more than {MOST_EMPTY:,} empty lines are before this one", seen)
        if following and len(rest) > LONGEST_LINE:
            _check([rest], seen, error)
        if lines:
            yield lines, is_quoted
        chunk = following


def _check(lines: list[str], seen: int, error: Callable[[str, int], MarketDataError]) -> None:
    if max(map(len, lines), default=0) > LONGEST_LINE:
        number = next(number for number, line in enumerate(lines, seen + 1) if len(line) > LONGEST_LINE)
        raise error(f"the line exceeds the limit of {LONGEST_LINE:,} characters", number)

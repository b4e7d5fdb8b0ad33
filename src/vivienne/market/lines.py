"""Lines of text of a bounded length, so that a file whose line does not end fills no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.errors import MarketDataError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

LONGEST_LINE = 65_536
"""Characters; lines of market data have a few hundred."""


def bounded_lines(path: object, text: io.TextIOBase) -> Iterator[str]:
    """The lines of a text, read one at a time.

    Raises:
        MarketDataError: one is longer than `LONGEST_LINE`.
    """
    number = 0
    while line := text.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise MarketDataError(path, f"the line exceeds the limit of {LONGEST_LINE:,} characters", line=number)
        yield line

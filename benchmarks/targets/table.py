"""The table of the targets: a line for each row, with the load of the machine when it began and when it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanout.candidates import BEFORE, NOW, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fanout.rows import Row

_HEAD = ("row", "what", "unit", "wanted", REFERENCE, NOW, BEFORE, "", "load, begin to end")


@dataclass(frozen=True)
class Measured:
    """A row that was measured.

    Attributes:
        number: of its target.
        loads: mean number of processes that wanted a processor in the minute before it began, and before it ended.
    """

    number: str
    row: Row
    loads: tuple[float, float]

    @property
    def verdict(self) -> str:
        """Whether the program of today reaches what is wanted."""
        return {True: "met", False: "MISSED", None: ""}[self.row.is_met(NOW)]

    def cells(self) -> tuple[str, ...]:
        """The line of the table; figures are medians, and from the least to the most of the turns."""
        row, (begin, end) = self.row, self.loads
        figures = (self._figure(each) for each in (REFERENCE, NOW, BEFORE))
        return (self.number, row.name, row.unit, row.wanted(), *figures, self.verdict, f"{begin:.1f} to {end:.1f}")

    def _figure(self, candidate: str) -> str:
        return ", ".join(filter(None, (self.row.cell(candidate), self.row.besides.get(candidate))))


def markdown(measured: Sequence[Measured], machine: str, skipped: Sequence[str]) -> str:
    """The table as a Markdown document.

    Args:
        measured: in order.
        machine: that it was measured on.
        skipped: sentences about what is not in it.
    """
    lines = [_HEAD, tuple("---" for _ in _HEAD), *(each.cells() for each in measured)]
    table = [f"| {' | '.join(each)} |" for each in lines]
    return "\n".join([f"{machine}.", "", *table, *(f"\n{each}" for each in skipped)]) + "\n"


def text(measured: Sequence[Measured]) -> Iterator[str]:
    """The lines of the table, aligned."""
    rows = [_HEAD, *(each.cells() for each in measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

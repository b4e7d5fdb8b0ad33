"""Reading of one table: its rows in the order of the file, the wrong ones marked."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vivienne.market.files.fast import FastReader
from vivienne.market.files.layout import layout_of
from vivienne.market.files.recognition import columns_of
from vivienne.market.files.rows import (
    CANDLE_VALUES,
    TRADE_VALUES,
    UNKNOWN_TIME,
    CandleParser,
    Rows,
    TradeParser,
    fields_of,
)
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vivienne.market.files.sources import Block, Row, Source

_MOST_BAD = 20
_HOPELESS = 0.9
"""Fraction of wrong rows that is no mistake in some rows."""
_HOPELESS_SO_FAR = 10_000
"""Number of wrong rows after which the rest is not looked at, if there were hardly any right ones before."""


@dataclass(slots=True)
class Counts:
    """What is left out of a table, or moved in it.

    Attributes:
        rows: rows of data.
        bad: wrong rows; `bad_rows` has line and reason of the first of them.
        headers: repetitions of the header.
        unclosed: candles that are, or may be, still open.
        partial: trades of the first and the last minute, which may not be whole.
        repeated: rows that are there twice.
        replaced: candles that a later row for the same minute replaced; `replaced_lines` has the first of their lines.
        moved: rows that are not in the order of the others.
    """

    rows: int = 0
    bad: int = 0
    bad_rows: list[tuple[int, str]] = field(default_factory=list)
    headers: int = 0
    unclosed: int = 0
    partial: int = 0
    repeated: int = 0
    replaced: int = 0
    replaced_lines: list[int] = field(default_factory=list)
    moved: int = 0


class Reader:
    """Reads a table, as often as needed.

    Args:
        source: where it is.

    Raises:
        MarketDataError: the table cannot be read, or its columns are unknown.

    Attributes:
        source, layout, columns: what it is.
        length: length of a candle by `close_time`, ms; None if nothing says it, or for trades.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.layout = layout_of(source)
        self.columns = columns_of(source, self.layout)
        self._parser: CandleParser | TradeParser
        self.length: int | None = None
        if self.columns.kind == "candles":
            self._parser = parser = CandleParser(self.columns)
            self.length = parser.length = _length_by_close(parser, self.layout.sample)
        else:
            self._parser = TradeParser(self.columns)
        self._fast = FastReader(self.columns, self.layout.delimiter, self.layout.sample)
        self._symbol = ""

    def blocks(self, counts: Counts | None = None, *, skip: bool = True) -> Iterator[Rows]:
        """The rows in the order of the file, many at a time; wrong rows are marked.

        Args:
            counts: counts what is there, and looks for a second market; None to read it once more.
            skip: wrong rows are left out; otherwise the first of them is an error.

        Raises:
            MarketDataError: the file cannot be read any further, has several markets, or has a wrong row.
        """
        before = self.layout.first_line - 1
        for block in self.source.blocks():
            wanted = block.after(min(len(block), max(0, before - block.seen)))
            rows = (self._fast_rows(wanted, counts) or self._slow_rows(wanted, counts)) if len(wanted) else None
            if rows is None:
                continue
            wrong = np.flatnonzero(~rows.valid)
            if counts is not None:
                self._count(counts, wanted, rows, wrong)
            elif len(wrong) and not skip:
                yield rows[: wrong[0]]
                raise self._wrong_row(wanted, int(rows.line[wrong[0]]))
            yield rows

    def _wrong_row(self, block: Block, line: int) -> Exception:
        reason = self._reason(block, line)
        return self.source.error(f"{reason}. Correct the row, or leave such rows out with --on-bad-row skip", line)

    def _count(self, counts: Counts, block: Block, rows: Rows, wrong: Any) -> None:
        counts.rows += len(rows)
        counts.bad += len(wrong)
        room = _MOST_BAD - len(counts.bad_rows)
        counts.bad_rows += [(line, self._reason(block, line)) for line in rows.line[wrong[:room]].tolist()]
        if counts.bad > _HOPELESS_SO_FAR and counts.bad > _HOPELESS * counts.rows:
            self.check_usable(counts)

    def check_usable(self, counts: Counts) -> None:
        """Most rows must be right, but for a minute without trades some sites write a row without numbers.

        Raises:
            MarketDataError: there are too many wrong rows.
        """
        if counts.bad == counts.rows > 0 or (counts.bad > _MOST_BAD and counts.bad > _HOPELESS * counts.rows):
            line, reason = counts.bad_rows[0]
            most = "" if counts.bad == counts.rows == 1 else "most rows are wrong, this one first: "
            raise self.source.error(f"{most}{reason}", line)

    def _reason(self, block: Block, line: int) -> str:
        """What is wrong with a row."""
        try:
            self._parser.check(block.rows(self.layout.delimiter)[line - block.seen - 1])
        except IndexError:
            return "columns are missing in this row"
        except ValueError as error:
            return str(error)
        return "this row is not valid"

    def _fast_rows(self, block: Block, counts: Counts | None) -> Rows | None:
        """The rows of a block, if nothing in it is unusual."""
        read = self._fast.read(block)
        if read is None:
            return None
        fields, symbols = read
        if counts is not None and symbols is not None and not (symbols == self._symbol).all():
            return None  # the usual way looks at them
        try:
            parsed = self._parser.parse(fields)
        except ValueError:
            return None
        return parsed.numbered(np.arange(block.seen + 1, block.seen + 1 + len(block)))

    def _slow_rows(self, block: Block, counts: Counts | None) -> Rows | None:
        rows = block.rows(self.layout.delimiter)
        full = [place for place, row in enumerate(rows) if row]
        lines = np.array(full, dtype=np.int64) + block.seen + 1
        rows = [rows[place] for place in full]
        if "confirmed" in self.columns.places and isinstance(self._parser, CandleParser):
            closed = [place for place, row in enumerate(rows) if not self._parser.is_open(row)]
            if counts is not None:
                counts.rows += len(rows) - len(closed)
                counts.unclosed += len(rows) - len(closed)
            rows, lines = [rows[place] for place in closed], lines[closed]
        if counts is not None and self.columns.symbol is not None:
            self._check_symbol(self.columns.symbol, rows, lines)
        pieces = self._pieces(rows, lines, counts) if rows else []
        return Rows.joined(pieces) if pieces else None

    def _pieces(self, rows: Sequence[Row], lines: Any, counts: Counts | None) -> list[Rows]:
        """Parse rows, in ever smaller pieces around those that cannot be parsed."""
        try:
            parsed = self._parser.parse(fields_of(rows, self.columns.places))
        except (ValueError, IndexError):
            if len(rows) > 1:
                half = len(rows) // 2
                return [
                    *self._pieces(rows[:half], lines[:half], counts),
                    *self._pieces(rows[half:], lines[half:], counts),
                ]
            if not any(cell.strip() for cell in rows[0]):
                return []
            if rows[0] == self.layout.header:
                if counts is not None:
                    counts.headers += 1
                return []
            parsed = self._unreadable()
        return [parsed.numbered(lines)]

    def _unreadable(self) -> Rows:
        values = CANDLE_VALUES if self.columns.kind == "candles" else TRADE_VALUES
        return Rows(
            np.array([UNKNOWN_TIME]),
            np.full((len(values), 1), math.nan),
            np.zeros(1, dtype=np.int64),
            np.array([False]),
            np.array([""], dtype=object) if "trade_id" in self.columns.places else None,
        )

    def _check_symbol(self, place: int, rows: Sequence[Row], lines: Any) -> None:
        """A table has the rows of one market.

        Raises:
            MarketDataError: there are several.
        """
        name = self.columns.names[place]
        symbols = [row[place].strip() if len(row) > place and row[place] != name else "" for row in rows]
        self._symbol = self._symbol or next(filter(None, symbols), "")
        others = sorted(set(symbols) - {"", self._symbol})
        if others:
            line = next(line for line, symbol in zip(lines.tolist(), symbols, strict=True) if symbol == others[0])
            raise self.source.error(
                f"the column {name} has several values, {', '.join([self._symbol, *others][:5])}: the file has the "
                "rows of several markets. Write those of each market into a file of its own",
                line,
            )


def _length_by_close(parser: CandleParser, sample: Sequence[Row]) -> int | None:
    """Length of a candle by `close_time`, in whole minutes."""
    found: Counter[int] = Counter()
    for row in sample:
        try:
            found.update(parser.spans([row]).tolist())
        except (ValueError, IndexError):
            continue
    span = found.most_common(1)[0][0] if found else 0
    return math.ceil(span / MINUTE_MS) * MINUTE_MS if span > 0 else None

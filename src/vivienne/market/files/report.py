"""What is said of a file: what it was taken for, and what of it is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vivienne.market.files.partial import has_whole_minute
from vivienne.market.types import MINUTE_MS
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vivienne.market.files.part import Part

_HOUR, _DAY = 60, 1440
_MOST_NAMED = 5


class Report(NamedTuple):
    """A part of the data of an asset.

    Attributes:
        path: the file.
        member: the file in an archive.
        unit: ``line`` or ``row``, which the numbers of lines count.
        kind: ``candles`` or ``trades``.
        minutes: length of a candle; None for trades.
        shape: the known shape.
        rows: rows of data in the file.
        first, last: time of the first and the last of them, ms; None without any.
        left_out: number of rows that are not used, by reason.
        notes: sentences on what is left out, moved or unknown.
        bad_rows: line and reason of the first wrong rows.
    """

    path: str
    member: str | None
    unit: str
    kind: str
    minutes: float | None
    shape: str
    rows: int
    first: int | None
    last: int | None
    left_out: Mapping[str, int]
    notes: tuple[str, ...]
    bad_rows: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, part: Part, members_left_out: Sequence[str]) -> Report:
        """The report on a part.

        Args:
            part: the part.
            members_left_out: members of its archive that are not read.
        """
        counts = part.counts
        left_out = {"bad": counts.bad, "unclosed": counts.unclosed, "partial": counts.partial,
                    "repeated": counts.repeated, "replaced": counts.replaced}  # fmt: skip
        return cls(
            path=str(part.source.path),
            member=part.source.member,
            unit=part.source.unit,
            kind=part.kind,
            minutes=part.length / MINUTE_MS if part.kind == "candles" else None,
            shape=part.reader.columns.shape,
            rows=counts.rows,
            first=part.first,
            last=part.last,
            left_out=left_out,
            notes=tuple(_notes(part, members_left_out)),
            bad_rows=tuple(counts.bad_rows),
        )

    @property
    def name(self) -> str:
        """The file and the member."""
        return self.path if self.member is None else f"{self.path}, {self.member}"

    @property
    def what(self) -> str:
        """What the rows are, in words."""
        return self.kind if self.minutes is None else f"{self.kind}, {length_in_words(self.minutes)}"

    @property
    def summary(self) -> str:
        """What the file was taken for, in one line."""
        return f"{self.what}, {self.shape}, {self.rows:,} rows{self._span()}"

    def _span(self) -> str:
        if self.first is None or self.last is None:
            return ""
        return f", {iso(self.first)[:10]} to {iso(self.last)[:10]}"

    @property
    def span(self) -> str:
        """The times of the first and the last row; empty without any."""
        if self.first is None or self.last is None:
            return ""
        return f"first row {iso(self.first)}, last row {iso(self.last)}"

    def document(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "file": self.path,
            "member": self.member,
            "kind": self.kind,
            "minutes": self.minutes,
            "shape": self.shape,
            "rows": self.rows,
            "first": None if self.first is None else iso(self.first),
            "last": None if self.last is None else iso(self.last),
            "left_out": dict(self.left_out),
            "notes": list(self.notes),
            "bad_rows": [{self.unit: line, "reason": reason} for line, reason in self.bad_rows],
        }


def length_in_words(minutes: float) -> str:
    """A length of time, as in 1 minute, 4 hours."""
    unit, count = next(
        (unit, minutes / size)
        for unit, size in (("day", _DAY), ("hour", _HOUR), ("minute", 1))
        if minutes % size == 0 or size == 1
    )
    return f"{count:g} {unit}{'' if count == 1 else 's'}"


def _notes(part: Part, members_left_out: Sequence[str]) -> Iterator[str]:
    yield from _notes_on_order(part)
    counts, unit = part.counts, part.source.unit
    if part.reader.layout.skipped:
        yield f"{_lines(unit, part.reader.layout.skipped)} before the data skipped"
    if counts.headers:
        yield f"{_count(counts.headers, 'repeated header')} skipped"
    if counts.bad:
        yield f"{_count(counts.bad, 'wrong row')}: {_lines(unit, [line for line, _ in counts.bad_rows], counts.bad)}"
    if counts.unclosed:
        yield f"{_count(counts.unclosed, 'candle')} left out that may be still open"
    if counts.partial:
        yield f"{_count(counts.partial, 'trade')} left out, of the first and the last minute, which may not be whole"
    if part.first is not None and not has_whole_minute(part):
        yield "no candle comes of it by itself: trades of at least three minutes are needed"
    if part.kind == "trades" and not {"side", "buyer_is_maker"} & set(part.reader.columns.places):
        yield "no side of the taker: the taker-buy share is unknown"
    if part.reader.columns.remark:
        yield part.reader.columns.remark
    if members_left_out:
        yield f"left out of the archive: {', '.join(members_left_out[:_MOST_NAMED])}"


def _notes_on_order(part: Part) -> Iterator[str]:
    counts = part.counts
    if part.is_newest_first:
        yield "newest first; turned round" if counts.moved == 0 else "pages of newest first; sorted by time"
    elif counts.moved:
        yield f"{_count(counts.moved, 'row')} not in order of time; sorted"
    if part.kind == "trades" and "trade_id" not in part.reader.columns.places and not part.is_in_order:
        yield "no ids: trades that are there twice cannot be recognised"
    if counts.repeated:
        yield f"{_count(counts.repeated, 'repeated row')} left out"
    if counts.replaced:
        where = _lines(part.source.unit, counts.replaced_lines, counts.replaced)
        yield f"{_count(counts.replaced, 'candle')} replaced by a different later row for the same minute: {where}"


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _lines(unit: str, lines: Sequence[int], total: int | None = None) -> str:
    total = len(lines) if total is None else total
    more = "" if total <= _MOST_NAMED else f" and {total - _MOST_NAMED:,} more"
    return f"{unit}{'' if total == 1 else 's'} {', '.join(f'{line:,}' for line in lines[:_MOST_NAMED])}{more}"

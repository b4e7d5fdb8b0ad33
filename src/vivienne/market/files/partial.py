"""Trades of the first and the last minute of the data: these minutes may not be whole, so they give no candle."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.files.part import Part
    from vivienne.market.files.rows import Rows


class EndMinute:
    """The trades of the earliest or the latest minute of a table.

    Args:
        is_latest: it is the latest minute; otherwise the earliest.

    Attributes:
        minute: the minute, since the epoch; None before the first trade.
    """

    def __init__(self, *, is_latest: bool) -> None:
        self._is_latest = is_latest
        self._rows: list[Rows] = []
        self.minute: int | None = None

    def add(self, rows: Rows) -> None:
        """Take valid trades, in any order."""
        first, last = int(rows.time.min()) // MINUTE_MS, int(rows.time.max()) // MINUTE_MS
        minute = last if self._is_latest else first
        if self.minute is None or (minute != self.minute and (minute > self.minute) == self._is_latest):
            self.minute, self._rows = minute, []
        if minute == self.minute:
            self._rows.append(rows if first == last else rows[rows.time // MINUTE_MS == minute])

    def count(self, seen: set[tuple[Any, ...]]) -> int:
        """Number of the trades that are not among those seen; they are seen from now on. One without an id is new."""
        number = 0
        for rows in self._rows:
            if rows.ids is None:
                number += len(rows)
                continue
            price, quantity = rows.values[0].tolist(), rows.values[1].tolist()
            for trade in zip(rows.ids.tolist(), rows.time.tolist(), price, quantity, strict=True):
                if trade[0] == "" or trade not in seen:
                    number += 1
                    seen.add(trade)
        return number


def count_partial(parts: Sequence[Part]) -> None:
    """Count the trades of the first and the last minute of trades that no candles interrupt.

    Args:
        parts: of an asset, in order of time.
    """
    for kind, together in groupby(parts, lambda part: part.kind):
        if kind == "trades":
            _count_ends([*together])


def _count_ends(parts: Sequence[Part]) -> None:
    ends = [
        (part, end)
        for part in parts
        for end in ([part.earliest] if part.earliest.minute == part.latest.minute else [part.earliest, part.latest])
    ]
    minutes = {end.minute for _, end in ends if end.minute is not None}
    seen: set[tuple[Any, ...]] = set()
    for part, end in ends:
        if end.minute is not None and end.minute in (min(minutes), max(minutes)):
            part.counts.partial += end.count(seen)


def has_whole_minute(part: Part) -> bool:
    """True if candles come of a part; trades of two minutes give none."""
    counts = part.counts
    return part.kind == "candles" or counts.rows - counts.bad - counts.repeated > counts.partial

"""Trades of the first and the last minute of the data: these minutes may not be whole, so they give no candle."""

from __future__ import annotations

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
        known: the trades with an id, so that those that are there twice count once.
        nameless: number of the others.
    """

    def __init__(self, *, is_latest: bool) -> None:
        self._is_latest = is_latest
        self.minute: int | None = None
        self.known: set[tuple[Any, ...]] = set()
        self.nameless = 0

    def add(self, rows: Rows) -> None:
        """Take valid trades, in any order."""
        minutes = rows.time // MINUTE_MS
        minute = int(minutes.max() if self._is_latest else minutes.min())
        if self.minute is None or (minute != self.minute and (minute > self.minute) == self._is_latest):
            self.minute, self.known, self.nameless = minute, set(), 0
        if minute != self.minute:
            return
        trades = rows[minutes == minute]
        if trades.ids is None:
            self.nameless += len(trades)
            return
        price, quantity = trades.values[0].tolist(), trades.values[1].tolist()
        named = [
            each
            for each in zip(trades.ids.tolist(), trades.time.tolist(), price, quantity, strict=True)
            if each[0] != ""
        ]
        self.known.update(named)
        self.nameless += len(trades) - len(named)


def count_partial(parts: Sequence[Part]) -> None:
    """Count the trades of the first and the last minute of an asset in the parts that have them."""
    ends = [
        (part, end)
        for part in parts
        for end in ([part.earliest] if part.earliest.minute == part.latest.minute else [part.earliest, part.latest])
    ]
    minutes = {end.minute for _, end in ends if end.minute is not None}
    seen: set[tuple[Any, ...]] = set()
    for part, end in ends:
        if end.minute is not None and end.minute in (min(minutes), max(minutes)):
            part.counts.partial += end.nameless + len(end.known - seen)
            seen |= end.known


def has_whole_minute(part: Part) -> bool:
    """True if candles come of a part; trades of two minutes give none."""
    counts = part.counts
    return part.kind == "candles" or counts.rows - counts.bad - counts.repeated > counts.partial

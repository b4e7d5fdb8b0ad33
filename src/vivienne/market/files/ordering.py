"""Order of rows: whether they are in order of time, how they are put into it, and rows that are there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vivienne.market.files.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vivienne.market.files.fields import Kind
    from vivienne.market.types import BoolArray

_MOST_LINES = 10
_OTHER_MARKET = 0.2
"""Two closes of a minute that differ by this fraction are not of one market."""
_LEAST_OTHERS = 3
_NEVER = np.iinfo(np.int64).max


class Order:
    """Looks at the order of valid rows as they come.

    Attributes:
        ups, downs: number of steps forward and back in time.
        back: the first step back: the line, its time, and the time before it.
        lag: the longest time by which a row is earlier than one above it, ms.
    """

    def __init__(self) -> None:
        self.ups = self.downs = self.lag = 0
        self._latest = 0
        self.back: tuple[int, int, int] | None = None
        self._last: int | None = None

    def look(self, rows: Rows) -> None:
        """Look at the next rows."""
        if not len(rows):
            return
        before = rows.time[:1] if self._last is None else [self._last]
        steps = np.diff(rows.time, prepend=before)
        down = steps < 0
        self.ups += int(np.count_nonzero(steps > 0))
        count = int(np.count_nonzero(down))
        if count and self.back is None:
            place = int(np.argmax(down))
            self.back = int(rows.line[place]), int(rows.time[place]), int(rows.time[place] - steps[place])
        self.downs += count
        latest = np.maximum.accumulate(np.maximum(rows.time, self._latest))
        self.lag = max(self.lag, int((latest - rows.time).max()))
        self._latest = int(latest[-1])
        self._last = int(rows.time[-1])

    @property
    def is_newest_first(self) -> bool:
        """True if most rows are before the one above them."""
        return self.downs > self.ups


def placed(rows: Rows, length: int, before: int | None) -> Rows:
    """Give rows that cannot be used the time that follows from their place in the file.

    Args:
        rows: in order of the file.
        length: time from one row to the next, ms; 0 for trades.
        before: time of the row before the first, if there is one.
    """
    if rows.valid.all():
        return rows
    place, count = np.arange(len(rows)), len(rows)
    earlier = np.maximum.accumulate(np.where(rows.valid, place, -1))
    later = np.minimum.accumulate(np.where(rows.valid, place, count)[::-1])[::-1]
    known = np.append(rows.time, _NEVER)
    after = known[later]
    if before is None:  # nothing is before the first rows, so they are placed by what follows
        follows = np.where(after == _NEVER, 0, after - (later - place) * length)
        guess = np.where(earlier < 0, follows, known[earlier] + (place - earlier) * length)
    else:
        guess = np.where(earlier < 0, before, known[earlier]) + (place - earlier) * length
    time = np.where(rows.valid, rows.time, np.minimum(np.maximum(guess, 0), after))
    return Rows(time, rows.values, rows.line, rows.valid, rows.ids)


def put_in_order(rows: Rows, *, is_newest_first: bool, length: int, kind: Kind) -> Rows:
    """All rows in order of time.

    Trades of one moment are ordered by their ids, if these are numbers, otherwise as the file has them. Of candles of
    one minute, the one further down in the file comes last.
    """
    rows = placed(rows[::-1] if is_newest_first else rows, length, None)
    if kind == "candles":
        return rows[np.lexsort((rows.line, rows.time))]
    if rows.ids is not None and rows.ids.dtype != object:
        return rows[np.lexsort((rows.ids, rows.time))]
    return rows[np.argsort(rows.time, kind="stable")]


def put_in_order_by_and_by(blocks: Iterable[Rows], *, lag: int, kind: Kind, length: int) -> Iterator[Rows]:
    """The same rows in order of time, if none is more than `lag` ms earlier than one before it."""
    held: Rows | None = None
    for block in blocks:
        rows = block if held is None else Rows.joined([held, block])
        rows = put_in_order(rows, is_newest_first=False, length=length, kind=kind)
        latest = rows.time[rows.valid].max(initial=0)
        ready = int(np.searchsorted(rows.time, latest - lag))
        held = rows[ready:]
        yield rows[:ready]
    if held is not None:
        yield held


class Once:
    """Lets each candle and each trade through once. Rows must come in order of time.

    Of rows for one minute the last valid one counts. A trade is repeated if one of the same time has the same id, price
    and quantity.

    Attributes:
        repeated: number of rows that were there before.
        replaced: number of candles that a different one of the same minute replaced.
        lines: lines of the first of them.
        strangers: number of them whose close is far from that of the other one.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._held: Rows | None = None
        self.repeated = self.replaced = self.strangers = 0
        self.lines: list[int] = []

    def add(self, rows: Rows) -> Rows:
        """Take rows; return those that are known to be the last of their time."""
        if self._held is not None:
            rows = Rows.joined([self._held, rows])
        if not len(rows):
            self._held = None
            return rows
        first_held = int(np.searchsorted(rows.time, rows.time[-1]))
        self._held = rows[first_held:]
        return self._once(rows[:first_held])

    def end(self) -> Rows | None:
        """The rows that are left, after the last."""
        held, self._held = self._held, None
        return None if held is None else self._once(held)

    def _once(self, rows: Rows) -> Rows:
        same = rows.time[1:] == rows.time[:-1]
        if not same.any() or (self._kind == "trades" and _has_rising_ids(rows)):
            return rows
        begins = np.flatnonzero(np.concatenate([[True], ~same]))
        ends = np.append(begins[1:], len(rows))
        keep = np.full(len(rows), fill_value=True)
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            if end - begin > 1:
                (self._keep_last if self._kind == "candles" else self._keep_first)(rows, keep, begin, end)
        return rows[keep]

    def _keep_last(self, rows: Rows, keep: BoolArray, begin: int, end: int) -> None:
        kept = next((place for place in range(end - 1, begin - 1, -1) if rows.valid[place]), end - 1)
        keep[begin:end] = False
        keep[kept] = True
        for place in range(begin, end):
            if place == kept or not rows.valid[place]:
                continue
            one, other = rows.values[:, place], rows.values[:, kept]
            if np.array_equal(one, other, equal_nan=True):
                self.repeated += 1
                continue
            self.replaced += 1
            self.strangers += abs(one[3] - other[3]) > _OTHER_MARKET * other[3]
            if len(self.lines) < _MOST_LINES:
                self.lines.append(int(rows.line[place]))

    def _keep_first(self, rows: Rows, keep: BoolArray, begin: int, end: int) -> None:
        if rows.ids is None:
            return
        seen: set[Any] = set()
        prices, quantities = rows.values[0, begin:end].tolist(), rows.values[1, begin:end].tolist()
        trades = zip(rows.ids[begin:end].tolist(), prices, quantities, strict=True)
        for place, trade in enumerate(trades, begin):
            if rows.valid[place] and trade[0] != "":
                keep[place] = trade not in seen
                seen.add(trade)
        self.repeated += int(np.count_nonzero(~keep[begin:end]))

    @property
    def are_two_markets(self) -> bool:
        """True if most rows for the same minute are too far from each other to be of one market."""
        return self.strangers >= _LEAST_OTHERS and self.strangers * 2 > self.replaced


def _has_rising_ids(rows: Rows) -> bool:
    if rows.ids is None:
        return True
    return rows.ids.dtype != object and bool((np.diff(rows.ids) > 0).all())

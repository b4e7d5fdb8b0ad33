"""A part of the data of an asset: one table, looked through before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vivienne.market.files.ordering import Once, Order, put_in_order
from vivienne.market.files.partial import EndMinute
from vivienne.market.files.reading import Counts, Reader
from vivienne.market.files.rows import Rows
from vivienne.market.types import DAY_MS, END_OF_TIME_MS, MINUTE_MS
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.market.files.fields import Kind
    from vivienne.market.files.sources import Source

MOST_SORTED = 20_000_000
"""Rows of a file that can be sorted; they have to be in memory at once."""
MANY_ROWS = 2_000_000
"""Rows from which a file that is nearly in order is not sorted as a whole."""
_SHORT_LAG = 600_000
"""Time by which rows of a file that is nearly in order may be late, ms."""
_FEW_REPLACED = 10
_USUAL_STEP = 0.9
"""Fraction of the steps from which another spacing is a mistake."""
_LEAST_RUN = 5
_DEVIATIONS = 5.0
"""Standard deviations beyond which a number is no coincidence."""
_CHANCE = 1e-6
"""Probability below which a run of equal, longer steps is no coincidence of minutes without trades."""


class Part:
    """One table.

    Args:
        source: where it is.
        skip: leave wrong rows out; otherwise the first of them is an error when it is reached.

    Raises:
        MarketDataError: the table cannot be read, or not as the market of one asset.

    Attributes:
        source, reader: what it is.
        kind: what its rows are.
        counts: what is left out.
        length: length of a candle, ms; 0 for trades.
        first, last: time of the first and the last valid row; None without any. `first_ids` and `last_ids` are those of
            the trades of these moments.
        earliest, latest: the trades of the first and the last minute; without any, if these are candles.
        ids_before: ids of trades that the part before has too.
        is_newest_first, is_in_order: the order of its rows; those that begin before another part ends are not in order.
        lag: the longest time by which a row is late, if the file is long and nearly in order, ms; otherwise 0.
        drops_last: the last candle is left out, since it may be open.
    """

    def __init__(self, source: Source, *, skip: bool) -> None:
        self.source = source
        self.reader = Reader(source)
        self.kind: Kind = self.reader.columns.kind
        self.counts = Counts()
        self.length = 0 if self.kind == "trades" else self.reader.length or MINUTE_MS
        self.first: int | None = None
        self.last: int | None = None
        self.first_ids: set[Any] = set()
        self.last_ids: set[Any] = set()
        self.earliest, self.latest = EndMinute(is_latest=False), EndMinute(is_latest=True)
        self.ids_before: set[Any] = set()
        self.drops_last = False
        self._skip = skip
        self._survey()

    def blocks(self) -> Iterator[Rows]:
        """The rows in the order of the file, many at a time; wrong rows are marked.

        Raises:
            MarketDataError: the file cannot be read any further, or a row is wrong and must not be left out.
        """
        return self.reader.blocks(skip=self._skip)

    def _survey(self) -> None:
        order, once, times = Order(), Once(self.kind), []
        for rows in self.reader.blocks(self.counts):
            good = rows if rows.valid.all() else rows[rows.valid]
            order.look(good)
            if self.kind == "candles":  # a row with a wrong price may still have the right time
                is_minute = (rows.time >= 0) & (rows.time < END_OF_TIME_MS) & (rows.time % MINUTE_MS == 0)
                times.append(rows.time[is_minute])
            if not len(good):
                continue
            self._look_at_ends(good)
            if order.back is None:
                once.add(good)
        self.reader.check_usable(self.counts)
        self.is_in_order = order.back is None
        self.is_newest_first = order.is_newest_first
        self.counts.moved = 0 if order.downs == 0 or order.ups == 0 else min(order.ups, order.downs)
        self._back = order.back
        is_nearly_in_order = self.counts.rows > MANY_ROWS and order.lag <= _SHORT_LAG and not order.is_newest_first
        self.lag = order.lag if is_nearly_in_order else 0
        if times:
            self._judge_spacing(np.unique(np.concatenate(times)))
        if self.is_in_order:
            once.end()
            self.count(once)

    def _look_at_ends(self, rows: Rows) -> None:
        first, last = int(rows.time.min()), int(rows.time.max())
        if self.first is None or first < self.first:
            self.first, self.first_ids = first, set()
        if self.last is None or last > self.last:
            self.last, self.last_ids = last, set()
        if self.kind == "trades":
            self.earliest.add(rows)
            self.latest.add(rows)
        if rows.ids is not None:
            self.first_ids.update(rows.ids[rows.time == self.first].tolist())
            self.last_ids.update(rows.ids[rows.time == self.last].tolist())

    def _judge_spacing(self, times: Any) -> None:
        """Take the length of a candle from the steps between candles, where no `close_time` gives it."""
        steps = np.diff(times)
        if not len(steps) or self.reader.length is not None:
            return
        if len(steps) == 1 and steps[0] % DAY_MS and DAY_MS % steps[0]:
            return  # no candle is that long: it is a hole between two one-minute candles
        length = int(np.gcd.reduce(steps))
        usual, shares = np.unique(steps, return_counts=True)
        step = int(usual[np.argmax(shares)])
        apart = f"the candles are {step / MINUTE_MS:g} minutes apart"
        if step > length and step > MINUTE_MS and _is_longer(steps, length, int(shares.max())):
            odd = int(times[1:][steps % step != 0][0])
            raise self.source.error(f"{apart}, but the one at {iso(odd)} is not; give candles of one length")
        self._check_runs(times, steps, length)
        if length > MINUTE_MS and times[0] % length:
            raise self.source.error(
                f"{apart} and begin at {iso(int(times[0]))}; candles must begin at whole multiples of their length, UTC"
            )
        self.length = length

    def _check_runs(self, times: Any, steps: Any, length: int) -> None:
        """Longer candles among shorter ones show as a run of one larger step."""
        begins = np.flatnonzero(np.diff(steps, prepend=0))
        counts = np.diff(begins, append=len(steps))
        for begin, count in zip(begins[counts >= _LEAST_RUN], counts[counts >= _LEAST_RUN], strict=True):
            step = int(steps[begin])
            if step == length or len(steps) * _most_likely(step // length) ** int(count) > _CHANCE:
                continue
            moment = int(times[begin])
            raise self.source.error(
                f"the candles from {iso(moment)} on are {step / MINUTE_MS:g} minutes apart, {count + 1} in a row, and "
                f"others {int(steps.min()) / MINUTE_MS:g}; give candles of one length",
                self._line_of(moment),
            )

    def _line_of(self, moment: int) -> int | None:
        found = (rows.line[rows.time == moment] for rows in self.reader.blocks())
        return next((int(lines[0]) for lines in found if len(lines)), None)

    def count(self, once: Once) -> None:
        """Count what was there twice.

        Raises:
            MarketDataError: rows are of two markets, or most are for the same minutes.
        """
        if once.are_two_markets:
            raise self.source.error(
                "two rows for the same minute have prices far from each other, as those of two markets; give the data "
                "of one market",
                once.lines[0],
            )
        if once.replaced > _FEW_REPLACED and once.replaced * 2 > self.counts.rows:
            raise self.source.error(
                "most rows are for the same minutes as later, different ones; their times may have been rounded, or "
                "they are of several markets",
                once.lines[0],
            )
        self.counts.repeated += once.repeated
        self.counts.replaced += once.replaced
        self.counts.replaced_lines += once.lines

    def in_memory(self) -> Rows:
        """All rows in order of time.

        Raises:
            MarketDataError: a row is wrong and must not be left out, or there are too many rows to sort them.
        """
        if self.counts.rows > MOST_SORTED:
            raise self.source.error(self._backward(), None if self._back is None else self._back[0])
        rows = Rows.joined(list(self.blocks()))
        return put_in_order(rows, is_newest_first=self.is_newest_first, length=self.length, kind=self.kind)

    def _backward(self) -> str:
        where = ""
        if self._back is not None:
            where = f"times go backward here, from {iso(self._back[2])} to {iso(self._back[1])}; "
        return f"{where}more than {MOST_SORTED:,} rows are not sorted; sort them by time, oldest first"

    @property
    def last_is_closed(self) -> bool:
        """True if something says that the last candle is closed."""
        if self.kind == "trades" or self.last is None or self.reader.columns.says_closed:
            return True
        return (self.last + self.length) % DAY_MS == 0


def _is_longer(steps: Any, length: int, usual: int) -> bool:
    """True if candles of this length would not have left such steps.

    Minutes without trades leave fewer steps of several lengths than of one, as often as it happens.

    Args:
        steps: times from one candle to the next.
        length: the length that divides all of them.
        usual: number of the most frequent, longer steps.
    """
    single = int(np.count_nonzero(steps == length))
    if single == 0 and length > MINUTE_MS:
        return True
    return usual >= _USUAL_STEP * len(steps) or usual - single > _DEVIATIONS * (usual + single) ** 0.5


def _most_likely(multiple: int) -> float:
    """The highest probability of a step of several lengths, whatever the fraction of minutes that have trades."""
    return (1 - 1 / multiple) ** (multiple - 1) / multiple

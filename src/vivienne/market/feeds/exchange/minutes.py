"""Makes minutes from the trades of a stream, whatever order they come in and however often.

Trades belong to the minute of the exchange's trade time, and within it they are in the order of their numbers. A minute
is over when the exchange says so: by a trade of a later minute, by its own candle, or by its clock on the same
connection plus a grace. The clock of this machine says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from vivienne.market.feeds.exchange.open_minute import OpenMinute
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vivienne.market.feeds.exchange.adapter import NumberedTrade

GRACE_MS = 1_000
"""How much later than the end of a minute the exchange's clock must be, where nothing else says that it is over."""
_SPENT_WITH_EACH = 2
"""Trades of a minute that was made that are let go of with each new one."""
MOST_TRADES = 200_000
"""Largest number of trades of minutes that are open; more are left out, and their minutes are incomplete."""
MOST_MINUTES = 1_500
"""Largest number of minutes that are made at once. What is older than that is a gap."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Trades that are missing.

    Attributes:
        minute: open time of the first minute that lacks some of them.
        after: the last trade before them; None if none is known.
    """

    minute: int
    after: NumberedTrade | None


class MinuteBuilder:
    """Makes the minutes of one instrument.

    Args:
        begin: open time of the first minute to make; what came before is known already.
        close: the last price before it; None if none is known, and then no minute is made before the first trade.
        grace: see `GRACE_MS`.
        flag_grace: so long after the end of a minute the exchange's own closed candle is waited for, by its clock,
            before a trade of a later minute or the clock alone closes it; 0 where it has none.

    Attributes:
        late: number of trades that came after their minute was made; the exchange's candle tells whether it matters.
            Where trades have no numbers, those that come again are among them.
        left_out: number of trades that were too many.
        last: the newest trade by its number, or by its time where trades have none.
    """

    def __init__(self, begin: int, close: float | None, *, grace: int = GRACE_MS, flag_grace: int = 0) -> None:
        self._flag_grace = flag_grace
        self._begin = begin
        self._close = close
        self._grace = grace
        self._open: dict[int, OpenMinute] = {}
        self._spent: dict[str, NumberedTrade] = {}
        self._count = 0
        self._heard = begin
        self._over = begin
        self._made_to: int | None = None
        self._broken: set[int] = set()
        self._covered_from: int | None = None
        self._covered_after: NumberedTrade | None = None
        self._resumed: int | None = None
        self._ahead: dict[int, NumberedTrade] = {}
        """Trades that wait for those before them, by their first number."""
        self._firsts: list[int] = []
        """A heap of these numbers; those that are no longer among them are passed over."""
        self._front: NumberedTrade | None = None
        self._front_number: int | None = None
        self._is_begun = False
        self.late = self.left_out = 0
        self.last: NumberedTrade | None = None

    @property
    def begin(self) -> int:
        """Open time of the oldest minute that is not made yet."""
        return self._begin

    def add(self, trades: Iterable[NumberedTrade]) -> list[NumberedTrade]:
        """Take trades in any order; give those that were not known yet."""
        new = [trade for trade in trades if self._add(trade)]
        self._forget_spent(_SPENT_WITH_EACH * len(new))
        if new:
            self._resume(min(trade.trade.time for trade in new))
            self._over = max(self._over, max(trade.trade.time for trade in new) - self._flag_grace)
        return new

    def _add(self, numbered: NumberedTrade) -> bool:
        minute = _minute(numbered)
        if self._is_known(numbered, minute):
            return False
        if _is_newest(numbered, self.last):
            self.last = numbered
        if minute < self._begin:
            return self._before(numbered)
        if self._count >= MOST_TRADES:
            self.left_out += 1
            self._broken.add(minute)
            return False
        if (found := self._open.get(minute)) is None:
            found = self._open[minute] = OpenMinute()
        found.add(numbered)
        self._count += 1
        self._go_ahead(numbered)
        return True

    def _forget_spent(self, count: int) -> None:
        """Let go of trades of the last minute a few at a time: of thousands it takes milliseconds."""
        if len(self._spent) <= count:
            self._spent.clear()
            return
        for _ in range(count):
            self._spent.popitem()

    def _is_known(self, numbered: NumberedTrade, minute: int) -> bool:
        """Whether a trade came before. Those of minutes that were made are not remembered: none is added to them."""
        number = numbered.number
        is_made = number is not None and self._made_to is not None and number <= self._made_to
        return is_made or (minute in self._open and numbered.key in self._open[minute].trades)

    def _go_ahead(self, numbered: NumberedTrade) -> None:
        """A trade that follows the front is the new front; others wait until what is between them has come."""
        if numbered.number is None:
            return
        first = numbered.number - numbered.combined + 1
        if self._front_number is not None and first <= self._front_number:
            return
        self._ahead[first] = numbered
        if self._front_number is not None and first == self._front_number + 1:
            self._absorb()
        else:
            heappush(self._firsts, first)

    def _before(self, numbered: NumberedTrade) -> bool:
        """A trade of a minute that is made, or was known at the start: the others go on after its number."""
        number = numbered.number
        if self._is_begun:
            self.late += 1
            self._go_ahead(numbered)
        elif number is not None:
            self._made_to = number if self._made_to is None else max(self._made_to, number)
            if self._front_number is None or number > self._front_number:
                self._front_number = number
        return False

    def hear(self, time: int) -> None:
        """The exchange's clock shows this time, on the connection that the trades come from."""
        self._resume(time)
        self._over = max(self._over, time - max(self._grace, self._flag_grace))

    def end(self, minute: int) -> None:
        """The exchange's own candle says that this minute is over."""
        self._over = max(self._over, minute + MINUTE_MS)

    def interrupt(self) -> None:
        """The connection broke off: from here on trades may be missing, until `cover` says that they are not."""
        self._resumed = None
        if self._covered_from is None:
            self._covered_from, self._covered_after = self._over, self.last

    def _resume(self, time: int) -> None:
        """Something came: from this time on the new connection has the trades."""
        if self._resumed is None:
            self._resumed = time

    def cover(self, trades: Sequence[NumberedTrade], *, is_whole: bool) -> list[NumberedTrade]:
        """Take what the exchange gave when it was asked for the trades since it broke off; give those that are new.

        Args:
            trades: in any order.
            is_whole: whether they reach back to the last one before. If they do not, the minutes since are broken.
                So are those of a hole in the numbers that is left.
        """
        new = self.add(trades)
        for minute in self._open.values():
            minute.settle()  # the answer came after later trades of the stream; at its end there is no time
        if self._covered_from is not None and not is_whole:
            until = min(
                [trade.trade.time for trade in trades] + [self._over if self._resumed is None else self._resumed]
            )
            first = max(self._covered_from - self._covered_from % MINUTE_MS, self._begin)
            self._break(first, max(first, until))
        elif not is_whole:
            self.give_up()
        self._covered_from = None
        return new

    def join(self, trades: Iterable[NumberedTrade]) -> None:
        """Trades came over the connection that there is now.

        Where they are numbered, and one before them is known, what is missing between shows as a hole in the numbers.
        """
        if self._front_number is not None and any(each.number is not None for each in trades):
            self._covered_from = None

    def _break(self, first: int, last: int) -> None:
        """These minutes lack trades. Those that are too many are never made."""
        self._broken.update(range(max(first, last - MOST_MINUTES * MINUTE_MS), last + 1, MINUTE_MS))

    def hole(self) -> Hole | None:
        """The trades to ask for before the next minute can be made; None if none are missing, as far as is known."""
        if self._covered_from is not None:
            return Hole(self._begin, self._covered_after)
        self._absorb()
        return Hole(self._minute_of_front(), self._front) if self._ahead else None

    def _absorb(self) -> None:
        """Trades whose numbers follow each other go to the front, up to the first hole."""
        if self._front_number is None and self._ahead:
            self._front_number = self._first_ahead() - 1
        while self._front_number is not None and (found := self._ahead.pop(self._front_number + 1, None)) is not None:
            self._front, self._front_number = found, found.number
        if not self._ahead:
            self._firsts.clear()

    def _first_ahead(self) -> int:
        """The lowest number of the trades that wait; there is one."""
        while self._firsts[0] not in self._ahead:
            heappop(self._firsts)
        return self._firsts[0]

    def _minute_of_front(self) -> int:
        return self._begin if self._front is None else max(self._begin, _minute(self._front))

    def made(self) -> Iterator[Candle]:
        """The minutes that are over and lack nothing, oldest first, up to the first that lacks something."""
        self._skip()
        while self._is_over(self._begin) and not self.is_broken:
            hole = self.hole()
            if hole is not None and hole.minute <= self._begin:
                return
            candle = self._make()
            if candle is not None:
                yield candle

    def _skip(self) -> None:
        """Leave out the minutes that are too many to be made."""
        begin = self._over - self._over % MINUTE_MS - MOST_MINUTES * MINUTE_MS
        if begin <= self._begin or self._covered_from is not None:
            return
        for minute in sorted(minute for minute in self._open if minute < begin):
            candle = self._finish(minute)
            self._close = self._close if candle is None else candle.close
        self._broken = {minute for minute in self._broken if minute >= begin}
        self._ahead = {first: each for first, each in self._ahead.items() if _minute(each) >= begin}
        self._front = self._front_number = None
        self._begin, self._is_begun = begin, True

    def _is_over(self, minute: int) -> bool:
        return self._over >= minute + MINUTE_MS and self._covered_from is None

    @property
    def is_broken(self) -> bool:
        """Whether the oldest minute that is not made lacks trades that cannot be had."""
        return self._begin in self._broken

    def incomplete(self) -> Candle | None:
        """Make the oldest minute as it is, though it lacks trades; None while it is not over, or has no price."""
        return self._make() if self._is_over(self._begin) else None

    def _make(self) -> Candle | None:
        candle = self._candle(self._begin)
        self._go_on()
        if candle is not None:
            self._close = candle.close
        return candle

    def _go_on(self) -> None:
        self._broken.discard(self._begin)
        self._begin += MINUTE_MS
        self._is_begun = True

    def give_up(self) -> None:
        """What is missing cannot be had: the minutes that lack it are broken."""
        hole = self.hole()
        if hole is None:
            return
        if self._covered_from is not None:
            self.cover([], is_whole=False)
            return
        first = self._first_ahead()
        self._break(hole.minute, max(hole.minute, _minute(self._ahead[first])))
        # What comes of it after all belongs to its minute, as long as that is open.
        self._front_number = first - 1
        self._absorb()

    def supply(self, candle: Candle) -> bool:
        """Take the exchange's own candle in place of the oldest minute that is not made; False if it is another one."""
        if candle.open_time != self._begin:
            return False
        self._finish(self._begin)
        # What is missing before a trade of this minute was of it, or of one before.
        while self._ahead and _minute(self._ahead[first := self._first_ahead()]) <= self._begin:
            self._front_number = first - 1
            self._absorb()
        self._go_on()
        self._close = candle.close
        return True

    def close_at(self, candle: Candle) -> None:
        """The newest minute that was made closed at this price."""
        if candle.open_time + MINUTE_MS == self._begin:
            self._close = candle.close

    def _candle(self, minute: int) -> Candle | None:
        """The candle of a minute, whose trades are let go; flat without any, None before the first price there is."""
        return self._finish(minute) or self._flat(minute)

    def so_far(self, minute: int) -> Candle | None:
        """The candle of a minute that is not made yet, as far as its trades came; see `_candle`."""
        found = self._open.get(minute)
        return self._flat(minute) if found is None else found.candle(minute)

    def _flat(self, minute: int) -> Candle | None:
        close = self._close
        return None if close is None else Candle(minute, close, close, close, close, 0.0, 0.0, 0.0, 0.0)

    def _finish(self, minute: int) -> Candle | None:
        """Take the trades of a minute out; their candle, None where there are none."""
        found = self._open.pop(minute, None)
        if found is None:
            return None
        self._count -= len(found.trades)
        if found.newest is not None:
            self._made_to = found.newest if self._made_to is None else max(self._made_to, found.newest)
        self._spent = found.trades
        return found.candle(minute)


def _is_newest(numbered: NumberedTrade, last: NumberedTrade | None) -> bool:
    """Whether no trade is newer; one that comes again may be much older."""
    if last is None:
        return True
    if numbered.number is None or last.number is None:
        return numbered.trade.time >= last.trade.time
    return numbered.number > last.number


def _minute(numbered: NumberedTrade) -> int:
    return numbered.trade.time - numbered.trade.time % MINUTE_MS

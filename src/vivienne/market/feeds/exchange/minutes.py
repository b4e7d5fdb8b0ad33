"""Makes minutes from the trades of a stream, whatever order they come in and however often.

Trades belong to the minute of the exchange's trade time, and within it they are in the order of their numbers. A minute
is over when the exchange says so: by a trade of a later minute, by its own candle, or by its clock on the same
connection plus a grace. The clock of this machine says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.market.feeds.exchange.ahead import Ahead, minute_of
from vivienne.market.feeds.exchange.grace import GRACE_MS, Grace
from vivienne.market.feeds.exchange.open_minute import OpenMinute
from vivienne.market.feeds.exchange.room import MOST_TRADES, Room, Spent, TooManyTrades
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vivienne.market.feeds.exchange.adapter import NumberedTrade

_SPENT_WITH_EACH = 2
"""Trades of a minute that was made that are let go of with each new one."""
_ROOM_FOR = 1_000
"""Trades for which there is room, until it is asked for again."""
MOST_MINUTES = 1_500
"""Largest number of minutes that are made. What is older than that is a gap."""
BEHIND_MS = 3_000
"""So far answers may be behind the stream."""
_MADE_AT_ONCE = 100
"""Minutes that are made until others may have a turn."""
_FORGOTTEN_AT_ONCE = 2_000


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
        grace: see `GRACE_MS`; it grows where trades come late.
        room: for trades of all instruments.
        flag_grace: so long after the end of a minute the exchange's own closed candle is waited for, by its clock,
            before a trade of a later minute or the clock alone closes it; 0 where it has none.

    Attributes:
        is_behind: whether minutes may be over that are not made yet, though nothing is missing: `made` goes on.
        late: number of trades that came after their minute was made; the exchange's candle tells whether it matters.
            Where trades have no numbers, those that come again are among them.
        short: minutes that were made without trades that came later. Only where trades have numbers; take them out.
        left_out: number of trades that were too many. Their minutes are broken.
        interruptions: how often `interrupt` was called. An answer from before does not cover what was missed since.
        last: the newest trade by its number, or by its time where trades have none.
    """

    def __init__(
        self, begin: int, close: float | None, *, room: Room | None = None, grace: int = GRACE_MS, flag_grace: int = 0
    ) -> None:
        self._flag_grace = flag_grace
        self._begin = begin
        self._close = close
        self._grace = Grace(grace)
        self._open: dict[int, OpenMinute] = {}
        self._spent = Spent()
        self._count = 0
        self._room = room or Room()
        self._room.add(self)
        self._may_keep = 0
        self._heard = begin
        self._over = begin
        self._made_to: int | None = None
        self._broken: set[int] = set()
        self._covered_from: int | None = None
        self._covered_after: NumberedTrade | None = None
        self._is_unanchored = False
        self._resumed: int | None = None
        self._ahead = Ahead()
        self._is_begun = False
        self._supplied_to = begin
        self.short: set[int] = set()
        self.is_behind = False
        self.late = self.left_out = self.interruptions = 0
        self.last: NumberedTrade | None = None

    @property
    def begin(self) -> int:
        """Open time of the oldest minute that is not made yet."""
        return self._begin

    @property
    def kept(self) -> int:
        """Number of trades that are kept, for whatever reason. Of those that wait most are of open minutes."""
        return len(self._spent) + max(self._count, len(self._ahead))

    def add(self, trades: Iterable[NumberedTrade]) -> list[NumberedTrade]:
        """Take trades in any order; give those that were not known yet.

        Raises:
            TooManyTrades: more wait for those before them than are kept.
        """
        new = [trade for trade in trades if self._add(trade)]
        if new:
            if self._spent:
                self._spent.forget(_SPENT_WITH_EACH * len(new))
            times = [each.trade.time for each in new]
            self._resume(min(times))
            self._over = max(self._over, max(times) - self._flag_grace)
        return new

    def _add(self, numbered: NumberedTrade) -> bool:
        minute = minute_of(numbered)
        found = self._open.get(minute)
        if found is None:
            if self._is_made(numbered):
                return False
        elif numbered.key in found.trades or self._is_made(numbered):
            return False
        if _is_newest(numbered, self.last):
            self.last = numbered
        if minute < self._begin:
            return self._before(numbered)
        if self._count >= self._may_keep and not self._has_room():
            self.left_out += 1
            self._broken.add(minute)
            return False
        if found is None:
            found = self._open[minute] = OpenMinute()
        found.add(numbered)
        self._count += 1
        self._follow(numbered)
        return True

    def _has_room(self) -> bool:
        """Whether some more trades may be kept. Those of minutes that were made make room first."""
        if self.kept >= MOST_TRADES or not self._room.has_some():
            self._spent.forget(_ROOM_FOR)
        if self.kept < MOST_TRADES and self._room.has_some():
            self._may_keep = self._count + min(_ROOM_FOR, MOST_TRADES - self.kept)
            return True
        return False

    def _is_made(self, numbered: NumberedTrade) -> bool:
        """Whether a trade is of a minute that was made. Those are not remembered: none is added to them."""
        return self._made_to is not None and numbered.number is not None and numbered.number <= self._made_to

    def _follow(self, numbered: NumberedTrade) -> None:
        """Trades go on after its number, or it waits for those before it."""
        if self._ahead.take(numbered) and self.kept > MOST_TRADES:
            raise TooManyTrades(f"more than {MOST_TRADES:,} trades wait for others before them")

    def _before(self, numbered: NumberedTrade) -> bool:
        """A trade of a minute that is made, or was known at the start: the others go on after its number."""
        number = numbered.number
        if self._is_begun:
            self.late += 1
            if number is not None and (minute := minute_of(numbered)) >= self._supplied_to:
                self.short.add(minute)
            self._follow(numbered)
        elif number is not None:
            self._made_to = number if self._made_to is None else max(self._made_to, number)
            self._ahead.begin(number)
        return False

    def hear(self, time: int) -> None:
        """The exchange's clock shows this time, on the connection that the trades come from."""
        self._resume(time)
        self._grace.hear(time)
        self._over = max(self._over, time - max(self._grace.milliseconds, self._flag_grace))

    def see_late(self, trades: Iterable[NumberedTrade]) -> None:
        """See how late new trades of the stream came, so that those of later minutes are waited for as long."""
        if not self._flag_grace:
            for each in trades:
                self._grace.see(each.trade.time)

    def end(self, minute: int) -> None:
        """The exchange's own candle says that this minute is over."""
        self._over = max(self._over, minute + MINUTE_MS)

    def interrupt(self) -> None:
        """The connection broke off: from here on trades may be missing, until `cover` says that they are not."""
        self.interruptions += 1
        self._resumed = None
        if self._covered_from is None:
            self._covered_from, self._covered_after = self._over, self.last

    def doubt(self, after: NumberedTrade | None) -> None:
        """Trades after this one may be missing in any minute that is not made; None where any of them may."""
        before, known = self._covered_from, self._covered_after
        self.interrupt()
        if before is None or (known is not None and (after is None or _is_newest(known, after))):
            self._covered_after = after
            self._is_unanchored = after is None or after.number is None
        self._covered_from = min(self._over if before is None else before, self._begin)

    def _resume(self, time: int) -> None:
        """Something came: from this time on the new connection has the trades."""
        if self._resumed is None:
            self._resumed = time

    def cover(self, trades: Sequence[NumberedTrade], *, is_whole: bool, oldest: int | None = None) -> None:
        """Take what the exchange gave when it was asked for the trades since it broke off.

        Args:
            trades: in any order; those that were many were added before.
            is_whole: whether they reach back to the last one before. If they do not, the minutes since are broken.
                So are those of a hole in the numbers that is left.
            oldest: time of the oldest of all trades of the answer, where some were added before.
        """
        self.add(trades)
        if self._covered_from is not None and not is_whole:
            until = min(
                [trade.trade.time for trade in trades]
                + [self._over if self._resumed is None else self._resumed]
                + ([] if oldest is None else [oldest])
            )
            first = max(self._covered_from - self._covered_from % MINUTE_MS, self._begin)
            self._break(first, max(first, until))
        elif not is_whole:
            self.give_up()
        self._covered_from, self._is_unanchored = None, False

    def may_end_early(self, newest: int, asked: float) -> bool:
        """Whether an answer may lack the last trades before the new connection, because it is behind the stream.

        Where trades have numbers, a hole in these would show it.

        Args:
            newest: time of the newest trade of the answer.
            asked: the exchange's clock when it was asked for.
        """
        resumed, last = self._resumed, self.last
        if self._covered_from is None or resumed is None or last is None or last.number is not None:
            return False
        return newest < resumed and asked < resumed + BEHIND_MS

    def is_contradicted(self, asked: float) -> bool:
        """Whether an answer without any trade lacks some, because the stream has trades from before it was asked for.

        Only where trades have numbers, and none is known from before the stream: otherwise a hole would show it.

        Args:
            asked: as above.
        """
        last, first = self.last, min(self._open, default=None)
        if self._covered_from is None or self._covered_after is not None or last is None or last.number is None:
            return False
        return first is not None and min(each.trade.time for each in self._open[first].trades.values()) < asked

    def join(self, trades: Iterable[NumberedTrade]) -> bool:
        """Trades came over the connection that there is now.

        Where they are numbered, and one before them is known, what is missing between shows as a hole in the numbers.

        Returns:
            Whether that is so.
        """
        if self._is_unanchored or self._ahead.number is None or all(each.number is None for each in trades):
            return False
        self._covered_from = None
        return True

    def _break(self, first: int, last: int) -> None:
        """These minutes lack trades. Those that are too many are never made."""
        self._broken.update(range(max(first, last - MOST_MINUTES * MINUTE_MS), last + 1, MINUTE_MS))

    def hole(self) -> Hole | None:
        """The trades to ask for before the next minute can be made; None if none are missing, as far as is known."""
        if self._covered_from is not None:
            return Hole(self._begin, self._covered_after)
        if not self._ahead or not self._ahead.follow():
            return None
        front = self._ahead.front
        minute = self._begin if front is None else max(self._begin, minute_of(front))
        return Hole(minute, front) if self._ahead else None

    def made(self) -> Iterator[Candle]:
        """The minutes that are over and lack nothing, oldest first, up to the first that lacks something.

        Where that would take long it stops early, and `is_behind`.
        """
        self._skip()
        made, self.is_behind = 0, False
        while self.is_over and not self.is_broken:
            hole = self.hole()
            if hole is not None and hole.minute <= self._begin:
                return
            found = self._open.get(self._begin)
            self.is_behind = made >= _MADE_AT_ONCE or not self._ahead.follow() or not (found is None or found.settle())
            if self.is_behind:
                return
            made += 1
            candle = self._make()
            if candle is not None:
                yield candle

    def _skip(self) -> None:
        """Leave out the minutes that are too many to be made."""
        begin = self._over - self._over % MINUTE_MS - MOST_MINUTES * MINUTE_MS
        if begin <= self._begin or self.hole() is not None:  # what is missing is asked for
            return
        for minute in sorted(minute for minute in self._open if minute < begin):
            candle = self._finish(minute)
            self._close = self._close if candle is None else candle.close
        self._broken = {minute for minute in self._broken if minute >= begin}
        self._ahead.skip_to(begin)
        self._begin, self._is_begun = begin, True

    @property
    def is_over(self) -> bool:
        """Whether the oldest minute that is not made is over, and no trades of it may have been missed in a break."""
        return self._over >= self._begin + MINUTE_MS and self._covered_from is None

    @property
    def is_broken(self) -> bool:
        """Whether the oldest minute that is not made lacks trades that cannot be had."""
        return self._begin in self._broken

    def incomplete(self) -> Candle | None:
        """Make the oldest minute as it is, though it lacks trades; None while it is not over, or has no price."""
        return self._make() if self.is_over else None

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
        behind = self._ahead.first()
        if behind is not None:
            self._break(hole.minute, max(hole.minute, minute_of(behind)))
        # What comes of it after all belongs to its minute, as long as that is open.
        self._ahead.give_up()

    def supply(self, candle: Candle) -> bool:
        """Take the exchange's own candle in place of the oldest minute that is not made; False if it is another one."""
        if candle.open_time != self._begin:
            return False
        self._finish(self._begin)
        # What is missing before a trade of this minute was of it, or of one before.
        self._ahead.give_up_before(self._begin + MINUTE_MS)
        self._go_on()
        self._supplied_to = self._begin
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
        self._may_keep = 0
        if next(iter(found.trades.values())).number is not None:
            self._made_to = found.last if self._made_to is None else max(self._made_to, found.last)
        self._spent.add(found.trades)
        return found.candle(minute)

    def let_go(self) -> Iterator[None]:
        """Let go of all trades, some at a time, when it is not used any longer."""
        for each in self._open.values():
            self._spent.add(each.trades)
        self._open, self._count = {}, 0
        while self.kept:
            self._spent.forget(_FORGOTTEN_AT_ONCE)
            self._ahead.forget(_FORGOTTEN_AT_ONCE)
            yield


def _is_newest(numbered: NumberedTrade, last: NumberedTrade | None) -> bool:
    """Whether no trade is newer; one that comes again may be much older."""
    if last is None:
        return True
    if numbered.number is None or last.number is None:
        return numbered.trade.time >= last.trade.time
    return numbered.number > last.number

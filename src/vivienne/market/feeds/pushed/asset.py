"""What is pushed of one asset: history until the first live row, and minutes from then on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vivienne.errors import Problem
from vivienne.market.feeds.base import DataRefused, FeedEvent, History, HistoryRead, MinuteClosed, PriceMoved
from vivienne.market.feeds.pushed.minutes import MOST_TRADES, MOST_TRADES_TOGETHER, OpenMinutes, Outcome
from vivienne.market.feeds.pushed.past import MOST_HISTORY, LongCandles, end_of
from vivienne.market.feeds.pushed.rows import PushedCandle, PushedTrade, Refused
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vivienne.market.feeds.pushed.minutes import Room
    from vivienne.market.feeds.pushed.rows import PushedRow
    from vivienne.market.timeframe import Timeframe
    from vivienne.slices import Pieces

LIVE_MS = 5 * MINUTE_MS
"""A row that is not older, by the clock of this machine, is live."""
AHEAD_MS = 2 * MINUTE_MS
"""Time by which a row may be ahead of the clock of this machine, or of the time that has passed."""
_DRIFT = 0.001
"""Part of the passed time by which a feeder's clock may gain on the clock of this machine."""
PACED_SECONDS = 20.0
"""Time after which a push that goes on by no more than the time that has passed is live, whatever the clock shows."""


_PIECE = 1_000
"""Minutes of a history that are made columns of at once."""


@dataclass(slots=True)
class Tally:
    """What became of the rows of a push.

    Attributes:
        accepted, doubled, late, refused: numbers of rows.
        late_rows: those that differ from what was closed before they came.
        problems: those that were refused.
        forgotten: rows of history that were dropped, because there were more than are kept.
    """

    accepted: int = 0
    doubled: int = 0
    late: int = 0
    refused: int = 0
    forgotten: int = 0
    late_rows: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the rows of another one."""
        self.accepted += other.accepted
        self.doubled += other.doubled
        self.late += other.late
        self.refused += other.refused
        self.forgotten += other.forgotten
        self.late_rows += other.late_rows
        self.problems += other.problems


class PushedAsset:
    """Takes what is pushed of one asset, and gives the events that come of it.

    Args:
        asset: its name.
        timeframe: of the bars.
        bars: number of bars that are kept.
        now: the clock of this machine, in ms since the epoch. It closes no minute: it tells history from live rows,
            and refuses rows of the future.
        clock: a monotonic clock, in seconds.
        room: for the trades of all assets.
    """

    def __init__(
        self,
        asset: str,
        timeframe: Timeframe,
        bars: int,
        *,
        now: Callable[[], int],
        clock: Callable[[], float],
        room: Room,
    ) -> None:
        self._asset = asset
        self._timeframe = timeframe
        self._bars = bars + 1
        share = max(bars + 1, room.history)
        self._most = min(MOST_HISTORY, (bars + 1) * timeframe.minutes, share)
        self._now, self._clock = now, clock
        self._minutes = OpenMinutes(timeframe.milliseconds, room)
        self._long = LongCandles(timeframe, bars + 1, share)
        self._newest_came = clock()
        self._furthest: tuple[int, float] | None = None
        """A time that rows had reached, and when by `clock`. It goes on with the time, not with rows of the future."""
        self._is_cut = False
        self.is_begun = False
        """Whether its history is complete, so that minutes are decided."""

    @property
    def closed_until(self) -> int | None:
        """End of the newest closed minute, in ms; None while history is pushed."""
        return self._minutes.next if self.is_begun else None

    def take(
        self,
        rows: Sequence[PushedRow],
        refused: Iterable[Refused],
        clock: int | None,
        *,
        is_history: bool | None,
        tally: Tally,
    ) -> Pieces[list[FeedEvent]]:
        """Take rows, in any order. It is done in pieces, and nothing else is taken before it is done.

        Args:
            rows: those that were read.
            refused: those that could not be read.
            clock: the feeder's clock: everything before it was pushed.
            is_history: whether it is history, if the feeder says so.
            tally: counts the rows.
        """
        events: list[FeedEvent] = []
        before, limit = self._minutes.newest, self._limit()
        is_paced = self._is_paced(rows, before)
        taken: list[PushedRow] = []
        for row in sorted(rows, key=lambda each: each.time):
            if row.time > limit:
                self._refuse(row, _ahead(_name(row), row.time, self._now()), tally)
                continue
            if not self.is_begun and self._is_live(row, is_history, is_paced=is_paced):
                events += yield from self._begin(row.time - row.time % MINUTE_MS)
            outcome = yield from self._take(row)
            self._count(row, outcome, tally)
            if outcome == "accepted":
                taken.append(row)
            yield
        if clock is not None:
            events += yield from self._hear(clock, limit, is_history, tally)
        self._anchor()
        if self._minutes.newest != before:
            self._newest_came = self._clock()
        if not self.is_begun:
            self._forget(tally)
            return events
        wrong = yield from self._wrong(refused, limit)
        closed = yield from self._minutes.closed()
        return [*events, *_in_order([*wrong, *closed]), *self._moved(taken, clock)]

    def _take(self, row: PushedRow) -> Pieces[Outcome]:
        if isinstance(row, PushedTrade):
            return (yield from self._minutes.take_trade(row))
        if row.minutes == 1:
            return self._minutes.take_candle(row)
        return "late" if self.is_begun else self._long.take(row)

    def _count(self, row: PushedRow, outcome: Outcome, tally: Tally) -> None:
        if outcome == "accepted":
            tally.accepted += 1
        elif outcome == "doubled":
            tally.doubled += 1
        elif outcome == "late":
            tally.late += 1
            tally.late_rows.append(self._late(row))
        else:
            message = (
                f"{self._asset} has {MOST_TRADES:,} trades in open minutes, the limit, or all assets together have "
                f"{MOST_TRADES_TOGETHER:,}; push its candles"
            )
            self._refuse(row, message, tally)

    def _late(self, row: PushedRow) -> Problem:
        path = f"{'candles' if isinstance(row, PushedCandle) else 'trades'}[{row.row}]"
        if isinstance(row, PushedCandle) and row.minutes > 1:
            why = "longer candles are history, and its decisions have begun; push candles of 1m"
        elif isinstance(row, PushedTrade) and self._minutes.next is not None and row.time >= self._minutes.next:
            why = f"a trade of a closed minute had its id {row.key!r}; an id is that of one trade, across restarts too"
        else:
            until = "" if self._minutes.next is None else f" until {iso(self._minutes.next)}"
            why = f"its minutes are closed{until}, and this row is not one of those they were made of"
        return Problem(path, f"row {row.row}: {self._asset} at {iso(row.time)} is late: {why}", self._asset)

    def _refuse(self, row: PushedRow, message: str, tally: Tally) -> None:
        path = f"{'candles' if isinstance(row, PushedCandle) else 'trades'}[{row.row}].{_name(row)}"
        tally.refused += 1
        tally.problems.append(Problem(path, f"row {row.row}: {message}", self._asset))

    def _limit(self) -> int:
        """The latest time of a row of a push, by the clock of this machine and by the time that has passed.

        It holds for the whole push: rows that follow each other closely go no further into the future than one.
        """
        return max(self._now(), self._reached()) + AHEAD_MS

    def _reached(self) -> int:
        """The time that a feeder at the pace of this machine has reached; 0 before the first row."""
        if self._furthest is None:
            return 0
        time, came = self._furthest
        return time + round((self._clock() - came) * 1000 * (1 + _DRIFT))

    def _anchor(self) -> None:
        """Let the limit follow the rows, as far as they are not ahead of the clock of this machine."""
        newest = self._minutes.newest
        if newest is not None and (reached := min(newest, self._now())) > self._reached():
            self._furthest = reached, self._clock()

    def _is_paced(self, rows: Sequence[PushedRow], before: int | None) -> bool:
        passed = self._clock() - self._newest_came
        if before is None or not rows or passed < PACED_SECONDS:
            return False
        newest = max(row.time for row in rows)
        return before < newest <= before + passed * 1000 + AHEAD_MS

    def _is_live(self, row: PushedRow, is_history: bool | None, *, is_paced: bool) -> bool:
        if isinstance(row, PushedCandle) and row.minutes > 1:
            return False
        if is_history is not None:
            return not is_history
        if isinstance(row, PushedCandle) and row.is_closed is False:
            return True
        end = row.end if isinstance(row, PushedCandle) else row.time
        return is_paced or end >= self._now() - LIVE_MS

    def _hear(self, clock: int, limit: int, is_history: bool | None, tally: Tally) -> Pieces[list[FeedEvent]]:
        """The feeder's clock; one that is ahead is refused, for it would close minutes that are still open."""
        if clock > limit:
            tally.refused += 1
            tally.problems.append(Problem("clock", _ahead("clock", clock, self._now()), self._asset))
            return []
        events: list[FeedEvent] = []
        is_live = clock >= self._now() - LIVE_MS if is_history is None else not is_history
        if not self.is_begun and is_live:
            events = yield from self._begin(clock - clock % MINUTE_MS)
        self._minutes.hear(clock)
        return events

    def _begin(self, begin: int) -> Pieces[list[FeedEvent]]:
        """The first live row opens here: what came before is history."""
        self.is_begun = True
        bars = yield from self._long.bars(begin)
        end_of_bars = end_of(bars, (), self._timeframe)
        closed = yield from self._minutes.before(begin)
        first = self._oldest_kept(closed) if end_of_bars is None else end_of_bars[0]
        minutes = [each.candle for each in closed if each.candle.open_time >= first]
        self._is_cut = self._is_cut or (end_of_bars is None and len(minutes) < len(closed))
        columns = [Bars.from_candles([])]
        for place in range(0, len(minutes), _PIECE):
            columns.append(Bars.from_candles(minutes[place : place + _PIECE]))
            yield
        end = end_of(bars, minutes, self._timeframe)
        if end is None:
            yield from self._minutes.begin(begin, None)
            return []
        yield from self._minutes.begin(*end)
        history = History(Bars.joined(columns), is_whole=not self._is_cut, bars=bars, source="pushed")
        return [HistoryRead(history)]

    def _oldest_kept(self, closed: Sequence[MinuteClosed]) -> int:
        """Begin of the oldest bar that is kept, in ms. Minutes before it may be far apart: filling gaps takes long."""
        newest, length = closed[-1].candle.open_time if closed else 0, self._timeframe.milliseconds
        return newest - newest % length - self._bars * length

    def _forget(self, tally: Tally) -> None:
        forgotten = self._minutes.forget(self._most) + self._long.forget()
        self._is_cut = self._is_cut or forgotten > 0
        tally.forgotten += forgotten

    def _wrong(self, refused: Iterable[Refused], limit: int) -> Pieces[list[FeedEvent]]:
        """What a refused row means to the live path: its minute is not valid, or its price is not."""
        events: list[FeedEvent] = []
        for each in refused:
            if each.time is None or self._minutes.next is None or each.time < self._minutes.next:
                continue
            if each.problem.path.startswith("trades"):
                if each.time <= limit:
                    self._minutes.lack(each.time, each.key)
                events.append(DataRefused("price", each.time, each.problem.message))
            else:
                events.append(DataRefused("minute", each.time - each.time % MINUTE_MS, each.problem.message))
            yield
        return events

    def _moved(self, taken: Sequence[PushedRow], clock: int | None) -> list[FeedEvent]:
        """The newest price of a push, and before it the highest and the lowest of the open minute."""
        begin = self._minutes.next or 0
        prices = [(row.time, row.trade.price) for row in taken if isinstance(row, PushedTrade) and row.time >= begin]
        for row in taken:
            if isinstance(row, PushedCandle) and row.time >= begin:
                time = max(row.time, min(clock or 0, row.end - 1))
                prices += [(time, row.candle.high), (time, row.candle.low), (time, row.candle.close)]
        if not prices:
            return []
        places = {prices.index(max(prices, key=_price)), prices.index(min(prices, key=_price)), len(prices) - 1}
        return [PriceMoved(prices[place][1], prices[place][0]) for place in sorted(places)]


def _in_order(events: list[FeedEvent]) -> list[FeedEvent]:
    """Minutes by their time, also refused ones, and before them corrections and refused prices."""
    return sorted(events, key=_minute_of)


def _minute_of(event: FeedEvent) -> int:
    if isinstance(event, MinuteClosed):
        return event.candle.open_time
    return event.time if isinstance(event, DataRefused) and event.kind == "minute" else 0


def _price(moved: tuple[int, float]) -> float:
    return moved[1]


def _name(row: PushedRow) -> str:
    """The field with its time."""
    return "open_time" if isinstance(row, PushedCandle) else "time"


def _ahead(name: str, time: int, now: int) -> str:
    return (
        f"{name} {iso(time)} is {(time - now) / 1000:,.0f} s ahead of the clock of this machine, {iso(now)}; correct "
        "the clock of the feeder, or of this machine"
    )

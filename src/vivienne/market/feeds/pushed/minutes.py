"""Makes the minutes of one asset from pushed candles and trades, whatever order they come in and however often.

A minute closes by its candle, if it says that it is closed, by a candle of a later minute, by a trade of a later
minute, or by the feeder's clock. The clock of this machine says nothing.
"""

from __future__ import annotations

import math
from collections import deque
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Literal, cast

from vivienne.market.bars import CandleBuilder
from vivienne.market.feeds.base import MinuteClosed, MinuteCorrected
from vivienne.market.feeds.pushed.rows import PushedCandle
from vivienne.market.timeframe import LONGEST_FILLED_GAP
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vivienne.market.feeds.pushed.rows import PushedTrade
    from vivienne.slices import Pieces

Outcome = Literal["accepted", "doubled", "late", "full"]

MOST_TRADES = 50_000
"""Trades of an asset in minutes that are open."""
MOST_TRADES_TOGETHER = 100_000
"""Trades of all assets of a feed in minutes that are open. One push may close them all."""
MOST_HISTORY_TOGETHER = 400_000
"""Minutes, and longer candles, that are kept of the history of all assets of a feed; each has the same share."""
_SORTED, _PIECE = 1_000, 200
"""Trades that are sorted, and those that are taken up, until others may have a turn."""
_REMEMBERED = 1_500
"""Closed minutes that are remembered, to tell a repetition from a late row."""
_REMEMBERED_TRADES = 20_000
_MOST_LACKING_TOGETHER = 10_000
"""Refused trades of all minutes that are known by their ids."""
_MOST_LACKING = 1_000
"""Refused trades of a minute that are known by their ids; with more it stays incomplete."""


class Room:
    """Room for what is pushed of all assets of a feed.

    Args:
        assets: their number.

    Attributes:
        trades: number of trades that are kept.
        history: candles of a history that each asset may have.
        minutes: those of every asset.
    """

    def __init__(self, assets: int) -> None:
        self.trades = 0
        self.history = MOST_HISTORY_TOGETHER // max(1, assets)
        self.minutes: list[OpenMinutes] = []

    def make(self) -> Pieces[bool]:
        """Make candles of the history of all assets if there is no room; return whether there is some."""
        if self.trades >= MOST_TRADES_TOGETHER:
            for each in self.minutes:
                yield from each.fold()
        return self.trades < MOST_TRADES_TOGETHER


class OpenMinutes:
    """The minutes of one asset that are not closed yet.

    Work on many trades is done in pieces; nothing else is called before it is done.

    Args:
        length: of a bar, in ms.
        room: for the trades of all assets.

    Attributes:
        next: open time of the oldest minute that is not closed; None before the first one.
        newest: the newest time of all rows, in ms; None before the first one.
    """

    def __init__(self, length: int, room: Room) -> None:
        self._length = length
        self._room = room
        room.minutes.append(self)
        self.next: int | None = None
        self.newest: int | None = None
        self._candles: dict[int, PushedCandle] = {}
        self._trades: dict[int, dict[str, PushedTrade]] = {}
        self._minute_of: dict[str, int] = {}
        """By the id of a trade, its minute."""
        self._lacking: dict[int, set[str | None]] = {}
        """By minute, ids of trades that were refused; None for one without an id."""
        self._first_trades: int | None = None
        self._closed: dict[int, Candle] = {}
        self._corrected: dict[int, MinuteCorrected] = {}
        """By minute, with what it was before the push."""
        self._made: set[int] = set()
        """Closed minutes that were made of trades."""
        self._known: deque[str] = deque()
        self._keys: set[str] = set()
        self._by_candles = False
        """Whether the last minute closed by a candle: then the next one waits a minute longer for its own."""
        self._folded: set[int] = set()
        """Minutes whose trades were too many to be kept before the first one closed."""
        self._successor = 0
        self._traded = 0
        self._heard = 0
        self._close: float | None = None

    def take_candle(self, pushed: PushedCandle) -> Outcome:
        """Take a candle of one minute."""
        minute, candle = pushed.time, pushed.candle
        if self.next is not None and minute < self.next:
            if self._is_closed_as(minute, candle):
                return "doubled"
            return self._correct(minute, candle)
        before = self._candles.get(minute)
        if before is not None:
            if before.candle == candle and (before.is_closed or not pushed.is_closed):
                return "doubled"
            if before.is_closed and pushed.is_closed is False:
                return "late"
        self._candles[minute] = pushed
        self._see(pushed.end if pushed.is_closed else minute)
        self._successor = max(self._successor, pushed.end if pushed.is_closed else minute)
        return "accepted"

    def _correct(self, minute: int, candle: Candle) -> Outcome:
        """Put a candle in place of a closed minute, or of one that was missing, as long as its bar is open."""
        end = self.next or 0
        if minute < end - end % self._length or not self._was_there(minute):
            return "late"
        known = self._corrected.get(minute)
        self._corrected[minute] = MinuteCorrected(
            candle, self._closed.get(minute, candle) if known is None else known.was
        )
        self._closed[minute] = candle
        self._made.discard(minute)
        return "accepted"

    def _was_there(self, minute: int) -> bool:
        """Whether a minute closed, or is in a gap that was filled."""
        before, after = self._distance(minute, -MINUTE_MS), self._distance(minute, MINUTE_MS)
        return before is not None and after is not None and before + after <= LONGEST_FILLED_GAP

    def _distance(self, minute: int, step: int) -> int | None:
        """Number of minutes to the nearest closed one in a direction; None if a gap up to it is not filled."""
        return next((n for n in range(LONGEST_FILLED_GAP + 1) if minute + n * step in self._closed), None)

    def _is_closed_as(self, minute: int, candle: Candle) -> bool:
        """Whether a minute was closed with these values; sums over its trades may have been made in another order."""
        known = self._closed.get(minute)
        if known is None:
            return False
        return candle == known or (minute in self._made and _is_close(candle, known))

    def take_trade(self, pushed: PushedTrade) -> Pieces[Outcome]:
        """Take a trade."""
        minute, place = _minute(pushed.time), self._minute_of.get(pushed.key)
        if place is not None:
            before = self._trades[place][pushed.key]
            if before.trade == pushed.trade:
                return "doubled"
        if pushed.key in self._keys:
            return "doubled" if self.next is not None and minute < self.next else "late"
        if (self.next is not None and minute < self.next) or minute in self._folded:
            return "late"
        if place is None and not (yield from self._has_room()):
            return "full"
        if place is not None:
            self._drop(place, pushed.key)
        else:
            self._room.trades += 1
        self._trades.setdefault(minute, {})[pushed.key] = pushed
        self._minute_of[pushed.key] = minute
        self._lacking.get(minute, set()).discard(pushed.key)
        self._first_trades = minute if self._first_trades is None else min(self._first_trades, minute)
        self._see(pushed.time)
        self._traded = max(self._traded, pushed.time)
        return "accepted"

    def _drop(self, minute: int, key: str) -> None:
        """The trade is another one than it was at first."""
        trades = self._trades[minute]
        del trades[key]
        if not trades:
            del self._trades[minute]

    def _has_room(self) -> Pieces[bool]:
        if len(self._minute_of) >= MOST_TRADES and not (yield from self.fold()):
            return False
        return (yield from self._room.make())

    def fold(self) -> Pieces[bool]:
        """Before the first minute is closed, make candles of the trades of all minutes but the newest."""
        if self.next is not None:
            return False
        for minute in sorted(self._trades)[:-1]:
            row = next(iter(self._trades[minute].values())).row
            candle = yield from self._made_of_trades(minute)
            self._folded.add(minute)
            if minute not in self._candles and minute != self._first_trades:
                self._candles[minute] = PushedCandle(row, candle, 1, is_closed=True)
        return len(self._minute_of) < MOST_TRADES

    def forget(self, most: int) -> int:
        """Before the first minute is closed, forget the oldest beyond a number; give how many."""
        if len(self._candles) <= most:
            return 0
        oldest = sorted(self._candles)[: len(self._candles) - most]
        for minute in oldest:
            del self._candles[minute]
            self._folded.discard(minute)
        return len(oldest)

    def lack(self, time: int, key: str | None) -> None:
        """A trade of this time was refused, so its minute is incomplete unless it comes again."""
        minute = _minute(time)
        if self.next is not None and minute >= self.next and len(self._lacking) < _REMEMBERED:
            missing = self._lacking.setdefault(minute, set())
            is_known = len(missing) < _MOST_LACKING and sum(map(len, self._lacking.values())) < _MOST_LACKING_TOGETHER
            missing.add(key if is_known else None)

    def hear(self, time: int) -> None:
        """The feeder has pushed everything before this time."""
        self._heard = max(self._heard, time)
        self._see(time)

    def _see(self, time: int) -> None:
        self.newest = time if self.newest is None else max(self.newest, time)

    def before(self, end: int) -> Pieces[list[MinuteClosed]]:
        """Close every minute before a time, oldest first."""
        found: list[MinuteClosed] = []
        for minute in sorted({*self._candles, *self._trades}):
            if minute >= end:
                break
            found += yield from self._close_minute(minute)
        return found

    def begin(self, end: int, close: float | None) -> Pieces[None]:
        """Everything before a time is known, and ended with this price."""
        self.next, self._close = end, self._close if close is None else close
        self._by_candles = False
        self._folded.clear()
        for minute in [minute for minute in [*self._candles, *self._trades] if minute < end]:
            yield from self._close_minute(minute)

    def closed(self) -> Pieces[list[MinuteClosed | MinuteCorrected]]:
        """Correct closed minutes, and close those that are over, oldest first."""
        found: list[MinuteClosed | MinuteCorrected] = [*self._corrected.values()]
        self._corrected.clear()
        pushed_to = _minute(self._heard)
        for minute in sorted({*self._candles, *self._trades}):
            found += self._quiet(min(minute, pushed_to))
            if not self._is_over(minute):
                return found
            found += yield from self._close_minute(minute)
        return [*found, *self._quiet(pushed_to)]

    def _is_over(self, minute: int) -> bool:
        waits = self._by_candles or minute in self._candles
        traded = self._traded - (MINUTE_MS if waits else 0)
        return minute + MINUTE_MS <= max(self._heard, traded) or minute < self._successor

    def _quiet(self, end: int) -> Iterator[MinuteClosed]:
        """Minutes without a trade before a time, of a feeder that pushes trades and says that it has pushed all."""
        if self.next is None or self._close is None or self._by_candles or self._first_trades is None:
            return
        if end - self.next > LONGEST_FILLED_GAP * MINUTE_MS:
            return
        for minute in range(self.next, end, MINUTE_MS):
            close = self._close
            yield self._out(Candle(minute, close, close, close, close, 0.0, 0.0, 0.0, 0.0), "pushed")

    def _close_minute(self, minute: int) -> Pieces[list[MinuteClosed]]:
        """The closed minute; empty for the first one of trades before anything else, which may not be whole."""
        pushed = self._candles.pop(minute, None)
        lacks = bool(self._lacking.pop(minute, None))
        yield
        if pushed is not None:
            yield from self._take_trades(minute)
            self._by_candles = True
            return [self._out(pushed.candle, "pushed")]
        self._by_candles = False
        candle = yield from self._made_of_trades(minute)
        is_partial = minute == self._first_trades
        if is_partial and self._close is None:
            self.next, self._close = None if self.next is None else minute + MINUTE_MS, candle.close
            return []
        self._made.add(minute)
        return [self._out(candle, "incomplete" if is_partial or lacks else "pushed")]

    def _out(self, candle: Candle, source: Literal["pushed", "incomplete"]) -> MinuteClosed:
        self._closed[candle.open_time] = candle
        while len(self._closed) > _REMEMBERED:
            oldest = next(iter(self._closed))
            del self._closed[oldest]
            self._made.discard(oldest)
        self._close = candle.close
        if self.next is not None:
            self.next = candle.open_time + MINUTE_MS
        return MinuteClosed(candle, source)

    def _made_of_trades(self, minute: int) -> Pieces[Candle]:
        """The candle of the trades of a minute, at least one, which are taken out."""
        trades, builder = (yield from self._take_trades(minute)), CandleBuilder()
        runs: list[list[PushedTrade]] = []
        for begin in range(0, len(trades), _SORTED):
            runs.append(sorted(trades[begin : begin + _SORTED], key=_place))
            yield
        in_order = merge(*runs, key=_place)
        while part := list(islice(in_order, _PIECE)):
            for pushed in part:
                builder.add(pushed.trade)
            yield
        return cast("Candle", builder.forming)

    def _take_trades(self, minute: int) -> Pieces[list[PushedTrade]]:
        """Take the trades of a minute out, in the order in which they came."""
        found = [*self._trades.pop(minute, {}).values()]
        self._room.trades -= len(found)
        for begin in range(0, len(found), _PIECE):
            self._remember(pushed.key for pushed in found[begin : begin + _PIECE])
            yield
        return found

    def _remember(self, keys: Iterable[str]) -> None:
        """Trades that were taken out, to tell a repetition from a late one."""
        for key in keys:
            del self._minute_of[key]
            self._known.append(key)
            self._keys.add(key)
        while len(self._known) > _REMEMBERED_TRADES:
            self._keys.discard(self._known.popleft())


def _minute(time: int) -> int:
    return time - time % MINUTE_MS


def _is_close(one: Candle, other: Candle) -> bool:
    """Whether two candles differ by no more than sums in another order, in what both know."""
    return all(
        math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-9) or math.isnan(mine) or math.isnan(theirs)
        for mine, theirs in zip(one, other, strict=True)
    )


def _place(pushed: PushedTrade) -> tuple[int, int]:
    """Where a trade belongs: by time, then by number; a sort keeps the order of arrival of others."""
    return pushed.time, -1 if pushed.number is None else pushed.number

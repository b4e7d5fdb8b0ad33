"""Minutes of an instrument that are made from its trades; see `vivienne.market.feeds.exchange.splicing`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import FeedEvent, MinuteClosed, MinuteCorrected, PriceMoved
from vivienne.market.feeds.exchange.adapter import CandleSeen, Heard, HistoryRow, Traded
from vivienne.market.feeds.exchange.grace import GRACE_MS
from vivienne.market.feeds.exchange.minutes import BEHIND_MS, MOST_MINUTES, MinuteBuilder
from vivienne.market.feeds.exchange.splicing import (
    ASKED_AGAIN_MS,
    SETTLED_MS,
    CandlesNeeded,
    HistoryNeeded,
    TradesNeeded,
    closed_rows,
    missing,
)
from vivienne.market.feeds.exchange.unconfirmed import differing
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from vivienne.market.feeds.exchange.adapter import NumberedTrade, StreamEvent
    from vivienne.market.feeds.exchange.room import Room
    from vivienne.market.feeds.exchange.splicing import Need

_CHECK_GRACE_MS = 2_000
"""The same where minutes are made from trades, and the candle is the check; and for trades that it has already."""
_SILENCE_MS = 15_000
"""An exchange whose clock alone ends minutes says its time more often than that: Kraken every 5 s when asked."""
_MOST_AHEAD = 1_500
"""Closed minutes that are held back; more are asked for again."""
_MOST_UNDER_WAY = 3
"""Minutes whose own candles without a flag are kept: that which is open, and some that may still be held back."""
_MOST_UNCHECKED = 60
"""Minutes that were made and wait for the exchange's own candle. Some exchanges send none that is closed."""


class FromTrades:
    """See `Splice`. Minutes are made from trades; the exchange's candle is the check, and the last resort.

    Args:
        begin: open time of the first minute to make.
        close: the last price before it.
        is_flagged: whether the exchange's candle says when it is closed. It is waited for, so that trades that were
            lost without a trace are noticed before the minute is decided on.
        room: for the trades of all instruments.
    """

    def __init__(self, begin: int, close: float | None, *, is_flagged: bool = False, room: Room | None = None) -> None:
        self._builder = MinuteBuilder(begin, close, room=room, flag_grace=_CHECK_GRACE_MS if is_flagged else 0)
        self._builder.interrupt()
        self._is_flagged = is_flagged
        self._asked_without_flag: int | None = None
        self._own: dict[int, Candle] = {}
        self._under_way: dict[int, Candle] = {}
        self._made: dict[int, Candle] = {}
        self._silent_until: int | None = None
        self._before_silence: NumberedTrade | None = None
        self._ask_from = self._ask_trades_from = begin
        self.heard = self._said = begin

    def take(self, event: StreamEvent) -> list[FeedEvent]:
        """See `Splice`."""
        if isinstance(event, Heard):
            self._notice_silence([event.time])
            self.heard = max(self.heard, event.time)
            self._builder.hear(event.time)
        elif isinstance(event, Traded):
            if not event.is_snapshot:
                self._notice_silence([each.trade.time for each in event.trades])
            new = self._builder.add(event.trades)
            if new:
                self._said = max(self._said, *[each.trade.time for each in new])
            if not event.is_snapshot:
                self._builder.see_late(new)
            self._join(event.trades if event.is_snapshot else new, is_snapshot=event.is_snapshot)
            moved = [PriceMoved(each.trade.price, each.trade.time) for each in new[-1:] if not event.is_snapshot]
            return [*moved, *self._minutes()]
        elif isinstance(event, CandleSeen):
            return [*self._check(event), *self._minutes()]
        return self._minutes()

    @property
    def is_behind(self) -> bool:
        """See `Splice`."""
        return self._builder.is_behind

    @property
    def left_out(self) -> int:
        """See `Splice`."""
        return self._builder.left_out

    def go_on(self) -> list[FeedEvent]:
        """See `Splice`."""
        return self._minutes()

    def let_go(self) -> Iterator[None]:
        """See `Splice`."""
        return self._builder.let_go()

    def _notice_silence(self, times: Sequence[int]) -> None:
        """Where nothing was said for a while, no time ends a minute, be it of the clock or of a trade.

        Trades may have been left out, also where the exchange goes on before the minute is over.
        """
        new = [time for time in times if time > self._said]
        if not new:
            return
        if min(new) - self._said > _SILENCE_MS:
            if self._silent_until is None or self._silent_until < self._builder.begin:
                self._before_silence = self._builder.last
            self._silent_until = min(new)
        self._said = max(new)
        if self._silent_until is None:
            return
        begin = self._builder.begin
        if self._said >= begin + MINUTE_MS and begin <= self._silent_until and begin not in self._own:
            self._builder.doubt(self._before_silence)
            self._silent_until = None

    def _join(self, trades: Sequence[NumberedTrade], *, is_snapshot: bool) -> None:
        """Trades came that the stream goes on with.

        Where they have numbers, as those before a silence, these tell of those that were left out.
        """
        if not self._builder.join(trades) or self._silent_until is None:
            return
        before, until = self._before_silence, self._silent_until
        is_after = is_snapshot or any(each.trade.time >= until for each in trades)
        if is_after and before is not None and before.number is not None:
            self._silent_until = None

    def _check(self, event: CandleSeen) -> list[FeedEvent]:
        if event.is_closed is None:
            _remember(self._under_way, event.candle, _MOST_UNDER_WAY)
        if not event.is_closed:
            return []
        _remember(self._own, event.candle, _MOST_AHEAD)
        found = self._compared(event.candle.open_time)
        # Those of minutes that are made or filled have nothing left to check.
        self._own = {minute: own for minute, own in self._own.items() if minute >= self._builder.begin}
        return found

    def _end_confirmed(self) -> None:
        """End the oldest minute if its own candle is there and has no trade that is still on its way.

        Candles and trades are told apart from each other: either may come first.
        """
        minute = self._builder.begin
        own = self._own.get(minute)
        if own is not None and ((so_far := self._builder.so_far(minute)) is None or not differing(so_far, own)):
            self._builder.end(minute)

    def _doubt_fewer(self) -> None:
        """A minute that is over has to have all trades that the exchange counted in its own candle while it was open.

        Where it has fewer, these are asked for, once.
        """
        minute = self._builder.begin
        if minute not in self._under_way or not self._builder.is_over or self._builder.is_broken:
            return
        if self._builder.hole() is not None:
            return
        theirs, mine = self._under_way.pop(minute), self._builder.so_far(minute)
        if theirs.trade_count > (0.0 if mine is None else mine.trade_count):
            self._builder.doubt(None)

    def _doubt_without_flag(self) -> None:
        """A minute that is over and has no closed candle may lack trades too, where these have no numbers: ask once."""
        minute, last = self._builder.begin, self._builder.last
        if not self._is_flagged or minute in self._own or minute == self._asked_without_flag:
            return
        is_numbered = last is not None and last.number is not None
        if is_numbered or not self._builder.is_over or self._builder.is_broken or self._builder.hole() is not None:
            return
        self._asked_without_flag = minute
        self._builder.doubt(last)

    def _look_at_next(self) -> None:
        """See whether the exchange's own candles end the oldest minute, or tell of trades that it lacks."""
        self._end_confirmed()
        self._doubt_fewer()
        self._doubt_without_flag()

    def _closed(self, candle: Candle) -> list[FeedEvent]:
        """A minute that was made. Where the exchange's own candle is there already and differs, it is the minute."""
        _remember(self._made, candle, _MOST_UNCHECKED)
        own = self._own.get(candle.open_time)
        corrected = self._compared(candle.open_time)
        if own is not None and corrected:
            self._builder.close_at(own)
            return [*corrected, MinuteClosed(own, "filled")]
        return [MinuteClosed(candle, "streamed")]

    def _compared(self, minute: int) -> list[FeedEvent]:
        """The correction of a minute, where the exchange's own candle is there and differs."""
        if minute not in self._own or minute not in self._made:
            return []
        made, own = self._made.pop(minute), self._own.pop(minute)
        return [MinuteCorrected(own, made)] if differing(made, own) else []

    def _minutes(self) -> list[FeedEvent]:
        found: list[FeedEvent] = []
        while True:
            self._look_at_next()
            for candle in self._builder.made():
                found += self._closed(candle)
                self._look_at_next()
            own = self._own.get(self._builder.begin) if self._builder.is_broken else None
            if own is None or not self._builder.supply(own):
                return found
            found.append(MinuteClosed(own, "filled"))

    def interrupt(self) -> None:
        """See `Splice`."""
        self._builder.interrupt()
        self._ask_from = self._ask_trades_from = self.heard

    @property
    def interruptions(self) -> int:
        """See `Splice`."""
        return self._builder.interruptions

    def need(self) -> Need | None:
        """See `Splice`. Trades first; the candle of the minute where they cannot be had, once it is closed."""
        begin = self._builder.begin
        if (count := missing(begin, self.heard)) > MOST_MINUTES:
            return HistoryNeeded(count)
        if self._builder.is_broken:
            is_there = self.heard >= max(begin + MINUTE_MS + GRACE_MS, self._ask_from)
            # With the one that is open, which shows that those before it are closed.
            return CandlesNeeded(begin, self.heard - self.heard % MINUTE_MS + MINUTE_MS) if is_there else None
        hole = self._builder.hole()
        if hole is None or self.heard < self._ask_trades_from:
            return None
        return TradesNeeded(hole.after, begin)

    def answer_part(self, trades: Sequence[NumberedTrade]) -> list[FeedEvent]:
        """See `Splice`."""
        self._builder.add(trades)
        return self._minutes()

    def answer_trades(
        self,
        trades: Sequence[NumberedTrade],
        *,
        is_whole: bool,
        span: tuple[int, int] | None = None,
        asked: float = math.inf,
    ) -> list[FeedEvent]:
        """See `Splice`. Where the answer may end early, it is asked for again after a while.

        One without any trade may be far behind the stream, so at a start it may not say that there were none.
        """
        oldest, newest = span or (None, 0)
        newest = max([newest, *(each.trade.time for each in trades)])
        is_whole = is_whole and (newest > 0 or not self._builder.is_contradicted(asked))
        if is_whole and self._builder.may_end_early(newest, asked):
            self._builder.add(trades)
            self._ask_trades_from = self.heard + BEHIND_MS
        else:
            self._builder.cover(trades, is_whole=is_whole, oldest=oldest)
        return self._minutes()

    def answer_candles(self, rows: Sequence[HistoryRow], *, asked: int) -> Iterator[list[FeedEvent]]:
        """See `Splice`. They take the place of minutes that lack trades, and of no others."""
        for row in closed_rows(rows, asked - SETTLED_MS):
            if self._builder.is_broken and self._builder.supply(row.candle):
                yield [MinuteClosed(row.candle, "filled"), *self._minutes()]
        is_young = asked < self._builder.begin + MINUTE_MS + SETTLED_MS
        self._ask_from = self.heard + ASKED_AGAIN_MS if self._builder.is_broken and is_young else self.heard

    def corrected(self, candle: Candle) -> None:
        """See `Splice`."""
        self._builder.close_at(candle)

    def short_minutes(self) -> Collection[int]:
        """See `Splice`."""
        found = self._builder.short
        if found:
            self._builder.short = set()
        return found

    def lacks_candles(self) -> bool:
        """See `Splice`. Minutes are made from trades."""
        return False

    def give_up(self) -> list[FeedEvent]:
        """See `Splice`."""
        if not self._builder.is_broken:
            self._builder.give_up()
            return self._minutes()
        candle = self._builder.incomplete()
        return [*([] if candle is None else [MinuteClosed(candle, "incomplete")]), *self._minutes()]


def _remember(kept: dict[int, Candle], candle: Candle, most: int) -> None:
    kept[candle.open_time] = candle
    while len(kept) > most:
        del kept[next(iter(kept))]

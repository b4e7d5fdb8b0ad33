"""Minutes of an exchange whose candles are the minutes; see `vivienne.market.feeds.exchange.splicing`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import FeedEvent, MinuteClosed, PriceMoved
from vivienne.market.feeds.exchange.adapter import CandleSeen, Heard, Traded
from vivienne.market.feeds.exchange.minutes import MOST_MINUTES
from vivienne.market.feeds.exchange.splicing import (
    ASKED_AGAIN_MS,
    SETTLED_MS,
    CandlesNeeded,
    HistoryNeeded,
    closed_rows,
    missing,
)
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from vivienne.market.feeds.exchange.adapter import HistoryRow, NumberedTrade, StreamEvent
    from vivienne.market.feeds.exchange.splicing import Need

FLAG_GRACE_MS = 5_000
"""How long after the end of a minute its closed candle is waited for, by the exchange's clock."""
_FILLED_AT_ONCE = 50
"""Candles of an answer that are taken until others may have a turn."""
_MOST_AHEAD = 1_500
"""Closed minutes that are held back; more are asked for again."""


class FromCandles:
    """See `Splice`. The exchange's closed candle is the minute.

    Args:
        begin: open time of the first minute to make.
    """

    is_behind = False
    left_out = 0

    def __init__(self, begin: int) -> None:
        self._next = begin
        self._ahead: dict[int, Candle] = {}
        self._is_broken = True
        self.interruptions = 0
        self._is_unsettled = False
        self._ask_from = begin
        self.heard = begin
        self._told_to = begin
        """The newest minute of which the stream said anything."""
        self._is_lacking = False
        """Whether REST had trades of a minute of which the stream said nothing, though nothing broke off."""

    def take(self, event: StreamEvent) -> list[FeedEvent]:
        """See `Splice`."""
        if isinstance(event, Heard):
            self.heard = max(self.heard, event.time)
        elif isinstance(event, Traded) and event.trades:
            newest = event.trades[-1].trade
            self._told_to = max(self._told_to, newest.time)
            return [PriceMoved(newest.price, newest.time)]
        elif isinstance(event, CandleSeen):
            self._told_to = max(self._told_to, event.candle.open_time)
            return self._closed(event.candle) if event.is_closed else []
        return []

    def _closed(self, candle: Candle) -> list[FeedEvent]:
        if candle.open_time >= self._next and len(self._ahead) < _MOST_AHEAD:
            self._ahead[candle.open_time] = candle
        return [] if self._is_broken else self._released()

    def _released(self) -> list[FeedEvent]:
        found: list[FeedEvent] = []
        while (candle := self._ahead.pop(self._next, None)) is not None:
            found.append(MinuteClosed(candle, "streamed"))
            self._next += MINUTE_MS
        return found

    def interrupt(self) -> None:
        """See `Splice`."""
        self._is_broken = True
        self._ask_from = self.heard
        self.interruptions += 1

    def need(self) -> Need | None:
        """See `Splice`."""
        if (count := missing(self._next, self.heard)) > MOST_MINUTES:
            return HistoryNeeded(count)
        if self.heard < self._ask_from:
            return None
        missing_to = min(self._ahead, default=self._next)
        overdue = self.heard - self._next - MINUTE_MS > FLAG_GRACE_MS
        if self._is_broken or self._is_unsettled or overdue or missing_to > self._next:
            end = max(missing_to, self.heard - self.heard % MINUTE_MS, self._next) + MINUTE_MS
            return CandlesNeeded(self._next, end)
        return None

    def go_on(self) -> list[FeedEvent]:
        """See `Splice`."""
        return []

    def let_go(self) -> Iterator[None]:
        """See `Splice`."""
        yield from ()

    def answer_part(self, trades: Sequence[NumberedTrade]) -> list[FeedEvent]:
        """See `Splice`. Trades are never needed."""
        del trades
        return []

    def answer_trades(
        self,
        trades: Sequence[NumberedTrade],
        *,
        is_whole: bool,
        span: tuple[int, int] | None = None,
        asked: float = math.inf,
    ) -> list[FeedEvent]:
        """See `Splice`. Trades are never needed."""
        del trades, is_whole, span, asked
        return []

    def answer_candles(self, rows: Sequence[HistoryRow], *, asked: int) -> Iterator[list[FeedEvent]]:
        """See `Splice`. What the stream said of a minute counts; it is compared once the exchange has settled it.

        A candle is closed where the answer has a later one: a clock that is wrong closes none, and what answers may
        be behind the stream. What is not closed is asked for again.
        """
        closed = closed_rows(rows)
        for begin in range(0, len(closed), _FILLED_AT_ONCE):
            yield [event for row in closed[begin : begin + _FILLED_AT_ONCE] for event in self._filled(row.candle)]
        self._is_broken = False
        yield self._released()
        end = self._next + MINUTE_MS
        self._is_unsettled = end <= asked < end + SETTLED_MS
        self._ask_from = self.heard + ASKED_AGAIN_MS if self._is_unsettled else self.heard

    def _filled(self, candle: Candle) -> list[FeedEvent]:
        found: list[FeedEvent] = []
        if candle.open_time == self._next and candle.open_time not in self._ahead:
            found.append(MinuteClosed(candle, "filled"))
            self._is_lacking |= not self._is_broken and candle.volume > 0 and candle.open_time > self._told_to
            self._next += MINUTE_MS
        return found + self._released()

    def corrected(self, candle: Candle) -> None:
        """See `Splice`. Quiet minutes come from the exchange too."""
        del candle

    def short_minutes(self) -> Collection[int]:
        """See `Splice`. The exchange's own candles lack no trades."""
        return ()

    def lacks_candles(self) -> bool:
        """See `Splice`."""
        found, self._is_lacking = self._is_lacking, False
        return found

    def give_up(self) -> list[FeedEvent]:
        """See `Splice`. Minutes that are missing are never made up."""
        return []

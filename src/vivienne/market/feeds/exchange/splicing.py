"""Joins what the stream says of one instrument with what the exchange answers when it is asked, to minutes in order.

Pure: what happens goes in, events of the feed come out, and `need` says what to ask the exchange for. As long as
something is needed, minutes that may lack something are held back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.feeds.exchange.adapter import HistoryRow, NumberedTrade, StreamEvent
    from vivienne.market.types import Candle

SETTLED_MS = 30_000
"""So long after the end of a minute its candle counts though the answer has no later one: markets may be quiet."""
ASKED_AGAIN_MS = 3_000
"""What an answer did not have closed is asked for again after so long, by the exchange's clock."""


@dataclass(frozen=True, slots=True)
class TradesNeeded:
    """The trades after one, or from a time on where none is known."""

    after: NumberedTrade | None
    begin: int


@dataclass(frozen=True, slots=True)
class CandlesNeeded:
    """The exchange's candles of minutes: those that open from `begin` on and before `end`, in ms."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class HistoryNeeded:
    """The history, read again: more minutes are missing than are filled.

    Attributes:
        minutes: number of those that are missing.
    """

    minutes: int


Need = TradesNeeded | CandlesNeeded | HistoryNeeded


class Splice(Protocol):
    """Makes the minutes of one instrument.

    Attributes:
        heard: the exchange's clock, in ms since the epoch.
        is_behind: whether there is work left that would take long at once; `go_on` does some of it.
        left_out: number of trades that were more than are kept.
        interruptions: how often data may have been missed. What the exchange answered before covers none of it since.
    """

    heard: int

    @property
    def is_behind(self) -> bool:
        """See above."""

    @property
    def left_out(self) -> int:
        """See above."""

    @property
    def interruptions(self) -> int:
        """See above."""

    def go_on(self) -> list[FeedEvent]:
        """Do some of the work that is left."""

    def let_go(self) -> Iterator[None]:
        """Let go of what it keeps, a little at a time, when it is not used any longer."""

    def take(self, event: StreamEvent) -> list[FeedEvent]:
        """Take an event of the stream."""

    def interrupt(self) -> None:
        """The stream broke off."""

    def need(self) -> Need | None:
        """What to ask the exchange for before minutes can go on; None if nothing."""

    def answer_part(self, trades: Sequence[NumberedTrade]) -> list[FeedEvent]:
        """Take some trades of the answer to `TradesNeeded`, before the rest of it."""

    def answer_trades(
        self,
        trades: Sequence[NumberedTrade],
        *,
        is_whole: bool,
        span: tuple[int, int] | None = None,
        asked: float = math.inf,
    ) -> list[FeedEvent]:
        """Take the answer to `TradesNeeded`, or what is left of it.

        Args:
            trades: in any order.
            is_whole: whether they reach back to the trade or the time that was asked for.
            span: times of the oldest and the newest trade of the whole answer, where there were parts before.
            asked: the exchange's clock when it was asked for, in ms since the epoch.
        """

    def answer_candles(self, rows: Sequence[HistoryRow], *, asked: int) -> Iterator[list[FeedEvent]]:
        """Take the answer to `CandlesNeeded`, a little at a time; the stream may go on between.

        Args:
            rows: oldest first.
            asked: the exchange's clock when it was asked for, in ms since the epoch.
        """

    def corrected(self, candle: Candle) -> None:
        """A minute that was made is this one: quiet minutes after it have its close."""

    def short_minutes(self) -> Collection[int]:
        """Open times of minutes that were made without trades that came later; each is given once."""

    def lacks_candles(self) -> bool:
        """Whether an answer had trades of a minute of which the stream said nothing; each time is told once."""

    def give_up(self) -> list[FeedEvent]:
        """What is needed cannot be had: go on without it, and say which minutes are incomplete."""


def missing(begin: int, heard: int) -> int:
    """Number of minutes that are over by the exchange's clock, from one on."""
    return (heard - begin) // MINUTE_MS


def is_closed(row: HistoryRow, heard: int) -> bool:
    """Whether a candle of the history is closed: as the exchange says, else by its clock."""
    return row.candle.open_time + MINUTE_MS <= heard if row.is_closed is None else row.is_closed


def closed_rows(rows: Sequence[HistoryRow], over: int = 0, length: int = MINUTE_MS) -> list[HistoryRow]:
    """The candles of an answer that are closed: as the exchange says, else where it has a later one, or they are old.

    The stream's clock alone closes none: what answers may be seconds behind it, and a candle lacks trades then.

    Args:
        rows: oldest first.
        over: what ends by then is closed, in ms since the epoch; 0 where age does not count.
        length: of a candle, in ms.
    """
    over = max(over, *(row.candle.open_time for row in rows), 0)
    return [row for row in rows if (row.candle.open_time + length <= over if row.is_closed is None else row.is_closed)]

"""A minute that is open: its trades, and their candle so far, so that little is left to do once it is over."""

from __future__ import annotations

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from vivienne.market.types import Candle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.market.feeds.exchange.adapter import NumberedTrade

_BEFORE = -1
"""Before the place of the first trade."""
_SORTED, _PIECE = 500, 200
"""Trades that are sorted at once, and those that are summed up. Either takes less than half a millisecond."""
_PIECES = 3
"""Pieces of work until others may have a turn."""


class _Sums:
    """What the candle of some trades is made of.

    Only the last bits of the sums depend on the order in which they are taken.

    Attributes:
        last: place of the last trade by number or time; `_BEFORE` without any.
    """

    __slots__ = ("_close", "_count", "_first", "_high", "_low", "_open", "_quote_volume", "_taker_buy", "_volume",
                 "last")  # fmt: skip

    def __init__(self) -> None:
        self.last = self._first = _BEFORE
        self._open = self._high = self._low = self._close = 0.0
        self._volume = self._quote_volume = self._taker_buy = 0.0
        self._count = 0

    def take(self, numbered: NumberedTrade) -> bool:
        """Take a trade; whether none that came before belongs behind it."""
        time, price, quantity, buyer_is_maker, count = numbered.trade
        place = time if numbered.number is None else numbered.number
        is_in_order = place >= self.last
        if is_in_order:
            if self.last == _BEFORE:
                self._first = place
                self._open = self._high = self._low = price
            self.last = place
            self._close = price
        elif place < self._first:
            self._first = place
            self._open = price
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._volume += quantity
        self._quote_volume += price * quantity
        self._count += count
        if not buyer_is_maker:
            self._taker_buy += quantity
        return is_in_order

    def candle(self, minute: int) -> Candle:
        """The candle of the minute that opens at this time; there must be a trade."""
        return Candle(minute, self._open, self._high, self._low, self._close, self._volume, self._quote_volume,
                      float(self._count), self._taker_buy)  # fmt: skip


class OpenMinute:
    """The trades of a minute.

    Trades mostly come in order. Each is added to the candle at once then. Else the candle is made again from all of
    them, in the same steps, so that it does not depend on how they came; until then its sums are right but for their
    last bits.

    Attributes:
        trades: by their keys.
    """

    __slots__ = ("_is_in_order", "_settling", "_sums", "trades")

    def __init__(self) -> None:
        self.trades: dict[str, NumberedTrade] = {}
        self._sums = _Sums()
        self._is_in_order = True
        self._settling: Iterator[None] | None = None

    @property
    def last(self) -> int:
        """The largest number of a trade, or the latest time where they have none."""
        return self._sums.last

    def add(self, numbered: NumberedTrade) -> None:
        """Take a trade that is not known yet."""
        self.trades[numbered.key] = numbered
        if not self._sums.take(numbered):
            self._is_in_order = False
        self._settling = None

    def settle(self) -> bool:
        """Make the candle as if the trades had come in order, a piece at a time; whether that is done."""
        if not self._is_in_order:
            if self._settling is None:
                self._settling = self._settled()
            for _ in islice(self._settling, _PIECES):
                pass
        return self._is_in_order

    def _settled(self) -> Iterator[None]:
        trades, sums, runs = list(self.trades.values()), _Sums(), list[list["NumberedTrade"]]()
        for begin in range(0, len(trades), _SORTED):
            runs.append(sorted(trades[begin : begin + _SORTED], key=_place))
            yield
        in_order = merge(*runs, key=_place)
        while part := list(islice(in_order, _PIECE)):
            for numbered in part:
                sums.take(numbered)
            yield
        self._sums, self._is_in_order = sums, True

    def candle(self, minute: int) -> Candle:
        """The candle of the minute that opens at this time; there must be a trade."""
        return self._sums.candle(minute)


def _place(numbered: NumberedTrade) -> int:
    """Where a trade belongs: by number, or by time where there is none; a sort keeps the order of arrival then."""
    return numbered.trade.time if numbered.number is None else numbered.number

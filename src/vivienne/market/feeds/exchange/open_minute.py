"""A minute that is open: its trades, and their candle so far, so that little is left to do once it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.market.types import Candle

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import NumberedTrade

_BEFORE = -1
"""Before the place of the first trade."""


class OpenMinute:
    """The trades of a minute.

    Trades mostly come in order. Each is added to the candle at once then. Else the candle is made again from all of
    them, in the same steps, so that it does not depend on how they came.

    Attributes:
        trades: by their keys.
        newest: the largest number of a trade; None where they have none.
    """

    __slots__ = ("_close", "_count", "_high", "_is_in_order", "_last", "_low", "_open", "_quote_volume", "_taker_buy",
                 "_volume", "newest", "trades")  # fmt: skip

    def __init__(self) -> None:
        self.trades: dict[str, NumberedTrade] = {}
        self.newest: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._is_in_order = True
        self._last = _BEFORE
        self._open = self._high = self._low = self._close = 0.0
        self._volume = self._quote_volume = self._taker_buy = 0.0
        self._count = 0

    def add(self, numbered: NumberedTrade) -> None:
        """Take a trade that is not known yet."""
        self.trades[numbered.key] = numbered
        number = numbered.number
        if number is not None and (self.newest is None or number > self.newest):
            self.newest = number
        if self._is_in_order:
            self._extend(numbered)

    def _extend(self, numbered: NumberedTrade) -> None:
        time, price, quantity, buyer_is_maker, count = numbered.trade
        place = time if numbered.number is None else numbered.number
        if place < self._last:
            self._is_in_order = False
            return
        if self._last == _BEFORE:
            self._open = self._high = self._low = price
        elif price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._last = place
        self._close = price
        self._volume += quantity
        self._quote_volume += price * quantity
        self._count += count
        if not buyer_is_maker:
            self._taker_buy += quantity

    def settle(self) -> None:
        """Bring the candle up to date."""
        if not self._is_in_order:
            self._begin()
            for numbered in sorted(self.trades.values(), key=_place):
                self._extend(numbered)

    def candle(self, minute: int) -> Candle:
        """The candle of the minute that opens at this time; there must be a trade."""
        self.settle()
        return Candle(minute, self._open, self._high, self._low, self._close, self._volume, self._quote_volume,
                      float(self._count), self._taker_buy)  # fmt: skip


def _place(numbered: NumberedTrade) -> int:
    """Where a trade belongs: by number, or by time where there is none; a sort keeps the order of arrival then."""
    return numbered.trade.time if numbered.number is None else numbered.number

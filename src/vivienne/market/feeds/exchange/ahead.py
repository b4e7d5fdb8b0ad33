"""Follows the numbers of an instrument's trades: which have come without a hole, and which wait for others."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import NumberedTrade

_AT_ONCE = 1_000
"""Trades that are followed until others may have a turn."""


class Ahead:
    """The numbers of trades, up to the first hole, and the trades that are ahead of it.

    Attributes:
        front: the last trade before the hole; None if none is known.
        number: its number.
    """

    def __init__(self) -> None:
        self.front: NumberedTrade | None = None
        self.number: int | None = None
        self._waiting: dict[int, NumberedTrade] = {}
        """By their first number."""
        self._firsts: list[int] = []
        """A heap of these numbers."""
        self._given_up = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, numbered: NumberedTrade) -> bool:
        """Take a trade; whether it has to wait for those before it."""
        number = numbered.number
        if number is None:
            return False
        first = number - numbered.combined + 1
        if self.number is not None:
            if first <= self.number:
                return False
            if first == self.number + 1:
                self.front, self.number = numbered, number
                return False
        if first not in self._waiting:
            heappush(self._firsts, first)
        self._waiting[first] = numbered
        return True

    def begin(self, number: int) -> None:
        """Trades up to this number were known at the start."""
        if self.number is None or number > self.number:
            self.number = number

    def follow(self) -> bool:
        """Go up to the first hole, some trades at a time; whether it is found, or there is none."""
        if not self._waiting:
            return True
        if self.number is None:
            self.number = self._firsts[0] - 1
        for _ in range(_AT_ONCE):
            if not self._firsts:
                return True
            first = self._firsts[0]
            if first > self.number + 1 and minute_of(self._waiting[first]) >= self._given_up:
                return True
            heappop(self._firsts)
            found = self._waiting.pop(first)
            # It may be behind by now, where numbers overlap, or were all known.
            if found.number is not None and found.number > self.number:
                self.front, self.number = found, found.number
        return False

    def first(self) -> NumberedTrade | None:
        """The trade behind the hole; None if none waits."""
        return self._waiting[self._firsts[0]] if self._firsts else None

    def give_up(self) -> None:
        """What is missing before the first hole cannot be had."""
        if self._firsts:
            self.number = max(self._firsts[0] - 1, self.number or 0)

    def give_up_before(self, minute: int) -> None:
        """What is missing before a trade of an earlier minute is not needed."""
        self._given_up = max(self._given_up, minute)

    def skip_to(self, minute: int) -> None:
        """Only trades of this minute and later ones count; what is missing before them is not known."""
        self._waiting = {first: each for first, each in self._waiting.items() if minute_of(each) >= minute}
        self._firsts = list(self._waiting)
        heapify(self._firsts)
        self.front = self.number = None

    def forget(self, count: int) -> None:
        """Let go of so many trades, when none counts any longer."""
        for _ in range(min(count, len(self._waiting))):
            self._waiting.popitem()


def minute_of(numbered: NumberedTrade) -> int:
    """The open time of the minute of a trade."""
    return numbered.trade.time - numbered.trade.time % MINUTE_MS

"""How many trades are kept, of an instrument and of all, and how they are let go."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import NumberedTrade

MOST_TRADES = 50_000
"""Largest number of trades of an instrument in minutes that are open, and of those that wait for others: 25 MB."""
MOST_TRADES_TOGETHER = 200_000
"""That of all instruments of an exchange."""


class TooManyTrades(Exception):
    """Trades that wait for those before them are more than are kept. The text says it."""


class Keeping(Protocol):
    """Keeps trades.

    Attributes:
        kept: number of trades that are kept, for whatever reason.
    """

    @property
    def kept(self) -> int:
        """See above."""


class Room:
    """The room for trades of all instruments of an exchange."""

    def __init__(self) -> None:
        self._keeping: WeakSet[Keeping] = WeakSet()

    def add(self, keeping: Keeping) -> None:
        """Count the trades that somebody keeps, as long as it is used."""
        self._keeping.add(keeping)

    def has_some(self) -> bool:
        """Whether more trades may be kept."""
        return sum(each.kept for each in self._keeping) < MOST_TRADES_TOGETHER


class Spent:
    """Trades of minutes that were made. They are let go of a few at a time: of thousands it takes milliseconds."""

    def __init__(self) -> None:
        self._trades: deque[dict[str, NumberedTrade]] = deque()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, trades: dict[str, NumberedTrade]) -> None:
        """Take the trades of a minute."""
        self._trades.append(trades)
        self._count += len(trades)

    def forget(self, count: int) -> None:
        """Let go of so many."""
        while self._trades and count > 0:
            some = self._trades[0]
            number = min(count, len(some))
            for _ in range(number):
                some.popitem()
            count -= number
            self._count -= number
            if not some:
                self._trades.popleft()

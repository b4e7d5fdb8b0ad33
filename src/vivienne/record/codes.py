"""Numbers that stand for words in the record.

They are fixed for ever, and follow from no other list: a record is read by later versions of the program too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from vivienne.market.feeds.base import MinuteSource
    from vivienne.wire.explanation import Level, LevelsStatus, Side, Trend, VolatilityStatus
    from vivienne.wire.state import Status

_Word = TypeVar("_Word", bound=str | None)


class Codes(Generic[_Word]):
    """Words and their numbers.

    Args:
        numbers: by word.
    """

    def __init__(self, numbers: dict[_Word, int]) -> None:
        self._numbers = numbers
        self._words = {number: word for word, number in numbers.items()}

    @property
    def numbers(self) -> frozenset[int]:
        """All numbers that stand for a word."""
        return frozenset(self._words)

    def number(self, word: _Word) -> int:
        """The number of a word."""
        return self._numbers[word]

    def word(self, number: int) -> _Word:
        """The word of a number."""
        return self._words[number]


LEVELS: Codes[Level] = Codes({"idle": 0, "loaded": 1, "aim": 2, "bang": 3})
"""In their order, so that they can be compared."""
SIDES: Codes[Side] = Codes({"long": 1, "short": -1, "none": 0})
TRENDS: Codes[Trend] = Codes({"bullish": 1, "bearish": -1, "neutral": 0})
VOLATILITIES: Codes[VolatilityStatus] = Codes({"normal": 0, "squeeze": 1, "breakout": 2, "overextended": 3})
LEVELS_STATUSES: Codes[LevelsStatus] = Codes({"inactive": 0, "active": 1, "blocking": 2})
STATUSES: Codes[Status] = Codes({"live": 0, "warming_up": 1, "stale": 2, "paused": 3, "ended": 4})
SOURCES: Codes[MinuteSource | None] = Codes({None: 0, "streamed": 1, "pushed": 2, "filled": 3, "incomplete": 4})
WITH_EFFECT = (STATUSES.number("live"), STATUSES.number("ended"))
"""Statuses in which a decision is in force."""

"""What every feed delivers, wherever it gets it from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vivienne.market.types import Candle


@dataclass(frozen=True, slots=True)
class MinuteClosed:
    """A base minute is over."""

    candle: Candle


@dataclass(frozen=True, slots=True)
class PriceMoved:
    """The market traded at another price within the open minute.

    Attributes:
        price: in quote currency.
        time: ms since the epoch, by the feed's clock.
    """

    price: float
    time: int


@dataclass(frozen=True, slots=True)
class FeedEnded:
    """Nothing more will come: a replay is over."""


FeedEvent = MinuteClosed | PriceMoved | FeedEnded


class History(NamedTuple):
    """Closed base minutes before the first event.

    Attributes:
        candles: oldest first.
        is_whole: whether the market began with the first of them; False where there were minutes before it.
    """

    candles: list[Candle]
    is_whole: bool


class Feed(Protocol):
    """A source of market data for several assets.

    Attributes:
        name: what it is called in the state: ``simulated``, ``replay``.
        assets: whom it delivers.
        longest_silence: real seconds between two events of an asset beyond which something is wrong, by the feed's own
            clock: a fast simulation is silent for less long than a market at night.
        pace: market seconds per real second, where events come when they happen; None where nothing follows from when
            they come, as in a replay, whose files may have holes that it skips.
    """

    name: str
    assets: tuple[str, ...]
    longest_silence: float
    pace: float | None

    def history(self, asset: str, *, least: int, most: int) -> History:
        """The closed base minutes before the first event.

        Args:
            asset: one of `assets`.
            least: minutes without which no decision is possible; a feed that has fewer gives what it has.
            most: minutes that are kept at all; more would be thrown away.

        Raises:
            MarketDataError: the data cannot be read.
        """

    def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        """Events from where the history ends, in order of time, at the pace of the feed.

        Raises:
            MarketDataError: the data cannot be read any further.
        """

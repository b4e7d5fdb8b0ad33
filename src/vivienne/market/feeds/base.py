"""The protocol of a feed and the events it delivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vivienne.market.types import Bars, Candle


MinuteSource = Literal["streamed", "filled", "pushed", "incomplete"]
"""Where a minute came from: the stream; the exchange, asked for it afterwards; another program; or the stream, while
some of its trades could not be had.
"""


@dataclass(frozen=True, slots=True)
class MinuteClosed:
    """A base minute has closed."""

    candle: Candle
    source: MinuteSource = "streamed"


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
    """The last event of a feed: a replay has ended."""


class History(NamedTuple):
    """What happened before the first event: closed bars, and the closed minutes after them.

    Attributes:
        minutes: oldest first. Minutes alone make the bars too, where there are enough of them.
        is_whole: True if the market began with the first of them; False if there were earlier minutes.
        bars: closed bars of the timeframe without a gap, oldest first; they end where the minutes begin. None where
            there are minutes only.
    """

    minutes: Bars
    is_whole: bool
    bars: Bars | None = None


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """The history came, or has to be begun anew: what was known before does not count."""

    history: History


@dataclass(frozen=True, slots=True)
class FeedTrouble:
    """Why a feed has no data at the moment; None once it has some again."""

    reason: str | None


FeedEvent = HistoryRead | MinuteClosed | PriceMoved | FeedTrouble | FeedEnded


class Feed(Protocol):
    """A source of market data for several assets.

    Attributes:
        name: its name in the state: ``simulated``, ``replay``.
        assets: the assets it delivers.
        longest_silence: real seconds without an event of an asset after which the asset is stale. Each feed sets its
            own: a fast simulation is silent for a shorter time than a market at night.
        pace: market seconds per real second if events arrive when they happen. None if the time of arrival has no
            meaning, as in a replay, which skips gaps in its files.
    """

    name: str
    assets: tuple[str, ...]
    longest_silence: float
    pace: float | None

    def instrument(self, asset: str) -> tuple[str, str] | None:
        """The exchange of an asset and its symbol there; None if it is not of a real market, or not known yet."""

    async def run(self) -> None:
        """What has to go on beside the events, until it is cancelled; a feed without such work returns."""

    def history(self, asset: str, *, least: int, most: int) -> History:
        """The closed base minutes before the first event.

        Args:
            asset: one of `assets`.
            least: number of minutes that a decision needs; a feed with fewer minutes returns all of them.
            most: largest number of minutes that are kept; more would be dropped.

        Raises:
            MarketDataError: the data cannot be read.
        """

    def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        """The events after the history, in order of time, at the pace of the feed.

        Raises:
            MarketDataError: the data cannot be read any further.
        """

"""The protocol of a feed and the events it delivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vivienne.market.types import Bars, Candle


MinuteSource = Literal["streamed", "pushed", "filled", "incomplete"]
"""Where a minute came from: the stream; another program; the exchange, asked for it afterwards; or the stream, while
some of its trades could not be had.
"""
ContactState = Literal["connecting", "connected", "reconnecting", "catching_up", "blocked"]
"""How a feed stands with its exchange: no data yet; data arrives; the connection broke off; data arrives, and what was
missed is asked for; the exchange refuses, and is asked again at a slow pace.
"""


class Listing(NamedTuple):
    """A market of an exchange, as it is listed there.

    Attributes:
        exchange: its name as shown to people.
        symbol: the exchange's name of the market; None while it is not known.
        quote_currency: the currency of prices; None while it is not known.
        tick_size: the smallest step of the price; None if it is not known.
    """

    exchange: str
    symbol: str | None = None
    quote_currency: str | None = None
    tick_size: float | None = None


class Contact(NamedTuple):
    """How a feed stands with its exchange about one asset.

    Attributes:
        state: see `ContactState`.
        reason: why it is not `connected`, in words; None if there is nothing to say.
        delay: seconds by which the newest message came later than the quickest; None while none is heard.
    """

    state: ContactState
    reason: str | None = None
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class MinuteClosed:
    """A base minute has closed.

    Attributes:
        candle: the minute.
        source: where it came from; None in a market that is not real, or read from files.
    """

    candle: Candle
    source: MinuteSource | None = None


@dataclass(frozen=True, slots=True)
class MinuteCorrected:
    """A minute that came was not as its exchange has it by now.

    Attributes:
        candle: as the exchange has it.
        was: as it came.
    """

    candle: Candle
    was: Candle


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
class DataRefused:
    """The feed could not use newer data: the market is not known as it is now.

    Attributes:
        kind: what it was of.
        time: of the data, in ms since the epoch: the open time of a minute.
        reason: why it was refused.
    """

    kind: Literal["minute", "price"]
    time: int
    reason: str


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
        source: where all of them came from; see `MinuteClosed`.
    """

    minutes: Bars
    is_whole: bool
    bars: Bars | None = None
    source: MinuteSource | None = None


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """The history came, or was read again: minutes that were known do not count, and bars that were known stay."""

    history: History


@dataclass(frozen=True, slots=True)
class FeedTrouble:
    """Why a feed has no data at the moment; None once it has some again."""

    reason: str | None


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """The feed stands with its exchange otherwise than before; `Feed.contact` says how."""


FeedEvent = (
    HistoryRead | MinuteClosed | MinuteCorrected | PriceMoved | DataRefused | FeedTrouble | ContactChanged | FeedEnded
)


class Feed(Protocol):
    """A source of market data for several assets.

    Attributes:
        name: its name in the state: ``simulated``, ``replay``.
        assets: the assets it delivers.
        longest_silence: real seconds without an event of an asset after which the asset is stale. Each feed sets its
            own: a fast simulation is silent for a shorter time than a market at night.
        pace: market seconds per real second if events arrive when they happen. None if the time of arrival has no
            meaning, as in a replay, which skips gaps in its files.
        catches_up: whether events may come long after they happened, as fast as they can: then a jump of their times
            ahead is no jump of a clock.
        follows_again: whether `run` and `follow` may be called again after they failed: not where events are used up.
    """

    name: str
    assets: tuple[str, ...]
    longest_silence: float
    pace: float | None
    catches_up: bool
    follows_again: bool

    def listing(self, asset: str) -> Listing | None:
        """The exchange of an asset, and what it says of the market; None if it is not a real one."""

    def contact(self, asset: str) -> Contact | None:
        """How the feed stands with the exchange of an asset at this moment; None without a connection of its own."""

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

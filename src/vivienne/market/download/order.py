"""What is downloaded, and which of it is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument
    from vivienne.market.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Order:
    """A download.

    Attributes:
        adapter: of the exchange.
        instrument: its market.
        interval: length of the candles.
        begin: open time of the first candle, ms.
        end: every candle ends by then, ms.
        is_to_now: the end is that of the newest candle that was closed, not one that was asked for.
        from_trades: candles are made from trades.
        asked: the exchange's time when it was ordered, ms.
    """

    adapter: Adapter
    instrument: Instrument
    interval: Timeframe
    begin: int
    end: int
    is_to_now: bool
    from_trades: bool
    asked: int

    @property
    def identity(self) -> dict[str, str | int]:
        """What two downloads into the same file have in common; the end is not part of it."""
        return {
            "exchange": self.adapter.name,
            "symbol": self.instrument.symbol,
            "interval": self.interval.value,
            "begin": self.begin,
        }


def lacks_candles(adapter: Adapter, interval: Timeframe, begin: int, now: int) -> bool:
    """Whether the exchange has no candles as old as `begin`: only its newest, the open one among them."""
    depth = adapter.history_depth
    return depth is not None and begin < now - now % interval.milliseconds - (depth - 1) * interval.milliseconds


class Hole(NamedTuple):
    """Candles that are missing: those that open from `begin` on and before `end`, ms."""

    begin: int
    end: int


@dataclass(slots=True)
class Holes:
    """Finds the candles that are missing.

    Args:
        begin: open time of the first candle there should be, ms.
        length: of a candle, ms.
    """

    begin: int
    length: int
    found: list[Hole] = field(default_factory=list)

    def add(self, open_time: int) -> None:
        """Take the next candle."""
        self.close(open_time)
        self.begin = open_time + self.length

    def close(self, end: int) -> None:
        """There are no more candles before this time."""
        if end > self.begin:
            self.found.append(Hole(self.begin, end))
            self.begin = end

    @property
    def minutes(self) -> int:
        """Number of minutes that are missing."""
        return sum(hole.end - hole.begin for hole in self.found) // MINUTE_MS

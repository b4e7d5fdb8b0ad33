"""Trades to one-minute candles, and one-minute candles to closed bars of the timeframe.

Both are fed one item at a time and give what that item completed, so the result does not depend on how the input
was cut into pieces. Sums are taken in order of arrival for the same reason.

Gap policy: a missing minute is filled with the last close, no volume and no trades; after more missing minutes than
`Timeframe.longest_filled_gap` nothing is made up, and the history restarts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.market.timeframe import LONGEST_FILLED_GAP
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.market.timeframe import Timeframe


class CandleBuilder:
    """Aggregates trades to one-minute candles by the exchange's trade time.

    The minute in which the first trade falls is left out: nobody can tell whether trades before it are missing.
    """

    def __init__(self) -> None:
        self._candle: Candle | None = None
        self._whole = False
        self.late = 0
        """Trades that came after their minute was closed; they are counted and left out."""

    def add(self, trade: Trade) -> Candle | None:
        """Take a trade; give the minute it closed, if it closed one that was seen whole."""
        minute = trade.time - trade.time % MINUTE_MS
        candle = self._candle
        if candle is not None and minute < candle.open_time:
            self.late += 1
            return None
        taker_buy = 0.0 if trade.buyer_is_maker else trade.quantity
        if candle is not None and minute == candle.open_time:
            self._candle = Candle(
                minute,
                candle.open,
                max(candle.high, trade.price),
                min(candle.low, trade.price),
                trade.price,
                candle.volume + trade.quantity,
                candle.quote_volume + trade.price * trade.quantity,
                candle.trade_count + trade.trades,
                candle.taker_buy_volume + taker_buy,
            )
            return None
        closed = candle if self._whole else None
        self._whole = candle is not None
        price, quantity = trade.price, trade.quantity
        self._candle = Candle(minute, price, price, price, price, quantity, price * quantity, trade.trades, taker_buy)
        return closed


@dataclass(frozen=True, slots=True)
class Restart:
    """The history restarts.

    Attributes:
        missing_minutes: how long the hole is.
    """

    missing_minutes: int


class GapFiller:
    """Turns candles as they arrive into an unbroken run of minutes, by the gap policy.

    Args:
        longest_filled: missing minutes that are filled at most.
    """

    def __init__(self, longest_filled: int = LONGEST_FILLED_GAP) -> None:
        self._longest_filled = longest_filled
        self._last: Candle | None = None
        self.ignored = 0
        """Candles at or before the newest one (duplicates, late arrivals); they are counted and left out."""

    def add(self, candle: Candle, most_filled: int | None = None) -> Iterator[Candle | Restart]:
        """Give the minutes to take in for this candle: fillers first, or a restart, then the candle itself.

        Args:
            candle: the next one.
            most_filled: missing minutes before it that are filled at most, where it is not the usual number.
        """
        most_filled = self._longest_filled if most_filled is None else most_filled
        last = self._last
        if last is not None:
            missing = (candle.open_time - last.open_time) // MINUTE_MS - 1
            if missing < 0:
                self.ignored += 1
                return
            if missing > most_filled:
                yield Restart(missing)
            else:
                for number in range(1, missing + 1):
                    close = last.close
                    yield Candle(last.open_time + number * MINUTE_MS, close, close, close, close, 0.0, 0.0, 0, 0.0)
        self._last = candle
        yield candle


class BarBuilder:
    """Resamples an unbroken run of minutes to closed bars.

    A bar is given once its last minute is in, and only when its first one was: a bar of which a part is missing
    would be a wrong bar.
    """

    def __init__(self, timeframe: Timeframe) -> None:
        self._length = timeframe.milliseconds
        self._whole = timeframe.minutes
        self._bar: Candle | None = None
        self.minutes = 0
        """Minutes of the open bar that are in."""

    def add(self, candle: Candle) -> Candle | None:
        """Take a minute; give the bar it closed, if any."""
        offset = candle.open_time % self._length
        bar = self._bar
        if offset == 0:
            bar, self.minutes = candle, 1
        elif bar is None:
            return None
        else:
            bar = Candle(
                bar.open_time,
                bar.open,
                max(bar.high, candle.high),
                min(bar.low, candle.low),
                candle.close,
                bar.volume + candle.volume,
                bar.quote_volume + candle.quote_volume,
                bar.trade_count + candle.trade_count,
                bar.taker_buy_volume + candle.taker_buy_volume,
            )
            self.minutes += 1
        if self.minutes == self._whole:
            self._bar = None
            return bar
        self._bar = bar
        return None

    def forming(self) -> Candle | None:
        """The bar that is still open, as far as it has come."""
        return self._bar

    def restart(self) -> None:
        """Forget the open bar: what follows does not continue it."""
        self._bar = None

"""Conversion of trades to one-minute candles, and of one-minute candles to closed bars of the timeframe.

Both converters take one item at a time and return the candle or bar that it completed. The result therefore does not
depend on how the input is split. For the same reason, sums are computed in order of arrival, also where a run of
minutes is converted in one pass.

Gap policy: a missing minute is filled with the last close, without volume and trades. If more minutes are missing than
`Timeframe.longest_filled_gap`, none is filled, and the history restarts.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from vivienne.market.timeframe import LONGEST_FILLED_GAP
from vivienne.market.types import MINUTE_MS, Bars, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.market.timeframe import Timeframe
    from vivienne.market.types import FloatArray


class CandleBuilder:
    """Aggregates trades to one-minute candles by the trade time of the exchange.

    The minute of the first trade is dropped, because earlier trades of that minute may be missing.
    """

    def __init__(self) -> None:
        self._candle: Candle | None = None
        self._whole = False
        self.late = 0
        """Number of trades that arrived after their minute had closed; they are ignored."""

    @property
    def forming(self) -> Candle | None:
        """The open minute with its trades so far; None before the first one."""
        return self._candle

    def add(self, trade: Trade) -> Candle | None:
        """Take a trade; return the minute it closed, if all trades of that minute were seen."""
        minute = trade.time - trade.time % MINUTE_MS
        candle = self._candle
        if candle is not None and minute < candle.open_time:
            self.late += 1
            return None
        is_maker = trade.buyer_is_maker
        taker_buy = math.nan if is_maker is None else 0.0 if is_maker else trade.quantity
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
    """A restart of the history.

    Attributes:
        missing_minutes: length of the gap.
    """

    missing_minutes: int


class GapFiller:
    """Turns arriving candles into a series of minutes without gaps, by the gap policy.

    Args:
        longest_filled: largest number of missing minutes that are filled.
    """

    def __init__(self, longest_filled: int = LONGEST_FILLED_GAP) -> None:
        self._longest_filled = longest_filled
        self.newest: Candle | None = None
        """The newest minute that arrived."""
        self.ignored = 0
        """Number of repeated or late candles, at or before the newest one; they are ignored."""

    def add(self, candle: Candle, most_filled: int | None = None) -> Iterator[Candle | Restart]:
        """Yield fillers for missing minutes or a restart, then the candle itself.

        Args:
            candle: the next candle.
            most_filled: largest number of missing minutes before it that are filled; None for `longest_filled`.
        """
        most_filled = self._longest_filled if most_filled is None else most_filled
        last = self.newest
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
        self.newest = candle
        yield candle


def joined(bar: Candle, candle: Candle) -> Candle:
    """A bar and the candle that follows it, as one."""
    return Candle(
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


class BarBuilder:
    """Resamples minutes without gaps to closed bars.

    A bar is returned once its last minute has arrived. A bar without its first minute is dropped, because it would be
    wrong.
    """

    def __init__(self, timeframe: Timeframe) -> None:
        self._length = timeframe.milliseconds
        self._whole = timeframe.minutes
        self._bar: Candle | None = None
        self._parts: list[Candle] = []
        self._is_corrected = False
        """Whether the open bar must be made of its parts again."""
        self.minutes = 0
        """Number of minutes in the open bar."""

    def add(self, candle: Candle) -> Candle | None:
        """Take a minute; return the bar it closed, if any."""
        if _contradicts(candle.volume, candle.quote_volume):
            candle = candle._replace(quote_volume=math.nan)
        offset = candle.open_time % self._length
        bar = self.forming()
        if offset == 0:
            bar, self.minutes, self._parts = candle, 1, []
        elif bar is None:
            return None
        else:
            bar = joined(bar, candle)
            self.minutes += 1
        self._parts.append(candle)
        if self.minutes == self._whole:
            self._bar = None
            return bar
        self._bar = bar
        return None

    def correct(self, candle: Candle) -> bool:
        """Put a minute in place of one that came before; False if it is not of the open bar."""
        if self._bar is None:
            return False
        place = (candle.open_time - self._parts[0].open_time) // MINUTE_MS  # they follow each other without a gap
        if not 0 <= place < len(self._parts):
            return False
        self._parts[place] = candle
        self._is_corrected = True
        return True

    def add_run(self, minutes: Bars) -> Bars:
        """Take minutes that follow each other without a gap; return the bars they closed, as `add` would."""
        wrong = _contradicts(minutes.volume, minutes.quote_volume)
        if wrong.any():
            minutes = replace(minutes, quote_volume=np.where(wrong, math.nan, minutes.quote_volume))
        begin = int(minutes.open_time[0]) // MINUTE_MS
        head = min(-begin % self._whole, len(minutes))
        end = len(minutes) - (len(minutes) - head) % self._whole
        closed = [bar for candle in minutes[:head].candles() if (bar := self.add(candle)) is not None]
        if end > head:
            self.restart()
        for candle in minutes[end:].candles():
            self.add(candle)
        return Bars.joined([Bars.from_candles(closed), _whole_bars(minutes[head:end], self._whole)])

    def forming(self) -> Candle | None:
        """The open bar with the minutes so far; None without any."""
        if self._is_corrected and self._bar is not None:
            self._bar = reduce(joined, self._parts)
        self._is_corrected = False
        return self._bar

    def restart(self) -> None:
        """Drop the open bar, because the next minute does not continue it."""
        self._bar = None

    def apart(self) -> BarBuilder:
        """Another builder with the same open bar, which can go on without this one."""
        found = copy(self)
        found.__dict__.update(_parts=[*self._parts])
        return found


def _contradicts(volume: Any, quote_volume: Any) -> Any:
    """True where something was traded for nothing, or nothing for something: the quote volume is not known."""
    return (volume > 0) != (quote_volume > 0)


def _whole_bars(minutes: Bars, count: int) -> Bars:
    """Resample the minutes of whole bars of `count` minutes each."""

    def total(column: FloatArray) -> FloatArray:
        # A plain sum adds in pairs, which gives other last bits than adding in order of arrival.
        return np.add.accumulate(column.reshape(-1, count), axis=1)[:, -1]

    return Bars(
        minutes.open_time[::count],
        minutes.open[::count],
        minutes.high.reshape(-1, count).max(axis=1),
        minutes.low.reshape(-1, count).min(axis=1),
        minutes.close[count - 1 :: count],
        total(minutes.volume),
        total(minutes.quote_volume),
        total(minutes.trade_count),
        total(minutes.taker_buy_volume),
    )

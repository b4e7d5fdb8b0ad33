"""The bars of one asset: minutes and prices in, closed bars and the open bar out."""

from __future__ import annotations

import logging
import math
from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from vivienne.live.entries import finite
from vivienne.market.bars import BarBuilder, GapFiller, Restart
from vivienne.market.checks import check_candle, last_unusable, valid_minutes
from vivienne.market.reading_again import merged
from vivienne.market.types import MINUTE_MS, Candle
from vivienne.market.window import SOURCES, BarWindow, weakest
from vivienne.rates import MOST_OF_AN_ASSET, Quota
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.live.freshness import Freshness
    from vivienne.market.feeds.base import MinuteSource
    from vivienne.market.reading_again import Merged
    from vivienne.market.timeframe import Timeframe
    from vivienne.market.types import Bars
    from vivienne.market.window import Held
    from vivienne.slices import Pieces
    from vivienne.wire.chart import FormingBar

_log = logging.getLogger(__name__)
_LONGEST_RUN = 5_000
"""Number of minutes that are taken in one pass, about."""
_SHORTEST_RUN = 20
"""Number of minutes that take as long one by one as in one pass."""


class AssetBars:
    """Takes minutes and prices, and ignores those that `freshness` rejects.

    Args:
        asset: name of the asset.
        timeframe: timeframe of the bars.
        length: largest number of bars that are kept.
        freshness: judges the data.

    Attributes:
        freshness: see above.
        window: the closed bars.
        price: the newest price; None before the first one.
        price_time: time at which the market traded at it, ms since the epoch.
        newly_closed: number of bars that closed since this was set to 0.
        is_recalled: True while all bars are those of an earlier process: they may be old.
        differing: number of bars of the last history that were known otherwise.
        left_out: number of bars of the last history that were invalid, out of order or before such a bar.
    """

    def __init__(self, asset: str, timeframe: Timeframe, length: int, freshness: Freshness) -> None:
        self._asset = asset
        self._timeframe = timeframe
        self.freshness = freshness
        self._longest_filled = timeframe.longest_filled_gap
        self._gaps = GapFiller(self._longest_filled)
        self._builder = BarBuilder(timeframe)
        self._minute: tuple[float, float, float] | None = None
        """Open, high and low of the prices since the last closed minute."""
        self._source: MinuteSource | None = None
        """The weakest source of the closed minutes of the open bar."""
        self._told_of_ignored = False
        self._records = Quota(_log, logging.WARNING, MOST_OF_AN_ASSET)
        self.window = BarWindow(length)
        self.is_recalled = False
        self.price: float | None = None
        self.price_time: int | None = None
        self.newly_closed = self.left_out = self.differing = 0

    def take(self, candle: Candle, source: MinuteSource | None = None) -> bool:
        """Take a closed minute. An invalid, repeated, late or premature one is ignored.

        Args:
            candle: the minute.
            source: where it came from. Missing minutes before it that are filled count as incomplete.

        Returns:
            True if it closed bars or restarted the window, so that a decision is due.
        """
        fillable = self.freshness.admit_minute(candle, self._longest_filled)
        if fillable is None:
            self._tell_of_ignored()
            return False
        self.is_recalled = self.is_recalled and self._is_known(candle)
        closed, restarted = self.newly_closed, False
        for item in self._gaps.add(candle, fillable):
            if isinstance(item, Restart):
                self.window.clear()
                self._builder.restart()
                self._records.log(
                    "%s: %d minutes are missing; restarting its history", self._asset, item.missing_minutes
                )
                closed, self.newly_closed, restarted = 0, 0, True
                continue
            self.price, self.price_time = item.close, item.open_time + MINUTE_MS
            self._minute = None
            bar = self._add(item, source if item is candle or source is None else "incomplete")
            if bar is not None:
                self.window.append(bar, self._source)
                self.newly_closed += 1
        return restarted or self.newly_closed > closed

    def correct(self, candle: Candle) -> bool:
        """Put a minute in place of one that came before; False if its bar has closed, or if it is invalid."""
        try:
            check_candle(candle)
        except ValueError as error:
            self._records.log("%s: a correction is ignored: %s", self._asset, error)
            return False
        if not self._builder.correct(candle):
            return False
        newest = self._gaps.newest
        if newest is not None and newest.open_time == candle.open_time:
            self._gaps.newest = candle
        return True

    def _add(self, minute: Candle, source: MinuteSource | None) -> Candle | None:
        """Add a minute to the open bar; return the bar it closed, if any."""
        bar = self._builder.add(minute)
        self._source = source if self._builder.minutes <= 1 else weakest(self._source, source)
        return bar

    def _is_known(self, candle: Candle) -> bool:
        """Tell whether a minute is not newer than those that are known."""
        newest = self._gaps.newest
        return newest is not None and candle.open_time <= newest.open_time

    def recall(self, held: Held) -> None:
        """Take closed bars that an earlier process knew. They count as old until data comes that is newer."""
        self.window.fill(held)
        self._end_with(held.bars)
        self.is_recalled = True

    def restart(self) -> Held:
        """Drop everything, because a history begins it anew; return what was known for `keep`."""
        known = self.window.held()
        self.window.clear()
        self._builder.restart()
        self._minute = self._gaps.newest = self.price = self.price_time = None
        self.freshness.forget()
        return known

    def keep(self, known: Held, source: MinuteSource | None) -> None:
        """Put bars that were known in place of those that minutes of a history made; see `begin_with`."""
        if not len(self.window):
            self.window.is_cut = True
            return
        sources, is_cut = [SOURCES[code] for code in known.sources.tolist()], self.window.is_cut
        read = self.window.bars()
        found = merged(known.bars, sources, read, source, self._timeframe.milliseconds)
        self._fill(found)
        self.window.is_cut = is_cut
        if found.bars.open_time[-1] > read.open_time[-1]:
            self._builder.restart()
            self._end_with(found.bars)

    def _fill(self, found: Merged) -> None:
        self.window.clear()
        for run, of_run in found.runs():
            self.window.extend(run, of_run)
        self._tell_of_differing(found)

    def _end_with(self, bars: Bars) -> int:
        """Go on after bars; return when the last one ends."""
        last = bars.candle(-1)
        end = last.open_time + self._timeframe.milliseconds
        self._gaps.newest = last._replace(open_time=end - MINUTE_MS)
        return end

    def begin_with(self, bars: Bars, source: MinuteSource | None = None) -> None:
        """Take closed bars, oldest first. Bars of the same times that are known stay as they were decided on.

        Only the bars after the last one that is invalid or does not follow the bar before it are taken. No decision
        may use other bars, whatever the feed is.
        """
        known, sources = self.window.bars(), self.window.sources()
        self.window.clear()
        self._builder.restart()
        self._minute = self._gaps.newest = self.price = self.price_time = None
        self.left_out = last_unusable(bars, self._timeframe.milliseconds)
        if self.left_out:
            self._tell_of_left_out(bars)
            bars = bars[self.left_out :]
            self.window.is_cut = True
        if not len(bars):
            return
        found = merged(known, sources, bars, source, self._timeframe.milliseconds)
        is_cut = self.window.is_cut
        self._fill(found)
        self.window.is_cut = self.window.is_cut or is_cut
        self.price, self.price_time = found.bars.close.item(-1), self._end_with(found.bars)
        self.freshness.continue_to(self.price_time)

    def apart(self) -> AssetBars:
        """The same bars once more, which can go on without these; see `become`."""
        found = copy(self)
        found.freshness, found.window = self.freshness.apart(), self.window.apart()
        found.__dict__.update(_builder=self._builder.apart(), _gaps=copy(self._gaps))
        return found

    def become(self, other: AssetBars) -> None:
        """Know what others know, which are not used any longer."""
        freshness, window = self.freshness, self.window
        freshness.become(other.freshness)
        window.become(other.window)
        self.__dict__.update(other.__dict__)
        self.freshness, self.window = freshness, window  # others hold these

    def take_all(self, minutes: Bars, source: MinuteSource | None = None) -> Pieces[None]:
        """Take closed minutes of one source, oldest first, with the result of `take` for one after the other.

        Runs without a gap are taken in passes of many minutes, unless they are short.
        """
        taken = 0
        for begin, end in [*_long_runs(minutes), (len(minutes), len(minutes))]:
            for place in range(taken, begin):
                self.take(minutes.candle(place), source)  # one may fill a gap before it
                yield
            taken = begin
            # The first minute of a run may follow a gap, and the next ones may be ignored with it.
            while taken < end and not self._is_next(int(minutes.open_time[taken]), source):
                self.take(minutes.candle(taken), source)
                taken += 1
                yield
            while taken < end:
                until = min(end, taken + self._most_at_once(int(minutes.open_time[taken])))
                self._take_run(minutes[taken:until], source)
                taken = until
                yield

    def _most_at_once(self, open_time: int) -> int:
        """Number of minutes from one on that are taken in one pass: up to the end of a bar."""
        length = self._timeframe.minutes
        return max(1, _LONGEST_RUN // length) * length - open_time // MINUTE_MS % length

    def _is_next(self, open_time: int, source: MinuteSource | None) -> bool:
        """Check that a minute follows the newest one without a gap, and that the open bar is of the same source."""
        newest = self._gaps.newest
        is_pure = self._source == source or self._builder.forming() is None
        return newest is not None and newest.open_time + MINUTE_MS == open_time and is_pure

    def _take_run(self, minutes: Bars, source: MinuteSource | None) -> None:
        """Take valid minutes of one source that continue the newest one without a gap."""
        newest = minutes.candle(-1)
        self.price, self.price_time, self._minute = newest.close, newest.open_time + MINUTE_MS, None
        self.freshness.continue_to(self.price_time)
        self._gaps.newest = newest
        closed = self._builder.add_run(minutes)
        self._source = source
        self.window.extend(closed, source)
        self.newly_closed += len(closed)

    def move(self, price: float, time: int) -> None:
        """Take a price within the open minute. An invalid or late one is ignored."""
        if not self.freshness.admit_price(price, time):
            return
        self.price, self.price_time = price, time
        opened, high, low = self._minute or (price, price, price)
        self._minute = opened, max(high, price), min(low, price)

    def open_bar(self) -> Candle | None:
        """The bar that is still open, from its closed minutes and the prices since.

        Volumes and trade counts of the closed minutes are projected to the length of a bar. They are NaN until the
        first minute has closed.
        """
        bar, minute, price = self._builder.forming(), self._minute, self.price
        if price is None or (bar is None and minute is None):
            return None
        opened, high, low = minute or (price, price, price)
        if bar is None:
            if len(self.window) == 0:
                return None
            begin = int(self.window.bars().open_time[-1]) + self._timeframe.milliseconds
            return Candle(begin, opened, high, low, price, math.nan, math.nan, math.nan, math.nan)
        whole = self._timeframe.minutes / self._builder.minutes
        return bar._replace(
            high=max(bar.high, high),
            low=min(bar.low, low),
            close=price,
            volume=bar.volume * whole,
            quote_volume=bar.quote_volume * whole,
            trade_count=bar.trade_count * whole,
            taker_buy_volume=bar.taker_buy_volume * whole,
        )

    def forming_bar(self) -> FormingBar | None:
        """The open bar as a chart draws it."""
        bar = self.open_bar()
        if bar is None:
            return None
        closed = self._builder.forming()
        return {
            "time": iso(bar.open_time),
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "volume": None if closed is None else finite(closed.volume),
            "quote_volume": None if closed is None else finite(closed.quote_volume),
            "source": None if closed is None else self._source,
        }

    def _tell_of_differing(self, found: Merged) -> None:
        self.differing = len(found.differing)
        if self.differing:
            self._records.log(
                "%s: %d bars of its new history differ from those that were decided on, which stay; the first is that "
                "of %s. If those are wrong, start once with --new-history",
                self._asset, self.differing, iso(found.differing[0]),
            )  # fmt: skip

    def _tell_of_left_out(self, bars: Bars) -> None:
        last = bars.candle(self.left_out - 1)
        _log.warning(
            "%s: %d of %d bars of its history are not used: the bar %d (open time %d ms, open %s, high %s, low %s, "
            "close %s) is invalid, or the next one does not follow it",
            self._asset, self.left_out, len(bars), self.left_out, *last[:5],
        )  # fmt: skip

    def _tell_of_ignored(self) -> None:
        """Log the first repeated or late minute; the state shows the trouble with any other rejected minute."""
        if self.freshness.wrong is None and not self._told_of_ignored:
            self._told_of_ignored = True
            _log.warning(
                "%s: repeated or late candle ignored; further ones are ignored without a log line", self._asset
            )


def _long_runs(minutes: Bars) -> Iterable[tuple[int, int]]:
    """First row and end of each long run of valid minutes that follow each other without a gap."""
    is_valid = valid_minutes(minutes)
    continues = is_valid[1:] & is_valid[:-1] & (np.diff(minutes.open_time) == MINUTE_MS)
    breaks = np.flatnonzero(~continues) + 1
    begins, ends = np.append(0, breaks), np.append(breaks, len(minutes))
    is_long = ends - begins >= _SHORTEST_RUN
    return zip(begins[is_long].tolist(), ends[is_long].tolist(), strict=True)

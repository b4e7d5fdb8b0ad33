"""One asset, live: its bars, its price, its latest decision, and how far that can be relied on."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from vivienne.agent.decision import NO_CAP
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import Explained, explain
from vivienne.agent.indicators import bars_needed
from vivienne.live.chart import ChangeMarks, Decided, bar_entries
from vivienne.live.freshness import Freshness
from vivienne.live.preview import compare
from vivienne.market.bars import BarBuilder, GapFiller, Restart
from vivienne.market.types import MINUTE_MS, Candle
from vivienne.market.window import BarWindow
from vivienne.times import iso
from vivienne.wire.messages import undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vivienne.agent.decision import Level
    from vivienne.changes.in_force import Active
    from vivienne.agent.schema import Configuration
    from vivienne.live.chart import Chart, FormingBar
    from vivienne.live.preview import Comparison
    from vivienne.market.timeframe import Timeframe
    from vivienne.wire.messages import StateData, Status

_log = logging.getLogger(__name__)


class LiveAsset:
    """Takes minutes and prices in, keeps the window, decides.

    Args:
        asset: its name.
        feed: name of the feed, shown in the state.
        timeframe: of the bars.
        window: how many bars are kept.
        on_tick: decide the open bar too, as far as it has come; such a decision may be taken back before it closes.
        active: gives the configuration in force, and what pauses it.
        freshness: judges the data; without it, data may come at any time.
        cap: the largest position size, in percent of equity.
    """

    def __init__(
        self,
        asset: str,
        *,
        feed: str,
        timeframe: Timeframe,
        window: int,
        active: Callable[[], Active],
        on_tick: bool = False,
        freshness: Freshness | None = None,
        cap: float = NO_CAP,
    ) -> None:
        self.asset = asset
        self.freshness = freshness or Freshness()
        self._cap = cap
        self._feed = feed
        self._timeframe = timeframe
        self._active = active
        self._on_tick = on_tick
        self._bar_closed = True
        self._window = BarWindow(window)
        self._gaps = GapFiller()
        self._bars = BarBuilder(timeframe)
        self._explained: Explained | None = None
        self._config: Active = active()
        self._price: float | None = None
        self._price_time: int | None = None
        self._minute: tuple[float, float, float] | None = None
        """Open, high and low of the prices since the last closed minute."""
        self._broken_off: str | None = None
        self._failed: str | None = None
        self._decided: dict[int, Decided] = {}
        self._changes = ChangeMarks(window)
        self._told_of_ignored = False
        self.ended = False
        """Whether the feed is at its end."""

    def load(self, candles: Iterable[Candle]) -> None:
        """Take history in, without deciding on the way."""
        for candle in candles:
            self.take(candle)

    def take(self, candle: Candle) -> bool:
        """Take a closed minute in; one that is none, that came before, or that cannot follow yet is left out.

        Returns:
            Whether it closed a bar or restarted the window, so that there is something to decide.
        """
        fillable = self.freshness.admit_minute(candle)
        if fillable is None:
            self._tell_of_ignored()
            return False
        news = False
        for item in self._gaps.add(candle, fillable):
            if isinstance(item, Restart):
                self._window.clear()
                self._bars.restart()
                _log.warning("%s: %d minutes are missing; the window starts anew", self.asset, item.missing_minutes)
                news = True
                continue
            self._price, self._price_time = item.close, item.open_time + MINUTE_MS
            self._minute = None
            bar = self._bars.add(item)
            if bar is not None:
                self._window.append(bar)
                news = True
        return news

    def move(self, price: float, time: int) -> None:
        """The market trades at another price; nothing is decided by it. One that is none, or late, is left out."""
        if not self.freshness.admit_price(price, time):
            return
        self._price, self._price_time = price, time
        opened, high, low = self._minute or (price, price, price)
        self._minute = opened, max(high, price), min(low, price)

    def end(self) -> None:
        """Nothing more will come; the last decision stays."""
        self.ended = True

    def break_off(self, reason: str) -> None:
        """No more data will come, unexpectedly: idle, with size 0, and the reason."""
        self._broken_off = reason

    def fail(self, reason: str) -> None:
        """The decision could not be made: idle, with size 0, and the reason, until the next one succeeds."""
        self._failed = reason

    def decide(self) -> None:
        """Decide the newest bar with the configuration in force."""
        self._take_up(self._active())
        bars, configuration = self._window.bars(), self._config.configuration
        open_bar = self._open_bar() if self._on_tick and len(bars) else None
        self._bar_closed = open_bar is None
        if len(bars) == 0:
            self._explained = None
        else:
            bars = bars if open_bar is None else bars.followed_by(open_bar)
            minutes = self._timeframe.minutes
            evaluation = evaluate(bars, configuration, minutes, cap=self._cap)
            self._explained = explain(evaluation, bars, configuration, minutes)
        self._failed = None
        self._remember()

    def chart(self, limit: int) -> Chart:
        """The last closed bars with what a chart draws."""
        return {
            "asset": self.asset,
            "timeframe": self._timeframe.value,
            "feed": self._feed,
            "bars": bar_entries(
                self._window.bars(), self._active(), self._timeframe.minutes, limit, self._decided, cap=self._cap
            ),
            "forming": self._forming_bar(),
            "changes": self._changes.listed(),
        }

    def closes(self, most: int) -> list[float]:
        """The last closes, oldest first."""
        closes = self._window.bars().close
        last: list[float] = closes[max(0, len(closes) - most) :].tolist()
        return last

    def compare(self, candidate: Configuration, rows: int) -> Comparison:
        """What another configuration would have made of the last bars."""
        now = self._active().configuration
        return compare(self._window.bars(), now, candidate, self._timeframe.minutes, rows, cap=self._cap)

    def _tell_of_ignored(self) -> None:
        """Say once that minutes come twice or late; what is wrong with any other one is in the state."""
        if self.freshness.wrong is None and not self._told_of_ignored:
            self._told_of_ignored = True
            _log.warning("%s: a candle came twice or late and is left out, as will be any further one", self.asset)

    def _take_up(self, active: Active) -> None:
        """Decide with this from now on; where it is another version, keep the market time for the chart."""
        if active.version != self._config.version and self._price_time is not None:
            self._changes.add(active.version, self._price_time)
        self._config = active

    def _remember(self) -> None:
        """Keep the decision on a bar as it was made when the bar closed; a later change does not alter it."""
        explained = self._explained
        if explained is None or not self._bar_closed or not explained.ready or explained.open_time in self._decided:
            return
        self._decided[explained.open_time] = Decided(
            explained.level.word,
            explained.raw_level.word,
            explained.side,
            explained.confidence,
            0.0 if self._config.pause is not None else explained.size,
            bool(explained.blocked_by),
            self._config.version,
        )
        while len(self._decided) > self._window.length:
            del self._decided[next(iter(self._decided))]

    def _forming_bar(self) -> FormingBar | None:
        """The open bar as it is, for a chart."""
        bar = self._open_bar()
        if bar is None:
            return None
        closed = self._bars.forming()
        return {
            "time": iso(bar.open_time),
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "volume": None if closed is None or math.isnan(closed.volume) else closed.volume,
        }

    def _open_bar(self) -> Candle | None:
        """The bar that is still open: its closed minutes, and the prices since.

        Its trading is that of the closed minutes, projected to the length of a bar; before the first one has closed
        it is unknown.
        """
        bar, minute, price = self._bars.forming(), self._minute, self._price
        if price is None or (bar is None and minute is None):
            return None
        opened, high, low = minute or (price, price, price)
        if bar is None:
            if len(self._window) == 0:
                return None
            begin = int(self._window.bars().open_time[-1]) + self._timeframe.milliseconds
            return Candle(begin, opened, high, low, price, math.nan, math.nan, math.nan, math.nan)
        whole = self._timeframe.minutes / self._bars.minutes
        return bar._replace(
            high=max(bar.high, high),
            low=min(bar.low, low),
            close=price,
            volume=bar.volume * whole,
            quote_volume=bar.quote_volume * whole,
            trade_count=bar.trade_count * whole,
            taker_buy_volume=bar.taker_buy_volume * whole,
        )

    @property
    def config(self) -> Active:
        """The configuration the latest decision was made with."""
        return self._config

    @property
    def level(self) -> Level:
        """The clarity level of the latest decision."""
        explained = self._explained
        return "idle" if explained is None or not explained.ready else explained.level.word

    @property
    def trouble(self) -> str | None:
        """What makes the state unusable, if anything does."""
        if self._broken_off is not None or self.ended:
            return self._broken_off or self._failed
        return self.freshness.trouble or self._failed

    @property
    def status(self) -> Status:
        """How far the decision can be relied on."""
        if self._active().pause is not None:
            return "paused"
        if self.trouble is not None:
            return "stale"
        if self._explained is None or not self._explained.ready:
            return "warming_up"
        return "ended" if self.ended else "live"

    def data(self) -> StateData:
        """The state as it goes out on the wire."""
        explained = self._explained
        status = self.status
        usable = explained if status in ("live", "ended") else None
        age, limit = self.freshness.age, self.freshness.longest_silence
        made: StateData = {
            **undecided(),
            "status": status,
            "status_reason": self._reason(),
            "price": self._price,
            "price_time": None if self._price_time is None else iso(self._price_time),
            "data_age": None if age is None or self.ended else round(age, 1),
            "data_age_limit": None if math.isinf(limit) else round(limit, 1),
            "bar_time": None if explained is None else iso(explained.open_time),
            "bar_closed": self._bar_closed,
            "timeframe": self._timeframe.value,
            "feed": self._feed,
        }
        if usable is not None:
            made |= {
                "clarity_level": usable.level.word,
                "raw_clarity_level": usable.raw_level.word,
                "signal_confidence": round(usable.confidence, 6),
                "side": usable.side,
                "position_size": usable.size,
                "trend_direction": usable.trend,
                "volatility_status": usable.volatility,
                "levels_status": usable.levels,
                "blocked_by": [*usable.blocked_by],
                "explanation": usable.explanation,
            }
        return made

    def _reason(self) -> str | None:
        """Why the status is not ``live``."""
        pause = self._active().pause
        if pause is not None:
            return pause.sentence() + (f"; besides, {self.trouble}" if self.trouble is not None else "")
        if self.trouble is not None:
            return self.trouble
        if self.status == "warming_up":
            needed = bars_needed(self._config.configuration.indicators, self._timeframe.minutes)
            ended = "; the replay is over" if self.ended else ""
            return f"{len(self._window)} of {needed} bars of {self._timeframe.value} are there{ended}"
        return "the replay is over; this is its last decision" if self.ended else None

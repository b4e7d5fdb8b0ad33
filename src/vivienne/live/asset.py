"""One live asset: its bars, its latest decision, and the reliability of that decision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from vivienne.agent.decision import NO_CAP
from vivienne.agent.evaluate import FULL_HISTORY
from vivienne.live.asset_bars import AssetBars
from vivienne.live.change_marks import ChangeMarks
from vivienne.live.deciding import Deciding
from vivienne.live.entries import contact_entry, listed
from vivienne.live.freshness import Freshness
from vivienne.live.preview import compare
from vivienne.live.trouble import Trouble
from vivienne.market.window import Held
from vivienne.slices import whole
from vivienne.times import iso
from vivienne.wire.decision import undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vivienne.agent.decision import Decision
    from vivienne.agent.schema import Configuration
    from vivienne.changes.in_force import Active
    from vivienne.changes.pause.state import PauseInForce
    from vivienne.live.deciding import Basis
    from vivienne.live.made import Made
    from vivienne.live.memory import Recalled
    from vivienne.market.feeds.base import Contact, Listing, MinuteSource
    from vivienne.market.timeframe import Timeframe
    from vivienne.market.types import Bars, Candle
    from vivienne.slices import Pieces
    from vivienne.wire.chart import Chart, ChartBar, Listed
    from vivienne.wire.explanation import Level
    from vivienne.wire.preview import Comparison
    from vivienne.wire.state import AssetState, History, Status


class DecisionMade(NamedTuple):
    """A closed bar and the decision on it.

    Attributes:
        asset: name of the asset.
        bar: the bar as a chart draws it.
        decision: the decision on the bar, even if it has no effect.
        active: the configuration it was made with, and the pause in force.
        status: status of the asset at that moment.
        basis: the bars it was made from.
    """

    asset: str
    bar: ChartBar
    decision: Decision
    active: Active
    status: Status
    basis: Basis


class LiveAsset:
    """Takes minutes and prices, keeps the bars, and decides.

    Args:
        asset: name of the asset.
        feed: name of the feed, shown in the state.
        timeframe: timeframe of the bars.
        window: largest number of bars that are kept.
        on_tick: decide the open bar too. Such a decision may change until the bar closes.
        active: returns the configuration in force and the pause in force.
        freshness: judges the data; without it, data may arrive at any time.
        cap: the largest position size, in percent of equity.
        require_full_history: stay in warm-up until the history of a bar is full.
        listing: what its exchange says of the market; see `vivienne.market.feeds.base.Feed`.
        contact: how the feed stands with the exchange.
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
        require_full_history: bool = False,
        listing: Callable[[], Listing | None] = lambda: None,
        contact: Callable[[], Contact | None] = lambda: None,
    ) -> None:
        self.asset = asset
        self.freshness = freshness or Freshness()
        self._feed = feed
        self._timeframe = timeframe
        self._active = active
        self._on_tick = on_tick
        self._bar_closed = True
        self._bars = AssetBars(asset, timeframe, window, self.freshness)
        self._deciding = Deciding(self._bars.window, timeframe, cap=cap, require_full_history=require_full_history)
        self._config: Active = active()
        self._broken_off: Trouble | None = None
        self._failed: Trouble | None = None
        self._held: Trouble | None = None
        self._changes = ChangeMarks(window)
        self._listing = listing
        self._contact = contact
        self.ended = False
        """True once the feed has ended."""

    def recall(self, recalled: Recalled) -> None:
        """Know bars and decisions of an earlier process. The asset is stale until newer data comes."""
        # There may have been bars before them that were not recorded.
        self._bars.recall(Held(recalled.bars, recalled.sources, is_cut=True, generation=0))
        self._deciding.recall(recalled.made)

    def load(
        self, minutes: Bars, *, is_whole: bool = True, bars: Bars | None = None, source: MinuteSource | None = None
    ) -> int:
        """Load history all at once; see `loading`."""
        return whole(self.loading(minutes, is_whole=is_whole, bars=bars, source=source))

    def loading(
        self, minutes: Bars, *, is_whole: bool = True, bars: Bars | None = None, source: MinuteSource | None = None
    ) -> Pieces[int]:
        """Load history without deciding its bars; see `vivienne.market.feeds.base.History`.

        It is done in pieces, and apart: what was known before is known until all of it is done, so that a change of
        the configuration or a chart between finds bars that belong together.

        Args:
            minutes: closed minutes, oldest first.
            is_whole: whether the market began with the first of them.
            bars: closed bars before the minutes; None without any. Those that are known stay as they are.
            source: where all of them came from.

        Returns:
            The number of bars that are known otherwise.
        """
        found = self._bars.apart()
        found.differing = 0
        known = None
        with found.freshness.history():
            if bars is not None and len(bars):
                found.begin_with(bars, source)
                found.is_recalled = False
            elif self._begins_earlier(minutes):
                known = found.restart()
            yield from found.take_all(minutes, source)
        if len(minutes):
            found.is_recalled = False
        found.newly_closed = 0
        window = found.window
        if not is_whole:
            window.is_cut = True
        elif len(minutes) and len(window) and window.bars().open_time[0] == minutes.open_time[0]:
            window.is_cut = False  # bars that were recalled may have been cut; now it is known that they are not
        if known is not None:
            found.keep(known, source)
        self._bars.become(found)
        return found.differing

    def _begins_earlier(self, minutes: Bars) -> bool:
        """Tell whether minutes begin before the bars that are known; otherwise they go on from them."""
        known = self._bars.window.bars().open_time
        return len(known) > 0 and len(minutes) > 0 and bool(minutes.open_time[0] < known[0])

    def bars_needed(self, configuration: Configuration) -> int:
        """Number of bars that a decision needs."""
        return self._deciding.bars_needed(configuration)

    def take(self, candle: Candle, source: MinuteSource | None = None) -> bool:
        """Take a closed minute; see `AssetBars.take`."""
        return self._bars.take(candle, source)

    def correct(self, candle: Candle) -> bool:
        """Correct a minute of the open bar; see `AssetBars.correct`."""
        return self._bars.correct(candle)

    def move(self, price: float, time: int) -> None:
        """Take a price within the open minute, without deciding."""
        self._bars.move(price, time)

    def end(self) -> None:
        """Mark the feed as ended. The last decision stays in force."""
        self.ended = True

    def hold(self, reason: str | None) -> None:
        """Mark the data as out of reach for a reason; None once it is there again."""
        self._held = None if reason is None else Trouble("push" if self._feed == "push" else "exchange", reason)

    def break_off(self, reason: str) -> None:
        """Mark the feed as failed. The state becomes idle, with size 0 and this reason."""
        self._broken_off = Trouble("feed_failed", reason)

    def go_on(self) -> None:
        """Take the feed as sound: there is data of it again."""
        self._broken_off = None

    def fail(self, reason: str) -> None:
        """Mark the decision as failed. Until the next one succeeds, the state is idle, with size 0 and this reason."""
        self._failed = Trouble("decision_failed", reason)

    def decide(self) -> None:
        """Decide every newly closed bar; without any, decide the newest bar again with the configuration in force."""
        if not [*self.decide_closed()]:
            self.decide_again()

    @property
    def has_undecided(self) -> bool:
        """True if there are closed bars without a decision."""
        return self._bars.newly_closed > 0

    def decide_closed(self) -> Iterator[DecisionMade]:
        """Decide every newly closed bar in order; see `decide_next`."""
        while self.has_undecided:
            yield self.decide_next()

    def decide_next(self) -> DecisionMade:
        """Decide the oldest newly closed bar with the configuration in force, and show the decision in the state."""
        self._bars.newly_closed -= 1
        self._take_up(self._active())
        self._bar_closed = True
        decision = self._deciding.decide_closed(self._config, self._bars.newly_closed)
        self._failed = None
        made = self._deciding
        return DecisionMade(self.asset, made.newest_bar(), decision, self._config, self.status, made.basis())

    def decide_again(self) -> None:
        """Decide the newest bar with the configuration in force; with `on_tick` this is the open bar."""
        self._take_up(self._active())
        has_bars = len(self._bars.window) > 0
        open_bar = self._bars.open_bar() if self._on_tick and has_bars else None
        self._bar_closed = open_bar is None
        if has_bars:
            self._deciding.decide_again(self._config, open_bar)
        else:
            self._deciding.forget()
        self._failed = None

    def take_up(self) -> bool:
        """Use the configuration in force, if nothing that is decided is different; False if it has to be decided."""
        active = self._active()
        if active.configuration is not self._config.configuration or self._failed or self.has_undecided:
            return False
        self._take_up(active)
        return True

    def take_up_switch(self) -> None:
        """Show the pause in force over the last decision. Whoever decides what is left to be decided, does so later."""
        active = self._active()
        if active.configuration is self._config.configuration:
            self._take_up(active)

    def chart(self, limit: int, before: int | None = None) -> Chart:
        """The last closed bars, at most `limit`, as a chart draws them; see `Deciding.chart_bars`."""
        return {
            "asset": self.asset,
            "timeframe": self._timeframe.value,
            "feed": self._feed,
            "bars": self._deciding.chart_bars(self._active(), limit, before),
            "forming": self._bars.forming_bar(),
            "changes": self._changes.listed(),
        }

    def decided_after(self, open_time: int, most: int) -> list[tuple[Made, float]]:
        """The decisions on closed bars after a time; see `Deciding.decided_after`."""
        return self._deciding.decided_after(self._active(), open_time, most)

    @property
    def contact(self) -> Contact | None:
        """The standing of the feed with its exchange; None without one."""
        return self._contact()

    @property
    def symbol(self) -> str | None:
        """The symbol at its exchange; None without one."""
        listing = self._listing()
        return None if listing is None else listing.symbol

    def closes(self, most: int) -> list[float]:
        """The last closes, oldest first."""
        closes = self._bars.window.bars().close
        last: list[float] = closes[max(0, len(closes) - most) :].tolist()
        return last

    def listed(self) -> Listed:
        """What its exchange says of the market."""
        return listed(self._listing())

    def compare(self, candidate: Configuration, rows: int) -> Comparison:
        """Compare the last bars under the configuration in force and under another one."""
        return compare(self._deciding, self._active().configuration, candidate, rows)

    def _take_up(self, active: Active) -> None:
        """Use this configuration from the next decision on, and mark a change of the version for the chart."""
        price_time = self._bars.price_time
        if active.version != self._config.version and price_time is not None:
            self._changes.add(active.version, price_time)
        self._config = active

    @property
    def config(self) -> Active:
        """The configuration the latest decision was made with."""
        return self._config

    @property
    def level(self) -> Level:
        """The clarity level of the latest decision."""
        decision = self._deciding.decision
        return "idle" if decision is None or not self._deciding.is_ready else decision.level.word

    @property
    def trouble(self) -> Trouble | None:
        """The reason why the state is unusable; None if it is usable."""
        if self._broken_off is not None or self.ended:
            return self._broken_off or self._failed
        # What the feed says of itself is the reason why nothing comes.
        old = Trouble("no_data", "no whole minute has come since the start") if self._bars.is_recalled else None
        return self._held or self.freshness.trouble or old or self._failed

    @property
    def status(self) -> Status:
        """The status of the asset; only `live` and `ended` states have a decision with an effect."""
        return self._status(self._active().pause, self.trouble)

    def _status(self, pause: PauseInForce | None, trouble: Trouble | None) -> Status:
        if pause is not None:
            return "paused"
        if trouble is not None:
            return "stale"
        if not self._deciding.is_ready:
            return "warming_up"
        return "ended" if self.ended else "live"

    def data(self) -> AssetState:
        """The state as it is sent on the wire."""
        decision, bars, pause, trouble = self._deciding.decision, self._bars, self._active().pause, self.trouble
        status, reason = self._status(pause, trouble), self._reason(pause, trouble)
        entry = self._deciding.entry if status in ("live", "ended") else None
        age, limit = self.freshness.age, self.freshness.longest_silence
        return {
            **(undecided() if entry is None else entry),
            "status": status,
            "status_reason": None if reason is None else reason.message,
            "status_reason_id": None if reason is None else reason.id,
            "pause": None if pause is None else pause.entry(),
            "trouble": None if trouble is None else {"id": trouble.id, "message": trouble.message},
            "history": self._history(),
            "price": bars.price,
            "price_time": None if bars.price_time is None else iso(bars.price_time),
            "data_age": None if age is None or self.ended else round(age, 1),
            "data_age_limit": None if math.isinf(limit) else round(limit, 1),
            "bar_time": None if decision is None else iso(decision.open_time),
            "bar_closed": self._bar_closed,
            "bar": None,
            "timeframe": self._timeframe.value,
            "feed": self._feed,
            **contact_entry(self._contact()),
            **self.listed(),
        }

    def _history(self) -> History:
        decision, needed = self._deciding.decision, self._deciding.bars_needed(self._config.configuration)
        return {"bars": 0 if decision is None else decision.history, "needed": needed, "of": FULL_HISTORY}

    def _reason(self, pause: PauseInForce | None, trouble: Trouble | None) -> Trouble | None:
        """The reason for the status; None for `live` with full history."""
        if pause is not None:
            return Trouble("paused", pause.sentence(None if trouble is None else trouble.message))
        if trouble is not None:
            return trouble
        decision = self._deciding.decision
        if decision is None or not self._deciding.is_ready:
            needed = self._deciding.bars_needed(self._config.configuration)
            besides = self._left_out() + ("; the replay has ended" if self.ended else "")
            known = f"{len(self._bars.window)} of {needed} bars of {self._timeframe.value}"
            return Trouble("warming_up", known + besides)
        if self.ended:
            return Trouble("replay_over", "the replay has ended; this is its last decision")
        if decision.history < FULL_HISTORY:
            return Trouble(
                "short_history",
                f"history: {decision.history} of {FULL_HISTORY} bars; older support and resistance levels are missing"
                + self._left_out(),
            )
        return None

    def _left_out(self) -> str:
        """What the reason says of bars of the history that are not used."""
        count = self._bars.left_out
        return f"; {count} bars of the history are invalid or before an invalid one, and not used" if count else ""

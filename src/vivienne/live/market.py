"""The live path: feeds in, decisions out. Each asset has its own task, and a failure affects that asset only."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import orjson

from vivienne.listeners import tell
from vivienne.live.asset import LiveAsset
from vivienne.live.caps import UNCAPPED
from vivienne.live.freshness import Freshness
from vivienne.live.moved import Moved
from vivienne.live.restarting import EndedUnexpectedly, kept_up
from vivienne.market.feeds.base import (
    ContactChanged,
    DataRefused,
    FeedEnded,
    FeedTrouble,
    HistoryRead,
    MinuteClosed,
    MinuteCorrected,
    PriceMoved,
)
from vivienne.rates import MOST_OF_AN_ASSET, Quota
from vivienne.slices import SharedSlices, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vivienne.agent.schema import Configuration
    from vivienne.changes.service import ConfigService
    from vivienne.live.asset import DecisionMade
    from vivienne.live.caps import SizeCaps
    from vivienne.live.memory import Memory
    from vivienne.live.trouble import Trouble
    from vivienne.market.feeds.base import Feed, FeedEvent, History
    from vivienne.market.timeframe import Timeframe
    from vivienne.slices import Pieces
    from vivienne.store.revision import AppliedRevision
    from vivienne.stream.state import StateBoard
    from vivienne.wire.chart import AssetCloses, Chart, ChartBar
    from vivienne.wire.preview import Comparison

_log = logging.getLogger(__name__)

AGEING_SECONDS = 10.0
"""Interval at which states are published while no data arrives, so that clients see the age of the data."""


class Market:
    """Follows a feed for every asset, decides on closed bars and on changes, and publishes the state.

    Args:
        feed: the source of the data.
        service: the configuration in force. A change is decided and published before it is acknowledged.
        board: receives the states.
        timeframe: timeframe of the bars.
        window: number of bars that are kept for each asset.
        price_interval: seconds between two states of an asset that differ in price only.
        on_tick: decide the open bar too, at the same interval.
        cap: the largest position sizes, in percent of equity.
        require_full_history: keep an asset in warm-up until its history is full.
        memory: knows what earlier processes decided; None if nobody does.

    Attributes:
        assets: the assets that are decided here, which are those of the feed.
        feed: name of the feed.
        timeframe: name of the timeframe.
    """

    def __init__(
        self,
        feed: Feed,
        service: ConfigService,
        board: StateBoard,
        *,
        timeframe: Timeframe,
        window: int,
        price_interval: float,
        on_tick: bool = False,
        cap: SizeCaps = UNCAPPED,
        require_full_history: bool = False,
        memory: Memory | None = None,
    ) -> None:
        self.assets, self.feed, self.timeframe = feed.assets, feed.name, timeframe.value
        self._feed = feed
        self._board = board
        self._metrics = service.metrics
        self._timeframe = timeframe
        self._on_tick = on_tick
        self._moved = Moved(price_interval)
        self._slices = SharedSlices()
        self._window = window
        self._listeners: list[Callable[[DecisionMade], None]] = []
        self._watchers: list[Callable[[str], None]] = []
        self._readers: list[Callable[[str], None]] = []
        self._records = {asset: Quota(_log, logging.WARNING, MOST_OF_AN_ASSET) for asset in feed.assets}
        """Of the log: a feed whose data is wrong and right in turn does not fill it."""
        self._assets = {
            asset: LiveAsset(
                asset,
                feed=feed.name,
                timeframe=timeframe,
                window=window,
                on_tick=on_tick,
                cap=cap.of(asset),
                active=partial(service.active, asset),
                freshness=Freshness(feed.longest_silence, feed.pace, catches_up=feed.catches_up),
                require_full_history=require_full_history,
                listing=partial(feed.listing, asset),
                contact=partial(feed.contact, asset),
            )
            for asset in feed.assets
        }
        if feed.pace is not None:
            bar_seconds = timeframe.minutes * 60 / feed.pace
            self._metrics.gauge("vivienne_bar_duration_seconds", lambda: bar_seconds)
        for asset, live in self._assets.items():
            self._metrics.expect("vivienne_decision_failures_total", asset)
            self._metrics.expect("vivienne_feed_restarts_total", asset)
            self._metrics.expect("vivienne_history_differences_total", asset)
            if memory is not None and (recalled := memory.recall(asset, window)) is not None:
                live.recall(recalled)
            self._load(asset, live, service.active(asset).configuration)
            self._decide_again(asset)
        self.listen(self._show_decision)
        service.listen(self._reconfigured)
        service.listen_to_held(self._held)

    def _load(self, asset: str, live: LiveAsset, configuration: Configuration) -> None:
        # One more bar than needed, because the data may begin within the first bar.
        bars = live.bars_needed(configuration) + 1, self._window + 1
        least, most = (count * self._timeframe.minutes for count in bars)
        whole(self._loading(asset, self._feed.history(asset, least=least, most=most)))

    def _loading(self, asset: str, history: History) -> Pieces[None]:
        differing = yield from self._assets[asset].loading(
            history.minutes, is_whole=history.is_whole, bars=history.bars, source=history.source
        )
        for _ in range(differing):
            self._metrics.count("vivienne_history_differences_total", asset)

    def listen(self, listener: Callable[[DecisionMade], None]) -> None:
        """Call a listener with every decision on a closed bar, in order. The stream of states is the first listener."""
        self._listeners.append(listener)

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call a watcher with an asset whose data has become reliable or unreliable, or its feed another."""
        self._watchers.append(watcher)

    def listen_to_histories(self, listener: Callable[[str], None]) -> None:
        """Call a listener with an asset whose history was read. Bars of it may have closed without a decision."""
        self._readers.append(listener)

    def seen(self, asset: str) -> LiveAsset:
        """An asset as it is now."""
        return self._assets[asset]

    def chart(self, asset: str, limit: int, before: int | None = None) -> Chart:
        """The chart of an asset, with at most `limit` closed bars; see `MarketView`."""
        return self._assets[asset].chart(limit, before)

    def closes(self, most: int) -> Pieces[list[bytes]]:
        """All assets as JSON, each with its last closes; one at a time."""
        listed: list[bytes] = []
        for asset, live in self._assets.items():
            entry: AssetCloses = {"asset": asset, **live.listed(), "closes": live.closes(most)}
            listed.append(orjson.dumps(entry))
            yield
        return listed

    def compare(self, asset: str, candidate: Configuration, rows: int) -> tuple[str, Comparison]:
        """The timeframe, and the comparison of the last bars under another configuration."""
        return self._timeframe.value, self._assets[asset].compare(candidate, rows)

    def ended(self) -> bool:
        """True once the replays of all assets have ended."""
        return all(live.ended for live in self._assets.values())

    async def run(self) -> None:
        """Follow the feed until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for asset in self._assets:
                    follow, failed = partial(self._follow, asset), partial(self._asset_failed, asset)
                    tasks.create_task(kept_up(f"The feed of {asset}", follow, failed), name=f"feed {asset}")
                tasks.create_task(kept_up("The feed", self._feed.run, self._feed_failed), name="feed")
                tasks.create_task(self._publish_prices(), name="prices")
                tasks.create_task(self._watch_silence(), name="silence")
        except ExceptionGroup as failed:
            _log.critical("The market failed; no asset is decided any longer", exc_info=failed)
            for asset in self._assets:
                self._break_off(asset, f"the market failed: {failed!r}")

    async def _follow(self, asset: str) -> None:
        """Follow one asset to the end of its feed. A failure affects this asset only, and is shown in its state."""
        async for event in self._feed.follow(asset):
            await self._take(asset, event)
        if not self._assets[asset].ended:
            raise EndedUnexpectedly

    def _asset_failed(self, asset: str, reason: str) -> bool:
        """Break an asset off; whether it is followed again. What a file has left cannot be relied on any longer."""
        again = self._feed.follows_again
        if again:
            self._metrics.count("vivienne_feed_restarts_total", asset)
        self._break_off(asset, f"{reason}; it is started again" if again else reason)
        return again

    def _feed_failed(self, reason: str) -> bool:
        for asset in self._assets:
            self._asset_failed(asset, reason)
        return self._feed.follows_again

    async def _take(self, asset: str, event: FeedEvent) -> None:
        live = self._assets[asset]
        before = live.trouble
        if isinstance(event, (HistoryRead, MinuteClosed, PriceMoved, DataRefused)):
            live.go_on()
        if isinstance(event, PriceMoved):
            live.move(event.price, event.time)
            self._moved.add(asset)
        elif isinstance(event, DataRefused):
            live.freshness.refuse(event.kind, event.reason)
            self._moved.add(asset)
        elif isinstance(event, MinuteClosed | MinuteCorrected):
            await self._take_minute(asset, event)
        elif isinstance(event, HistoryRead):
            await self._slices.done(self._loading(asset, event.history))
            self._decide_again(asset)
            tell(self._readers, asset, _log, asset)
        elif isinstance(event, FeedTrouble):
            live.hold(event.reason)
        elif isinstance(event, ContactChanged):
            self._publish_safely(asset)
            tell(self._watchers, asset, _log, asset)
        elif isinstance(event, FeedEnded):
            await self._board.handed_over(asset)
            live.end()
            self._publish(asset)
        if live.trouble != before:
            self._say_trouble(asset, before)

    async def _take_minute(self, asset: str, event: MinuteClosed | MinuteCorrected) -> None:
        live = self._assets[asset]
        if isinstance(event, MinuteCorrected):
            live.correct(event.candle)
        elif live.take(event.candle, event.source):
            await self._decide_closed(asset)
            return
        self._moved.add(asset)

    def _say_trouble(self, asset: str, before: Trouble | None) -> None:
        """Log that the data of an asset has become unreliable or reliable, and publish the state."""
        trouble = self._assets[asset].trouble
        if trouble is None:
            self._records[asset].log("%s: its data is reliable again", asset, level=logging.INFO)
        elif before is None and not self._is_said(asset, trouble):
            self._records[asset].log("%s: %s", asset, trouble)
        self._publish_safely(asset)
        tell(self._watchers, asset, _log, asset)

    def _is_said(self, asset: str, trouble: Trouble) -> bool:
        """Whether another asset has the same trouble. That of the whole exchange is said of the first one only."""
        others = (live.trouble for other, live in self._assets.items() if other != asset)
        return trouble.id == "exchange" and trouble in others

    def _break_off(self, asset: str, reason: str) -> None:
        self._records[asset].log("%s: %s", asset, reason, level=logging.ERROR)
        self._assets[asset].break_off(reason)
        self._publish_safely(asset)
        tell(self._watchers, asset, _log, asset)

    def _reconfigured(self, change: AppliedRevision) -> Iterator[None]:
        for asset in change.assets:
            if asset in self._assets:
                if change.revision.is_switch:
                    self._switched(asset)
                else:
                    yield from self._changed(asset)
                yield

    def _switched(self, asset: str) -> None:
        """Show a pause or its end. Nothing is decided for it: others wait for a pause, however much is undecided."""
        self._assets[asset].take_up_switch()
        self._publish_safely(asset)

    def _changed(self, asset: str) -> Iterator[None]:
        """Decide an asset with another configuration."""
        live = self._assets[asset]
        if live.take_up():
            self._publish_safely(asset)
            return
        while live.has_undecided:  # after a gap these are many
            self._decide_next(asset)
            yield
        self._decide_again(asset)

    def _held(self, assets: Sequence[str]) -> None:
        """Publish the states of assets after a pause of them that is not stored yet came into force or ended."""
        for asset in assets:
            if asset in self._assets:
                self._publish_safely(asset)

    async def _decide_closed(self, asset: str) -> None:
        """Decide every bar that a minute has closed. Each state is sent before the next bar is decided."""
        live = self._assets[asset]
        if not live.has_undecided:  # its history restarted
            self._decide_again(asset)
        while live.has_undecided:
            await self._slices.rest()  # many assets may close a bar at the same time
            await self._board.handed_over(asset)
            self._decide_next(asset)

    def _decide_next(self, asset: str) -> None:
        live, begin = self._assets[asset], perf_counter()
        if not live.has_undecided:  # a change of the configuration has decided them already
            return
        try:
            made = live.decide_next()
        except Exception as error:  # noqa: BLE001  # a defect here must not stop the agent
            self._decision_failed(asset, error)
        else:
            self._metrics.decided(asset, live.level, perf_counter() - begin)
            tell(self._listeners, made, _log, f"a decision of {asset}")

    def _decide_again(self, asset: str) -> None:
        live, begin = self._assets[asset], perf_counter()
        while live.has_undecided:
            self._decide_next(asset)
        try:
            live.decide_again()
            self._metrics.decided(asset, live.level, perf_counter() - begin)
        except Exception as error:  # noqa: BLE001  # a change that is already stored must not be undone
            self._decision_failed(asset, error)
        self._publish_safely(asset)

    def _decision_failed(self, asset: str, error: Exception) -> None:
        self._metrics.count("vivienne_decision_failures_total", asset)
        self._records[asset].log("The decision of %s failed", asset, level=logging.ERROR, exc_info=error)
        self._assets[asset].fail(f"the decision failed: {error!r}")
        self._publish_safely(asset)

    def _show_decision(self, made: DecisionMade) -> None:
        self._publish_safely(made.asset, made.bar)

    def _publish_safely(self, asset: str, bar: ChartBar | None = None) -> None:
        try:
            self._publish(asset, bar)
        except Exception as error:  # noqa: BLE001  # see below
            # A state that cannot be published must not stop the other assets.
            _log.exception("The state of %s cannot be published", asset)
            self._assets[asset].fail(f"the state cannot be published: {error!r}")

    def _publish(self, asset: str, bar: ChartBar | None = None) -> None:
        self._moved.published(asset)
        live = self._assets[asset]
        data = live.data()
        data["bar"] = bar
        self._board.publish(asset, data=data, config=live.config.document, config_version=live.config.version)

    async def _watch_silence(self) -> None:
        """Check regularly for silent feeds, because a feed that hangs sends no event."""
        for live in self._assets.values():
            live.freshness.wait()
        while True:
            await asyncio.sleep(min(1.0, self._feed.longest_silence / 2))
            for asset, live in self._assets.items():
                await self._slices.rest()
                before = live.trouble
                if live.ended:
                    continue
                if live.freshness.look():
                    self._say_trouble(asset, before)
                elif self._moved.quiet(asset) >= AGEING_SECONDS:
                    self._publish_safely(asset)

    async def _publish_prices(self) -> None:
        """Publish price changes, at most one state for each asset and interval; decide only with `on_tick`."""
        while True:
            for asset in await self._moved.due():
                await self._slices.rest()
                if asset not in self._moved:  # since then something else was published of it
                    continue
                if self._on_tick:
                    self._decide_again(asset)
                else:
                    self._publish_safely(asset)

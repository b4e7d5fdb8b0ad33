"""All exchanges at once, at a fast pace, with every fault there is: bars and decisions are those of an unbroken run."""

from __future__ import annotations

import asyncio
import copy
import logging
import math
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from fake_exchange import DIALECTS, NOTICE, FakeExchange, FakeMarket, Faults
from measuring import Figure, percentile
from torture.feed import _without_log
from torture.progress import Progress
from vivienne.changes.service import ConfigService
from vivienne.live.asset import LiveAsset
from vivienne.live.market import Market
from vivienne.market.feeds.base import HistoryRead, MinuteClosed
from vivienne.market.feeds.exchange.feed import ExchangeFeed
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars, Candle
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from vivienne.live.asset import DecisionMade
    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.feeds.exchange.adapter import Adapter

_log = logging.getLogger(__name__)
_BASES = ("BTC", "ETH")
_BARS, _PAST = 1_050, 1_200
_AHEAD = 120
_SETTLE_SECONDS = 120.0
_NOTICED_MS = 20_000
_WANTED_MB_PER_HOUR = 1.0
_WANTED_SECONDS = 2.0
_GARBAGE = ['{"channel": "what"}', "not JSON", "[]", "{" * 50, '{"e": "kline"}', "[" * 5_000, '{"data": {"e": null}}']


@dataclass
class _Found:
    """What was seen.

    Attributes:
        wrong: what should not have been, in words.
        back: seconds from when the exchange was there again until all its assets were.
    """

    faults: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    minutes: int = 0
    decisions: int = 0
    hours: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    def fault(self, text: str) -> None:
        if len(self.wrong) < 100:
            self.wrong.append(text)
            print(f"  {text}", file=sys.stderr, flush=True)


class _Compared(ExchangeFeed):
    """A feed each of whose minutes is compared with what was traded, and fed to an asset that knows no faults."""

    def __init__(
        self, adapter: Adapter, market: FakeMarket, found: _Found, service: ConfigService, url: str, patience: Patience
    ) -> None:
        super().__init__(adapter, _BASES, timeframe=Timeframe.M1, bars=_BARS, url=url, patience=patience)
        self._truth = market
        self._found = found
        self.newest = dict.fromkeys(_BASES, 0)
        self.clean = {base: _unfollowed(base, service) for base in _BASES}
        self._service = service

    async def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        """See `Feed`."""
        async for event in super().follow(asset):
            if isinstance(event, HistoryRead):
                self._begin(asset, event)
            elif isinstance(event, MinuteClosed):
                self._compare(asset, event)
            yield event

    def _begin(self, asset: str, event: HistoryRead) -> None:
        bars = event.history.bars
        assert bars is not None
        begin, end = int(bars.open_time[0]), int(bars.open_time[-1]) + MINUTE_MS
        true = [_known(mine, theirs) for mine, theirs in
                zip(bars.candles(), self._truth.minutes(asset, begin, end), strict=True)]  # fmt: skip
        self.clean[asset] = _unfollowed(asset, self._service)
        self.clean[asset].load(event.history.minutes, is_whole=event.history.is_whole, bars=Bars.from_candles(true))
        self.newest[asset] = end

    def _compare(self, asset: str, event: MinuteClosed) -> None:
        candle = event.candle
        if candle.open_time != self.newest[asset]:
            self._found.fault(f"{self.adapter.name} {asset}: {candle.open_time} came, {self.newest[asset]} was due")
        (true,) = self._truth.minutes(asset, candle.open_time, candle.open_time + MINUTE_MS)
        known = _known(candle, true)
        if any(
            not (math.isclose(mine, theirs, rel_tol=1e-9) or math.isnan(theirs))
            for mine, theirs in zip(candle, known, strict=True)
        ) or (event.source == "streamed" and known != true):
            self._found.fault(f"{self.adapter.name} {asset}: {candle} ({event.source}) is {true}")
        self._found.minutes += 1
        self._found.sources[str(event.source)] += 1
        self.newest[asset] = candle.open_time + MINUTE_MS
        self.clean[asset].take(known)
        self.clean[asset].decide()

    def decided(self, made: DecisionMade) -> None:
        """Compare a decision with that of the asset that knows no faults."""
        if made.status != "live":
            return
        shown, right = self._service_view(made), self.clean[made.asset].data()
        self._found.decisions += 1
        for name, value in shown.items():
            if right[name] != value:  # type: ignore[literal-required]  # fields of a state, by their names
                self._found.fault(f"{self.adapter.name} {made.asset}: {name} is {value}, not {right[name]}")  # type: ignore[literal-required]

    @staticmethod
    def _service_view(made: DecisionMade) -> dict[str, object]:
        return {"clarity_level": made.decision.level.word, "position_size": made.decision.size}


def _unfollowed(base: str, service: ConfigService) -> LiveAsset:
    return LiveAsset(
        base, feed="clean", timeframe=Timeframe.M1, window=_BARS, active=lambda: service.active(base)
    )  # fmt: skip


def _known(mine: Candle, true: Candle) -> Candle:
    """What was traded, without what the exchange does not tell in what came; quote volumes may be estimates."""
    found = true
    if math.isnan(mine.trade_count):
        found = found._replace(trade_count=math.nan)
    if math.isnan(mine.taker_buy_volume):
        found = found._replace(taker_buy_volume=math.nan)
    if math.isnan(mine.trade_count) or math.isnan(mine.taker_buy_volume):
        found = found._replace(quote_volume=mine.quote_volume)
    return found


class _Trouble:
    """Makes faults at one exchange, one after the other.

    Args:
        name: of the exchange.
        exchange: where.
        feed: follows it.
        found: what is seen.
        chance: of everything.
    """

    def __init__(
        self, name: str, exchange: FakeExchange, feed: ExchangeFeed, found: _Found, chance: random.Random
    ) -> None:
        self._exchange = exchange
        self._feed = feed
        self._found = found
        self._chance = chance
        self._kinds: list[Callable[[], Awaitable[None]]] = [
            self.cut, self.end, self.gone, self.silent, self.repeats, self.doubled_and_mixed, self.garbage, self.mute,
            self.requests_fail, self.too_many_requests, self.halted, self.maintenance,
        ]  # fmt: skip
        # Others have neither a flag nor numbers of messages: what is lost at the end of a minute is seen too late.
        if name in ("okx", "coinbase"):
            self._kinds.append(self.lose)
        if name == "okx":
            self._kinds.append(self.notice)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._chance.uniform(0.5, 2.0))
            kind = self._chance.choice(self._kinds)
            self._found.faults[kind.__name__.replace("_", " ")] += 1
            before = self._exchange.handshakes
            await kind()
            if kind in (self.cut, self.end, self.gone, self.silent, self.repeats):
                await self._until(partial(self._was_asked_since, before))
            self._exchange.faults = Faults()
            await self._until_back()
            # What it noted for tests would make the memory grow.
            self._exchange.requests.clear()
            self._exchange.open.clear()

    async def _until_back(self) -> None:
        begin = time.monotonic()
        await self._until(lambda: all(self._feed.contact(asset).state == "connected" for asset in _BASES))
        self._found.back.append(time.monotonic() - begin)

    def _was_asked_since(self, before: int) -> bool:
        return self._exchange.handshakes > before

    async def _until(self, is_so: Callable[[], bool]) -> None:
        begin = time.monotonic()
        while not is_so():
            if time.monotonic() - begin > _SETTLE_SECONDS:
                self._found.fault(f"{self._feed.adapter.name} was not followed again: {self._feed.contact(_BASES[0])}")
                return
            await asyncio.sleep(0.01)

    async def _a_while(self) -> None:
        await asyncio.sleep(self._chance.uniform(0.1, 1.0))

    async def _noticed(self) -> None:
        """Leave trades out for so long that the silence is noticed, even if a connection is replaced meanwhile.

        A shorter one over the end of a minute leaves no trace where nothing but the exchange's clock ends it.
        """
        market = self._exchange.market
        begin = market.now()
        await self._until(lambda: market.now() - begin > _NOTICED_MS)

    async def cut(self) -> None:
        self._exchange.cut()
        await asyncio.sleep(0)

    async def end(self) -> None:
        await self._exchange.end()

    async def gone(self) -> None:
        await self._exchange.stop()
        await self._a_while()
        await self._exchange.start()

    async def silent(self) -> None:
        self._exchange.faults.is_silent = True
        await self._noticed()

    async def repeats(self) -> None:
        self._exchange.faults.repeats = True
        await self._noticed()

    async def doubled_and_mixed(self) -> None:
        self._exchange.faults.doubles = self._exchange.faults.shuffles = True
        await self._a_while()

    async def garbage(self) -> None:
        self._exchange.faults.garbage = _GARBAGE
        await self._a_while()

    async def mute(self) -> None:
        self._exchange.faults.mute = {self._chance.choice(_BASES)}
        self._exchange.cut()
        await self._a_while()

    async def requests_fail(self) -> None:
        self._exchange.faults.rest_status = 500
        self._exchange.cut()
        await self._a_while()

    async def too_many_requests(self) -> None:
        self._exchange.faults.rest_status, self._exchange.faults.headers = 429, {"Retry-After": "1"}
        self._exchange.cut()
        await asyncio.sleep(0.2)

    async def halted(self) -> None:
        self._exchange.market.states[self._chance.choice(_BASES)] = self._chance.choice(("halted", "delisted"))
        await self._a_while()
        self._exchange.market.states.clear()

    async def maintenance(self) -> None:
        self._exchange.market.maintenance_until = self._exchange.market.now() + MINUTE_MS
        await self._a_while()
        self._exchange.market.maintenance_until = None

    async def lose(self) -> None:
        self._exchange.faults.lose = self._chance.randrange(1, 6)
        await self._a_while()

    async def notice(self) -> None:
        await self._exchange.tell(NOTICE)


def measure(
    *, minutes: float = 30.0, warm_up: float = 20.0, pace: float = 60.0, seed: int = 0, names: str = ",".join(DIALECTS)
) -> list[Figure]:
    """Follow all exchanges at once while things go wrong.

    Args:
        minutes: how long.
        warm_up: of them, those at the beginning that do not count for the memory: until the windows are full.
        pace: seconds of the exchanges in a second.
        seed: of the faults; 0 for another one each time.
        names: of exchanges.
    """
    seed = seed or secrets.randbelow(2**31)
    print(f"  the seed is {seed}: seed={seed} makes the same faults", flush=True)
    found = _Found()
    with tempfile.TemporaryDirectory() as folder, _without_log():
        asyncio.run(_follow(found, Path(folder), minutes * 60, warm_up * 60, pace, seed, names.split(",")))
    return _figures(found, warm_up)


def _figures(found: _Found, warm_up: float) -> list[Figure]:
    named = ", ".join(f"{name} {count:,}" for name, count in sorted(found.faults.items()))
    sources = ", ".join(f"{name} {count:,}" for name, count in sorted(found.sources.items()))
    slope = statistics.linear_regression(found.hours, found.memory).slope / 1e6 if len(found.hours) > 1 else 0.0
    back = sorted(found.back) or [0.0]
    typical = percentile(back, 50)
    return [
        Figure(f"faults: {named}", f"{found.faults.total():,}", "> 0", found.faults.total() > 0),
        Figure(f"minutes compared with what was traded: {sources}", f"{found.minutes:,}", "> 0", found.minutes > 0),
        Figure("decisions compared with those of an unbroken run", f"{found.decisions:,}", "> 0", found.decisions > 0),
        Figure("wrong", f"{len(found.wrong)} {'; '.join(found.wrong[:3])}".strip(), "0", not found.wrong),
        Figure("followed again after a fault: p50, p99, most",
               f"{typical:.2f}, {percentile(back, 99):.2f}, {back[-1]:.2f} s", f"p50 <= {_WANTED_SECONDS:g} s",
               typical <= _WANTED_SECONDS, is_speed=True),
        Figure(f"memory after the first {warm_up:g} min: slope", f"{slope:+.2f} MB/h",
               f"< {_WANTED_MB_PER_HOUR:g} MB/h", slope < _WANTED_MB_PER_HOUR, is_speed=True),
    ]  # fmt: skip


async def _follow(
    found: _Found, folder: Path, seconds: float, warm_up: float, pace: float, seed: int, names: list[str]
) -> None:
    tasks = [
        asyncio.create_task(_follow_one(name, found, folder / f"{name}.db", seconds, pace, seed)) for name in names
    ]  # fmt: skip
    process, begin = psutil.Process(), time.monotonic()
    progress = Progress("seconds", seconds)
    while (passed := time.monotonic() - begin) < seconds and not any(task.done() for task in tasks):
        if passed >= warm_up:
            found.hours.append(passed / 3600)
            found.memory.append(process.memory_info().rss)
        progress.at(passed, f"{found.minutes:,} minutes, {found.faults.total()} faults, {len(found.wrong)} wrong")
        await asyncio.sleep(min(1.0, seconds / 20))
    progress.end()
    await asyncio.gather(*tasks)


async def _follow_one(name: str, found: _Found, db: Path, seconds: float, pace: float, seed: int) -> None:
    adapter = copy.copy(EXCHANGES[name])
    adapter.limits = adapter.limits._replace(
        weight_per_minute=600_000, connects_per_minute=6_000, connection_seconds=7.0
    )
    market = FakeMarket(_BASES, pace=pace, past=_PAST, ahead=round((seconds + _SETTLE_SECONDS) * pace / 60) + _AHEAD)
    patience = Patience(quiet=1.0, first=1.0, slow=0.5, late=5.0, settled=0.1, pace=pace, retry=0.1)
    service = ConfigService(SqliteRevisionStore(db), list(_BASES))
    async with FakeExchange(name, market) as exchange:
        feed = _Compared(adapter, market, found, service, exchange.url, patience)
        live = Market(
            feed, service, StateBoard(Hub()), timeframe=Timeframe.M1, window=_BARS, price_interval=0.5
        )  # fmt: skip
        live.listen(feed.decided)
        running = asyncio.create_task(live.run())
        chance = random.Random(f"{name} {seed}")  # noqa: S311
        troubled = asyncio.create_task(_Trouble(name, exchange, feed, found, chance).run())
        await asyncio.wait([running, troubled], timeout=seconds)
        troubled.cancel()
        ended = await asyncio.gather(troubled, return_exceptions=True)
        if not isinstance(ended[0], asyncio.CancelledError):
            found.fault(f"{name}: {ended[0]!r}")
        await _settled(name, exchange, feed, found)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await service.close()


async def _settled(name: str, exchange: FakeExchange, feed: _Compared, found: _Found) -> None:
    """At the end everything is well again, and every minute came."""
    exchange.faults = Faults()
    exchange.market.states.clear()
    exchange.market.maintenance_until = None
    if exchange.url and not exchange.is_open:
        await exchange.start()
    end, limit = exchange.market.now(), time.monotonic() + _SETTLE_SECONDS
    while min(feed.newest.values()) < end - MINUTE_MS:
        if time.monotonic() > limit:
            found.fault(f"{name}: the last minutes did not come: {feed.contact(_BASES[0])}")
            return
        await asyncio.sleep(0.05)

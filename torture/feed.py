"""A feed that goes wrong in every way: whatever is decided is decided on what really came, or nothing is."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import secrets
import tempfile
from collections import Counter, deque
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from making import MIDNIGHT, minute
from measuring import Figure
from torture.progress import Progress
from vivienne.agent.evaluate import MOST_HISTORY
from vivienne.agent.indicators import bars_needed
from vivienne.agent.schema import Indicators
from vivienne.changes.service import ConfigService
from vivienne.live.asset import LiveAsset
from vivienne.live.freshness import Freshness
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars, Candle
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.changes.in_force import Active
    from vivienne.wire.chart import ChartBar

_SILENCE = 180.0
_WINDOW = MOST_HISTORY
_NEEDED = bars_needed(Indicators(), 1)
_QUIET = _NEEDED + 70
"""Good minutes after a fault: an hour until a clock that fell back is where it was, and a window."""
_COMPARED_EVERY = 40
_OUTAGE_FROM = 4
"""Minutes without data from which on it is an outage."""
_NONE = (math.nan, math.inf, -math.inf, 0.0, -1.0, -65_000.0)
_PRICES = ("open", "high", "low", "close")


class _Exchange:
    """An exchange with a random walk and faults, and an asset that listens to it; a minute lasts a minute.

    Attributes:
        faults: how many of each there were.
        wrong: what should not have been, in words.
        live: after how many minutes the asset was live.
    """

    def __init__(self, active: Active, chance: random.Random) -> None:
        self._active = active
        self.chance = chance
        self._now = 1_000.0
        self._number = 0
        self._price = 65_000.0
        self._sent: deque[Candle] = deque(maxlen=100)
        self._came: dict[int, Candle] = {}
        self._invented_may: set[int] = set()
        self.asset = self._listening()
        self.faults: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.live = 0
        self.compared = 0

    def _listening(self) -> LiveAsset:
        return LiveAsset(
            "BTC",
            feed="with faults",
            timeframe=Timeframe.M1,
            window=_WINDOW,
            active=lambda: self._active,
            freshness=Freshness(_SILENCE, 1.0, lambda: self._now),
        )

    # What happens

    def good(self, minutes: int) -> None:
        """So many minutes as they should be."""
        for _ in range(minutes):
            self._deliver(self._next())

    def twice(self) -> None:
        """The last minute comes again, as it was or altered."""
        self._must_be_left_out(self._sent[-1], "a minute that came twice")
        self._must_be_left_out(
            self._sent[-1]._replace(close=self._price * 3, high=self._price * 3), "its other version"
        )

    def late(self) -> None:
        """An old minute comes once more, with another price."""
        old = self._sent[self.chance.randrange(len(self._sent) - 1)]
        self._must_be_left_out(old._replace(close=old.close * 2, high=old.high * 2), "a late minute")

    def no_price(self) -> None:
        """A minute with a price that is none; the exchange never sends the right one."""
        field = self.chance.choice(_PRICES)
        candle = self._next()._replace(**{field: self.chance.choice(_NONE)})  # type: ignore[arg-type]  # a price, by its name
        self._invented_may.add(candle.open_time)
        self._must_be_left_out(candle, f"a minute with {field} {getattr(candle, field)}")

    def no_trade(self) -> None:
        """A price between the minutes that is none, or from another time."""
        time = MIDNIGHT + self._number * MINUTE_MS
        for price, when in ((self.chance.choice(_NONE), time), (1.0, time - 3_600_000), (1.0, time + 3_600_000)):
            before = self.asset.data()["price"]
            self.asset.move(price, when)
            if self.asset.data()["price"] != before:
                self._fault(f"a price of {price} was shown")
        self._check_idle()

    def slip(self) -> None:
        """One minute an hour off, either way."""
        candle = self._next()
        self._invented_may.add(candle.open_time)
        shift = self.chance.choice((-60, 60)) * MINUTE_MS
        self._must_be_left_out(candle._replace(open_time=candle.open_time + shift), "a minute an hour off")

    def outage(self) -> None:
        """An hour of nothing; the exchange goes on meanwhile."""
        self._silence(60)

    def short_outage(self) -> None:
        """A few minutes of nothing."""
        self._silence(self.chance.randint(_OUTAGE_FROM, 20))

    def clock_jumps(self) -> None:
        """The clock of the exchange is an hour off from here on, either way."""
        self._number += self.chance.choice((-60, 60))
        self.good(3)

    def _silence(self, minutes: int) -> None:
        for _ in range(minutes):
            self._next()
            self._wait(60.0)
        if self.asset.status != "stale":
            self._fault(f"after {minutes} minutes without data it was {self.asset.status}")
        self._check_idle()

    # What is looked at

    def _next(self) -> Candle:
        """The next minute of the random walk; every close is another one, so it is known again."""
        opened = self._price
        self._price = max(1_000.0, opened * (1 + self.chance.gauss(0, 0.002)))
        volume, trades = self.chance.expovariate(0.2), self.chance.randint(1, 500)
        candle = minute(self._number, self._price, opened=opened, volume=volume, trades=trades)
        self._number += 1
        return candle

    def _deliver(self, candle: Candle) -> None:
        self._wait(60.0)
        if self.asset.take(candle):
            self._came[candle.open_time] = candle
            self.asset.decide()
        self._sent.append(candle)
        self._check_idle()
        self.live += self.asset.status == "live"
        if self._number % _COMPARED_EVERY == 0:
            self.compare()

    def _must_be_left_out(self, candle: Candle, what: str) -> None:
        before = self.asset.closes(_WINDOW)
        if self.asset.take(candle):
            self._fault(f"{what} was taken")
            self.asset.decide()
        if self.asset.closes(_WINDOW) != before:
            self._fault(f"{what} altered the bars")
        self._check_idle()

    def _wait(self, seconds: float) -> None:
        self._now += seconds
        self.asset.freshness.look()

    def _check_idle(self) -> None:
        data = self.asset.data()
        decided = (data["clarity_level"], data["position_size"], data["side"]) != ("idle", 0.0, "none")
        if data["status"] != "live" and decided:
            self._fault(f"{data['status']} with {data['clarity_level']} and size {data['position_size']}")
        if data["status"] != "live" and not data["status_reason"]:
            self._fault(f"{data['status']} without a reason")

    def compare(self) -> None:
        """Every bar is a minute that came, or a flat one where one was left out; the decision is that of these bars."""
        if self.asset.status != "live":
            return
        self.compared += 1
        clean = self._listening()
        bars = self.asset.chart(_WINDOW)["bars"]
        before, candles = bars[0]["open"], list[Candle]()
        for bar in bars:
            candles.append(self._candle(bar, before))
            before = bar["close"]
        clean.load(Bars.from_candles(candles))
        clean.decide()
        shown, right = self.asset.data(), clean.data()
        for name in ("clarity_level", "raw_clarity_level", "signal_confidence", "side", "position_size", "blocked_by"):
            if shown[name] != right[name]:
                self._fault(f"{name} is {shown[name]}, and {right[name]} by what came")

    def _candle(self, bar: ChartBar, before: float) -> Candle:
        """The minute a bar was made of."""
        time = round(datetime.fromisoformat(bar["time"]).timestamp() * 1000)
        came = self._came.get(time)
        shown = (bar["open"], bar["high"], bar["low"], bar["close"])
        if came is not None and shown == (came.open, came.high, came.low, came.close):
            return came
        if came is not None or shown != (before,) * 4:
            self._fault(f"the bar {bar['time']} is {shown}, which never came")
        elif time not in self._invented_may:
            self._fault(f"the bar {bar['time']} was made up, though nothing was left out there")
        return Candle(time, *shown, 0.0, 0.0, 0.0, 0.0)

    def _fault(self, text: str) -> None:
        if len(self.wrong) < 100:
            self.wrong.append(f"minute {self._number}: {text}")


def measure(*, faults: int = 2_000, seed: int = 0) -> list[Figure]:
    """Let all kinds of faults come in any order, each followed by as many good minutes as a window needs."""
    seed = seed or secrets.randbelow(2**31)
    print(f"  the seed is {seed}: seed={seed} makes the same faults", flush=True)
    with tempfile.TemporaryDirectory() as folder, _without_log():
        service = ConfigService(SqliteRevisionStore(Path(folder) / "feed.db"), ["BTC"])
        exchange = _Exchange(service.active("BTC"), random.Random(seed))  # noqa: S311  # repeatable, on purpose
        stuck = _run(exchange, faults)
        asyncio.run(service.close())
    named = ", ".join(f"{name} {count:,}" for name, count in sorted(exchange.faults.items()))
    return [
        Figure(f"faults: {named}", f"{exchange.faults.total():,}"),
        Figure("minutes it was live between them", f"{exchange.live:,}", "> 0", exchange.live > 0),
        Figure("decisions compared with those of what really came", f"{exchange.compared:,}", "> 0",
               exchange.compared > 0),
        Figure("wrong or made-up decisions", f"{len(exchange.wrong)} {'; '.join(exchange.wrong[:3])}".strip(), "0",
               not exchange.wrong),
        Figure(f"faults it was not live again {_QUIET} good minutes after", f"{stuck}", "0", stuck == 0),
    ]  # fmt: skip


@contextmanager
def _without_log() -> Iterator[None]:
    """Every fault is in the log, as it should be; nobody reads thousands of them."""
    logger = logging.getLogger("vivienne")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _run(exchange: _Exchange, faults: int) -> int:
    kinds = (
        exchange.twice, exchange.late, exchange.no_price, exchange.no_trade, exchange.slip, exchange.outage,
        exchange.short_outage, exchange.clock_jumps,
    )  # fmt: skip
    progress = Progress("faults", faults)
    exchange.good(_QUIET)
    stuck = 0
    for _ in range(faults):
        fault = exchange.chance.choice(kinds)
        exchange.faults[fault.__name__.replace("_", " ")] += 1
        fault()
        exchange.good(_QUIET)
        exchange.compare()
        stuck += exchange.asset.status != "live"
        progress.add()
    progress.end()
    return stuck

"""A simulated market: seeded, offline, with changing regimes. The same seed gives the same market, minute by minute.

Prices go through calm, trending, breaking-out and choppy regimes, so that every level and filter occurs. The market is
made day by day, each day from its own random numbers, and begins at a fixed date. The feed is named ``simulated``, so
that its prices are not mistaken for those of a real market.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
import zlib
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.errors import MarketDataError
from vivienne.market.feeds.base import FeedEvent, History, MinuteClosed, PriceMoved
from vivienne.market.types import DAY_MS, MINUTE_MS, Bars

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from vivienne.market.types import Candle, FloatArray

BEGIN_MS = 1_735_689_600_000
"""2025-01-01T00:00Z, the first simulated minute."""
_DAY_MINUTES = DAY_MS // MINUTE_MS
_MOST_HISTORY_MINUTES = 60_000
_USUAL_HISTORY_BARS = 1_001
"""The full history of the newest bar; each bar more takes time at the start."""
_LEAST_HISTORY_BARS = 100
_TICKS = 4
"""Number of prices sent within a minute, including the close."""
_SHORTEST_TICK = 0.02
_LATENESS_SECONDS = 10.0
"""Delay allowed for a busy machine."""
MOST_PASSED_DAYS = 3_650
"""Largest number of market days that may have passed at the start. They can be made within seconds."""
_PULL = 0.05
"""Fraction of its distance from the usual price by which a market returns in a day, on average."""


class _Regime(NamedTuple):
    """A market regime: drift and deviation per minute, trades per minute, and average trade in quote currency."""

    drift: float
    deviation: float
    trades: float
    average_trade: float


_REGIMES = (
    _Regime(0.0, 0.0003, 60, 400),  # calm
    _Regime(0.00006, 0.0005, 160, 600),  # rising
    _Regime(-0.00006, 0.0005, 160, 600),  # falling
    _Regime(0.00025, 0.0011, 420, 900),  # breaking out
    _Regime(-0.00025, 0.0012, 420, 900),  # breaking down
    _Regime(0.0, 0.0006, 320, 30),  # retail chop
    _Regime(0.00003, 0.0004, 30, 80),  # thin pump
)
_LIKELY = (0.28, 0.18, 0.18, 0.09, 0.09, 0.1, 0.08)
_MEAN_SPELL = 170
_USUAL_PRICES = {"BTC": 65_000.0, "ETH": 3_200.0, "SOL": 160.0}


class SimulatedFeed:
    """A feed with a simulated market.

    Args:
        assets: names of the simulated assets.
        seed: seed of the market.
        speed: market seconds per real second.
        timeframe_minutes: length of a bar; it determines the length of the history.
        begun: start of the simulation, in seconds since the epoch; None for now. Markets with the same start are at the
            same minute, whenever their processes are started.

    Raises:
        MarketDataError: the simulation began so long ago that catching up would take too long.
    """

    name = "simulated"
    catches_up = False
    follows_again = True

    def __init__(
        self,
        assets: tuple[str, ...],
        *,
        seed: int,
        speed: float,
        timeframe_minutes: int,
        begun: float | None = None,
    ) -> None:
        self.assets = assets
        self.pace: float | None = speed
        self._minute_seconds = 60.0 / speed
        self.longest_silence = 3 * self._minute_seconds + _LATENESS_SECONDS
        self._timeframe_minutes = timeframe_minutes
        self._days = {asset: _days(asset, seed) for asset in assets}
        self._ahead: dict[str, Bars] = {}
        """The minutes after the history of the day in which it ends."""
        self._begun = begun
        self._passed_before: dict[str, int] = {}
        self._minutes: dict[str, tuple[float, Iterator[tuple[int, Candle]]]] = {}
        """When each asset was followed first, and the minutes that are left of it."""
        if self._passed() > MOST_PASSED_DAYS * _DAY_MINUTES:
            raise MarketDataError(
                "the simulated market",
                f"more than {MOST_PASSED_DAYS:,} market days have passed since its start; set a later start",
            )

    def _passed(self) -> int:
        """Number of market minutes since the start."""
        return 0 if self._begun is None else max(0, math.floor((time.time() - self._begun) / self._minute_seconds))

    def history(self, asset: str, *, least: int, most: int) -> History:
        """As many whole bars as are kept, limited to a number that is made quickly. See `Feed`."""
        usual = min(_MOST_HISTORY_MINUTES, _USUAL_HISTORY_BARS * self._timeframe_minutes)
        enough = max(least, usual, _LEAST_HISTORY_BARS * self._timeframe_minutes)
        count = min(most, enough) // self._timeframe_minutes * self._timeframe_minutes
        self._passed_before[asset] = passed = self._passed()
        whole_days, rest = divmod(count + passed, _DAY_MINUTES)
        # The last of these days goes on after the history, so the minutes to keep may begin in the day before them.
        kept = deque(itertools.islice(self._days[asset], whole_days + 1), maxlen=most // _DAY_MINUTES + 2)
        minutes = Bars.joined(kept)
        end = len(minutes) - _DAY_MINUTES + rest
        self._ahead[asset] = minutes[end:]
        return History(minutes[max(0, end - most) : end], is_whole=count + passed <= most)

    def listing(self, asset: str) -> None:
        """None: it is no real market. See `Feed`."""

    def contact(self, asset: str) -> None:
        """None: there is no connection. See `Feed`."""

    async def run(self) -> None:
        """Nothing goes on beside the events. See `Feed`."""

    async def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        """The minutes of the market, without end; after a failure, those that are left. See `Feed`."""
        loop = asyncio.get_running_loop()
        ticks = _TICKS if self._minute_seconds / _TICKS >= _SHORTEST_TICK else 1
        if asset not in self._minutes:
            begin = loop.time() - (0.0 if self._begun is None else time.time() - self._begun)
            self._minutes[asset] = begin, self._numbered(asset)
        begin, minutes = self._minutes[asset]
        for number, candle in minutes:
            for tick, price in enumerate(_path(candle)[-ticks:], 1):
                due = begin + (number + tick / ticks) * self._minute_seconds
                await asyncio.sleep(max(0.0, due - loop.time()))
                if tick < ticks:
                    yield PriceMoved(price, candle.open_time + MINUTE_MS * tick // ticks)
            yield MinuteClosed(candle)

    def _numbered(self, asset: str) -> Iterator[tuple[int, Candle]]:
        """The minutes after the history, with the number of minutes since the start."""
        days = self._days[asset]
        if asset in self._ahead:
            days = itertools.chain([self._ahead.pop(asset)], days)
        minutes = itertools.chain.from_iterable(day.candles() for day in days)
        return enumerate(minutes, self._passed_before.get(asset, 0))


def _path(candle: Candle) -> tuple[float, float, float, float]:
    """Prices within a minute, in order. A rising minute reaches its low first, a falling one its high."""
    first, second = (candle.low, candle.high) if candle.close >= candle.open else (candle.high, candle.low)
    return candle.open, first, second, candle.close


def simulated_minutes(asset: str, seed: int) -> Iterator[Candle]:
    """All minutes of an asset, starting with the first, without end."""
    for day in _days(asset, seed):
        yield from day.candles()


def _days(asset: str, seed: int) -> Iterator[Bars]:
    """The minutes of an asset, day by day, without end."""
    name = zlib.crc32(asset.encode())
    usual = _USUAL_PRICES.get(asset, 1.0 + name % 50_000 / 100)
    digits = max(2, 6 - math.floor(math.log10(usual)))
    price = usual
    times = BEGIN_MS + np.arange(_DAY_MINUTES) * MINUTE_MS
    day = 0
    while True:
        rng = np.random.default_rng([seed, name, day])
        prices, volumes = _day(rng, price, usual)
        yield (minutes := Bars(times + day * DAY_MS, *(column.round(digits) for column in prices), *volumes))
        price = float(minutes.close[-1])
        day += 1


def _day(rng: np.random.Generator, price: float, usual: float) -> tuple[tuple[FloatArray, ...], tuple[FloatArray, ...]]:
    """The minutes of a day: open, high, low and close; volume, quote volume, trade count and taker-buy volume."""
    spell = np.cumsum(rng.random(_DAY_MINUTES) < 1 / _MEAN_SPELL)
    regimes = np.array(_REGIMES)[rng.choice(len(_REGIMES), size=spell[-1] + 1, p=_LIKELY)[spell]]
    drift, deviation, trades, average_trade = regimes.T
    shock = rng.standard_normal(_DAY_MINUTES)
    pull = -_PULL * math.log(price / usual) / _DAY_MINUTES
    close = price * np.exp(np.cumsum(drift + pull + deviation * shock))
    opened = np.concatenate([[price], close[:-1]])
    wick = np.abs(rng.standard_normal((2, _DAY_MINUTES))) * deviation * 0.4
    high = np.maximum(opened, close) * (1 + wick[0])
    low = np.minimum(opened, close) * (1 - wick[1])
    count = np.maximum(1, np.round(trades * rng.lognormal(0, 0.35, _DAY_MINUTES) * (1 + 0.4 * np.abs(shock))))
    quote_volume = count * average_trade * rng.lognormal(0, 0.25, _DAY_MINUTES)
    volume = quote_volume / ((opened + high + low + close) / 4)
    share = np.clip(0.5 + 0.15 * shock + 0.05 * rng.standard_normal(_DAY_MINUTES), 0.05, 0.95)
    return (opened, high, low, close), (volume, quote_volume, count, volume * share)

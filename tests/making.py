"""Candles, bars and configurations to order."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from vivienne.agent.schema import Configuration
from vivienne.config.documents import merged
from vivienne.config.tunables import DEFAULTS, TUNABLES
from vivienne.config.validation import check_document, check_rules
from vivienne.market.bars import BarBuilder, GapFiller, Restart
from vivienne.market.files import read_market_file
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars, Candle, FloatArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MIDNIGHT = 1_735_689_600_000
"""2025-01-01T00:00Z."""


def minute(
    number: int,
    close: float = 100.0,
    *,
    opened: float | None = None,
    high: float | None = None,
    low: float | None = None,
    volume: float = 2.0,
    trades: float = 10,
    taker: float = 0.5,
    begin: int = MIDNIGHT,
) -> Candle:
    """The n-th minute after `begin`; `taker` is a share of the volume."""
    opened = close if opened is None else opened
    high = max(opened, close) if high is None else high
    low = min(opened, close) if low is None else low
    return Candle(begin + number * MINUTE_MS, opened, high, low, close, volume, volume * close, trades, volume * taker)


def minutes(count: int, *, first: int = 0, seed: int = 0) -> list[Candle]:
    """Minutes of a random walk, each different from the others."""
    rng = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.002, count + 1)))
    made = []
    for number in range(count):
        opened, close = float(closes[number]), float(closes[number + 1])
        made.append(
            minute(
                first + number,
                close,
                opened=opened,
                high=max(opened, close) * (1 + abs(float(rng.normal(0, 0.001)))),
                low=min(opened, close) * (1 - abs(float(rng.normal(0, 0.001)))),
                volume=float(rng.exponential(5)),
                trades=int(rng.integers(1, 500)),
                taker=float(rng.random()),
            )
        )
    return made


def bars_of(close: Sequence[float] | FloatArray, **columns: Any) -> Bars:
    """Bars of 15 minutes with these closes; other columns follow from them or are given."""
    closes = np.array(close, dtype=np.float64)
    opened = np.array(columns.get("open", np.concatenate([closes[:1], closes[:-1]])), dtype=np.float64)
    volume = np.broadcast_to(np.asarray(columns.get("volume", 10.0), dtype=np.float64), closes.shape).copy()
    made: dict[str, Any] = {
        "open_time": MIDNIGHT + np.arange(len(closes), dtype=np.int64) * 15 * MINUTE_MS,
        "open": opened,
        "high": np.maximum(opened, closes),
        "low": np.minimum(opened, closes),
        "close": closes,
        "volume": volume,
        "quote_volume": volume * closes,
        "trade_count": np.full(len(closes), 1500.0),
        "taker_buy_volume": volume / 2,
    }
    for name, values in columns.items():
        made[name] = np.broadcast_to(np.asarray(values, dtype=made[name].dtype), closes.shape).copy()
    return Bars(**made)


def random_bars(seed: int, count: int, *, price: float = 100.0) -> Bars:
    """A random walk that has calm, wild, trending and dead stretches, and bars nobody trades in."""
    rng = np.random.default_rng(seed)
    stretch = np.cumsum(rng.random(count) < 1 / 25)
    kinds = rng.integers(0, 5, stretch[-1] + 1)[stretch]
    deviation = np.array([0.0004, 0.002, 0.008, 0.003, 0.0])[kinds]
    drift = np.array([0.0, 0.0, 0.0, 0.002, 0.0])[kinds] * np.where(stretch % 2, 1, -1)
    close = price * np.exp(np.cumsum(drift + deviation * rng.standard_normal(count)))
    opened = np.concatenate([[price], close[:-1]])
    wick = np.abs(rng.standard_normal((2, count))) * deviation * 0.5
    dead = deviation == 0
    trades = np.where(dead, 0.0, np.round(15 * rng.lognormal(4.5, 1.0, count)))
    average = rng.lognormal(5.0, 1.5, count)
    quote_volume = trades * average
    volume = quote_volume / close
    return bars_of(
        close,
        open=opened,
        high=np.maximum(opened, close) * (1 + wick[0]),
        low=np.minimum(opened, close) * (1 - wick[1]),
        volume=volume,
        quote_volume=quote_volume,
        trade_count=trades,
        taker_buy_volume=volume * rng.uniform(0.2, 0.8, count),
    )


def scaled(bars: Bars, factor: float) -> Bars:
    """The same market in another unit: prices times `factor`, base volumes divided by it."""
    prices = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")}
    volumes = {name: getattr(bars, name) / factor for name in ("volume", "taker_buy_volume")}
    return replace(bars, **prices, **volumes)


def columns_of(bars: Bars) -> list[FloatArray]:
    """The columns, in the order of a candle."""
    return [getattr(bars, field.name) for field in fields(bars)]


def resampled(candles: Iterable[Candle], timeframe: Timeframe = Timeframe.M15) -> Bars:
    """Closed bars of the longest unbroken run at the end of some minutes, by the gap policy."""
    gaps, builder, closed = GapFiller(timeframe.longest_filled_gap), BarBuilder(timeframe), list[Candle]()
    for candle in candles:
        for item in gaps.add(candle):
            if isinstance(item, Restart):
                closed.clear()
                builder.restart()
            elif (bar := builder.add(item)) is not None:
                closed.append(bar)
    return Bars.from_candles(closed)


def candles_in(path: Path) -> list[Candle]:
    """The minutes of a kline file."""
    return list(_candles_in(path))


# Several tests of a file read the same month, which takes longer than what most of them do with it.
@lru_cache(maxsize=2)
def _candles_in(path: Path) -> tuple[Candle, ...]:
    return tuple(item for item in read_market_file(path) if isinstance(item, Candle))


def configured(document: dict[str, Any] | None = None) -> Configuration:
    """The defaults with a document laid over them; it must be valid."""
    whole = merged(DEFAULTS, document or {})
    assert not problems_of(whole)
    return Configuration.model_validate(whole)


def problems_of(document: dict[str, Any]) -> list[str]:
    """What the service would say against a whole document."""
    return [problem.message for problem in (*check_document(document), *check_rules(document, ()))]


def document_of(values: dict[str, Any]) -> dict[str, Any]:
    """A nested document from values by path."""
    document: dict[str, Any] = {}
    for path, value in values.items():
        *sections, name = path.split(".")
        inner = document
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[name] = value
    return document


_ORDERED = (
    ("settings.state_threshold_loaded", "settings.state_threshold_aim", "settings.state_threshold_bang"),
    ("filters.volatility.volatility_squeeze_threshold", "filters.volatility.volatility_breakout_threshold"),
    ("indicators.ema_fast_period", "indicators.ema_slow_period"),
    ("indicators.macd_fast_period", "indicators.macd_slow_period"),
    ("signals.rsi_full", "signals.rsi_half", "signals.rsi_begin"),
)
_LIKELY_MAXIMUM = {
    "indicators": 60.0,
    "levels_buffer_percent": 0.02,
    "volatility_squeeze_threshold": 0.05,
    "volatility_breakout_threshold": 0.05,
    "trade_count_threshold": 1_000.0,
    "avg_trade_size_threshold": 5_000.0,
    "full_strength": 2.0,
    "overextended_deviations": 3.0,
}


def _value(path: str) -> st.SearchStrategy[Any]:
    tunable = TUNABLES[path]
    if tunable.bounds is None:
        return st.booleans()
    low, high = tunable.bounds
    high = min([high, *(limit for part, limit in _LIKELY_MAXIMUM.items() if part in path)])
    if tunable.kind == "integer":
        return st.integers(int(low), int(high))
    return st.floats(low, high) | st.integers(0, 20).map(lambda part: round(low + (high - low) * part / 20, 6))


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Valid configurations, a few values away from the defaults or all of them."""
    paths = draw(st.sets(st.sampled_from(sorted(TUNABLES)), max_size=12))
    values = {path: draw(_value(path)) for path in sorted(paths)}
    for group in _ORDERED:
        if paths & set(group):
            for path in group:
                values.setdefault(path, TUNABLES[path].default)
            values |= dict(zip(group, sorted(values[path] for path in group), strict=True))
    document = merged(DEFAULTS, document_of(values))
    if problems_of(document):  # equal periods, no weight above 0: rare
        document = DEFAULTS
    return Configuration.model_validate(document)


def write_minutes(path: Path, candles: list[Candle]) -> Path:
    """A file of minutes, to be replayed."""
    rows = [",".join(map(str, [candle.open_time, *candle[1:6]])) for candle in candles]
    path.write_text("open_time,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    return path

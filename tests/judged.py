"""Recorded bars for tests of judging: made by hand, or at random."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vivienne.market.types import Bars
from vivienne.record.columns import DecidedBars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.types import FloatArray

    Values = Sequence[float] | FloatArray

LENGTH = 900_000
"""Length of a bar, in ms: 15 minutes."""
BEGIN = 1_760_000_400_000 // LENGTH * LENGTH
BLOCKS = ((), ("trend",), ("trend", "levels"), ("volatility",))
NAN = float("nan")


def decided(
    opens: Values,
    positions: Values,
    *,
    closes: Values | None = None,
    numbers: Sequence[int] | None = None,
    atr: Values | float = 1.0,
    highs: Values | None = None,
    lows: Values | None = None,
) -> DecidedBars:
    """Bars by their opens, with a position each: percent of equity, below 0 for a short one.

    Args:
        opens: the opens.
        positions: decided sizes with the sign of the side; their level is `aim`, or `idle` for 0.
        closes: the closes; without them each bar closes at the open of the next one.
        numbers: numbers of the bars, with holes; without them they follow each other.
        atr: of each bar, or of all.
        highs: the highs; without them the larger of open and close.
        lows: the lows; without them the smaller of open and close.
    """
    count = len(opens)
    opened, position = np.array(opens, float), np.array(positions, float)
    closed = np.append(opened[1:], opened[-1:]) if closes is None else np.array(closes, float)
    time = BEGIN + LENGTH * np.array(range(count) if numbers is None else numbers, np.int64)
    high = np.maximum(opened, closed) if highs is None else np.array(highs, float)
    low = np.minimum(opened, closed) if lows is None else np.array(lows, float)
    one = np.ones(count)
    level = np.where(position != 0, 2, 0)
    return DecidedBars(
        bars=Bars(time, opened, high, low, closed, one, one, one, one),
        is_decided=one > 0,
        has_effect=one > 0,
        level=level,
        raw_level=level,
        side=np.sign(position),
        confidence=np.abs(position) / 100,
        size=np.abs(position),
        wanted=np.abs(position),
        atr=np.broadcast_to(np.array(atr, float), count).copy(),
        version=np.ones(count, np.int64),
        blocks=np.zeros(count, np.int64),
        blocked_by=BLOCKS,
    )


def walk(returns: FloatArray) -> FloatArray:
    """Prices with these returns, from 100 on."""
    prices: FloatArray = 100 * np.exp(np.cumsum(np.log1p(returns)))
    return prices


def at_random(seed: int, count: int, *, holes: int = 0, keep: float = 0.8) -> DecidedBars:
    """A random walk of prices with positions that change at times, some bars held, undecided or without effect.

    Args:
        seed: of the random numbers.
        count: number of bars.
        holes: number of holes in them.
        keep: probability that a bar asks for the position of the bar before.
    """
    rng = np.random.default_rng(seed)
    prices = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, count + 1)))
    opened = prices[:-1] * np.exp(rng.normal(0, 0.0005, count))
    spread = np.abs(rng.normal(0, 0.002, (2, count)))
    steps = np.ones(count, np.int64)
    steps[rng.choice(np.arange(1, count), holes, replace=False)] += rng.integers(1, 200, holes)
    bars = decided(
        opened,
        _held_on(rng, rng.choice([-30.0, -10.0, 0.0, 10.0, 20.0], count), keep),
        closes=prices[1:],
        numbers=np.cumsum(steps).tolist(),
        atr=prices[1:] * 0.005,
        highs=np.maximum(opened, prices[1:]) * (1 + spread[0]),
        lows=np.minimum(opened, prices[1:]) * (1 - spread[1]),
    )
    blocks = _held_on(rng, rng.integers(0, len(BLOCKS), count), keep) * (bars.level > 0)
    is_held = blocks > 0
    is_decided = rng.random(count) > 0.05
    return replace(
        bars,
        is_decided=is_decided,
        has_effect=rng.random(count) > 0.05,
        level=np.where(is_decided, np.where(is_held, 1, bars.level), 0),
        raw_level=np.where(is_decided, bars.level, 0),
        side=np.where(is_decided, bars.side, 0.0),
        size=np.where(is_decided & ~is_held, bars.size, 0.0),
        blocks=blocks * is_decided,
        version=np.cumsum(rng.random(count) < 3 / count) + 1,
    )


def _held_on(rng: np.random.Generator, values: np.ndarray, keep: float) -> np.ndarray:
    """The values, most of which are replaced by the one before."""
    row = np.where(rng.random(len(values)) < keep, 0, np.arange(len(values)))
    held: np.ndarray = values[np.maximum.accumulate(row)]
    return held

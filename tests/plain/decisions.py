"""The decisions on the bars of a market."""

from __future__ import annotations

from math import ceil, fsum, log
from typing import TYPE_CHECKING, Any, NamedTuple

from plain.equality import is_below, sign
from plain.filters import blocks, trend, volatility
from plain.indicators import lines, reading, vwap_length
from plain.levels import nearest_levels, pivots
from plain.signals import votes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plain.indicators import Lines
    from plain.levels import Pivots
    from plain.signals import Vote
    from vivienne.market.types import Candle

LEVELS = ("idle", "loaded", "aim", "bang")
SIDES = {1: "long", -1: "short", 0: "none"}
TRENDS = {1: "bullish", -1: "bearish", 0: "neutral"}


class PlainDecision(NamedTuple):
    """The decision on one bar. Support and resistance are None if there is none, trend and volatility in warm-up."""

    open_time: int
    ready: bool
    history: int
    support: float | None
    resistance: float | None
    level: int = 0
    raw_level: int = 0
    side: str = "none"
    confidence: float = 0.0
    size: float = 0.0
    wanted: float = 0.0
    blocks: tuple[tuple[str, str], ...] = ()
    trend: str | None = None
    volatility: str | None = None
    levels: str = "inactive"


class Known(NamedTuple):
    """The bars from one anchor on, and what is computed of all of them at once."""

    bars: Sequence[Candle]
    lines: Lines
    pivots: Pivots


def plain_decisions(
    bars: Sequence[Candle], tunables: dict[str, Any], minutes: int, rows: int, cap: float = 100.0
) -> list[PlainDecision]:
    """The decisions on the last `rows` of all bars of a market, for bars of so many minutes."""
    found = []
    periods = tunables["indicators"]
    known: dict[int, Known] = {}
    first = bars[0].open_time // (minutes * 60_000)
    for row in range(len(bars) - rows, len(bars)):
        anchor = ((first + row) // 500 - 2) * 500
        begin = max(0, anchor - first)
        if begin not in known:
            seen = bars[begin:]
            known[begin] = Known(seen, lines(seen, periods), pivots(seen, periods["pivot_bars"]))
        found.append(_decision(known[begin], row - begin, tunables, minutes, cap))
    return found


def _decision(known: Known, at: int, tunables: dict[str, Any], minutes: int, cap: float) -> PlainDecision:
    """The decision on the bar at this place after the anchor."""
    periods, filters = tunables["indicators"], tunables["filters"]
    buffer = filters["levels"]["levels_buffer_percent"]
    levels = nearest_levels(known.bars, known.pivots, at, periods["pivot_bars"], buffer)
    is_ready = at + 1 >= _bars_needed(periods, minutes)
    decided = PlainDecision(known.bars[at].open_time, is_ready, min(1_000, at + 1), *levels)
    if not is_ready:
        return decided

    now = reading(known.bars, known.lines, at, periods, minutes)
    direction, confidence = _weighed(votes(now, tunables["signals"]), tunables["signal_weights"])
    found = tuple(blocks(now, direction, levels, tunables, minutes)) if direction else ()
    raw_level = _level(confidence, tunables["settings"])
    level = min(raw_level, 1) if found else raw_level
    wanted = tunables["settings"][f"position_size_{LEVELS[level]}"] if direction and not found else 0.0
    status = "blocking" if ("levels", "level_ahead") in found else "active"
    return decided._replace(
        level=level,
        raw_level=raw_level,
        side=SIDES[direction],
        confidence=confidence,
        size=min(cap, wanted),
        wanted=wanted,
        blocks=found,
        trend=TRENDS[trend(now)],
        volatility=volatility(now, filters["volatility"]),
        levels=status if filters["levels"]["enable_levels_filter_for_entry"] else "inactive",
    )


def _bars_needed(periods: dict[str, Any], minutes: int) -> int:
    def forgotten(period: int) -> int:
        return ceil(log(10_000) / 2 * period)

    macd, signal = periods["macd_slow_period"], periods["macd_signal_period"]
    rsi, atr = periods["rsi_period"], periods["atr_period"]
    needed: int = max(
        periods["ema_slow_period"] + forgotten(periods["ema_slow_period"]),
        macd + signal - 1 + forgotten(max(macd, signal)),
        rsi + 1 + forgotten(2 * rsi),
        atr + 1 + forgotten(2 * atr),
        periods["bollinger_period"] + 1,
        2 * periods["pivot_bars"] + 1,
        vwap_length(periods, minutes),
    )
    return min(1_000, needed)


def _weighed(votes: dict[str, Vote], weights: dict[str, Any]) -> tuple[int, float]:
    """Direction of the entry and confidence."""
    voting = [(weights[name], vote) for name, vote in votes.items() if weights[name] > 0 and vote.direction]
    if not voting:
        return 0, 0.0
    total = fsum(weight * vote.direction * vote.strength for weight, vote in voting)
    confidence = round(abs(total) / fsum(weight for weight, _ in voting), 9)
    return (sign(total), confidence) if confidence else (0, 0.0)


def _level(confidence: float, settings: dict[str, Any]) -> int:
    if not confidence:
        return 0
    thresholds = [settings[f"state_threshold_{name}"] for name in LEVELS[1:]]
    earned = [place for place, least in enumerate(thresholds, 1) if not is_below(confidence * 100, least)]
    return max(earned, default=0)

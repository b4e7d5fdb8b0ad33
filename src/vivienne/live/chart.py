"""Closed bars with the indicators and decisions that a chart draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from typing_extensions import TypedDict

from vivienne.agent.decision import NO_CAP, Clarity, Level
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import SIDES
from vivienne.times import iso
from vivienne.wire.explanation import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.agent.evaluate import Evaluation
    from vivienne.changes.in_force import Active
    from vivienne.market.types import Bars


class Decided(NamedTuple):
    """What was decided on a bar, and the configuration version it was decided with when it closed, if it was."""

    level: Level
    raw_level: Level
    side: Side
    confidence: float
    size: float
    blocked: bool
    config_version: int | None


class BarEntry(TypedDict):
    """One closed bar. Indicators are those of the periods in force now, null before they have a value.

    The decision is the one that was made when the bar closed; where the asset was paused then, with size 0. Bars from
    before the program started were not decided by it: theirs is what the configuration in force now makes of them, and
    `config_version` is null.
    """

    time: str
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    ema_fast: float | None
    ema_slow: float | None
    bollinger_upper: float | None
    bollinger_middle: float | None
    bollinger_lower: float | None
    vwap: float | None
    support: float | None
    resistance: float | None
    clarity_level: Level
    raw_clarity_level: Level
    side: Side
    signal_confidence: float
    position_size: float
    blocked: bool
    config_version: int | None


class FormingBar(TypedDict):
    """The bar that is still open, as far as it has come. Nothing is decided on it; its volume is of closed minutes."""

    time: str
    open: float
    high: float
    low: float
    close: float
    volume: float | None


class ChangeMark(TypedDict):
    """When, by the market's clock, a configuration version came into force for the asset."""

    version: int
    time: str


class ChangeMarks:
    """The last changes that came into force for an asset, as two numbers each: they are many, and seldom looked at.

    Args:
        most: the oldest go when there are more.
    """

    def __init__(self, most: int) -> None:
        self._marks = np.zeros((most, 2), dtype=np.int64)
        self._count = 0

    def add(self, version: int, time: int) -> None:
        """A version came into force at this time, in ms since the epoch."""
        self._marks[self._count % len(self._marks)] = version, time
        self._count += 1

    def listed(self) -> list[ChangeMark]:
        """All that are kept, oldest first."""
        first = max(0, self._count - len(self._marks))
        rows = np.arange(first, self._count) % len(self._marks)
        return [{"version": version, "time": iso(time)} for version, time in self._marks[rows].tolist()]


class Chart(TypedDict):
    """The last closed bars of an asset, oldest first; the open one; changes since the program started, oldest first."""

    asset: str
    timeframe: str
    feed: str
    bars: list[BarEntry]
    forming: FormingBar | None
    changes: list[ChangeMark]


class AssetCloses(TypedDict):
    """The last closes of an asset, oldest first."""

    asset: str
    closes: list[float]


class AssetList(TypedDict):
    """Every asset there is, in the order of the settings, with what an overview draws."""

    feed: str
    timeframe: str
    assets: list[AssetCloses]


def bar_entries(
    bars: Bars,
    active: Active,
    timeframe_minutes: int,
    limit: int,
    decided: Mapping[int, Decided],
    *,
    cap: float = NO_CAP,
) -> list[BarEntry]:
    """The last bars of a window for a chart.

    Args:
        bars: the window.
        active: the configuration in force.
        timeframe_minutes: length of a bar.
        limit: at most so many bars.
        decided: by open time, what was decided.
        cap: the largest position size, in percent of equity.
    """
    rows = min(limit, len(bars))
    if rows == 0:
        return []
    evaluation = evaluate(bars, active.configuration, timeframe_minutes, rows, cap=cap)
    last = bars[len(bars) - rows :]
    indicators, situation = evaluation.indicators, evaluation.situation
    columns = zip(
        last.open_time.tolist(),
        *(
            column.tolist()
            for column in (
                last.open, last.high, last.low, last.close, last.volume,
                indicators.ema_fast[1:], indicators.ema_slow[1:],
                indicators.bollinger_upper[1:], indicators.bollinger_middle[1:], indicators.bollinger_lower[1:],
                indicators.vwap[1:], situation.support, situation.resistance,
            )
        ),
        strict=True,
    )  # fmt: skip
    return [_entry(row, decided.get(row[0]) or _recomputed(evaluation, place)) for place, row in enumerate(columns)]


def _recomputed(evaluation: Evaluation, place: int) -> Decided:
    return Decided(
        Clarity(int(evaluation.decision.level[place])).word,
        Clarity(int(evaluation.decision.raw_level[place])).word,
        SIDES[int(evaluation.votes.side[place])],
        float(evaluation.votes.confidence[place]),
        float(evaluation.decision.size[place]),
        bool(evaluation.blocked[place]),
        None,
    )


def _entry(row: tuple[float, ...], decision: Decided) -> BarEntry:
    time, opened, high, low, close, *rest = row
    volume, fast, slow, upper, middle, lower, vwap, support, resistance = map(_number, rest)
    return {
        "time": iso(int(time)),
        "open": opened,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "ema_fast": fast,
        "ema_slow": slow,
        "bollinger_upper": upper,
        "bollinger_middle": middle,
        "bollinger_lower": lower,
        "vwap": vwap,
        "support": support,
        "resistance": resistance,
        "clarity_level": decision.level,
        "raw_clarity_level": decision.raw_level,
        "side": decision.side,
        "signal_confidence": round(decision.confidence, 6),
        "position_size": decision.size,
        "blocked": decision.blocked,
        "config_version": decision.config_version,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None

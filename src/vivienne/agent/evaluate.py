"""Evaluation of one asset over arrays of bars: indicators, signals, filters, decision.

Each bar has a number, counted since the epoch, and an anchor that follows from this number. The bar is decided from the
1,000 to 1,500 bars between its anchor and itself, and from nothing else. The same bars and configuration therefore give
the same decision to the last bit, whatever the purpose, the number of rows and the number of bars passed in. Bars that
share an anchor are decided in one pass over arrays. If the market began after the anchor, or restarted after a gap, its
first bar takes the place of the anchor.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vivienne.agent.blocking import block
from vivienne.agent.decided import Decided
from vivienne.agent.decision import NO_CAP, Block, Clarity, Decision, DecisionRows, Votes, decide, weigh
from vivienne.agent.filters import FILTER, FILTERS
from vivienne.agent.filters.base import Scene
from vivienne.agent.filters.measures import trend_of
from vivienne.agent.filters.volatility import STATUSES, status
from vivienne.agent.indicators import IndicatorRows, indicators
from vivienne.agent.levels import nearest_levels
from vivienne.agent.prepared import prepared
from vivienne.agent.signals.base import Vote
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vivienne.agent.blocking import FilterRows, Gates
    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars, BoolArray, FloatArray, IntArray
    from vivienne.wire.explanation import LevelsStatus, Side, Trend

BLOCK_BARS = 500
"""Number of neighbouring bars that share an anchor."""
FULL_HISTORY = 1_000
"""The smallest number of bars between an anchor and a bar that is decided from it."""
MOST_HISTORY = FULL_HISTORY + BLOCK_BARS
"""The largest number of bars a decision uses, including its own."""
SIDES: dict[float, Side] = {1: "long", -1: "short", 0: "none"}
CLARITIES = tuple(Clarity)
TRENDS: dict[float, Trend] = {1: "bullish", -1: "bearish", 0: "neutral"}
BLOCKS = tuple(Block(each.name, scenario.id) for each in FILTERS for scenario in each.scenarios)
"""All blocks that there may be, in the order of those of a decision."""
LEVELS = FILTERS.index(FILTER["levels"])


def anchor(number: int) -> int:
    """Number of the first bar that the decision on bar `number` uses, both counted since the epoch."""
    return (number // BLOCK_BARS) * BLOCK_BARS - FULL_HISTORY


def bars_used(open_time: int, timeframe_minutes: int, available: int) -> int:
    """Number of bars that the decision on a bar uses, including its own.

    Args:
        open_time: of the bar, ms since the epoch.
        timeframe_minutes: length of a bar.
        available: number of bars up to it that there are.
    """
    number = open_time // (timeframe_minutes * MINUTE_MS)
    return min(available, number - anchor(number) + 1)


def history_needed(config: Configuration, timeframe_minutes: int) -> int:
    """Number of bars that a decision needs; fewer bars are warm-up.

    It is capped at the full history. Bars at the beginning of a block never have more, even in an old market, so a
    higher number would interrupt the decisions at every block.
    """
    return min(prepared(config, timeframe_minutes).bars_needed, FULL_HISTORY)


class Evaluation(NamedTuple):
    """Decisions on the last rows of some bars, with all values they were made from; one value for each row.

    Attributes:
        open_time: open time of the bar, ms since the epoch.
        ready: False during warm-up, while there are too few bars for a decision; such rows are idle with size 0.
        is_whole: False if the bars begin after the anchor although earlier bars existed.
        history: number of bars the row was decided from, at most `FULL_HISTORY`.
        now: indicators.
        signals: votes by name, for the signals that have a weight or that a filter needs.
        votes: the weighted votes.
        support, resistance: the nearest level below and above the close; NaN if none exists.
        trend: +1 up, -1 down, 0 neither.
        volatility: index into `vivienne.agent.filters.volatility.STATUSES`.
        filters: results of the filters.
        blocked: True if a filter blocks the entry.
        decided: level and size.
    """

    open_time: IntArray
    ready: BoolArray
    is_whole: BoolArray
    history: IntArray
    now: IndicatorRows
    signals: dict[str, Vote]
    votes: Votes
    support: FloatArray
    resistance: FloatArray
    trend: FloatArray
    volatility: IntArray
    filters: FilterRows
    blocked: BoolArray
    decided: DecisionRows

    def decision(self, row: int = -1) -> Decision:
        """The decision on one row, in plain Python values."""
        filters, decided = self.filters, self.decided
        return Decision(
            open_time=self.open_time.item(row),
            ready=self.ready.item(row),
            history=self.history.item(row),
            is_whole=self.is_whole.item(row),
            level=CLARITIES[decided.level.item(row)],
            raw_level=CLARITIES[decided.raw_level.item(row)],
            side=SIDES[self.votes.side.item(row)],
            confidence=self.votes.confidence.item(row),
            size=decided.size.item(row),
            wanted=decided.wanted.item(row),
            blocks=tuple(compress(BLOCKS, filters.scenario_blocks[:, row].tolist())),
            trend=TRENDS[self.trend.item(row)],
            volatility=STATUSES[self.volatility.item(row)],
            levels=self.levels_status(row),
            support=self.support.item(row),
            resistance=self.resistance.item(row),
        )

    def levels_status(self, row: int) -> LevelsStatus:
        """Status of the levels filter on one row."""
        blocking, is_ready = self.filters.blocks[LEVELS].item(row), self.ready.item(row)
        return levels_status(self.filters.gates, is_blocking=blocking, is_ready=is_ready)

    def row(self, number: int = -1) -> Decided:
        """One row, in plain Python values."""
        return Decided(
            decision=self.decision(number),
            now=IndicatorRows._make([column.item(number) for column in self.now]),
            signals={name: Vote._make([column.item(number) for column in vote]) for name, vote in self.signals.items()},
            contributions=dict(zip(self.votes.names, self.votes.contributions[:, number].tolist(), strict=True)),
            filters=self.filters.row(number),
        )

    def decisions(self) -> list[Decision]:
        """The decision on every row, oldest first."""
        return [self.decision(row) for row in range(len(self.open_time))]


def levels_status(gates: Gates, *, is_blocking: bool, is_ready: bool) -> LevelsStatus:
    """Status of the levels filter, which blocks or not, on a bar that is ready or not."""
    if not is_ready or not gates.enabled[LEVELS]:
        return "inactive"
    return "blocking" if is_blocking else "active"


def evaluate(
    bars: Bars,
    config: Configuration,
    timeframe_minutes: int,
    rows: int = 1,
    *,
    cap: float = NO_CAP,
    is_cut: bool = False,
) -> Evaluation:
    """Decide the last `rows` bars, each from its anchor.

    Args:
        bars: closed bars without a hole, oldest first, at least one; prices above 0.
        config: all tunables of one version.
        timeframe_minutes: length of a bar.
        rows: number of bars to decide; at most ``len(bars)``.
        cap: the largest position size, in percent of equity; it overrides the tunables.
        is_cut: whether bars existed before the first one. Rows with such a bar as their anchor are not `is_whole`.

    Returns:
        The decisions. Row i uses no bar after row i, so later bars never change a decision.
    """
    parts = [
        _evaluate(part, config, timeframe_minutes, count, cap=cap, is_whole=has_anchor or not is_cut)
        for part, count, has_anchor in _blocks(bars, timeframe_minutes, rows)
    ]
    return parts[0] if len(parts) == 1 else _joined(parts)


def indicator_rows(bars: Bars, config: Configuration, timeframe_minutes: int, rows: int) -> IndicatorRows:
    """The indicators of the last `rows` bars, each from its anchor, as `evaluate` has them; it decides nothing."""
    parts = [
        indicators(part, config.indicators, timeframe_minutes, count).now
        for part, count, _ in _blocks(bars, timeframe_minutes, rows)
    ]
    joined: IndicatorRows = parts[0] if len(parts) == 1 else _join(parts)
    return joined


def used_bars(bars: Bars, timeframe_minutes: int) -> tuple[Bars, bool]:
    """The bars that the decision on the last one uses, and whether its anchor is among them."""
    first = bars.open_time.item(0) // (timeframe_minutes * MINUTE_MS)
    start = anchor(first + len(bars) - 1) - first
    return bars[start:] if start > 0 else bars, start >= 0


def _blocks(bars: Bars, timeframe_minutes: int, rows: int) -> Iterator[tuple[Bars, int, bool]]:
    """The last rows, those that share an anchor together.

    Yields:
        The bars from the anchor on, the number of rows, and whether the anchor is among the bars.
    """
    first = int(bars.open_time[0]) // (timeframe_minutes * MINUTE_MS)
    row, end = len(bars) - rows, len(bars)
    while row < end:
        number = first + row
        stop = min(end, (number // BLOCK_BARS + 1) * BLOCK_BARS - first)
        start = anchor(number) - first
        yield bars[max(start, 0) : stop] if start > 0 or stop < end else bars, stop - row, start >= 0
        row = stop


def _evaluate(
    bars: Bars, config: Configuration, timeframe_minutes: int, rows: int, *, cap: float, is_whole: bool
) -> Evaluation:
    """Decide the last rows, which share an anchor, from all `bars`."""
    known = prepared(config, timeframe_minutes)
    ready, whole, history = _known(len(bars), rows, known.bars_needed, is_whole)
    columns = indicators(bars, config.indicators, timeframe_minutes, rows)
    signals = {signal.name: signal.vote(columns, config.signals) for signal in known.signals}
    votes = _silence(weigh(signals, known.weights), ready)
    support, resistance = nearest_levels(
        bars, config.indicators.pivot_bars, config.filters.levels.levels_buffer_percent, rows
    )
    trend = trend_of(columns.now)
    filters = block(Scene(columns, votes.side, trend, signals, support, resistance, timeframe_minutes), known.gates)
    blocked = np.logical_or.reduce(filters.blocks, axis=0)
    return Evaluation(
        open_time=bars.open_time[len(bars) - rows :],
        ready=ready,
        is_whole=whole,
        history=history,
        now=columns.now,
        signals=signals,
        votes=votes,
        support=support,
        resistance=resistance,
        trend=trend,
        volatility=status(columns.now, config.filters.volatility),
        filters=filters,
        blocked=blocked,
        decided=decide(votes, blocked, known.levels, cap),
    )


def _known(bars: int, rows: int, needed: int, is_whole: bool) -> tuple[BoolArray, BoolArray, IntArray]:
    """Readiness, wholeness and history of the last rows of so many bars."""
    ready, whole, history = _known_of_all(needed, is_whole)
    of_rows = slice(bars - rows, bars)
    return ready[of_rows], whole[of_rows], history[of_rows]


@lru_cache(maxsize=64)
def _known_of_all(needed: int, is_whole: bool) -> tuple[BoolArray, BoolArray, IntArray]:
    """The same of every number of bars there may be; read-only, because many assets share them."""
    seen = np.arange(1, MOST_HISTORY + 1)
    columns = seen >= min(needed, FULL_HISTORY), np.full(MOST_HISTORY, is_whole), np.minimum(seen, FULL_HISTORY)
    for column in columns:
        column.flags.writeable = False
    return columns


def _silence(votes: Votes, ready: BoolArray) -> Votes:
    """Remove the votes of warm-up rows, where indicators are still NaN."""
    if ready[0]:  # if the oldest row is ready, all later ones are
        return votes
    return Votes(votes.names, *(np.where(ready, column, 0.0) for column in votes[1:]))


def _joined(parts: Sequence[Evaluation]) -> Evaluation:
    joined: Evaluation = _join(parts)
    return joined


def _join(parts: Sequence[Any]) -> Any:
    """Concatenate all columns, at any depth; values that are not columns are the same in every part."""
    one = parts[0]
    if isinstance(one, np.ndarray):
        return np.concatenate(parts, axis=-1)
    if isinstance(one, dict):
        return {name: _join([part[name] for part in parts]) for name in one}
    if isinstance(one, tuple) and hasattr(one, "_fields"):
        return type(one)(*map(_join, zip(*parts, strict=True)))
    return one

"""One asset, the whole flow in order, over arrays of bars: indicators, signals, filters, decision.

Live and replay call `evaluate` for one row, of a whole window. It is a pure function of its arguments, so the same
bars and configuration give the same decision, whoever asks and whenever. Asked for more rows at once, each row sees the
window up to itself, so only the last one sees as much as the live path does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.agent.decision import NO_CAP, DecisionRows, Votes, decide, weigh
from vivienne.agent.filters import FilterRows, Situation, block, situation
from vivienne.agent.indicators import IndicatorRows, bars_needed, indicators
from vivienne.agent.signals import SignalRows, signals

if TYPE_CHECKING:
    from vivienne.config.schema import Configuration
    from vivienne.market.types import Bars, BoolArray, IntArray


class Evaluation(NamedTuple):
    """Decisions for the last rows of a window, with everything they were made from.

    All columns have one value per row, except those of `indicators`, which are led by the bar before.

    Attributes:
        open_time: of each row's bar, ms since the epoch.
        ready: False while the window is too short for a decision (warm-up); such rows are idle with size 0.
        blocked: where a filter blocks the entry.
    """

    open_time: IntArray
    ready: BoolArray
    indicators: IndicatorRows
    signals: tuple[SignalRows, ...]
    votes: Votes
    situation: Situation
    filters: FilterRows
    blocked: BoolArray
    decision: DecisionRows


def evaluate(
    bars: Bars, config: Configuration, timeframe_minutes: int, rows: int = 1, *, cap: float = NO_CAP
) -> Evaluation:
    """Decide the last `rows` bars of a window.

    Args:
        bars: closed bars, oldest first, at least one; prices above 0.
        config: the tunables, one version of them, whole.
        timeframe_minutes: length of a bar.
        rows: how many bars to decide; at most ``len(bars)``.
        cap: the largest position size, in percent of equity, whatever the tunables say.

    Returns:
        The decisions. Row i uses nothing after row i: a longer window never changes a decision already made.
    """
    seen = np.arange(len(bars) - rows + 1, len(bars) + 1)
    ready = seen >= bars_needed(config.indicators, timeframe_minutes)
    columns = indicators(bars, config.indicators, timeframe_minutes, rows)
    found = signals(columns, bars.open[len(bars) - rows :], config.signals)
    votes = _silence(weigh(found, config.signal_weights), ready)
    now = situation(bars, columns, votes.side, found[-1], config, timeframe_minutes)
    barriers = block(now, config)
    blocked = np.logical_or.reduce(barriers.blocks, axis=0)
    return Evaluation(
        bars.open_time[len(bars) - rows :], ready, columns, found, votes, now, barriers, blocked,
        decide(votes, blocked, config.settings, cap),
    )  # fmt: skip


def _silence(votes: Votes, ready: BoolArray) -> Votes:
    """No votes while warming up, when indicators are still NaN."""
    if ready[0]:  # rows only get readier
        return votes
    return Votes(*(np.where(ready, column, 0.0) for column in votes))

"""The newest bar, decided without columns: what the live path does for every asset whenever a bar closes.

It gives what `evaluate` gives for its last row, to the last bit, in a third of the time: signals and filters are the
same functions, called with floats.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

from vivienne.agent.blocking import block_newest
from vivienne.agent.decided import Decided
from vivienne.agent.decision import NO_CAP, Decision, decide_newest, weigh_newest
from vivienne.agent.evaluate import BLOCKS, CLARITIES, FULL_HISTORY, LEVELS, SIDES, TRENDS, levels_status, used_bars
from vivienne.agent.filters.base import Scene
from vivienne.agent.filters.measures import trend_of
from vivienne.agent.filters.volatility import STATUSES, status
from vivienne.agent.levels import newest_levels
from vivienne.agent.newest_indicators import newest_indicators
from vivienne.agent.prepared import prepared

if TYPE_CHECKING:
    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars


def evaluate_newest(
    bars: Bars, config: Configuration, timeframe_minutes: int, *, cap: float = NO_CAP, is_cut: bool = False
) -> Decided:
    """Decide the last bar from its anchor; the arguments are those of `vivienne.agent.evaluate.evaluate`."""
    bars, has_anchor = used_bars(bars, timeframe_minutes)
    known = prepared(config, timeframe_minutes)
    ready = len(bars) >= min(known.bars_needed, FULL_HISTORY)
    columns = newest_indicators(bars, config.indicators, timeframe_minutes)
    now = columns.now
    signals = {signal.name: signal.vote(columns, config.signals) for signal in known.signals}
    contributions, side, confidence = weigh_newest(signals, known.weights)
    if not ready:  # indicators are still NaN
        contributions, side, confidence = [0.0] * len(contributions), 0.0, 0.0
    support, resistance = newest_levels(bars, config.indicators.pivot_bars, config.filters.levels.levels_buffer_percent)
    trend = trend_of(now)
    filters = block_newest(Scene(columns, side, trend, signals, support, resistance, timeframe_minutes), known.gates)
    raw_level, level, size, wanted = decide_newest(side, confidence, known.levels, cap, is_blocked=any(filters.blocks))
    decision = Decision(
        open_time=bars.open_time.item(-1),
        ready=ready,
        history=min(len(bars), FULL_HISTORY),
        is_whole=has_anchor or not is_cut,
        level=CLARITIES[level],
        raw_level=CLARITIES[raw_level],
        side=SIDES[side],
        confidence=confidence,
        size=size,
        wanted=wanted,
        blocks=tuple(compress(BLOCKS, filters.scenario_blocks)),
        trend=TRENDS[trend],
        volatility=STATUSES[status(now, config.filters.volatility)],
        levels=levels_status(known.gates, is_blocking=filters.blocks[LEVELS], is_ready=ready),
        support=support,
        resistance=resistance,
    )
    return Decided(decision, now, signals, dict(zip(known.weights.names, contributions, strict=True)), filters)

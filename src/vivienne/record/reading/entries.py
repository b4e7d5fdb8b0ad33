"""Recorded bars and decisions as they go out on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.live.entries import bar_decision, finite
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.record.rows import RecordedBar, RecordedDecision
    from vivienne.wire.decision import BarDecision
    from vivienne.wire.record import DecisionRow, ExportRow


def decision_row(asset: str, bar: RecordedBar) -> DecisionRow:
    """A bar with a decision, as a page lists it."""
    made = _made(bar)
    decision = made.decision
    return {
        "asset": asset,
        "time": iso(decision.open_time),
        "status": made.status,
        **_as_streamed(made),
        "blocked_by": [*decision.blocked_by],
        "trend_direction": decision.trend,
        "volatility_status": decision.volatility,
        "levels_status": decision.levels,
        "config_version": made.config_version,
        "price": bar.bar.close,
    }


def export_row(asset: str, timeframe: str, bar: RecordedBar, program_version: str) -> ExportRow:
    """A bar with a decision, with all columns of an export."""
    made, candle = _made(bar), bar.bar
    decision, read = made.decision, made.readings
    trades = finite(candle.trade_count)
    return {
        "time": iso(decision.open_time),
        "asset": asset,
        "timeframe": timeframe,
        "open": candle.open,
        "high": candle.high,
        "low": candle.low,
        "close": candle.close,
        "volume": finite(candle.volume),
        "quote_volume": finite(candle.quote_volume),
        "trade_count": None if trades is None else int(trades),
        "taker_buy_volume": finite(candle.taker_buy_volume),
        "source": bar.source,
        "status": made.status,
        **_as_streamed(made),
        "size_decided": decision.size,
        "size_wanted": decision.wanted,
        "size_cap": made.cap,
        "blocked_by": [*decision.blocked_by],
        "blocks": ["/".join(block) for block in decision.blocks],
        "trend_direction": decision.trend,
        "volatility_status": decision.volatility,
        "levels_status": decision.levels,
        "support": finite(decision.support),
        "resistance": finite(decision.resistance),
        "rsi": finite(read.rsi),
        "macd_atr": finite(read.macd),
        "macd_histogram_atr": finite(read.macd_histogram),
        "atr": finite(made.atr),
        "history": decision.history,
        "config_version": made.config_version,
        "program_version": program_version,
    }


def has_effect(made: RecordedDecision) -> bool:
    """True if the decision was in force: its asset was neither paused, stale nor warming up."""
    return made.status in ("live", "ended") and not made.is_paused


def _made(bar: RecordedBar) -> RecordedDecision:
    if bar.made is None:
        raise ValueError("the bar has no decision")
    return bar.made


def _as_streamed(made: RecordedDecision) -> BarDecision:
    entry = bar_decision(made.decision)
    if not has_effect(made):
        entry["position_size"] = 0.0
    return entry

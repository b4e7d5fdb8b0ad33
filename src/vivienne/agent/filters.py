"""The five filters: each can hold an entry back.

A filter is a list of scenarios; a scenario blocks where all its checks hold. Checks are data - a value, a relation, a
threshold and the tunable it comes from - so that the explanation and the nearest change follow from the same lines
that decide. A value that does not exist (no trades, no level, no VWAP) is NaN, and a comparison with NaN never holds.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from vivienne.agent.levels import nearest_levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.agent.indicators import IndicatorRows
    from vivienne.agent.signals import SignalRows
    from vivienne.config.schema import (
        CombinedVwapFilter,
        Configuration,
        LevelsFilter,
        TrendFilter,
        UnderusedAlphaFilter,
        VolatilityFilter,
    )
    from vivienne.market.types import Bars, BoolArray, FloatArray

Relation = Literal["<", "<=", ">", ">="]

_HOLDS: dict[Relation, Callable[[FloatArray, FloatArray | float], BoolArray]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Check(NamedTuple):
    """One comparison over rows.

    Attributes:
        measure: what is compared, in words.
        value: one per row; NaN where it does not exist.
        threshold: what it is compared with: a tunable, or a column.
        path: the tunable the threshold comes from; None where no tunable stands behind it.
        met: where the comparison holds.
        words: what a person reads where it holds and where it does not, when figures would not tell.
    """

    measure: str
    value: FloatArray
    relation: Relation
    threshold: FloatArray | float
    path: str | None
    met: BoolArray
    words: tuple[str, str] | None = None


class Scenario(NamedTuple):
    """A way in which a filter blocks: all its checks hold.

    Attributes:
        name: in words, for the explanation.
        blocks: where it does, given an entry and the switches.
    """

    name: str
    checks: tuple[Check, ...]
    blocks: BoolArray


class FilterRows(NamedTuple):
    """One filter over rows.

    Attributes:
        name: as in the configuration.
        enabled: whether it may block.
        switch: the tunable that says so.
        blocks: where it does.
    """

    name: str
    enabled: bool
    switch: str
    scenarios: tuple[Scenario, ...]
    blocks: BoolArray


class Situation(NamedTuple):
    """What the filters look at, one value per row.

    Attributes:
        side: +1 long, -1 short, 0 no entry to block.
        trend: +1 up, -1 down, 0 neither.
        breakout_vote: direction of `bb_breakout`.
        deviations: distance of the close from the middle band in standard deviations.
        trades_per_minute, average_trade: NaN-free count; quote currency, NaN without trades.
        taker_buy_share: fraction of volume, NaN without volume.
        vwap, rise: VWAP and change of the close since the bar before, in quote currency.
        support, resistance: nearest level below and above, NaN without one.
    """

    side: FloatArray
    close: FloatArray
    rise: FloatArray
    trend: FloatArray
    breakout_vote: FloatArray
    bandwidth: FloatArray
    deviations: FloatArray
    trades_per_minute: FloatArray
    average_trade: FloatArray
    taker_buy_share: FloatArray
    vwap: FloatArray
    support: FloatArray
    resistance: FloatArray


def trend_of(rows: IndicatorRows) -> FloatArray:
    """+1 where MACD is above its signal line and above 0, -1 mirrored, else 0."""
    macd, line = rows.macd[1:], rows.macd_signal[1:]
    up = (macd > line) & (macd > 0)
    down = (macd < line) & (macd < 0)
    return up.astype(np.float64) - down


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return part / np.where(whole > 0, whole, np.nan)


def situation(
    bars: Bars,
    rows: IndicatorRows,
    side: FloatArray,
    votes: dict[str, SignalRows],
    config: Configuration,
    timeframe_minutes: int,
) -> Situation:
    """Gather what the filters look at for the last ``len(side)`` bars."""
    last = bars[len(bars) - len(side) :]
    support, resistance = nearest_levels(
        bars, config.indicators.pivot_bars, config.filters.levels.levels_buffer_percent, len(side)
    )
    return Situation(
        side=side,
        close=last.close,
        rise=rows.close[1:] - rows.close[:-1],
        trend=trend_of(rows),
        breakout_vote=votes["bb_breakout"].direction,
        bandwidth=rows.bandwidth[1:],
        deviations=rows.deviations[1:],
        trades_per_minute=last.trade_count / timeframe_minutes,
        average_trade=_ratio(last.quote_volume, last.trade_count),
        taker_buy_share=_ratio(last.taker_buy_volume, last.volume),
        vwap=rows.vwap[1:],
        support=support,
        resistance=resistance,
    )


def _check(
    measure: str,
    value: FloatArray,
    relation: Relation,
    threshold: FloatArray | float,
    path: str | None = None,
    words: tuple[str, str] | None = None,
) -> Check:
    return Check(measure, value, relation, threshold, path, _HOLDS[relation](value, threshold), words)


def _against_trend(now: Situation) -> Check:
    return _check(
        "trend in the direction of the entry", now.trend * now.side, "<", 0.0,
        words=("against the trend", "not against the trend"),
    )  # fmt: skip


def _scenario(name: str, entry: BoolArray, *checks: Check, enabled: bool = True) -> Scenario:
    if not enabled:
        return Scenario(name, checks, np.zeros(len(entry), dtype=np.bool_))
    blocks = entry
    for check in checks:
        blocks = blocks & check.met
    return Scenario(name, checks, blocks)


def _filter(name: str, switch: str, *scenarios: Scenario, enabled: bool) -> FilterRows:
    path = f"filters.{name}.{switch}"
    if enabled:
        blocks = scenarios[0].blocks
        for scenario in scenarios[1:]:
            blocks = blocks | scenario.blocks
    else:
        blocks = np.zeros(len(scenarios[0].blocks), dtype=np.bool_)
    return FilterRows(name, enabled, path, scenarios, blocks)


def volatility(now: Situation, entry: BoolArray, tunables: VolatilityFilter) -> FilterRows:
    """Blocks in a squeeze, against the trend in a breakout, and in the direction of an overextended close."""
    path = "filters.volatility."
    ahead = now.deviations * now.side
    return _filter(
        "volatility",
        "enable_bollinger_filter_for_entry",
        _scenario(
            "squeeze",
            entry,
            _check("bandwidth", now.bandwidth, "<", tunables.volatility_squeeze_threshold,
                   path + "volatility_squeeze_threshold"),
        ),
        _scenario(
            "breakout against the trend",
            entry,
            _check("bandwidth", now.bandwidth, ">", tunables.volatility_breakout_threshold,
                   path + "volatility_breakout_threshold"),
            _against_trend(now),
        ),
        _scenario(
            "overextended",
            entry,
            _check("deviations from the middle band", ahead, ">=", tunables.overextended_deviations,
                   path + "overextended_deviations"),
            _check("breakout vote in the direction of the entry", now.breakout_vote * now.side, "<=", 0.0,
                   words=("no breakout vote for it", "a breakout vote for it")),
            enabled=tunables.bollinger_overextended_block,
        ),
        enabled=tunables.enable_bollinger_filter_for_entry,
    )  # fmt: skip


def trend(now: Situation, entry: BoolArray, tunables: TrendFilter) -> FilterRows:
    """Blocks entries against the MACD trend."""
    return _filter(
        "trend",
        "enable_trend_filter_for_entry",
        _scenario("against the trend", entry, _against_trend(now)),
        enabled=tunables.enable_trend_filter_for_entry,
    )


def levels(now: Situation, entry: BoolArray, tunables: LevelsFilter) -> FilterRows:
    """Blocks entries with a level right ahead: resistance over a long, support under a short."""
    ahead = np.where(now.side > 0, now.resistance - now.close, now.close - now.support) / now.close
    return _filter(
        "levels",
        "enable_levels_filter_for_entry",
        _scenario(
            "level ahead",
            entry,
            _check("distance to the nearest level ahead", ahead, "<", tunables.levels_buffer_percent,
                   "filters.levels.levels_buffer_percent"),
        ),
        enabled=tunables.enable_levels_filter_for_entry,
    )  # fmt: skip


def underused_alpha(now: Situation, entry: BoolArray, tunables: UnderusedAlphaFilter) -> FilterRows:
    """Blocks entries into retail chop: many trades, and small ones."""
    path = "filters.underused_alpha.retail_chop_"
    return _filter(
        "underused_alpha",
        "enabled",
        _scenario(
            "retail chop",
            entry,
            _check("trades per minute", now.trades_per_minute, ">=", tunables.retail_chop_trade_count_threshold,
                   path + "trade_count_threshold"),
            _check("average trade", now.average_trade, "<=", tunables.retail_chop_avg_trade_size_threshold,
                   path + "avg_trade_size_threshold"),
        ),
        enabled=tunables.enabled,
    )  # fmt: skip


def combined_vwap(now: Situation, entry: BoolArray, tunables: CombinedVwapFilter) -> FilterRows:
    """Blocks longs into a weak pump above the VWAP and into distribution below it."""
    path = "filters.combined_vwap."
    long = entry & (now.side > 0)
    to_vwap = now.close - now.vwap
    return _filter(
        "combined_vwap",
        "enabled",
        _scenario(
            "weak pump",
            long,
            _check("close over VWAP", to_vwap, ">", 0.0, words=("close above the VWAP", "close not above the VWAP")),
            _check("rise since the bar before", now.rise, ">", 0.0, words=("rising", "not rising")),
            _check("trades per minute", now.trades_per_minute, "<", tunables.weak_pump_trade_count_threshold,
                   path + "weak_pump_trade_count_threshold"),
            _check("average trade", now.average_trade, "<", tunables.weak_pump_avg_trade_size_threshold,
                   path + "weak_pump_avg_trade_size_threshold"),
        ),
        _scenario(
            "distribution",
            long,
            _check("close over VWAP", to_vwap, "<", 0.0, words=("close below the VWAP", "close not below the VWAP")),
            _check("trades per minute", now.trades_per_minute, ">", tunables.distribution_trade_count_threshold,
                   path + "distribution_trade_count_threshold"),
            _check("average trade", now.average_trade, ">", tunables.distribution_avg_trade_size_threshold,
                   path + "distribution_avg_trade_size_threshold"),
            _check("taker-buy share", now.taker_buy_share, "<", tunables.distribution_taker_buy_share,
                   path + "distribution_taker_buy_share"),
        ),
        enabled=tunables.enabled,
    )  # fmt: skip


def filters(now: Situation, config: Configuration) -> tuple[FilterRows, ...]:
    """All five, in the order of the configuration."""
    entry = now.side != 0
    tunables = config.filters
    return (
        volatility(now, entry, tunables.volatility),
        trend(now, entry, tunables.trend),
        levels(now, entry, tunables.levels),
        underused_alpha(now, entry, tunables.underused_alpha),
        combined_vwap(now, entry, tunables.combined_vwap),
    )

"""The five filters: each can hold an entry back.

A filter is a list of scenarios; a scenario blocks where all its checks hold. Checks are data - a value, a relation, a
threshold and the tunable it comes from - so that the explanation and the nearest change follow from the same lines
that decide. A value that does not exist (no trades, no level, no VWAP) is NaN, and a comparison with NaN never holds.
"""

from __future__ import annotations

from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from vivienne.agent.levels import nearest_levels

if TYPE_CHECKING:
    from vivienne.agent.indicators import IndicatorRows
    from vivienne.agent.signals import SignalRows
    from vivienne.config.schema import Configuration
    from vivienne.market.types import Bars, BoolArray, FloatArray

Relation = Literal["<", "<=", ">", ">="]


class Check(NamedTuple):
    """One comparison.

    Attributes:
        measure: what is compared, in words.
        column: which column of `Situation` that is.
        threshold: what it is compared with: the path of a tunable, or a constant.
        words: what a person reads where it holds and where it does not, when figures would not tell.
    """

    measure: str
    column: str
    relation: Relation
    threshold: str | float
    words: tuple[str, str] | None = None

    @property
    def path(self) -> str | None:
        """The tunable behind the threshold, if there is one."""
        return self.threshold if isinstance(self.threshold, str) else None


class Scenario(NamedTuple):
    """A way in which a filter blocks: all its checks hold.

    Attributes:
        name: in words, for the explanation.
        longs_only: whether it leaves shorts alone.
        switch: the tunable that turns it off, beyond the switch of its filter.
    """

    name: str
    checks: tuple[Check, ...]
    longs_only: bool = False
    switch: str | None = None


class Filter(NamedTuple):
    """A filter.

    Attributes:
        name: as in the configuration.
        switch: the tunable that turns it off.
    """

    name: str
    switch: str
    scenarios: tuple[Scenario, ...]


_VOLATILITY = "filters.volatility."
_CHOP = "filters.underused_alpha.retail_chop_"
_VWAP = "filters.combined_vwap."
_ABOVE_VWAP = Check("close over VWAP", "over_vwap", ">", 0.0, ("close above the VWAP", "close not above the VWAP"))
_BELOW_VWAP = Check("close over VWAP", "over_vwap", "<", 0.0, ("close below the VWAP", "close not below the VWAP"))
_AGAINST_TREND = Check(
    "trend in the direction of the entry", "trend_ahead", "<", 0.0, ("against the trend", "not against the trend")
)

FILTERS: tuple[Filter, ...] = (
    Filter(
        "volatility",
        _VOLATILITY + "enable_bollinger_filter_for_entry",
        (
            Scenario(
                "squeeze", (Check("bandwidth", "bandwidth", "<", _VOLATILITY + "volatility_squeeze_threshold"),)
            ),
            Scenario(
                "breakout against the trend",
                (
                    Check("bandwidth", "bandwidth", ">", _VOLATILITY + "volatility_breakout_threshold"),
                    _AGAINST_TREND,
                ),
            ),
            Scenario(
                "overextended",
                (
                    Check("deviations from the middle band", "deviations_ahead", ">=",
                          _VOLATILITY + "overextended_deviations"),
                    Check("breakout vote in the direction of the entry", "breakout_ahead", "<=", 0.0,
                          ("no breakout vote for it", "a breakout vote for it")),
                ),
                switch=_VOLATILITY + "bollinger_overextended_block",
            ),
        ),
    ),
    Filter(
        "trend",
        "filters.trend.enable_trend_filter_for_entry",
        (Scenario("against the trend", (_AGAINST_TREND,)),),
    ),
    Filter(
        "levels",
        "filters.levels.enable_levels_filter_for_entry",
        (
            Scenario(
                "level ahead",
                (Check("distance to the nearest level ahead", "level_ahead", "<",
                       "filters.levels.levels_buffer_percent"),),
            ),
        ),
    ),
    Filter(
        "underused_alpha",
        "filters.underused_alpha.enabled",
        (
            Scenario(
                "retail chop",
                (
                    Check("trades per minute", "trades_per_minute", ">=", _CHOP + "trade_count_threshold"),
                    Check("average trade", "average_trade", "<=", _CHOP + "avg_trade_size_threshold"),
                ),
            ),
        ),
    ),
    Filter(
        "combined_vwap",
        _VWAP + "enabled",
        (
            Scenario(
                "weak pump",
                (
                    _ABOVE_VWAP,
                    Check("rise since the bar before", "rise", ">", 0.0, ("rising", "not rising")),
                    Check("trades per minute", "trades_per_minute", "<", _VWAP + "weak_pump_trade_count_threshold"),
                    Check("average trade", "average_trade", "<", _VWAP + "weak_pump_avg_trade_size_threshold"),
                ),
                longs_only=True,
            ),
            Scenario(
                "distribution",
                (
                    _BELOW_VWAP,
                    Check("trades per minute", "trades_per_minute", ">", _VWAP + "distribution_trade_count_threshold"),
                    Check("average trade", "average_trade", ">", _VWAP + "distribution_avg_trade_size_threshold"),
                    Check("taker-buy share", "taker_buy_share", "<", _VWAP + "distribution_taker_buy_share"),
                ),
                longs_only=True,
            ),
        ),
    ),
)  # fmt: skip
"""What the filters are. `block` decides by it, the explanation speaks by it."""


class Situation(NamedTuple):
    """What the filters look at, one value per row; "ahead" is in the direction of the entry.

    Attributes:
        side: +1 long, -1 short, 0 no entry to block.
        trend: +1 up, -1 down, 0 neither.
        trend_ahead, breakout_ahead: the trend and the vote of `bb_breakout`, +1 for the entry, -1 against it.
        deviations, deviations_ahead: distance of the close from the middle band, in standard deviations.
        level_ahead: distance to the nearest level ahead as a fraction of price, NaN without one.
        trades_per_minute, average_trade: the latter in quote currency, NaN without trades.
        taker_buy_share: fraction of volume, NaN without volume.
        over_vwap, rise: the close over the VWAP and over the close before, in quote currency.
        support, resistance: nearest level below and above, NaN without one.
    """

    side: FloatArray
    trend: FloatArray
    trend_ahead: FloatArray
    breakout_ahead: FloatArray
    bandwidth: FloatArray
    deviations: FloatArray
    deviations_ahead: FloatArray
    level_ahead: FloatArray
    trades_per_minute: FloatArray
    average_trade: FloatArray
    taker_buy_share: FloatArray
    over_vwap: FloatArray
    rise: FloatArray
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
    breakout: SignalRows,
    config: Configuration,
    timeframe_minutes: int,
) -> Situation:
    """Gather what the filters look at for the last ``len(side)`` bars."""
    first = len(bars) - len(side)
    close, volume = bars.close[first:], bars.volume[first:]
    quote_volume, count, taker = bars.quote_volume[first:], bars.trade_count[first:], bars.taker_buy_volume[first:]
    support, resistance = nearest_levels(
        bars, config.indicators.pivot_bars, config.filters.levels.levels_buffer_percent, len(side)
    )
    trend, deviations = trend_of(rows), rows.deviations[1:]
    return Situation(
        side=side,
        trend=trend,
        trend_ahead=trend * side,
        breakout_ahead=breakout.direction * side,
        bandwidth=rows.bandwidth[1:],
        deviations=deviations,
        deviations_ahead=deviations * side,
        level_ahead=np.where(side > 0, resistance - close, close - support) / close,
        trades_per_minute=count / timeframe_minutes,
        average_trade=_ratio(quote_volume, count),
        taker_buy_share=_ratio(taker, volume),
        over_vwap=close - rows.vwap[1:],
        rise=rows.close[1:] - rows.close[:-1],
        support=support,
        resistance=resistance,
    )


SCENARIOS: tuple[Scenario, ...] = tuple(scenario for barrier in FILTERS for scenario in barrier.scenarios)
"""Every scenario, in the order of the rows of `FilterRows`."""
CHECKS: tuple[Check, ...] = tuple(check for scenario in SCENARIOS for check in scenario.checks)
"""Every check, in the order of the rows of `FilterRows`."""
_COLUMNS = attrgetter(*(check.column for check in CHECKS))
_THRESHOLDS = tuple(
    attrgetter(check.threshold) if isinstance(check.threshold, str) else check.threshold for check in CHECKS
)
_SWITCHES = tuple(attrgetter(barrier.switch) for barrier in FILTERS)
_SCENARIO_SWITCHES = tuple(attrgetter(scenario.switch) if scenario.switch else None for scenario in SCENARIOS)
_SIGNS = np.array([[1.0 if check.relation in ("<", "<=") else -1.0] for check in CHECKS])
_STRICT = np.array([[check.relation in ("<", ">")] for check in CHECKS])
_LONGS_ONLY = np.array([[scenario.longs_only] for scenario in SCENARIOS])
_FIRST_CHECKS = [0, *accumulate(len(scenario.checks) for scenario in SCENARIOS)][:-1]
CHECKS_OF: tuple[range, ...] = tuple(
    range(first, first + len(scenario.checks)) for first, scenario in zip(_FIRST_CHECKS, SCENARIOS, strict=True)
)
"""By scenario, the places of its checks in `CHECKS`."""
_FIRST_SCENARIOS = [0, *accumulate(len(barrier.scenarios) for barrier in FILTERS)][:-1]
_FILTER_OF = np.repeat(np.arange(len(FILTERS)), [len(barrier.scenarios) for barrier in FILTERS])


class FilterRows(NamedTuple):
    """What the filters said, in the order of `FILTERS`.

    Attributes:
        enabled: per filter, whether it may block.
        values, met: per check and row: what was compared, and whether the relation holds.
        thresholds: per check.
        scenario_blocks: per scenario and row.
        blocks: per filter and row.
    """

    enabled: tuple[bool, ...]
    values: FloatArray
    thresholds: FloatArray
    met: BoolArray
    scenario_blocks: BoolArray
    blocks: BoolArray


def block(now: Situation, config: Configuration) -> FilterRows:
    """Apply `FILTERS`, all checks at once."""
    values = np.array(_COLUMNS(now))
    thresholds = np.array(
        [threshold if isinstance(threshold, float) else threshold(config) for threshold in _THRESHOLDS],
        dtype=np.float64,
    )
    # "above" is "below" with both signs turned.
    left, right = values * _SIGNS, thresholds[:, np.newaxis] * _SIGNS
    met = np.where(_STRICT, left < right, left <= right)
    enabled = tuple(switch(config) for switch in _SWITCHES)
    on = [switch is None or switch(config) for switch in _SCENARIO_SWITCHES] & np.array(enabled)[_FILTER_OF]
    entry = np.where(_LONGS_ONLY, now.side > 0, now.side != 0) & on[:, np.newaxis]
    scenario_blocks = np.logical_and.reduceat(met, _FIRST_CHECKS, axis=0) & entry
    blocks = np.logical_or.reduceat(scenario_blocks, _FIRST_SCENARIOS, axis=0)
    return FilterRows(enabled, values, thresholds, met, scenario_blocks, blocks)

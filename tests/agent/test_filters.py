"""Each filter's scenarios by hand: what blocks, what just does not, and what cannot be known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from making import bars_of, configured, document_of
from vivienne.agent.evaluate import evaluate
from vivienne.agent.filters import FILTERS, Situation, block, trend_of
from vivienne.agent.indicators import IndicatorRows
from vivienne.agent.schema import Filters

LONG, SHORT = 1.0, -1.0

QUIET: dict[str, float] = {
    "side": LONG,
    "close": 100.0,
    "rise": 0.0,
    "trend": 0.0,
    "breakout_vote": 0.0,
    "bandwidth": 0.02,
    "deviations": 0.0,
    "trades_per_minute": 80.0,
    "average_trade": 200.0,
    "taker_buy_share": 0.5,
    "vwap": 100.0,
    "support": math.nan,
    "resistance": math.nan,
}
"""A market in which no filter has a reason to block."""


def situation_of(market: dict[str, float]) -> Situation:
    side, close = market["side"], market["close"]
    ahead = market["resistance"] - close if side > 0 else close - market["support"]
    seen = market | {
        "trend_ahead": market["trend"] * side,
        "breakout_ahead": market["breakout_vote"] * side,
        "deviations_ahead": market["deviations"] * side,
        "level_ahead": ahead / close,
        "over_vwap": close - market["vwap"],
    }
    return Situation(**{name: np.array([seen[name]]) for name in Situation._fields})


def blocking(config: dict[str, Any] | None = None, /, **now: float) -> list[str]:
    """Filters that block, and by which scenario."""
    rows = block(situation_of(QUIET | now), configured(document_of(config or {})))
    names = [f"{barrier.name}: {scenario.name}" for barrier in FILTERS for scenario in barrier.scenarios]
    found = [name for name, blocks in zip(names, rows.scenario_blocks[:, 0].tolist(), strict=True) if blocks]
    filters = [barrier.name for barrier, blocks in zip(FILTERS, rows.blocks[:, 0].tolist(), strict=True) if blocks]
    assert list(dict.fromkeys(name.partition(":")[0] for name in found)) == filters
    return found


def test_a_quiet_market_blocks_nothing() -> None:
    assert blocking() == []
    assert blocking(side=SHORT) == []


@pytest.mark.parametrize("side", [LONG, SHORT])
@pytest.mark.parametrize(("bandwidth", "blocks"), [(0.0149, True), (0.015, False), (0.0, True), (0.0151, False)])
def test_a_squeeze_blocks_either_side_below_its_threshold(side: float, bandwidth: float, blocks: bool) -> None:
    assert (["volatility: squeeze"] if blocks else []) == blocking(side=side, bandwidth=bandwidth)


@pytest.mark.parametrize(
    ("side", "trend", "bandwidth", "blocks"),
    [
        (LONG, -1.0, 0.0251, True),
        (SHORT, 1.0, 0.0251, True),
        (LONG, -1.0, 0.025, False),
        (LONG, 1.0, 0.0251, False),
        (SHORT, -1.0, 0.0251, False),
        (LONG, 0.0, 0.3, False),
    ],
)
def test_a_breakout_blocks_entries_against_the_trend(side: float, trend: float, bandwidth: float, blocks: bool) -> None:
    expected = ["volatility: breakout against the trend"] if blocks else []
    without_trend = {"filters.trend.enable_trend_filter_for_entry": False}
    assert expected == blocking(without_trend, side=side, trend=trend, bandwidth=bandwidth)


@pytest.mark.parametrize(
    ("side", "deviations", "breakout_vote", "blocks"),
    [
        (LONG, 3.0, 0.0, True),
        (LONG, 2.99, 0.0, False),
        (LONG, -3.5, 0.0, False),
        (LONG, 3.5, 1.0, False),
        (LONG, 3.5, -1.0, True),
        (SHORT, -3.0, 0.0, True),
        (SHORT, -2.99, 0.0, False),
        (SHORT, 3.5, 0.0, False),
        (SHORT, -3.5, -1.0, False),
    ],
)
def test_an_overextended_close_blocks_its_own_direction_unless_the_breakout_votes_for_it(
    side: float, deviations: float, breakout_vote: float, blocks: bool
) -> None:
    expected = ["volatility: overextended"] if blocks else []
    assert expected == blocking(side=side, deviations=deviations, breakout_vote=breakout_vote)


def test_overextension_has_a_switch_of_its_own() -> None:
    off = {"filters.volatility.bollinger_overextended_block": False}
    assert blocking(off, deviations=4.0) == []
    assert blocking(off, bandwidth=0.001) == ["volatility: squeeze"]


@pytest.mark.parametrize(
    ("side", "trend", "blocks"),
    [(LONG, -1.0, True), (SHORT, 1.0, True), (LONG, 1.0, False), (SHORT, -1.0, False), (LONG, 0.0, False)],
)
def test_the_trend_filter_blocks_entries_against_the_trend(side: float, trend: float, blocks: bool) -> None:
    assert (["trend: against the trend"] if blocks else []) == blocking(side=side, trend=trend)


@pytest.mark.parametrize(
    ("macd", "signal", "trend"),
    [
        (2.0, 1.0, 1.0),
        (1.0, 2.0, 0.0),  # above 0, but turning
        (2.0, 2.0, 0.0),
        (0.0, -1.0, 0.0),
        (-2.0, -1.0, -1.0),
        (-1.0, -2.0, 0.0),  # below 0, but turning
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 0.0),
    ],
)
def test_the_trend_is_up_when_macd_is_above_its_signal_and_above_0(macd: float, signal: float, trend: float) -> None:
    values = dict.fromkeys(IndicatorRows._fields, np.zeros(2)) | {
        "macd": np.array([0.0, macd]),
        "macd_signal": np.array([0.0, signal]),
    }
    assert [trend] == trend_of(IndicatorRows(**values)).tolist()


@pytest.mark.parametrize(
    ("side", "levels", "blocks"),
    [
        (LONG, {"resistance": 100.29}, True),
        (LONG, {"resistance": 100.31}, False),
        (LONG, {"support": 99.99}, False),
        (SHORT, {"support": 99.71}, True),
        (SHORT, {"support": 99.69}, False),
        (SHORT, {"resistance": 100.01}, False),
    ],
)
def test_a_level_right_ahead_blocks(side: float, levels: dict[str, float], blocks: bool) -> None:
    assert (["levels: level ahead"] if blocks else []) == blocking(side=side, **levels)


def test_a_level_exactly_a_buffer_away_does_not_block() -> None:
    quarter = {"filters.levels.levels_buffer_percent": 0.0625}
    assert blocking(quarter, close=100.0, resistance=106.25) == []
    assert blocking(quarter, close=100.0, resistance=106.24) == ["levels: level ahead"]


@pytest.mark.parametrize("side", [LONG, SHORT])
@pytest.mark.parametrize(
    ("trades", "average", "blocks"),
    [(100.0, 50.0, True), (99.9, 50.0, False), (100.0, 50.1, False), (5_000.0, 1.0, True)],
)
def test_many_small_trades_are_retail_chop(side: float, trades: float, average: float, blocks: bool) -> None:
    expected = ["underused_alpha: retail chop"] if blocks else []
    assert expected == blocking(side=side, trades_per_minute=trades, average_trade=average)


WEAK = {"vwap": 99.0, "rise": 0.1, "trades_per_minute": 49.0, "average_trade": 99.0}


def test_a_rise_above_the_vwap_on_few_small_trades_is_a_weak_pump() -> None:
    assert blocking(**WEAK) == ["combined_vwap: weak pump"]


@pytest.mark.parametrize(
    "difference",
    [
        {"vwap": 100.0},
        {"vwap": 101.0},
        {"rise": 0.0},
        {"rise": -0.1},
        {"trades_per_minute": 50.0},
        {"average_trade": 100.0},
        {"side": SHORT},
    ],
)
def test_a_weak_pump_needs_all_of_it_and_a_long(difference: dict[str, float]) -> None:
    assert blocking(**(WEAK | difference)) == []


DISTRIBUTION = {"vwap": 101.0, "trades_per_minute": 201.0, "average_trade": 501.0, "taker_buy_share": 0.44}


def test_large_sellers_below_the_vwap_are_distribution() -> None:
    assert blocking(**DISTRIBUTION) == ["combined_vwap: distribution"]


@pytest.mark.parametrize(
    "difference",
    [
        {"vwap": 100.0},
        {"vwap": 99.0},
        {"trades_per_minute": 200.0},
        {"average_trade": 500.0},
        {"taker_buy_share": 0.45},
        {"side": SHORT},
    ],
)
def test_distribution_needs_all_of_it_and_a_long(difference: dict[str, float]) -> None:
    assert blocking(**(DISTRIBUTION | difference)) == []


BLOCKED: list[tuple[str, dict[str, float]]] = [
    ("filters.volatility.enable_bollinger_filter_for_entry", {"bandwidth": 0.001}),
    ("filters.trend.enable_trend_filter_for_entry", {"trend": -1.0}),
    ("filters.levels.enable_levels_filter_for_entry", {"resistance": 100.01}),
    ("filters.underused_alpha.enabled", {"trades_per_minute": 900.0, "average_trade": 5.0}),
    ("filters.combined_vwap.enabled", WEAK),
]


@pytest.mark.parametrize(("switch", "now"), BLOCKED)
def test_a_filter_that_is_switched_off_never_blocks(switch: str, now: dict[str, float]) -> None:
    assert len(blocking(**now)) == 1
    assert blocking({switch: False}, **now) == []


@pytest.mark.parametrize(("switch", "now"), BLOCKED)
def test_without_an_entry_there_is_nothing_to_block(switch: str, now: dict[str, float]) -> None:
    assert switch
    assert blocking(side=0.0, **now) == []


@pytest.mark.parametrize("unknown", ["trades_per_minute", "average_trade"])
def test_what_cannot_be_known_does_not_block(unknown: str) -> None:
    """Without trades there is no average trade; a file without counts has no count either."""
    assert blocking(**(WEAK | {unknown: math.nan})) == []
    assert blocking(**(DISTRIBUTION | {unknown: math.nan})) == []
    assert blocking(**({"trades_per_minute": 900.0, "average_trade": 5.0} | {unknown: math.nan})) == []


def test_an_unknown_vwap_or_buy_share_does_not_block() -> None:
    assert blocking(**(WEAK | {"vwap": math.nan})) == []
    assert blocking(**(DISTRIBUTION | {"vwap": math.nan})) == []
    assert blocking(**(DISTRIBUTION | {"taker_buy_share": math.nan})) == []


def test_a_bar_without_trades_has_no_average_trade() -> None:
    closes = 100 * np.exp(0.001 * np.sin(np.arange(100)))
    volume = np.where(np.arange(100) == 99, 0.0, 10.0)
    bars = bars_of(
        closes, volume=volume, trade_count=volume * 3, quote_volume=volume * closes, taker_buy_volume=volume / 2
    )
    now = evaluate(bars, configured(), 15, 2).situation
    assert [2.0, 0.0] == now.trades_per_minute.tolist()
    assert now.average_trade[0] == pytest.approx(closes[98] / 3)
    assert math.isnan(now.average_trade[1])
    assert math.isnan(now.taker_buy_share[1])


def test_what_the_filters_look_at_is_measured_per_minute_and_in_quote_currency() -> None:
    bars = bars_of(
        np.linspace(100, 110, 80), trade_count=1_200.0, quote_volume=60_000.0, volume=500.0, taker_buy_volume=200.0
    )
    now = evaluate(bars, configured(), 15).situation
    assert (80.0, 50.0, 0.4) == (now.trades_per_minute[0], now.average_trade[0], now.taker_buy_share[0])
    assert now.over_vwap[0] == pytest.approx(110 - 120)
    assert now.rise[0] == pytest.approx(10 / 79)


def test_filters_come_in_the_order_of_the_configuration() -> None:
    names = [name for name in Filters.model_fields if name != "description"]
    assert names == [barrier.name for barrier in FILTERS]

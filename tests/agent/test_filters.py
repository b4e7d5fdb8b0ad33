"""Each filter's scenarios by hand: what blocks, what just does not, and what cannot be known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from making import bars_of, configured, document_of
from vivienne.agent.blocking import CHECKS, block
from vivienne.agent.evaluate import evaluate
from vivienne.agent.filters import FILTERS
from vivienne.agent.filters.base import Scene
from vivienne.agent.filters.measures import trend_of
from vivienne.agent.indicators import LEAD, Columns, IndicatorRows, Led
from vivienne.agent.prepared import prepared
from vivienne.agent.schema import Filters
from vivienne.agent.signals.base import Vote

if TYPE_CHECKING:
    from vivienne.market.types import Bars

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


def scene_of(market: dict[str, float]) -> Scene:
    close, rise = market["close"], market["rise"]
    trades, volume = market["trades_per_minute"] * 15, 1_000.0
    bars = bars_of(
        [close - rise] * LEAD + [close],
        volume=volume,
        trade_count=trades,
        quote_volume=market["average_trade"] * trades,
        taker_buy_volume=market["taker_buy_share"] * volume,
    )
    figures = market | {"over_vwap": close - market["vwap"]}
    led = {name: np.full(LEAD + 1, figures.get(name, 0.0)) for name in IndicatorRows._fields} | {"close": bars.close}
    now = IndicatorRows(**{name: column[LEAD:] for name, column in led.items()})
    vote = np.array([market["breakout_vote"]])
    return Scene(
        columns=Columns(bars, Led._make([led[name] for name in Led._fields]), now),
        side=np.array([market["side"]]),
        trend=np.array([market["trend"]]),
        votes={"bb_breakout": Vote(vote, np.abs(vote), vote)},
        support=np.array([market["support"]]),
        resistance=np.array([market["resistance"]]),
        timeframe_minutes=15,
    )


def blocking(config: dict[str, Any] | None = None, /, **now: float) -> list[str]:
    """Filters that block, and by which scenario."""
    rows = block(scene_of(QUIET | now), prepared(configured(document_of(config or {})), 15).gates)
    names = [f"{barrier.name}: {scenario.id}" for barrier in FILTERS for scenario in barrier.scenarios]
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
    expected = ["volatility: breakout_against_trend"] if blocks else []
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
    assert (["trend: against_trend"] if blocks else []) == blocking(side=side, trend=trend)


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
    values = dict.fromkeys(IndicatorRows._fields, np.zeros(1)) | {
        "macd": np.array([macd]),
        "macd_histogram": np.array([macd - signal]),
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
    assert (["levels: level_ahead"] if blocks else []) == blocking(side=side, **levels)


def test_a_level_exactly_a_buffer_away_does_not_block() -> None:
    quarter = {"filters.levels.levels_buffer_percent": 0.0625}
    assert blocking(quarter, close=100.0, resistance=106.25) == []
    assert blocking(quarter, close=100.0, resistance=106.24) == ["levels: level_ahead"]


@pytest.mark.parametrize("side", [LONG, SHORT])
@pytest.mark.parametrize(
    ("trades", "average", "blocks"),
    [(100.0, 50.0, True), (99.9, 50.0, False), (100.0, 50.1, False), (5_000.0, 1.0, True)],
)
def test_many_small_trades_are_retail_chop(side: float, trades: float, average: float, blocks: bool) -> None:
    expected = ["underused_alpha: retail_chop"] if blocks else []
    assert expected == blocking(side=side, trades_per_minute=trades, average_trade=average)


WEAK = {"vwap": 99.0, "rise": 0.1, "trades_per_minute": 49.0, "average_trade": 99.0}


def test_a_rise_above_the_vwap_on_few_small_trades_is_a_weak_pump() -> None:
    assert blocking(**WEAK) == ["combined_vwap: weak_pump"]


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


def measured(bars: Bars) -> list[dict[str, float]]:
    """What the filters compare on the last two bars, by the id of the measure."""
    values = evaluate(bars, configured(), 15, 2).filters.values
    return [{check.measure.id: float(value) for check, value in zip(CHECKS, row, strict=True)} for row in values.T]


def test_a_bar_without_trades_has_no_average_trade() -> None:
    closes = 100 * np.exp(0.001 * np.sin(np.arange(100)))
    volume = np.where(np.arange(100) == 99, 0.0, 10.0)
    bars = bars_of(
        closes, volume=volume, trade_count=volume * 3, quote_volume=volume * closes, taker_buy_volume=volume / 2
    )
    before, now = measured(bars)
    assert (before["trades_per_minute"], now["trades_per_minute"]) == (2.0, 0.0)
    assert before["average_trade"] == pytest.approx(closes[98] / 3)
    assert math.isnan(now["average_trade"])
    assert math.isnan(now["taker_buy_share"])


def test_what_the_filters_look_at_is_measured_per_minute_and_in_quote_currency() -> None:
    bars = bars_of(
        np.linspace(100, 110, 80), trade_count=1_200.0, quote_volume=60_000.0, volume=500.0, taker_buy_volume=200.0
    )
    now = measured(bars)[-1]
    assert (now["trades_per_minute"], now["average_trade"], now["taker_buy_share"]) == (80.0, 50.0, 0.4)
    assert now["over_vwap"] == pytest.approx(110 - 120)
    assert now["rise"] == pytest.approx(10 / 79)


def test_filters_come_in_the_order_of_the_configuration() -> None:
    names = [name for name in Filters.model_fields if name != "description"]
    assert names == [barrier.name for barrier in FILTERS]

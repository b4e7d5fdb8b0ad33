"""Nothing hangs on the last bits: the same market in another unit is decided the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from making import bars_of, candles_in, configurations, configured, random_bars, resampled, scaled
from sizes import examples, rounds
from vivienne.agent.evaluate import evaluate
from vivienne.agent.indicators import rsi
from vivienne.agent.levels import merged, nearest_levels
from vivienne.agent.signals import SIGNALS
from vivienne.agent.tolerance import EQUAL, above, settled
from vivienne.market.timeframe import Timeframe

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.agent.decision import Decision
    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars

EVERY_SIGNAL = {"signal_weights": {signal.name: 0.5 for signal in SIGNALS}}


def tick_bars(seed: int, count: int, ticks: int) -> Bars:
    """A market of few prices, in which everything that can be equal is: closes, highs, bandwidths, levels."""
    rng = np.random.default_rng(seed)
    close = 900 + np.cumsum(rng.integers(-ticks, ticks + 1, count))
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opened, close) + rng.integers(0, ticks + 1, count)
    low = np.minimum(opened, close) - rng.integers(0, ticks + 1, count)
    columns = {name: np.round(values * 0.1, 1) for name, values in
               {"open": opened, "high": high, "low": low}.items()}  # fmt: skip
    return bars_of(np.round(close * 0.1, 1), **columns)


def assert_decided_the_same(bars: Bars, others: Bars, config: Configuration) -> None:
    """All of the decisions that has no unit is equal, and their confidence up to rounding."""
    one, other = (evaluate(each, config, 15, len(each)).decisions() for each in (bars, others))
    assert [_outcome(each) for each in one] == [_outcome(each) for each in other]
    confidences = [each.confidence for each in one]
    np.testing.assert_allclose(confidences, [each.confidence for each in other], rtol=0, atol=1e-6)


def _outcome(made: Decision) -> tuple[Any, ...]:
    return (made.level, made.raw_level, made.side, made.size, made.blocks, made.trend, made.volatility, made.levels)


FACTORS = st.sampled_from([10.0**power for power in range(-11, 6)]) | st.floats(1e-9, 1e5)


@examples(125)
@given(seed=st.integers(0, 10_000), factor=FACTORS, ticks=st.integers(1, 4), config=configurations())
@example(seed=1, factor=0.1, ticks=1, config=configured(EVERY_SIGNAL))
@example(seed=2, factor=1e-11, ticks=2, config=configured(EVERY_SIGNAL))
@example(seed=3, factor=3.7, ticks=1, config=configured(EVERY_SIGNAL))
def test_prices_in_another_unit_change_no_decision(seed: int, factor: float, ticks: int, config: Configuration) -> None:
    for bars in (tick_bars(seed, 400, ticks), random_bars(seed, 400)):
        assert_decided_the_same(bars, scaled(bars, factor), config)


@pytest.mark.sized
def test_real_prices_in_another_unit_change_no_decision(marketdata: Path) -> None:
    bars = resampled(candles_in(marketdata / "klines" / "BTCUSDT-1m-2025-02.csv.gz"))
    for config in (configured(), configured(EVERY_SIGNAL)):
        for factor in (1e-12, 7e3, 1e-5, 1 / 3)[: rounds(4, 2)]:
            assert_decided_the_same(bars, scaled(bars, factor), config)


@pytest.mark.parametrize("name", ["level_at_the_close.csv", "level_at_the_close_one_tick_up.csv"])
def test_a_level_at_the_close_itself_blocks_nothing(shared_cases: Path, name: str) -> None:
    bars = resampled(candles_in(shared_cases / "decisions" / name), Timeframe.M1)
    # Shorter periods, so that the hundred bars suffice.
    config = configured({
        "indicators": {
            "ema_fast_period": 6, "ema_slow_period": 14, "macd_fast_period": 7, "macd_slow_period": 14,
            "macd_signal_period": 5, "rsi_period": 8, "atr_period": 8,
        },
    })  # fmt: skip
    newest = evaluate(bars, config, 1).decision()
    assert (True, "long") == (newest.ready, newest.side)
    assert "levels" not in newest.blocked_by


def test_a_level_that_is_the_mean_of_equal_pivots_is_at_their_price() -> None:
    close = np.full(60, 0.0914)
    high = np.full(60, 0.0914)
    high[[10, 20, 30]] = 0.0915
    close[-1] = 0.0915
    support, resistance = nearest_levels(bars_of(close, open=close, high=high, low=close - 0.0001), 5, 0.003, 1)
    assert np.isnan(resistance[0])
    assert np.isnan(support[0]) or support[0] < 0.0915 * (1 - EQUAL)


def test_prices_exactly_at_the_buffer_are_one_level() -> None:
    assert len([*merged([100.0, 100.3], 0.003)]) == 1
    assert len([*merged([0.1, 0.1003], 0.003)]) == 1
    assert len([*merged([100.0, 100.4], 0.003)]) == 2


def test_differences_that_are_only_rounding_are_none() -> None:
    prices = np.array([0.1 + 0.2, 0.3, 0.3 + 1e-6])
    assert [0.0, 0.0, True] == [*settled(prices - 0.3, 0.3)[:2], bool(settled(prices - 0.3, 0.3)[2] > 0)]
    assert [False, False, True] == above(prices, 0.3).tolist()


def test_while_closes_stand_still_after_a_fall_the_rsi_stands_still_too() -> None:
    close = np.concatenate([np.linspace(100, 90, 40), np.full(800, 90.0)])
    values = rsi(close, 14)
    assert values[39] < 5
    assert (values[39:] == values[39]).all()


def test_the_rsi_of_a_market_that_never_moved_is_in_the_middle() -> None:
    close = np.concatenate([np.full(30, 100.0), [101.0], np.full(5, 101.0)])
    values = rsi(close, 14)
    assert np.isnan(values[:14]).all()
    assert (values[14:30] == 50).all()
    assert (values[30:] == 100).all()


def test_equal_bandwidths_are_not_widening() -> None:
    """A zigzag between two prices has the same bands for ever, up to rounding."""
    bars = bars_of(np.where(np.arange(300) % 2, 0.0917, 0.0911), volume=0.0)
    config = configured({"signal_weights": {"ema_cross": 0, "macd": 0, "rsi": 0, "bb_bounce": 0},
                         "indicators": {"bollinger_deviations": 0.5}})  # fmt: skip
    assert not evaluate(bars, config, 15, 100).signals["bb_breakout"].direction.any()

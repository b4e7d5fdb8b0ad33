"""docs/decisions.md says everything a decision depends on: a program written from that page alone decides the same."""

from __future__ import annotations

from dataclasses import replace
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import MIDNIGHT, bars_of, candles_in, columns_of, configurations, configured, random_bars, resampled
from plain.bars import plain_bars
from plain.decisions import plain_decisions
from sizes import examples
from vivienne.agent.evaluate import evaluate
from vivienne.agent.schema import Configuration
from vivienne.config.documents import merged
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from pathlib import Path

    from plain.decisions import PlainDecision
    from vivienne.agent.decision import Decision
    from vivienne.market.types import Bars

ALL_SIGNALS = {"signal_weights": dict.fromkeys(configured().signal_weights.model_dump(exclude={"description"}), 0.5)}
SHORT = {
    "ema_fast_period": 2,
    "ema_slow_period": 3,
    "macd_fast_period": 2,
    "macd_slow_period": 3,
    "macd_signal_period": 2,
    "rsi_period": 2,
    "atr_period": 2,
    "bollinger_period": 5,
    "pivot_bars": 1,
}
LONG = {
    "ema_slow_period": 200,
    "macd_slow_period": 200,
    "macd_signal_period": 100,
    "rsi_period": 100,
    "atr_period": 100,
}
BOUNDARY = 2_000 - (MIDNIGHT // (15 * MINUTE_MS) + 2_000) % 500
"""Place of a bar that has another anchor than the bar before, when the first bar opens at `MIDNIGHT`."""
LAST_DIGIT = 1.01e-9
"""A confidence has nine digits; the last one may be rounded the other way."""


def candles_of(bars: Bars) -> list[Candle]:
    return [Candle(*values) for values in zip(*(column.tolist() for column in columns_of(bars)), strict=True)]


def assert_documented(bars: Bars, config: Configuration, rows: int, cap: float = 100.0) -> None:
    decided = evaluate(bars, config, 15, rows, cap=cap).decisions()
    documented = plain_decisions(candles_of(bars), config.model_dump(), 15, rows, cap)
    for found, expected in zip(decided, documented, strict=True):
        assert_same(found, expected)


def assert_same(found: Decision, expected: PlainDecision) -> None:
    for name, value in expected._asdict().items():
        if value is None and name in {"trend", "volatility"}:  # in warm-up, which says nothing about them
            continue
        assert comparable(value, name) == comparable(getattr(found, name), name), (name, found, expected)


def comparable(value: Any, name: str) -> Any:
    if name == "confidence":
        return pytest.approx(value, rel=0, abs=LAST_DIGIT)
    if name in {"support", "resistance"}:
        return None if value is None or isnan(value) else pytest.approx(value, rel=1e-9)
    return value


@pytest.fixture(scope="module")
def minutes(marketdata: Path) -> list[Candle]:
    return candles_in(marketdata / "klines" / "BTCUSDT-1m-2025-02.csv.gz")


@pytest.fixture(scope="module")
def month(minutes: list[Candle]) -> Bars:
    return resampled(minutes)


@pytest.mark.parametrize(("document", "cap"), [({}, 0.05), (ALL_SIGNALS, 100.0)], ids=["defaults", "all signals"])
def test_a_real_month_is_decided_as_documented(month: Bars, document: dict[str, Any], cap: float) -> None:
    assert_documented(month, configured(document), rows=400, cap=cap)


@examples()
@given(
    seed=st.integers(0, 10_000),
    config=configurations(),
    weighs_all=st.booleans(),
    has_counts=st.booleans(),
    has_worth=st.booleans(),
    cap=st.sampled_from([100.0, 0.05]),
)
def test_any_configuration_decides_as_documented(
    seed: int,
    config: Configuration,
    *,
    weighs_all: bool,
    has_counts: bool,
    has_worth: bool,
    cap: float,
) -> None:
    bars = random_bars(seed, 250)
    if weighs_all:
        config = Configuration.model_validate(merged(config.model_dump(), ALL_SIGNALS))
    if not has_counts:
        bars = replace(bars, trade_count=bars.trade_count * nan, taker_buy_volume=bars.taker_buy_volume * nan)
    if not has_worth:
        bars = replace(bars, quote_volume=np.where(np.arange(250) % 9, bars.quote_volume, nan))
    assert_documented(bars, config, rows=250, cap=cap)


@pytest.mark.parametrize(
    "period",
    [
        {"ema_slow_period": 30},
        {"macd_slow_period": 30},
        {"macd_signal_period": 25},
        {"rsi_period": 15},
        {"atr_period": 15},
        {"bollinger_period": 100},
        {"vwap_minutes": 472},
        {"pivot_bars": 50},
    ],
    ids=lambda period: next(iter(period)),
)
def test_warm_up_is_as_long_as_documented(period: dict[str, int]) -> None:
    assert_documented(random_bars(5, 200), configured(ALL_SIGNALS | {"indicators": SHORT | period}), rows=200)


@pytest.mark.parametrize("periods", [{}, LONG], ids=["defaults", "long periods"])
def test_bars_on_both_sides_of_a_new_anchor_are_decided_as_documented(periods: dict[str, int]) -> None:
    bars = random_bars(7, BOUNDARY + 10)
    assert_documented(bars, configured(ALL_SIGNALS | {"indicators": periods}), rows=20)


def test_a_pivot_is_dropped_as_documented() -> None:
    pivot = BOUNDARY - 1_400
    closes = np.linspace(200, 100, pivot + 1_010)
    highs = closes + 1
    highs[pivot] += 10
    bars = bars_of(closes, high=highs)
    resistance = evaluate(bars, configured(), 15, 30).resistance
    assert 0 < np.isnan(resistance).sum() < 30
    assert_documented(bars, configured(), rows=30)


def test_a_bar_that_shoots_through_to_the_other_band_is_decided_as_documented() -> None:
    bars = bars_of([*[100.0, 100.1] * 100, 102.0, 97.0])
    assert_documented(bars, configured(ALL_SIGNALS), rows=2)


def test_a_market_that_stands_still_is_decided_as_documented() -> None:
    noise = 100 * (1 + 3e-10 * np.random.default_rng(3).standard_normal(170))
    for closes in (np.full(170, 100.0), noise, [*noise, *range(101, 105), *noise[:40]]):
        assert_documented(bars_of(closes), configured(ALL_SIGNALS), rows=50)


@pytest.mark.parametrize("missing", [0, 1, 45, 60, 61])
def test_bars_are_made_of_minutes_as_documented(minutes: list[Candle], missing: int) -> None:
    holed = minutes[7:1_000] + minutes[1_000 + missing : 2_000]
    holed[300] = holed[300]._replace(quote_volume=0.0)
    holed[400] = holed[400]._replace(volume=0.0)
    bars, documented = candles_of(resampled(holed)), plain_bars(holed, 15)
    assert [bar[:6] for bar in bars] == [bar[:6] for bar in documented]
    assert repr(bars) == repr(documented)  # of texts, as NaN is equal to none

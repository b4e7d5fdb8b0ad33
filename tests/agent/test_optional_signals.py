"""The signals without a weight by default: their votes by hand, and that they count for nothing until they have one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from making import bars_of, configured, random_bars
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import explain
from vivienne.agent.indicators import LEAD, Columns, IndicatorRows, Led
from vivienne.agent.schema import Configuration
from vivienne.agent.signals import SIGNAL, SIGNALS

OPTIONAL = [
    "ema_level", "vwap_anchor", "bb_level", "bb_breakout_level", "volume_confirmation", "macd_level", "rsi_cross",
    "rsi_level",
]  # fmt: skip
QUIET: dict[str, float] = dict.fromkeys(IndicatorRows._fields, 100.0) | {
    "ema_spread": 0.0, "macd": 0.0, "macd_histogram": 0.0, "rsi": 50.0, "atr": 2.0, "bandwidth": 0.02, "percent_b": 0.5,
    "deviations": 0.0, "volume": 10.0,
}  # fmt: skip


def columns_of(now: dict[str, float], rsi: list[float] | None = None) -> Columns:
    """One row, led by quiet ones."""
    led = {name: np.array([QUIET[name]] * LEAD + [(QUIET | now)[name]]) for name in IndicatorRows._fields}
    if rsi is not None:
        led["rsi"] = np.array(rsi)
    bars = bars_of([100.0] * 19 + [100.0], volume=[10.0] * 19 + [now.get("volume", 10.0)])
    now_rows = IndicatorRows(**{name: column[LEAD:] for name, column in led.items()})
    return Columns(bars, Led._make([led[name] for name in Led._fields]), now_rows)


def vote(name: str, rsi_path: list[float] | None = None, **now: float) -> tuple[float, float]:
    """Direction and strength."""
    found = SIGNAL[name].vote(columns_of(now, rsi_path), Configuration().signals)
    return float(found.direction[0]), float(found.strength[0])


@pytest.mark.parametrize(
    ("name", "now", "direction", "strength"),
    [
        ("ema_level", {"close": 102.0}, 1, 0.5),
        ("ema_level", {"close": 97.0}, -1, 0.75),
        ("ema_level", {"close": 110.0}, 1, 1.0),
        ("ema_level", {"close": 102.0, "atr": 0.0}, 0, 0.0),
        ("vwap_anchor", {"close": 101.5}, 1, 0.5),
        ("vwap_anchor", {"close": 98.5}, -1, 0.5),
        ("vwap_anchor", {"vwap": math.nan}, 0, 0.0),
        ("bb_level", {"percent_b": 0.1}, 1, 0.5),
        ("bb_level", {"percent_b": 0.95}, -1, 0.75),
        ("bb_level", {"percent_b": -0.4}, 1, 1.0),
        ("bb_level", {"percent_b": 0.2}, 0, 0.0),
        ("bb_breakout_level", {"percent_b": 1.15}, 1, 0.5),
        ("bb_breakout_level", {"percent_b": -0.6}, -1, 1.0),
        ("bb_breakout_level", {"percent_b": 1.0}, 0, 0.0),
        ("volume_confirmation", {"open": 99.0, "volume": 10.0}, 0, 0.0),
        ("volume_confirmation", {"open": 99.0, "volume": 30.0}, 1, 1.0),
        ("volume_confirmation", {"open": 101.0, "volume": 30.0}, -1, 1.0),
        ("volume_confirmation", {"open": 100.0, "volume": 30.0}, 0, 0.0),
        ("volume_confirmation", {"open": 99.0, "volume": math.nan}, 0, 0.0),
        ("macd_level", {"macd": 1.0}, 1, 0.5),
        ("macd_level", {"macd": -3.0}, -1, 1.0),
        ("macd_level", {"macd": 0.0}, 0, 0.0),
        ("rsi_level", {"rsi": 60.0}, 1, 0.5),
        ("rsi_level", {"rsi": 20.0}, -1, 1.0),
        ("rsi_level", {"rsi": 50.0}, 0, 0.0),
    ],
)  # fmt: skip
def test_votes_by_hand(name: str, now: dict[str, float], direction: float, strength: float) -> None:
    assert vote(name, None, **now) == pytest.approx((direction, strength))


@pytest.mark.parametrize(
    ("rsi", "direction", "strength"),
    [
        ([28.0, 29.0, 30.0, 35.0], 1, 0.75),
        ([30.0, 31.0, 32.0, 45.0], 1, 1.0),
        ([31.0, 32.0, 33.0, 34.0], 0, 0.0),
        ([28.0, 31.0, 29.0, 30.0], 0, 0.0),
        ([72.0, 71.0, 69.0, 65.0], -1, 0.75),
        ([50.0, 50.0, 50.0, 50.0], 0, 0.0),
    ],
)
def test_an_rsi_on_its_way_back_votes_for_three_bars(rsi: list[float], direction: float, strength: float) -> None:
    assert vote("rsi_cross", rsi) == pytest.approx((direction, strength))


def test_volume_counts_against_its_mean_over_twenty_bars() -> None:
    expected = 15 / (205 / 20) - 1
    assert vote("volume_confirmation", open=99.0, volume=15.0) == pytest.approx((1.0, expected))


def test_without_a_weight_they_change_nothing_and_are_not_explained() -> None:
    assert OPTIONAL == [signal.name for signal in SIGNALS if signal.weight == 0]
    bars, config = random_bars(5, 300), configured()
    evaluation = evaluate(bars, config, 15, 100)
    assert not set(OPTIONAL) & set(evaluation.signals)
    assert not set(OPTIONAL) & {entry["id"] for entry in explain(evaluation.row(), bars, config)["signals"]}


@pytest.mark.parametrize("name", OPTIONAL)
def test_with_a_weight_each_of_them_decides(name: str) -> None:
    weights: dict[str, Any] = {"signal_weights": {signal.name: float(signal.name == name) for signal in SIGNALS}}
    evaluation = evaluate(random_bars(5, 600), configured(weights), 15, 400)
    assert {-1.0, 1.0} <= set(evaluation.votes.side.tolist())
    assert (name,) == evaluation.votes.names
    assert 0.5 < evaluation.votes.confidence.max() <= 1

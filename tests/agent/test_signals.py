"""Each signal by hand: where it begins to vote, how strongly, and the same mirrored for shorts."""

from __future__ import annotations

import numpy as np
import pytest

from making import bars_of, configured
from vivienne.agent.evaluate import evaluate
from vivienne.agent.indicators import LEAD, Columns, IndicatorRows, Led
from vivienne.agent.schema import Signals, SignalWeights
from vivienne.agent.signals import SIGNAL, SIGNALS

NEUTRAL = {"atr": 1.0, "rsi": 50.0, "percent_b": 0.5, "bandwidth": 0.02, "open": 100.0, "close": 100.0}


def columns_with(**last: float | tuple[float, float]) -> Columns:
    """The bar to decide, led by those before. One figure stands for all, of two the first is for those before."""
    columns = {}
    for name in IndicatorRows._fields:
        value = last.get(name, NEUTRAL.get(name, 0.0))
        before, now = value if isinstance(value, tuple) else (value, value)
        columns[name] = np.array([before] * LEAD + [now], dtype=np.float64)
    now_rows = IndicatorRows(**{name: column[LEAD:] for name, column in columns.items()})
    led = Led._make([columns[name] for name in Led._fields])
    return Columns(bars_of(columns["close"]), led, now_rows)


def vote(
    name: str, tunables: dict[str, float] | None = None, /, **last: float | tuple[float, float]
) -> tuple[float, float]:
    """Direction and strength of one signal's vote."""
    found = SIGNAL[name].vote(columns_with(**last), Signals.model_validate(tunables or {}))
    return float(found.direction[0]), round(float(found.strength[0]), 9)


@pytest.mark.parametrize(
    ("distance", "strength"), [(0.0, 0.0), (0.5, 0.25), (1.0, 0.5), (2.0, 1.0), (2.1, 1.0), (50.0, 1.0)]
)
def test_ema_cross_is_as_strong_as_the_averages_are_apart_in_atr(distance: float, strength: float) -> None:
    for sign in (1.0, -1.0):
        found = vote("ema_cross", ema_spread=sign * distance, atr=2.0)
        assert found == (np.sign(sign * distance), strength)


@pytest.mark.parametrize(("histogram", "strength"), [(0.0, 0.0), (0.35, 0.5), (0.7, 1.0), (3.0, 1.0)])
def test_macd_is_as_strong_as_its_histogram_in_035_atr(histogram: float, strength: float) -> None:
    for sign in (1.0, -1.0):
        found = vote("macd", macd=5.0, macd_histogram=sign * histogram, atr=2.0)
        assert found == (np.sign(sign * histogram), strength)


@pytest.mark.parametrize(
    ("reading", "strength"),
    [(50.0, 0.0), (40.0, 0.0), (35.0, 0.25), (30.0, 0.5), (22.5, 0.75), (15.0, 1.0), (3.0, 1.0), (0.0, 1.0)],
)
def test_rsi_votes_for_a_reversal_the_stronger_the_further_it_went(reading: float, strength: float) -> None:
    direction = 1.0 if reading < 40 else 0.0
    assert vote("rsi", rsi=reading) == (direction, strength)
    assert vote("rsi", rsi=100.0 - reading) == (-direction, strength)


def test_rsi_votes_right_below_where_it_begins() -> None:
    assert vote("rsi", rsi=39.99) == (1.0, 0.0005)
    assert vote("rsi", rsi=60.01) == (-1.0, 0.0005)


def test_rsi_begins_at_50_at_the_latest_and_a_flat_market_still_has_no_vote() -> None:
    assert vote("rsi", {"rsi_begin": 50.0}, rsi=50.0) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("before", "now", "strength"), [(-0.05, 0.1, 0.6), (-0.25, 0.0, 1.0), (-0.9, 0.4, 1.0), (-0.0001, 0.2, 0.5002)]
)
def test_a_bounce_is_a_green_bar_back_inside_the_lower_band(before: float, now: float, strength: float) -> None:
    assert vote("bb_bounce", percent_b=(before, now), open=99.0) == (1.0, strength)
    assert vote("bb_bounce", percent_b=(1 - before, 1 - now), open=101.0) == (-1.0, strength)


@pytest.mark.parametrize(
    ("before", "now", "opened"),
    [
        (-0.1, 0.1, 101.0),  # a red bar
        (-0.1, 0.1, 100.0),  # a bar that went nowhere
        (-0.1, -0.01, 99.0),  # still outside
        (0.0, 0.1, 99.0),  # was not outside
        (0.3, 0.6, 99.0),  # was far inside
    ],
)
def test_anything_less_is_no_bounce(before: float, now: float, opened: float) -> None:
    assert vote("bb_bounce", percent_b=(before, now), open=opened) == (0.0, 0.0)
    assert vote("bb_bounce", percent_b=(1 - before, 1 - now), open=200.0 - opened) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("percent_b", "strength"), [(1.06, 0.6), (1.15, 0.75), (1.3, 1.0), (2.0, 1.0), (1.0006, 0.501)]
)
def test_a_breakout_is_a_close_outside_a_widening_band(percent_b: float, strength: float) -> None:
    widening = (0.01, 0.02)
    assert vote("bb_breakout", percent_b=percent_b, bandwidth=widening) == (1.0, strength)
    assert vote("bb_breakout", percent_b=1 - percent_b, bandwidth=widening) == (-1.0, strength)


@pytest.mark.parametrize(
    ("percent_b", "bandwidth"),
    [(1.2, (0.02, 0.02)), (1.2, (0.02, 0.01)), (1.0, (0.01, 0.02)), (0.0, (0.01, 0.02)), (0.7, (0.01, 0.02))],
)
def test_anything_less_is_no_breakout(percent_b: float, bandwidth: tuple[float, float]) -> None:
    assert vote("bb_breakout", percent_b=percent_b, bandwidth=bandwidth) == (0.0, 0.0)


def test_the_full_strengths_are_tunable() -> None:
    tunables = {
        "ema_cross_full_strength": 4.0,
        "macd_full_strength": 4.0,
        "bb_bounce_full_strength": 1.0,
        "bb_breakout_full_strength": 1.0,
    }
    assert vote("ema_cross", tunables, ema_spread=1.0) == (1.0, 0.25)
    assert vote("macd", tunables, macd_histogram=1.0) == (1.0, 0.25)
    assert vote("bb_bounce", tunables, percent_b=(-0.5, 0.5), open=99.0) == (1.0, 0.75)
    assert vote("bb_breakout", tunables, percent_b=1.5, bandwidth=(0.01, 0.02)) == (1.0, 0.75)


def test_nothing_votes_in_a_dead_market() -> None:
    weights = dict.fromkeys(SIGNAL, 1.0)
    evaluation = evaluate(bars_of([100.0] * 200), configured({"signal_weights": weights}), 15, 30)
    assert evaluation.ready.all()
    assert list(evaluation.signals) == list(SIGNAL)
    assert not any(found.direction.any() or found.strength.any() for found in evaluation.signals.values())
    assert not evaluation.votes.side.any()


def test_signals_come_in_the_order_of_their_weights() -> None:
    names = [signal.name for signal in SIGNALS]
    assert names == [name for name in SignalWeights.model_fields if name != "description"]

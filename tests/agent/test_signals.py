"""Each signal by hand: where it begins to vote, how strongly, and the same mirrored for shorts."""

from __future__ import annotations

import numpy as np
import pytest

from making import bars_of, configured
from vivienne.agent.evaluate import evaluate
from vivienne.agent.indicators import IndicatorRows
from vivienne.agent.schema import Signals, SignalWeights
from vivienne.agent.signals import SignalRows, bb_bounce, bb_breakout, ema_cross, macd, rsi, signals


def rows_with(**last: float | tuple[float, float]) -> IndicatorRows:
    """Two rows: the bar before and the bar to decide. One figure stands for both."""
    neutral = {"atr": 1.0, "rsi": 50.0, "percent_b": 0.5, "bandwidth": 0.02, "close": 100.0}
    values = {name: last.get(name, neutral.get(name, 0.0)) for name in IndicatorRows._fields}
    return IndicatorRows(
        **{
            name: np.array(value if isinstance(value, tuple) else (value, value), dtype=np.float64)
            for name, value in values.items()
        }
    )


def vote(signal: SignalRows) -> tuple[float, float]:
    return float(signal.direction[-1]), round(float(signal.strength[-1]), 9)


@pytest.mark.parametrize(
    ("distance", "strength"), [(0.0, 0.0), (0.5, 0.25), (1.0, 0.5), (2.0, 1.0), (2.1, 1.0), (50.0, 1.0)]
)
def test_ema_cross_is_as_strong_as_the_averages_are_apart_in_atr(distance: float, strength: float) -> None:
    for sign in (1.0, -1.0):
        signal = ema_cross(rows_with(ema_fast=100.0 + sign * distance, ema_slow=100.0, atr=2.0), Signals())
        assert (np.sign(sign * distance), strength) == vote(signal)


@pytest.mark.parametrize(("histogram", "strength"), [(0.0, 0.0), (0.35, 0.5), (0.7, 1.0), (3.0, 1.0)])
def test_macd_is_as_strong_as_its_histogram_in_035_atr(histogram: float, strength: float) -> None:
    for sign in (1.0, -1.0):
        signal = macd(rows_with(macd=5.0 + sign * histogram, macd_signal=5.0, atr=2.0), Signals())
        assert (np.sign(sign * histogram), strength) == vote(signal)


@pytest.mark.parametrize(
    ("reading", "strength"),
    [(50.0, 0.0), (40.0, 0.0), (35.0, 0.25), (30.0, 0.5), (22.5, 0.75), (15.0, 1.0), (3.0, 1.0), (0.0, 1.0)],
)
def test_rsi_votes_for_a_reversal_the_stronger_the_further_it_went(reading: float, strength: float) -> None:
    direction = 1.0 if reading < 40 else 0.0
    assert (direction, strength) == vote(rsi(rows_with(rsi=reading), Signals()))
    assert (-direction, strength) == vote(rsi(rows_with(rsi=100.0 - reading), Signals()))


def test_rsi_votes_right_below_where_it_begins() -> None:
    assert vote(rsi(rows_with(rsi=39.99), Signals())) == (1.0, 0.0005)
    assert vote(rsi(rows_with(rsi=60.01), Signals())) == (-1.0, 0.0005)


def test_rsi_begins_at_50_at_the_latest_and_a_flat_market_still_has_no_vote() -> None:
    assert vote(rsi(rows_with(rsi=50.0), Signals(rsi_begin=50.0))) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("before", "now", "strength"), [(-0.05, 0.1, 0.6), (-0.25, 0.0, 1.0), (-0.9, 0.4, 1.0), (-0.0001, 0.2, 0.5002)]
)
def test_a_bounce_is_a_green_bar_back_inside_the_lower_band(before: float, now: float, strength: float) -> None:
    up = rows_with(percent_b=(before, now), close=(99.0, 100.0))
    down = rows_with(percent_b=(1 - before, 1 - now), close=(101.0, 100.0))
    assert (1.0, strength) == vote(bb_bounce(up, np.array([99.0]), Signals()))
    assert (-1.0, strength) == vote(bb_bounce(down, np.array([101.0]), Signals()))


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
    up = rows_with(percent_b=(before, now))
    down = rows_with(percent_b=(1 - before, 1 - now))
    assert vote(bb_bounce(up, np.array([opened]), Signals())) == (0.0, 0.0)
    assert vote(bb_bounce(down, np.array([200.0 - opened]), Signals())) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("percent_b", "strength"), [(1.06, 0.6), (1.15, 0.75), (1.3, 1.0), (2.0, 1.0), (1.0006, 0.501)]
)
def test_a_breakout_is_a_close_outside_a_widening_band(percent_b: float, strength: float) -> None:
    widening = (0.01, 0.02)
    assert (1.0, strength) == vote(bb_breakout(rows_with(percent_b=percent_b, bandwidth=widening), Signals()))
    assert (-1.0, strength) == vote(bb_breakout(rows_with(percent_b=1 - percent_b, bandwidth=widening), Signals()))


@pytest.mark.parametrize(
    ("percent_b", "bandwidth"),
    [(1.2, (0.02, 0.02)), (1.2, (0.02, 0.01)), (1.0, (0.01, 0.02)), (0.0, (0.01, 0.02)), (0.7, (0.01, 0.02))],
)
def test_anything_less_is_no_breakout(percent_b: float, bandwidth: tuple[float, float]) -> None:
    assert vote(bb_breakout(rows_with(percent_b=percent_b, bandwidth=bandwidth), Signals())) == (0.0, 0.0)


def test_the_full_strengths_are_tunable() -> None:
    tunables = Signals(
        ema_cross_full_strength=4.0, macd_full_strength=4.0, bb_bounce_full_strength=1.0, bb_breakout_full_strength=1.0
    )
    assert vote(ema_cross(rows_with(ema_fast=1.0), tunables)) == (1.0, 0.25)
    assert vote(macd(rows_with(macd=1.0), tunables)) == (1.0, 0.25)
    assert vote(bb_bounce(rows_with(percent_b=(-0.5, 0.5)), np.array([99.0]), tunables)) == (1.0, 0.75)
    assert vote(bb_breakout(rows_with(percent_b=1.5, bandwidth=(0.01, 0.02)), tunables)) == (1.0, 0.75)


def test_nothing_votes_in_a_dead_market() -> None:
    evaluation = evaluate(bars_of([100.0] * 100), configured(), 15, 30)
    assert {(0.0, 0.0)} == {vote(signal) for signal in evaluation.signals}
    assert not evaluation.votes.side.any()


def test_signals_come_in_the_order_of_their_weights() -> None:
    names = [signal.name for signal in signals(rows_with(), np.array([100.0]), Signals())]
    assert [name for name in SignalWeights.model_fields if name != "description"] == names

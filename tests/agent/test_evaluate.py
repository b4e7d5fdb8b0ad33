"""The whole flow: warm-up, and decisions that stand once they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import candles_in, configurations, configured, random_bars, resampled
from sizes import examples, rounds
from vivienne.agent.evaluate import Evaluation, evaluate
from vivienne.agent.indicators import bars_needed
from vivienne.agent.signals import SIGNALS
from vivienne.market.timeframe import Timeframe

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars


def decided(evaluation: Evaluation, row: int) -> str:
    """The decision on one row in all its fields, to the last bit. A text, because no NaN is equal to another."""
    return repr(evaluation.decision(row))


def assert_nothing_repaints(bars: Bars, config: Configuration, first: int, step: int = 1) -> None:
    whole = evaluate(bars, config, 15, len(bars))
    for end in range(first, len(bars) + 1, step):
        assert decided(evaluate(bars[:end], config, 15), -1) == decided(whole, end - 1), end


@examples(125)
@given(seed=st.integers(0, 10_000), config=configurations())
def test_later_bars_never_change_a_decision(seed: int, config: Configuration) -> None:
    assert_nothing_repaints(random_bars(seed, 330), config, 1, 6)


@pytest.mark.sized
def test_later_bars_never_change_a_decision_on_real_data(marketdata: Path) -> None:
    bars = resampled(candles_in(marketdata / "klines" / "BTCUSDT-1m-2025-10-06_2025-11-02.csv.gz")[: 15 * 1_000])
    assert len(bars) == 1_000
    assert_nothing_repaints(bars, configured(), 1, rounds(1, 4))


def test_a_thin_market_does_not_repaint_either(marketdata: Path) -> None:
    bars = resampled(candles_in(marketdata / "klines" / "BTCUSDT-1m-2017-08-17_2017-08-23.csv.gz"))
    assert_nothing_repaints(bars, configured(), 1)


@examples(100)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 300), config=configurations())
def test_how_many_rows_are_asked_for_changes_nothing(seed: int, rows: int, config: Configuration) -> None:
    bars = random_bars(seed, 300)
    some, whole = evaluate(bars, config, 15, rows), evaluate(bars, config, 15, 300)
    for row in range(-rows, 0):
        assert decided(some, row) == decided(whole, row)


def test_many_signals_give_the_same_contributions_on_one_row_as_on_many() -> None:
    weights = {signal.name: 0.07 * number for number, signal in enumerate(SIGNALS, 1)}
    config, bars = configured({"signal_weights": weights}), random_bars(3, 300)
    whole = evaluate(bars, config, 15, 300).votes
    for end in range(160, 301):
        one = evaluate(bars[:end], config, 15).votes
        assert one.contributions[:, -1].tolist() == whole.contributions[:, end - 1].tolist(), end


@examples(100)
@given(seed=st.integers(0, 10_000), cut=st.integers(155, 299), factor=st.floats(0.2, 5.0))
def test_a_different_future_leaves_the_past_alone(seed: int, cut: int, factor: float) -> None:
    bars = random_bars(seed, 300)
    other = random_bars(seed, 300)
    for column in (other.open, other.high, other.low, other.close, other.volume):
        column[cut:] *= factor
    one, two = evaluate(bars, configured(), 15, 300), evaluate(other, configured(), 15, 300)
    assert [decided(one, row) for row in range(cut)] == [decided(two, row) for row in range(cut)]


def test_warming_up_is_idle_without_a_side_or_a_size() -> None:
    config = configured({"settings": {"state_threshold_loaded": 0, "position_size_idle": 3}})
    bars = random_bars(4, 200)
    evaluation = evaluate(bars, config, 15, 200)
    needed = bars_needed(config.indicators, 15)
    assert needed == 154
    assert [False] * 153 + [True] * 47 == evaluation.ready.tolist()
    for column in (
        evaluation.decided.level[:153],
        evaluation.decided.raw_level[:153],
        evaluation.decided.size[:153],
        evaluation.votes.side[:153],
        evaluation.votes.confidence[:153],
        evaluation.votes.contributions[:, :153],
        evaluation.blocked[:153],
    ):
        assert not column.any()
    assert evaluation.votes.side[153:].any()


@pytest.mark.parametrize("count", [1, 2, 153])
def test_the_first_bars_are_no_error(count: int) -> None:
    decision = evaluate(random_bars(4, count), configured(), 15).decision()
    assert (decision.ready, decision.level, decision.size, decision.side) == (False, 0, 0.0, "none")


def test_a_longer_period_takes_longer_to_warm_up() -> None:
    config = configured({"indicators": {"bollinger_period": 200}})
    ready = evaluate(random_bars(4, 250), config, 15, 250).ready
    assert [False] * 200 + [True] * 50 == ready.tolist()


@examples(150)
@given(seed=st.integers(0, 10_000), config=configurations(), timeframe=st.sampled_from(list(Timeframe)))
def test_whatever_the_market_and_the_configuration_a_decision_is_sound(
    seed: int, config: Configuration, timeframe: Timeframe
) -> None:
    """No NaN, nothing out of range, and a block is a block."""
    evaluation = evaluate(random_bars(seed, 330), config, timeframe.minutes, 330)
    rows, votes = evaluation.decided, evaluation.votes
    assert np.isin(votes.side, (-1.0, 0.0, 1.0)).all()
    assert ((votes.confidence >= 0) & (votes.confidence <= 1)).all()
    assert (rows.level <= rows.raw_level).all()
    assert (rows.level[~evaluation.blocked] == rows.raw_level[~evaluation.blocked]).all()
    assert (rows.level[evaluation.blocked] <= 1).all()
    assert not rows.size[evaluation.blocked].any()
    assert not rows.size[votes.side == 0].any()
    assert not rows.raw_level[votes.side == 0].any()
    np.testing.assert_allclose(votes.contributions.sum(axis=0), votes.side * votes.confidence, atol=1e-9)

"""Bounds for a mean that hold however often one looks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vivienne.record.judging.confidence import ERROR_RATE, MOST_BARS, bars_to_tell, deviation, log_capital

GOAL = math.log(2 / ERROR_RATE)


def test_the_bound_is_where_the_bets_have_forty_times_their_capital() -> None:
    for squares in (0.0, 0.3, 1.0, 10.0, 250.0, 1e4, 1e6):
        distance = deviation(np.array([squares])).item()
        assert log_capital(distance, squares) == pytest.approx(GOAL, abs=1e-9)


def test_the_capital_is_that_of_ten_bets() -> None:
    # Written out as the page does: each bet has a tenth, and grows by exp(z S - (-ln(1 - z) - z) V).
    total, squares = 6.0, 4.0
    capital = 0.0
    for bet in range(10):
        stake = 0.9 * 0.6**bet
        capital += 0.1 * math.exp(stake * total + (math.log(1 - stake) + stake) * squares)
    assert log_capital(total, squares) == pytest.approx(math.log(capital))


def test_bars_do_not_depend_on_their_neighbours() -> None:
    squares = np.linspace(0, 40, 333)
    alone = [deviation(squares[row : row + 1]).item() for row in range(len(squares))]
    assert deviation(squares).tolist() == alone


def test_the_bound_is_about_that_of_the_continuous_mixture() -> None:
    # The gamma-exponential mixture of Howard et al., by numerical integration. Its bound at 100, tuned for 100, with
    # scale 2 and an error rate of 0.05, is 33.02017 in the tests of their own program.
    assert _gamma_exponential_bound(100, 0.05, tuned_for=100, scale=2) == pytest.approx(33.02017, abs=2e-4)
    for squares, most in ((3, 1.25), (10, 1.16), (100, 1.11), (1_000, 1.1), (10_000, 1.1)):
        tuned = _gamma_exponential_bound(squares, ERROR_RATE / 2, tuned_for=squares, scale=1)
        assert 1 < deviation(np.array([float(squares)])).item() / tuned < most


def test_no_bounded_difference_makes_a_bet_worth_while() -> None:
    # exp(z d - (-ln(1 - z) - z) d^2) <= 1 + z d for every d >= -1: the lemma on which everything rests.
    difference = np.linspace(-1, 1, 2_001)
    for bet in range(10):
        stake = 0.9 * 0.6**bet
        penalty = -math.log(1 - stake) - stake
        growth = np.exp(stake * difference - penalty * difference**2)
        assert (growth <= 1 + stake * difference + 1e-12).all()


def test_the_number_of_bars_is_the_first_at_which_the_mean_is_told_from_0() -> None:
    for mean, mean_square in ((0.01, 0.003), (-0.002, 0.0005), (0.3, 0.2), (1.0, 1.0)):
        bars = bars_to_tell(mean, mean_square)
        assert bars is not None
        at, before = (
            abs(mean) * count > deviation(np.array([mean_square * count])).item() for count in (bars + 1, bars - 1)
        )
        assert (at, before) == (True, False)


def test_a_mean_that_is_too_small_is_never_told() -> None:
    assert bars_to_tell(0.0, 0.01) is None
    assert bars_to_tell(1e-6, 0.01) is None
    bars = bars_to_tell(1e-5, 1e-7)
    assert bars is not None
    assert bars < MOST_BARS


def _gamma_exponential_bound(squares: float, error_rate: float, *, tuned_for: float, scale: float) -> float:
    """The bound of the gamma-exponential mixture, by integration over the stakes and bisection."""
    rho = tuned_for / (2 * math.log(1 / (2 * error_rate)) + math.log(1 + 2 * math.log(1 / (2 * error_rate))))
    stake = (np.arange(100_000) + 0.5) / 100_000
    penalty = (-np.log1p(-stake) - stake) / scale**2
    weight = np.exp(-rho * penalty) / (1 - stake)
    weight /= weight.sum()
    low, high = 0.0, 100 * math.sqrt(squares + 1)
    for _ in range(45):
        middle = (low + high) / 2
        exponent = stake / scale * middle - penalty * squares
        most = exponent.max()
        capital = most + math.log((weight * np.exp(exponent - most)).sum())
        low, high = (low, middle) if capital >= math.log(1 / error_rate) else (middle, high)
    return high

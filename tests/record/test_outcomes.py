"""What came of each decision."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judged import LENGTH, NAN, at_random, decided
from sizes import examples
from vivienne.record.judging.outcomes import HORIZONS, MOVE_BARS, Outcomes, outcomes
from vivienne.slices import whole

if TYPE_CHECKING:
    from vivienne.record.columns import DecidedBars


def test_the_return_is_measured_from_the_next_open_in_the_direction_of_the_side() -> None:
    bars = decided([100, 200, 210, 220, 230, 240], [10, -10, 0, 10, 10, 10], closes=[1, 204, 214, 224, 231, 250])
    found = whole(outcomes(bars, LENGTH)).returns
    # A long one at 200: 204 after one bar, 231 after four. A short one at 210: 214 after one.
    assert found[0, :2].tolist() == pytest.approx([2.0, -100 * 4 / 210])
    assert found[1, 0] == pytest.approx(15.5)
    assert np.isnan(found[0, 2])  # no side
    assert np.isnan(found[0, 5])  # nothing has followed
    assert np.isnan(found[1, 2:]).all()
    assert np.isnan(found[2:]).all()


def test_the_largest_moves_are_measured_in_atr_of_the_bar_of_the_decision() -> None:
    count = MOVE_BARS + 2
    highs, lows = [100.0] * count, [100.0] * count
    highs[MOVE_BARS], lows[7] = 106.0, 97.0  # the last bar that counts, and one within
    highs[0], highs[MOVE_BARS + 1] = 500.0, 500.0  # the bar of the decision itself, and one too late
    bars = decided([100.0] * count, [10, -10] + [0] * (count - 2), atr=2.0, highs=highs, lows=lows)
    found = whole(outcomes(bars, LENGTH))
    assert (found.gain[0], found.loss[0]) == (3.0, 1.5)
    assert (found.gain[1], found.loss[1]) == (1.5, 200.0)
    assert np.isnan(found.gain[2:]).all()


def test_moves_are_unknown_without_an_atr() -> None:
    count = MOVE_BARS + 1
    for atr in (NAN, 0.0):
        found = whole(outcomes(decided([100.0] * count, [10] * count, atr=atr), LENGTH))
        assert np.isnan(found.gain).all()
        assert found.returns[-1, 0] == 0.0


def test_a_hole_leaves_what_reaches_over_it_unknown() -> None:
    bars = decided([100.0] * 8, [10] * 8, numbers=[0, 1, 2, 3, 4, 6, 7, 8])
    found = whole(outcomes(bars, LENGTH)).returns
    assert np.isnan(found[0]).tolist() == [False] * 4 + [True] + [False] * 2 + [True]
    assert np.isnan(found[1]).tolist() == [False] + [True] * 7


def test_the_paper_position_is_what_is_held_from_the_next_open_on() -> None:
    bars = decided([100.0] * 9, [10, 10, 0, -20, 5, 5, 5, 0, 5], numbers=[0, 1, 2, 3, 4, 8, 9, 10, 11])
    held = whole(outcomes(bars, LENGTH)).position
    # What is under way at the beginning, and after the hole, is not taken; before the hole it ends.
    assert held.tolist() == pytest.approx([0, 0, 0, -20, 0, 0, 0, 0, NAN], nan_ok=True)


@examples()
@given(st.integers(0, 2**32 - 1), st.integers(2, 200), st.integers(0, 3))
def test_outcomes_are_those_of_a_plain_program(seed: int, count: int, holes: int) -> None:
    bars = at_random(seed, count, holes=min(holes, count - 1))
    found = whole(outcomes(bars, LENGTH))
    for row in range(count):
        returns, gain, loss = _plainly(bars, row)
        assert found.returns[:, row].tolist() == pytest.approx(returns, nan_ok=True, rel=1e-9, abs=1e-12)
        assert [found.gain[row], found.loss[row]] == pytest.approx([gain, loss], nan_ok=True, rel=1e-9, abs=1e-9)


@examples()
@given(st.integers(0, 2**32 - 1), st.integers(2, 400))
def test_what_has_closed_stays(seed: int, count: int) -> None:
    bars = at_random(seed, 400, holes=2)
    all_of_them, some = whole(outcomes(bars, LENGTH)), whole(outcomes(bars[:count], LENGTH))
    for early, late in zip(_columns(some), _columns(all_of_them), strict=True):
        is_known = ~np.isnan(early)
        assert np.array_equal(early[is_known], late[:count][is_known])
    again = whole(outcomes(bars, LENGTH))
    assert all(np.array_equal(*pair, equal_nan=True) for pair in zip(again, all_of_them, strict=True))


def test_the_unit_of_prices_does_not_matter() -> None:
    bars = at_random(1, 300)
    scaled = {name: getattr(bars.bars, name) / 1024 for name in ("open", "high", "low", "close")}
    other = replace(bars, bars=replace(bars.bars, **scaled), atr=bars.atr / 1024)
    pairs = zip(whole(outcomes(bars, LENGTH)), whole(outcomes(other, LENGTH)), strict=True)
    assert all(np.array_equal(*pair, equal_nan=True) for pair in pairs)


def test_the_pieces_are_as_good_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = at_random(2, 700, holes=3)
    at_once = whole(outcomes(bars, LENGTH))
    monkeypatch.setattr("vivienne.record.judging.outcomes._PIECE", 50)
    work = outcomes(bars, LENGTH)
    in_pieces = whole(work)
    assert all(np.array_equal(*pair, equal_nan=True) for pair in zip(in_pieces, at_once, strict=True))


def _columns(found: Outcomes) -> list[np.ndarray]:
    return [*found.returns, found.gain, found.loss, found.position]


def _plainly(decided: DecidedBars, row: int) -> tuple[list[float], float, float]:
    """Outcomes of one decision, bar by bar."""
    bars, side = list(decided.bars.candles()), decided.side[row]
    entry, high, low = math.nan, -math.inf, math.inf
    returns, gain, loss = [math.nan] * len(HORIZONS), math.nan, math.nan
    for number in range(1, MOVE_BARS + 1):
        if row + number >= len(bars) or bars[row + number].open_time != bars[row].open_time + number * LENGTH:
            break
        bar = bars[row + number]
        entry = bar.open if number == 1 else entry
        high, low = max(high, bar.high), min(low, bar.low)
        if side and number in HORIZONS:
            returns[HORIZONS.index(number)] = side * (bar.close - entry) / entry * 100
        if side and number == MOVE_BARS:
            moves = (high - entry) / decided.atr[row], (entry - low) / decided.atr[row]
            gain, loss = moves if side > 0 else moves[::-1]
    return returns, gain, loss

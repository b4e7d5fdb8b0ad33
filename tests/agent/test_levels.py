"""Support and resistance: what makes a level, and from when on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import bars_of, random_bars
from vivienne.agent.levels import _end_of_group, _reach, merged, nearest_levels, peaks, troughs


def marked(values: list[float], side_bars: int) -> list[int]:
    found: list[int] = peaks(np.array(values, dtype=np.float64), side_bars).tolist()
    return found


def test_a_pivot_is_above_all_its_neighbours() -> None:
    assert [3] == marked([1, 2, 3, 4, 3, 2, 1], 2)
    assert [3] == marked([1, 2, 3, 4, 3, 2, 1], 3)


def test_a_value_that_a_neighbour_equals_is_no_pivot() -> None:
    assert marked([1, 2, 4, 4, 2, 1, 0], 2) == []
    assert marked([4, 2, 4, 2, 4], 2) == []


def test_values_too_near_to_an_end_are_no_pivots() -> None:
    assert marked([9, 1, 1, 1, 1, 1, 9], 2) == []
    assert marked([1, 9, 1], 2) == []
    assert marked([], 2) == []


def test_one_bar_on_each_side_can_be_enough() -> None:
    assert [1, 3] == marked([1, 2, 1, 5, 4], 1)


@given(values=st.lists(st.integers(0, 8), max_size=40), side_bars=st.integers(1, 6))
def test_pivots_are_those_a_plain_search_finds(values: list[int], side_bars: int) -> None:
    expected = [
        place
        for place in range(side_bars, len(values) - side_bars)
        if all(values[place] > values[place + offset] for offset in range(-side_bars, side_bars + 1) if offset != 0)
    ]
    assert expected == marked([float(value) for value in values], side_bars)
    assert expected == troughs(100.0 - np.array(values, dtype=np.float64), side_bars).tolist()


def test_prices_within_the_buffer_are_one_level_at_their_mean() -> None:
    assert list(merged([100.0, 100.2, 105.0], 0.003)) == [100.1, 105.0]


@given(prices=st.lists(st.floats(), max_size=20).map(sorted), buffer=st.floats(0.0, 1.0))
def test_whatever_the_prices_are_every_group_has_one_and_none_is_left_out(prices: list[float], buffer: float) -> None:
    """A search for levels that makes no progress would stop the process."""
    end = 0
    for _ in prices:
        if end < len(prices):
            begin, end = end, _end_of_group(prices, end, _reach(buffer))
            assert begin < end
    assert end == len(prices)


def test_the_buffer_is_measured_from_the_lowest_price_of_a_level() -> None:
    """Otherwise a staircase of prices would become one level of any width."""
    assert list(merged([100.0, 101.0, 102.0, 103.0], 0.01)) == [100.5, 102.5]


def test_a_price_exactly_a_buffer_away_belongs_to_the_level() -> None:
    assert list(merged([100.0, 125.0], 0.25)) == [112.5]
    assert list(merged([100.0, 125.1], 0.25)) == [100.0, 125.1]


def test_without_a_buffer_every_price_is_a_level() -> None:
    assert list(merged([1.0, 2.0, 2.0, 3.0], 0.0)) == [1.0, 2.0, 3.0]
    assert list(merged([], 0.0)) == []


PEAK = [*[100.0] * 10, 110.0, *[100.0] * 10]


def test_a_level_is_known_only_after_the_bars_on_its_right() -> None:
    bars = bars_of([100.0] * 21, high=PEAK, low=99.0)
    resistance = nearest_levels(bars, 5, 0.003, 21)[1]
    assert [True] * 15 + [False] * 6 == np.isnan(resistance).tolist()
    assert resistance[15:].tolist() == [110.0] * 6


def test_support_is_below_the_close_and_resistance_above() -> None:
    lows = [*[99.0] * 6, 90.0, *[99.0] * 14]
    bars = bars_of([100.0] * 21, high=PEAK, low=lows)
    support, resistance = nearest_levels(bars, 5, 0.003, 1)
    assert (support[0], resistance[0]) == (90.0, 110.0)


def test_a_level_that_was_broken_is_none_any_more() -> None:
    closes = [*[100.0] * 20, 111.0]
    support, resistance = nearest_levels(bars_of(closes, high=np.maximum(PEAK, closes), low=99.0), 5, 0.003, 1)
    assert math.isnan(resistance[0])
    assert math.isnan(support[0])


def test_a_close_on_a_level_is_on_neither_side_of_it() -> None:
    bars = bars_of([*[100.0] * 20, 110.0], high=[*PEAK[:-1], 110.0], low=99.0)
    assert math.isnan(nearest_levels(bars, 5, 0.003, 1)[1][0])


def test_the_nearest_of_several_levels_counts() -> None:
    highs = [*PEAK[:-1], *[100.0] * 6, 105.0, *[100.0] * 8]
    bars = bars_of([99.5] * len(highs), high=highs, low=99.0)
    assert nearest_levels(bars, 5, 0.003, 1)[1][0] == 105.0
    assert nearest_levels(bars[:27], 5, 0.003, 1)[1][0] == 110.0


@pytest.mark.parametrize("side_bars", [1, 5, 50])
def test_too_few_bars_have_no_levels(side_bars: int) -> None:
    support, resistance = nearest_levels(random_bars(1, 2), side_bars, 0.003, 2)
    assert np.isnan(support).all()
    assert np.isnan(resistance).all()

"""Arithmetic over a column and over the value of one bar gives the same, to the last bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vivienne.agent.arithmetic import interpolated


@given(
    value=st.floats(-10, 110) | st.just(np.nan),
    points=st.lists(st.integers(0, 100), min_size=3, max_size=3, unique=True).map(sorted),
)
def test_values_between_points(value: float, points: list[float]) -> None:
    for one in (value, *map(float, points)):
        among = interpolated(np.array([one]), points, (1.0, 0.5, 0.0))
        assert np.array([interpolated(one, points, (1.0, 0.5, 0.0))]).tobytes() == among.tobytes()

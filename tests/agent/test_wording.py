"""Numbers in sentences read as those in the tables of the dashboard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivienne.agent.wording import show, show_apart, show_confidence


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00002935, "fraction", "0.002935 %"),
        (0.015, "fraction of price", "1.5 %"),
        (0.011, "fraction", "1.1 %"),
        (50, "confidence, 0 to 100", "50 %"),
        (0.00000811, "quote", "0.00000811"),
        (67_123.456, "quote", "67,123"),
        (9_876_543.2, "", "9,876,543"),
        (996.596, "quote", "996.6"),
        (-0.5, "price_difference", "-0.5"),
        (0.0, "", "0"),
        (True, "", "on"),
    ],
)
def test_a_value_is_written_without_exponent_and_in_the_unit_a_person_reads(value: float, unit: str, text: str) -> None:
    assert show(value, unit) == text


def test_two_values_that_differ_read_differently() -> None:
    assert show_apart(0.01499996, 0.015, "fraction") == ("1.499996 %", "1.5 %")
    assert show_apart(50, 49.96, "confidence, 0 to 100") == ("50 %", "49.96 %")
    assert show_apart(False, True) == ("off", "on")


@given(
    value=st.floats(1e-12, 1e9),
    times=st.sampled_from([1.0, 1 + 1e-8, 1 - 1e-8]),
    unit=st.sampled_from(["", "fraction"]),
)
def test_no_sentence_has_an_exponent(value: float, times: float, unit: str) -> None:
    assert "e" not in "".join(show_apart(value, value * times, unit))


@pytest.mark.parametrize(
    ("confidence", "text"),
    [
        (0.551, "55.1 %"),
        (0.4996, "49.96 %"),
        (0.499999, "49.9999 %"),
        (0.5, "50.0 %"),
        (0.50004, "50.0 %"),
        (0.57, "57.0 %"),
    ],
)
def test_a_confidence_reads_as_on_its_side_of_every_threshold(confidence: float, text: str) -> None:
    assert show_confidence(confidence, (50, 70, 80)) == text


def test_a_confidence_just_beyond_a_threshold_with_decimals_reads_as_beyond_it() -> None:
    assert show_confidence(0.5003, (50.02, 70, 80)) == "50.03 %"

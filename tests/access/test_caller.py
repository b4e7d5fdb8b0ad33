"""Whom an address belongs to."""

from __future__ import annotations

import pytest

from vivienne.access.caller import Caller, counted_as


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8::1", "2001:db8::ffff:1"), ("10.0.0.1", "::ffff:10.0.0.1"), (None, "no address")],
)
def test_these_are_counted_as_one(one: str | None, other: str | None) -> None:
    assert counted_as(one) == counted_as(other)
    assert Caller(one).key == Caller(other).key


@pytest.mark.parametrize(("one", "other"), [("2001:db8::1", "2001:db8:0:1::1"), ("10.0.0.1", "10.0.0.2")])
def test_these_are_two(one: str, other: str) -> None:
    assert counted_as(one) != counted_as(other)


def test_whoever_has_a_token_is_counted_by_it_wherever_it_comes_from() -> None:
    assert Caller("10.0.0.1", "ann").key == Caller("10.0.0.2", "ann").key

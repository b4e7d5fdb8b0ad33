"""Rates: so many within so long, for each caller."""

from __future__ import annotations

from vivienne import rates
from vivienne.rates import Rate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_as_many_as_may_be_pass_and_the_next_is_told_how_long_to_wait() -> None:
    rate = Rate(3, 60.0, Clock())

    assert [0.0, 0.0, 0.0, 20.0] == [rate.take("ann") for _ in range(4)]


def test_room_comes_back_with_time_and_never_beyond_the_limit() -> None:
    clock = Clock()
    rate = Rate(2, 10.0, clock)
    assert [0.0, 0.0, 5.0] == [rate.take() for _ in range(3)]

    clock.now = 5.0
    assert [0.0, 5.0] == [rate.take() for _ in range(2)]
    clock.now = 1_000.0
    assert [0.0, 0.0, 5.0] == [rate.take() for _ in range(3)]


def test_one_caller_costs_another_nothing() -> None:
    rate = Rate(1, 60.0, Clock())
    rate.take("ann")

    assert 60.0 == rate.take("ann")
    assert 0.0 == rate.take("bob")


def test_callers_beyond_those_that_are_kept_do_not_add_up() -> None:
    rate = Rate(1, 60.0, Clock())
    for number in range(rates.MOST_KEPT + 100):
        rate.take(f"caller {number}")

    assert rates.MOST_KEPT == len(rate._callers)
    assert 60.0 == rate.take(f"caller {rates.MOST_KEPT + 99}")


def test_what_cannot_be_refused_is_paid_for_later() -> None:
    clock = Clock()
    rate = Rate(10, 10.0, clock)
    rate.draw("one", 30)
    assert 21.0 == rate.wait("one") == rate.take("one")
    assert 0.0 == rate.wait("other")
    clock.now += 21.0
    assert 0.0 == rate.take("one")

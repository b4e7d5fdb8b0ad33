"""Since when bytes that are read may have been there: now, unless nobody read the connection for a while."""

from __future__ import annotations

import pytest

from vivienne.server import arrivals
from vivienne.server.arrivals import Arrivals
from vivienne.standstill import LATE_SECONDS, Standstill


class Clock:
    """A clock that is set by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> float:
        self.now += seconds
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(arrivals, "time", clock)
    monkeypatch.setattr(arrivals, "STANDSTILL", Standstill(clock))
    return clock


def test_of_a_connection_that_is_read_all_the_time(clock: Clock) -> None:
    connection = Arrivals(clock.now)
    for _ in range(5):
        assert connection.read(100) == clock.go_on(0.001) - 0.001
        connection.stop()
        clock.go_on(0.01)
        connection.read_on()


def test_of_one_that_waited_until_it_was_set_up(clock: Clock) -> None:
    accepted_at = clock.now
    clock.go_on(3.0)
    connection = Arrivals(accepted_at)
    clock.go_on(0.01)
    assert connection.read(100) == accepted_at
    assert connection.read(100) == clock.now


def test_of_one_that_was_not_read_for_a_while(clock: Clock) -> None:
    connection = Arrivals(clock.now)
    connection.read(100)
    stopped_at = clock.go_on(1.0)
    connection.stop()
    connection.stop()
    clock.go_on(5.0)
    connection.read_on()
    assert connection.read(100) == stopped_at
    assert connection.read(100) == clock.now


def test_of_one_that_said_nothing_since_it_is_read_again(clock: Clock) -> None:
    connection = Arrivals(clock.now)
    connection.stop()
    clock.go_on(5.0)
    connection.read_on()
    clock.go_on(2 * LATE_SECONDS)
    assert connection.read(100) == clock.now


def test_of_one_on_which_more_came_than_is_read_at_once(clock: Clock) -> None:
    connection = Arrivals(clock.now)
    first = clock.go_on(1.0)
    assert connection.read(64 * 1024) == first
    connection.stop()
    clock.go_on(5.0)
    connection.read_on()
    assert connection.read(100) == first
    clock.go_on(0.001)
    assert connection.read(100) == clock.now

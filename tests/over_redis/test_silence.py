"""What Redis takes in after it stood still may have been sent at any time since it last answered."""

from __future__ import annotations

import pytest

from vivienne.redis.silence import LATE_SECONDS, Silence


class Clock:
    """A clock that is set by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def silence(clock: Clock) -> Silence:
    """That of a Redis which has just answered a ping."""
    silence = Silence(1.0, clock, clock)
    pinged(silence, clock)
    return silence


def pinged(silence: Silence, clock: Clock, takes: float = 0.001) -> None:
    silence.asked()
    clock.now += takes
    silence.answered()


def answering(silence: Silence, clock: Clock, seconds: int) -> None:
    """It answers a ping each second."""
    for _ in range(seconds):
        clock.now += 1.0
        pinged(silence, clock)


def test_while_it_answers_everything_is_of_when_it_was_taken_in(clock: Clock, silence: Silence) -> None:
    for _ in range(5):
        assert silence.since(clock.now) == clock.now
        pinged(silence, clock)
        clock.now += 1.0


def test_what_it_took_in_right_after_a_silence_may_be_of_its_begin(clock: Clock, silence: Silence) -> None:
    last = clock.now
    clock.now += 1.0
    pinged(silence, clock, takes=13.0)
    after = clock.now
    clock.now += 0.5
    assert [silence.since(after), silence.since(clock.now)] == pytest.approx([last, last])
    assert last - 1.0 == silence.since(last - 1.0)
    assert after + 2.0 == silence.since(after + 2.0)


def test_a_ping_without_an_answer_tells_it_before_the_silence_is_over(clock: Clock, silence: Silence) -> None:
    last = clock.now
    clock.now += 1.0
    silence.asked()
    clock.now += LATE_SECONDS + 0.1
    assert silence.since(clock.now) == pytest.approx(last)


def test_what_it_took_in_between_two_silences_may_be_of_the_begin_of_the_first(clock: Clock, silence: Silence) -> None:
    """An entry of a stream may be read long after Redis took it in."""
    last = clock.now
    clock.now += 1.0
    pinged(silence, clock, takes=1.1)
    taken_in = clock.now + 0.2
    for _ in range(3):
        clock.now += 1.0
        pinged(silence, clock, takes=0.6)
        answering(silence, clock, 5)
    assert silence.since(taken_in) == pytest.approx(last)
    assert silence.since(clock.now) == clock.now


def test_silences_that_follow_each_other_closely_count_as_one(clock: Clock, silence: Silence) -> None:
    last = clock.now
    for _ in range(4):
        clock.now += 1.0
        pinged(silence, clock, takes=1.0)
    assert silence.since(clock.now + 0.1) == pytest.approx(last)


def test_of_very_many_silences_the_oldest_ones_count_as_one(clock: Clock, silence: Silence) -> None:
    first = clock.now
    for _ in range(1_000):
        clock.now += 1.0
        pinged(silence, clock, takes=2.0)
        answering(silence, clock, 10)
    assert silence.since(first + 5_000.0) == pytest.approx(first)
    assert len(silence._standstills) <= 256  # what it keeps is not to be seen from outside
    assert silence.since(clock.now) == clock.now


def test_a_wall_clock_that_is_moved_is_no_silence_and_does_not_move_one(clock: Clock) -> None:
    wall = Clock()
    silence = Silence(1.0, clock, wall)

    def go_on(seconds: int) -> None:
        for _ in range(seconds):
            wall.now += 1.0
            clock.now += 1.0
            pinged(silence, clock, takes=0.0)

    go_on(5)
    for step in (3_600.0, -3_600.0):
        wall.now += step
        go_on(5)
        assert silence.since(wall.now) == wall.now
    last = wall.now
    for each in (wall, clock):
        each.now += 5.0
    pinged(silence, clock, takes=0.0)
    wall.now += 100.0
    assert silence.since(wall.now) == pytest.approx(last + 100.0)

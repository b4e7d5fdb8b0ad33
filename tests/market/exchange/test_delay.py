"""The delay of messages is measured whatever the clock of this machine says."""

from __future__ import annotations

import pytest

from vivienne.market.feeds.exchange.delay import Delay

HOUR = 3_600.0
BEGIN = 1_800_000_000.0


class Clock:
    """A clock that a test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("skew", [-HOUR, 0.0, HOUR])
def test_what_a_message_waited_longer_than_the_quickest_is_its_delay(skew: float) -> None:
    clock = Clock()
    delay = Delay(clock)
    assert delay.seconds is None
    found = list[float | None]()
    for sent, took in ((10.0, 0.2), (11.0, 0.05), (12.0, 2.05), (13.0, 0.05)):
        clock.now = sent + took
        delay.hear(round((BEGIN + sent + skew) * 1000))
        found.append(delay.seconds)

    assert found == [pytest.approx(each, abs=0.003) for each in (0.0, 0.0, 2.0, 0.0)]
    delay.lose()
    assert delay.seconds is None


def test_a_repeated_or_older_message_says_nothing_of_the_delay() -> None:
    clock = Clock()
    delay = Delay(clock)
    delay.skip(1_000_000)  # a trade of before the subscription
    for time in (1_000_000, 999_000):
        delay.hear(time)
        assert delay.seconds is None
    delay.hear(1_000_500)
    clock.now += 60.0
    delay.hear(1_000_500)
    assert delay.seconds == 0.0


def test_two_clocks_that_drift_apart_are_no_delay() -> None:
    clock = Clock()
    delay = Delay(clock)
    for second in range(0, 86_400, 60):
        clock.now = 1_000.0 + second * 1.0001  # 100 ppm, 8.6 s a day
        delay.hear(1_000_000 + second * 1000)
        assert delay.seconds == pytest.approx(0.0, abs=1e-6)


def test_a_clock_that_slips_is_a_delay_for_ten_minutes_at_most() -> None:
    clock = Clock()
    delay = Delay(clock)
    for slip, back in ((0, 0.0), (119_000, 119.0)):  # once a message is 119 s ahead, and then they are right again
        clock.now += 1.0
        delay.hear(round(clock.now * 1_000) + slip)
        clock.now += 119.5
        delay.hear(round(clock.now * 1_000))
        assert delay.seconds == pytest.approx(back, abs=0.1)
    for _ in range(600):
        clock.now += 1.0
        delay.hear(round(clock.now * 1_000))
    assert delay.seconds == pytest.approx(0.0, abs=0.1)


def test_what_waits_for_a_few_minutes_is_a_delay_for_as_long() -> None:
    clock = Clock()
    delay = Delay(clock)
    for second in range(1_000):
        clock.now = 1_000.0 + second
        delay.hear(round((clock.now - (7.0 if second > 700 else 0.0)) * 1_000))
    assert delay.seconds == pytest.approx(7.0, abs=0.2)

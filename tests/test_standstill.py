"""A process that stood still knows since when; one that goes on has nothing to say."""

from __future__ import annotations

import asyncio

from vivienne.standstill import LATE_SECONDS, STANDSTILL, Standstill, watch_for_standstill


class Clock:
    """A clock that is set by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_read_in_time_is_of_now() -> None:
    clock = Clock()
    standstill = Standstill(clock)
    for _ in range(10):
        standstill.look()
        clock.now += LATE_SECONDS / 2
        assert standstill.since() == clock.now


def test_what_is_read_after_a_standstill_may_be_of_its_begin_until_the_next_look() -> None:
    clock = Clock()
    standstill = Standstill(clock)
    standstill.look()
    begin = clock.now
    clock.now += 3.0
    assert standstill.since() == begin  # it is read first
    standstill.look()
    assert standstill.since() == begin  # all of it is read after the look
    clock.now += LATE_SECONDS / 2
    standstill.look()
    assert standstill.since() == clock.now


def test_while_nobody_looks_nothing_is_said() -> None:
    clock = Clock()
    standstill = Standstill(clock)
    assert standstill.since() == clock.now
    standstill.look()
    standstill.end()
    clock.now += 3.0
    assert standstill.since() == clock.now


async def test_looking_ends_with_its_task() -> None:
    looking = asyncio.create_task(watch_for_standstill())
    await asyncio.sleep(0)
    assert STANDSTILL._looked_at is not None
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert STANDSTILL._looked_at is None

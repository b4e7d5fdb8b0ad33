"""A process that stood still knows since when; one that goes on has nothing to say."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vivienne.standstill import LATE_SECONDS, STANDSTILL, Standstill, watch_for_standstill

if TYPE_CHECKING:
    from collections.abc import Callable


class Loop:
    """A clock, and passes of an event loop, that are moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.soon: list[Callable[[], None]] = []
        self.standstill = Standstill(lambda: self.now)
        self.standstill.begin(self.soon.append)

    def go_on(self, seconds: float, passes: int = 1) -> None:
        """Make passes after a time, each of which takes no time itself."""
        self.now += seconds
        for _ in range(passes):
            due, self.soon[:] = list(self.soon), []
            for call in due:
                call()


def test_what_is_read_in_time_is_of_now() -> None:
    loop = Loop()
    for _ in range(10):
        assert loop.standstill.since() == loop.now
        loop.go_on(LATE_SECONDS / 3)


def test_what_is_read_after_a_standstill_may_be_of_its_begin() -> None:
    loop = Loop()
    loop.standstill.since()
    loop.go_on(0.001, passes=3)
    begin = loop.now
    loop.now += 3.0
    assert begin == loop.standstill.since()  # whatever is read first
    loop.go_on(0.0)
    assert begin == loop.standstill.since()  # the kernel was not asked for all since
    loop.go_on(0.001, passes=2)
    assert loop.now == loop.standstill.since()


def test_what_comes_after_something_was_read_is_not_of_before_that() -> None:
    """As a resumption after a pause that was answered, if the process stands still between them."""
    loop = Loop()
    loop.go_on(0.04)
    paused_at = loop.standstill.since()
    loop.go_on(0.001, passes=3)
    loop.now += 3.0
    assert paused_at < loop.standstill.since() < loop.now


def test_while_nobody_watches_nothing_is_said() -> None:
    loop = Loop()
    loop.standstill.end()
    loop.now += 3.0
    assert loop.standstill.since() == loop.now


async def test_watching_ends_with_its_task() -> None:
    watching = asyncio.create_task(watch_for_standstill())
    await asyncio.sleep(0)
    assert STANDSTILL._next_pass is not None
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert STANDSTILL._next_pass is None

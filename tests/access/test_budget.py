"""Time of the event loop: a caller that used up its own waits, and others do not."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from vivienne.access.budget import AT_ONCE, TimeBudgets


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_who_used_up_its_time_waits_and_others_do_not() -> None:
    clock = Clock()
    budgets = TimeBudgets(clock)
    with budgets.charged("one"):
        clock.now += AT_ONCE + 0.02
    waiting = asyncio.create_task(budgets.due("one"))
    for _ in range(20):
        await budgets.due("other")
    assert not waiting.done()
    clock.now += 1.0
    async with asyncio.timeout(10):
        await waiting


async def test_after_a_piece_of_work_others_have_as_much_time() -> None:
    clock = Clock()
    budgets = TimeBudgets(clock, at_once=10.0)
    with budgets.charged("one"):
        clock.now += 0.1
    waiting = asyncio.create_task(budgets.due("one"))
    for _ in range(20):
        await budgets.due("other")
    assert not waiting.done()
    clock.now += 0.1
    async with asyncio.timeout(10):
        await waiting


async def test_time_in_which_work_waits_is_free() -> None:
    clock, stored = Clock(), asyncio.Event()
    budgets = TimeBudgets(clock)

    async def work() -> str:
        await stored.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        return "done"

    at_once = [asyncio.create_task(budgets.charging("one", work())) for _ in range(4)]
    await asyncio.sleep(0)
    clock.now += 5.0
    stored.set()
    assert await asyncio.gather(*at_once) == ["done"] * 4
    async with asyncio.timeout(10):  # the clock stands still: it has time left, or would wait for ever
        await budgets.due("one")


async def test_connections_of_one_caller_take_turns() -> None:
    budgets = TimeBudgets(Clock())
    order: list[str] = []

    async def work(name: str) -> None:
        for _ in range(3):
            await budgets.due("one")
            order.append(name)

    await asyncio.gather(work("a"), work("b"))
    assert order == ["a", "b"] * 3


async def test_a_long_piece_of_work_is_charged_within_bounds() -> None:
    clock = Clock()
    budgets = TimeBudgets(clock)
    with budgets.charged("one"):
        clock.now += 3_600
    waiting = asyncio.create_task(budgets.due("one"))
    await asyncio.sleep(0)
    clock.now += 2.0
    async with asyncio.timeout(10):
        await waiting


async def test_requests_take_turns_with_the_websockets_of_their_caller_that_open() -> None:
    budgets = TimeBudgets(Clock())
    order: list[str] = []

    async def work(name: str, *, opens: bool) -> None:
        await budgets.due("one", opens=opens)
        order.append(name)

    sockets = [work(f"socket {number}", opens=True) for number in range(100)]
    given_up = asyncio.create_task(budgets.due("one"))
    asked = [work(name, opens=False) for name in ("first", "second")]
    tasks = [asyncio.create_task(each) for each in (*sockets, *asked)]
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(*tasks)
    assert order[:5] == ["socket 0", "first", "socket 1", "second", "socket 2"]

"""Work that is done once for all who ask at the same time."""

from __future__ import annotations

import asyncio

import pytest

from vivienne.server.together import Together


async def test_whoever_asks_sees_what_was_there_before_and_many_cost_as_much_as_two() -> None:
    state, times, begun, go_on = 0, 0, asyncio.Event(), asyncio.Event()

    async def work() -> int:
        nonlocal times
        times += 1
        begun.set()
        seen = state
        await go_on.wait()
        return seen

    together = Together(work)
    first = asyncio.create_task(together.result())
    await begun.wait()
    state = 1
    later = [asyncio.create_task(together.result()) for _ in range(100)]
    await asyncio.sleep(0)
    later[0].cancel()
    go_on.set()
    assert await first == 0
    assert await asyncio.gather(*later[1:]) == [1] * 99
    assert times == 2


async def test_what_the_work_raises_is_raised_for_everybody_and_the_next_try_is_a_new_one() -> None:
    tries = 0

    async def work() -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise LookupError
        return tries

    together = Together(work)
    found = await asyncio.gather(together.result(), together.result(), return_exceptions=True)
    assert [type(each) for each in found] == [LookupError, LookupError]
    assert await together.result() == 2


async def test_nobody_waits_for_the_work_any_more_and_it_ends_all_the_same() -> None:
    together = Together(lambda: asyncio.sleep(0, 7))
    gone = asyncio.create_task(together.result())
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await together.result() == 7

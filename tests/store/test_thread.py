"""The thread of the store: one call after the other, and no end of the program that waits for a disk."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from vivienne.errors import StoreUnavailable
from vivienne.store.thread import StoreThread

SECONDS = 10.0


async def test_calls_are_made_one_after_the_other_and_a_last_one_after_all() -> None:
    thread, order = StoreThread(SECONDS), []

    def call(number: int) -> int:
        time.sleep(0.001)  # so that those after it wait
        order.append(number)
        return number

    answers = [asyncio.create_task(thread.run(call, number)) for number in range(20)]
    await asyncio.sleep(0)
    await thread.close(lambda: order.append(20), SECONDS)

    assert list(range(20)) == await asyncio.gather(*answers)
    assert list(range(21)) == order
    with pytest.raises(StoreUnavailable, match="the store is closed"):
        await thread.run(call, 21)


async def test_a_call_of_a_change_goes_before_all_that_wait() -> None:
    thread, may_begin = StoreThread(SECONDS), threading.Event()
    order: list[str] = []
    ways = {"ticket": thread.tickets, "page": thread.pages, "read": thread.reads, "change": thread}
    first = asyncio.create_task(thread.run(may_begin.wait, SECONDS))
    names = ("ticket", "page", "read", "ticket", "page", "read", "change", "change")
    calls = [asyncio.create_task(ways[name].run(order.append, name)) for name in names]
    await asyncio.sleep(0)  # all are asked for
    may_begin.set()
    await asyncio.gather(first, *calls)
    await thread.close(lambda: None, SECONDS)

    assert order == ["change", "change", "read", "read", "page", "page", "ticket", "ticket"]


async def test_what_a_call_raises_is_for_whoever_asked_and_the_next_one_is_made() -> None:
    thread = StoreThread(SECONDS)

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await thread.run(fail)
    assert await thread.run(lambda: 1) == 1
    await thread.close(lambda: None, SECONDS)


async def test_a_call_nobody_waits_for_any_more_is_not_begun() -> None:
    thread, may_end = StoreThread(SECONDS), threading.Event()
    made: list[int] = []
    first = asyncio.create_task(thread.run(may_end.wait, SECONDS))
    second = asyncio.create_task(thread.run(made.append, 2))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)

    may_end.set()
    await first
    await thread.close(lambda: None, SECONDS)

    assert made == []


def test_a_store_that_hangs_does_not_keep_the_program_from_ending() -> None:
    program = (
        "import asyncio, time; from vivienne.store.thread import StoreThread\n"
        "async def main():\n"
        "    thread = StoreThread(60)\n"
        "    asking = asyncio.create_task(thread.run(time.sleep, 600))\n"
        "    await asyncio.sleep(0)\n"
        "    await thread.close(lambda: None, 0.1)\n"
        "    asking.cancel()\n"
        "asyncio.run(main())\n"
    )

    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0

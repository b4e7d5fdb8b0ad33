"""Turns of attempts, where receivers hang."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from vivienne.outbox import slots
from vivienne.outbox.slots import MOST_OF_ONE, Slots

if TYPE_CHECKING:
    import pytest

SECONDS = 60.0


async def hanging(all_of_them: Slots, count: int, end: asyncio.Event) -> list[asyncio.Task[None]]:
    """Attempts at so many receivers that have taken nothing before, and do not answer."""

    async def attempt(number: int) -> None:
        async with all_of_them.one("webhook", f"hangs {number}", is_failing=False):
            await end.wait()

    tasks = [asyncio.create_task(attempt(number)) for number in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_whoever_has_taken_a_message_before_waits_for_nobody_that_hangs() -> None:
    all_of_them, end = Slots(), asyncio.Event()
    all_of_them.note("webhook", "bot", took_it=True)
    tasks = await hanging(all_of_them, 1_000, end)
    async with asyncio.timeout(SECONDS), all_of_them.one("webhook", "bot", is_failing=False):
        pass
    end.set()
    await asyncio.gather(*tasks)


async def test_a_new_receiver_waits_until_others_are_slow_and_not_until_they_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slots, "SLOW_SECONDS", 0.01)
    all_of_them, end = Slots(), asyncio.Event()
    tasks = await hanging(all_of_them, 120, end)
    async with asyncio.timeout(SECONDS), all_of_them.one("webhook", "new", is_failing=False):
        pass
    assert not any(task.done() for task in tasks)
    end.set()
    await asyncio.gather(*tasks)


async def test_slow_attempts_at_one_receiver_are_no_more_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "SLOW_SECONDS", 0.0)
    all_of_them = Slots()
    async with AsyncExitStack() as held:
        for _ in range(MOST_OF_ONE["webhook"]):
            await held.enter_async_context(all_of_them.one("webhook", "bot", is_failing=False))
        another = asyncio.create_task(held.enter_async_context(all_of_them.one("webhook", "bot", is_failing=False)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not another.done()
        another.cancel()
        await asyncio.gather(another, return_exceptions=True)
    async with asyncio.timeout(SECONDS), all_of_them.one("webhook", "bot", is_failing=False):
        pass


async def test_a_slow_service_for_people_leaves_places_for_others() -> None:
    all_of_them, end, begun = Slots(), asyncio.Event(), 0

    async def attempt(service: str) -> None:
        nonlocal begun
        async with all_of_them.one("apprise", service, is_failing=False):
            begun += 1
            await end.wait()

    for service in ("tgram://***", "slack://***"):
        all_of_them.note("apprise", service, took_it=True)
    tasks = [asyncio.create_task(attempt("tgram://***")) for _ in range(20)]
    await asyncio.sleep(0)
    async with asyncio.timeout(SECONDS), all_of_them.one("apprise", "slack://***", is_failing=False):
        assert begun == 1
    end.set()
    await asyncio.gather(*tasks)

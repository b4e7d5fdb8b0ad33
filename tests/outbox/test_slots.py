"""Turns of attempts, where receivers hang."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from vivienne.outbox import slots
from vivienne.outbox.slots import MOST_OF_ONE, Receiver, Slots, most_at_once

if TYPE_CHECKING:
    from vivienne.wire.alert import ChannelType

SECONDS = 60.0


async def hanging(
    all_of_them: Slots, count: int, end: asyncio.Event, author: str = "ana", kind: ChannelType = "webhook"
) -> list[asyncio.Task[None]]:
    """Attempts at so many receivers that do not answer."""

    async def attempt(number: int) -> None:
        async with all_of_them.one(kind, Receiver(author, f"hangs {number}"), is_failing=False):
            await end.wait()

    tasks = [asyncio.create_task(attempt(number)) for number in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_whoever_has_taken_a_message_before_waits_for_nobody_that_hangs() -> None:
    all_of_them, end = Slots(), asyncio.Event()
    all_of_them.note("webhook", Receiver("ana", "bot"), took_it_soon=True)
    tasks = await hanging(all_of_them, 1_000, end)
    async with asyncio.timeout(SECONDS), all_of_them.one("webhook", Receiver("ana", "bot"), is_failing=False):
        pass
    end.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("kind", ["webhook", "apprise", "browser", "redis"])
@pytest.mark.parametrize("is_proven", [True, False])
async def test_receivers_of_somebody_else_that_hang_keep_nobody_waiting(kind: ChannelType, *, is_proven: bool) -> None:
    """Also where they took their last message at once, and where they are the same."""
    all_of_them, end = Slots(), asyncio.Event()
    for author in ("ana", "bob"):
        for number in range(400):
            all_of_them.note(kind, Receiver(author, f"hangs {number}"), took_it_soon=is_proven)
    tasks = await hanging(all_of_them, 400, end, "bob", kind)
    async with asyncio.timeout(SECONDS), all_of_them.one(kind, Receiver("ana", "hangs 0"), is_failing=False):
        pass
    end.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("is_proven", [True, False])
async def test_however_many_of_them_are_slow_they_keep_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, *, is_proven: bool
) -> None:
    """Also where few open files leave few places."""
    monkeypatch.setattr(slots, "SLOW_SECONDS", 0.0)
    all_of_them, end = Slots(files=40), asyncio.Event()
    for number in range(400):
        all_of_them.note("webhook", Receiver("bob", f"hangs {number}"), took_it_soon=is_proven)
    tasks = await hanging(all_of_them, 400, end, "bob")
    for _ in range(50):  # each pass makes attempts slow, and others begin
        await asyncio.sleep(0.001)
    async with asyncio.timeout(SECONDS), all_of_them.one("webhook", Receiver("ana", "bot"), is_failing=False):
        pass
    end.set()
    await asyncio.gather(*tasks)


async def test_messages_of_somebody_else_to_the_same_receiver_keep_nobody_waiting() -> None:
    all_of_them, order = Slots(), list[str]()

    async def attempt(author: str) -> None:
        async with all_of_them.one("webhook", Receiver(author, "bot"), is_failing=False):
            order.append(author)
            await asyncio.sleep(0)

    await asyncio.gather(*(attempt("bob") for _ in range(200)), attempt("ana"))
    assert order.index("ana") <= MOST_OF_ONE["webhook"]


async def test_attempts_are_bounded_however_many_authors_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "SLOW_SECONDS", 0.0)
    all_of_them, end, begun = Slots(), asyncio.Event(), 0

    async def attempt(number: int, *, is_proven: bool, is_failing: bool) -> None:
        nonlocal begun
        receiver = Receiver(f"author {number}", "bot")
        all_of_them.note("webhook", receiver, took_it_soon=is_proven)
        async with all_of_them.one("webhook", receiver, is_failing=is_failing):
            begun += 1
            await end.wait()

    standings = ((True, False), (False, False), (False, True))
    tasks = [
        asyncio.create_task(attempt(1_000 * place + number, is_proven=is_proven, is_failing=is_failing))
        for place, (is_proven, is_failing) in enumerate(standings)
        for number in range(600)
    ]
    async with asyncio.timeout(SECONDS):
        while begun < most_at_once("webhook"):  # noqa: ASYNC110  # a pass of the event loop each
            await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert begun == most_at_once("webhook")
    end.set()
    await asyncio.gather(*tasks)
    assert begun == len(tasks)


async def test_with_few_open_files_few_attempts_are_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "SLOW_SECONDS", 0.0)
    all_of_them, end, begun = Slots(files=40), asyncio.Event(), 0

    async def attempt(number: int) -> None:
        nonlocal begun
        receiver = Receiver(f"author {number % 50}", f"bot {number}")
        all_of_them.note("webhook", receiver, took_it_soon=number % 3 == 0)
        async with all_of_them.one("webhook", receiver, is_failing=number % 3 == 1):
            begun += 1
            await end.wait()

    tasks = [asyncio.create_task(attempt(number)) for number in range(600)]
    for _ in range(200):
        await asyncio.sleep(0)
    assert 20 < begun <= 64
    end.set()
    await asyncio.gather(*tasks)


async def test_a_new_receiver_waits_until_others_are_slow_and_not_until_they_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slots, "SLOW_SECONDS", 0.01)
    all_of_them, end = Slots(), asyncio.Event()
    tasks = await hanging(all_of_them, 120, end)
    async with asyncio.timeout(SECONDS), all_of_them.one("webhook", Receiver("ana", "new"), is_failing=False):
        pass
    assert not any(task.done() for task in tasks)
    end.set()
    await asyncio.gather(*tasks)


async def test_slow_attempts_at_one_receiver_are_no_more_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "SLOW_SECONDS", 0.0)
    all_of_them = Slots()
    async with AsyncExitStack() as held:
        for _ in range(MOST_OF_ONE["webhook"]):
            await held.enter_async_context(all_of_them.one("webhook", Receiver("ana", "bot"), is_failing=False))
        another = asyncio.create_task(
            held.enter_async_context(all_of_them.one("webhook", Receiver("ana", "bot"), is_failing=False))
        )
        for _ in range(20):
            await asyncio.sleep(0)
        assert not another.done()
        another.cancel()
        await asyncio.gather(another, return_exceptions=True)
    async with asyncio.timeout(SECONDS), all_of_them.one("webhook", Receiver("ana", "bot"), is_failing=False):
        pass


async def test_a_slow_service_for_people_leaves_places_for_others() -> None:
    all_of_them, end, begun = Slots(), asyncio.Event(), 0

    async def attempt(service: str) -> None:
        nonlocal begun
        async with all_of_them.one("apprise", Receiver("ana", service), is_failing=False):
            begun += 1
            await end.wait()

    for service in ("tgram://***", "slack://***"):
        all_of_them.note("apprise", Receiver("ana", service), took_it_soon=True)
    tasks = [asyncio.create_task(attempt("tgram://***")) for _ in range(20)]
    await asyncio.sleep(0)
    async with asyncio.timeout(SECONDS), all_of_them.one("apprise", Receiver("ana", "slack://***"), is_failing=False):
        assert begun == 1
    end.set()
    await asyncio.gather(*tasks)

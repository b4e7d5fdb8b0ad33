"""Cyclic garbage is collected: what dies young within moments, the rest in proportion to the time that it takes."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from vivienne import slices
from vivienne.roles import garbage
from vivienne.roles.garbage import Garbage, collect_garbage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Ring:
    """Garbage once nobody knows it: it refers to itself."""

    def __init__(self) -> None:
        self.me = self
        self.content = b""


@pytest.fixture(autouse=True)
def _few_to_look_at() -> Iterator[None]:
    """What other tests have left is not looked at each time: in a process of many tests that takes half a second."""
    gc.freeze()
    yield
    gc.unfreeze()


@asynccontextmanager
async def collecting() -> AsyncIterator[None]:
    """Garbage is collected as in a server."""
    task = asyncio.create_task(collect_garbage())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def collected(*rings: weakref.ref[Ring]) -> None:
    """Wait until all of them are collected."""
    async with asyncio.timeout(10):
        while any(ring() is not None for ring in rings):  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)


async def test_garbage_that_was_made_just_now_is_collected_while_others_are_made() -> None:
    async with collecting():
        ring = weakref.ref(Ring())
        async with asyncio.timeout(10):
            while ring() is not None:
                _more = [Ring() for _ in range(1_000)]
                await asyncio.sleep(0)


async def test_work_in_slices_that_replaces_objects_leaves_few_to_look_at_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python counts none, because as many are freed as made."""
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    async with collecting():
        states = [[number] for number in range(50_000)]

        def work() -> slices.Pieces[None]:
            for begin in range(0, len(states), 500):
                states[begin : begin + 500] = [[number] for number in range(500)]
                yield

        await slices.in_slices(work())
        assert len(gc.get_objects(generation=0)) < 25_000


async def test_young_objects_that_replaced_others_are_looked_at_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as trades. Python counts none, and would look at all of them at once a minute later."""
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(Garbage, "is_due", lambda *_: False)
    async with collecting():
        trades = [[number] for number in range(50_000)]
        for place in range(len(trades)):
            trades[place] = [place]
        async with asyncio.timeout(10):
            while len(gc.get_objects(generation=0)) > 25_000:  # noqa: ASYNC110  # it has no event
                await asyncio.sleep(0.01)


async def test_a_few_large_objects_are_collected_though_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As what an error refers to that is kept: 2 MB of each connection."""
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(Garbage, "is_due", lambda *_: False)
    async with collecting():
        large = [Ring() for _ in range(10)]
        for ring in large:
            ring.content = bytes(range(256)) * 65_536
        known = [weakref.ref(ring) for ring in large]
        gc.collect(1)  # they are not young any longer
        del large, ring
        await collected(*known)


@pytest.mark.parametrize(("seconds", "is_spared"), [(60.0, True), (-1.0, False)])
def test_only_slices_that_follow_each_other_closely_spare_what_is_made(
    monkeypatch: pytest.MonkeyPatch, seconds: float, *, is_spared: bool
) -> None:
    """What else is made between slices may be garbage, such as of messages that are refused."""
    monkeypatch.setattr(slices, "_SPARING_SECONDS", seconds)
    sparing, spared = slices.Sparing(), list[None]()
    sparing.spare = lambda: spared.append(None)
    for _ in range(100):
        sparing.slice_over()
    assert bool(spared) == is_spared


async def test_garbage_among_what_slices_made_is_collected_when_all_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(Garbage, "is_due", lambda *_: False)
    async with collecting():
        rings: list[weakref.ref[Ring]] = []

        def work() -> slices.Pieces[None]:
            for _ in range(100):
                rings.append(weakref.ref(Ring()))
                yield

        await slices.in_slices(work())
        monkeypatch.setattr(Garbage, "is_due", lambda *_: True)
        await collected(*rings)


async def test_pythons_own_schedule_is_in_force_again_afterwards() -> None:
    before = gc.get_threshold()
    async with collecting():
        assert gc.get_threshold() != before
    assert gc.get_threshold() == before


async def test_what_was_there_at_the_start_is_looked_at_later_than_what_came_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(Garbage, "is_due", lambda self, *_: self._rest < 10)
    earlier = weakref.ref(ring := Ring())
    gc.collect()  # it is among the older ones
    async with collecting():
        del ring
        since = weakref.ref(Ring())
        await collected(since)
        assert earlier() is not None
        monkeypatch.setattr(Garbage, "is_due", lambda *_: True)
        slices.SPARING.spare()
        await collected(earlier)


async def test_what_was_there_at_the_start_is_left_alone_while_nothing_else_counts_as_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes a tenth of a second, in which a minute may close."""
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(garbage, "_LONG_SECONDS", 60.0)
    monkeypatch.setattr(Garbage, "is_due", lambda *_: True)
    async with collecting():
        at_the_start = gc.get_freeze_count()
        for _ in range(3):
            await collected(weakref.ref(Ring()))
            assert at_the_start / 2 < gc.get_freeze_count() <= at_the_start


def test_older_objects_are_looked_at_once_there_are_many_more() -> None:
    garbage = Garbage(0.0, amount=1_000)
    assert not garbage.is_due(5.0, lambda: 1_100)
    assert garbage.is_due(10.0, lambda: 1_300)


def test_what_is_in_use_is_counted_in_proportion_to_the_time_that_it_takes() -> None:
    """It was counted each second, and trades came 15 ms late each time."""
    garbage, counts = Garbage(0.0, amount=1_000), list[float]()

    def counted() -> int:
        time.sleep(0.01)  # what the count takes
        counts.append(now)
        return 1_000

    for now in (5.0, 6.0, 10.0, 14.0, 59.0):
        assert not garbage.is_due(now, counted)
    assert counts == [5.0, 59.0]


def test_growth_counts_from_what_there_is_after_the_rest_where_that_is_not_known_before() -> None:
    garbage = Garbage(0.0, None, rest=20.0, longest_rest=300.0)
    assert not garbage.is_due(19.0, lambda: 9_000)
    assert not garbage.is_due(21.0, lambda: 1_000)
    assert garbage.is_due(22.0, lambda: 1_300)
    garbage.measure_anew()
    assert not garbage.is_due(23.0, lambda: 1_300)
    assert garbage.is_due(24.0, lambda: 1_700)
    assert garbage.is_due(301.0, lambda: 1_000)


@pytest.mark.parametrize("replaces", [True, False])
async def test_slices_whose_objects_are_kept_for_a_while_spare_none(
    monkeypatch: pytest.MonkeyPatch, *, replaces: bool
) -> None:
    """Such as trades: they are garbage of no kind, and would make all be looked at soon."""
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    spared: list[None] = []
    monkeypatch.setattr(slices.SPARING, "spare", lambda: spared.append(None))
    of_exchange = slices.SharedSlices(replaces=replaces)
    for _ in range(100):
        await of_exchange.rest()
    assert bool(spared) == replaces


def test_objects_that_replace_others_one_for_one_are_no_reason() -> None:
    garbage = Garbage(0.0, amount=1_000)
    assert not any(garbage.is_due(float(second), lambda: 1_001) for second in range(2, 60))


def test_a_look_that_takes_long_is_followed_by_a_long_rest() -> None:
    garbage = Garbage(0.0, amount=1_000)
    garbage.collected(2.0, 10.0, 1_000)
    assert not garbage.is_due(150.0, lambda: 5_000)
    assert garbage.is_due(250.0, lambda: 5_000)


def test_without_growth_it_happens_in_proportion_to_its_time_and_at_most_once_a_minute() -> None:
    garbage = Garbage(0.0, amount=1_000)
    assert not garbage.is_due(59.0, lambda: 1_000)
    assert garbage.is_due(61.0, lambda: 1_000)
    garbage.collected(0.001, 100.0, 1_000)
    assert not garbage.is_due(159.0, lambda: 1_000)
    assert garbage.is_due(161.0, lambda: 1_000)
    garbage.collected(1.0, 1_000.0, 1_000)
    assert not garbage.is_due(3_999.0, lambda: 1_000)
    assert garbage.is_due(4_001.0, lambda: 1_000)

"""Reading is done in turns over all callers, a little in each pass of the event loop, and for none beyond its share."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from vivienne.access.budget import TimeBudgets
from vivienne.server.shares import Shares


class Clock:
    """A clock that goes on when something is done."""

    def __init__(self) -> None:
        self.now = 0.0
        self.done: list[str] = []

    def __call__(self) -> float:
        return self.now

    def work(self, name: str, seconds: float = 0.001) -> None:
        """Take some time."""
        self.now += seconds
        self.done.append(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budgets(clock: Clock) -> TimeBudgets:
    return TimeBudgets(clock)


@pytest.fixture
def shares(clock: Clock, budgets: TimeBudgets) -> Shares:
    return Shares(budgets, clock)


async def test_a_single_client_waits_for_no_pass(clock: Clock, shares: Shares) -> None:
    for number in range(3):
        assert shares.take("ann", partial(clock.work, str(number))) is None
        assert clock.done[-1] == str(number)
        await asyncio.sleep(0)


async def test_however_many_send_at_once_a_pass_takes_a_few_milliseconds(clock: Clock, shares: Shares) -> None:
    for number in range(100):
        shares.take(f"caller {number}", partial(clock.work, str(number)))
    passes, before = 0, -1
    while len(clock.done) < 100:  # each is a pass
        assert len(clock.done) > before
        assert len(clock.done) - before <= 6
        before = len(clock.done)
        await asyncio.sleep(0)
        passes += 1
    assert passes >= 20
    assert [str(number) for number in range(100)] == clock.done


async def test_who_used_up_its_time_waits_and_others_do_not(clock: Clock, budgets: TimeBudgets, shares: Shares) -> None:
    budgets.charge("ann", 3_600.0)
    shares.take("ann", partial(clock.work, "ann"))
    for number in range(20):
        shares.take("bob", partial(clock.work, f"bob {number}"))
        await asyncio.sleep(0)
    assert [f"bob {number}" for number in range(20)] == clock.done


async def test_a_caller_who_had_time_again_goes_on_with_its_modest_connection(
    clock: Clock, budgets: TimeBudgets, shares: Shares
) -> None:
    budgets.charge("ann", 0.101)
    for had, name in ((60, "flood"), (1, "pong"), (500, "worse")):
        shares.take("ann", partial(clock.work, name, 0.0), had=had)
    clock.now += 1.0
    async with asyncio.timeout(10):
        while len(clock.done) < 3:  # noqa: ASYNC110  # each is a pass
            await asyncio.sleep(0.001)
    assert clock.done == ["pong", "flood", "worse"]


async def test_what_asks_again_while_it_is_done_goes_behind_the_others(clock: Clock, shares: Shares) -> None:
    def endless() -> None:
        clock.work("endless", 0.003)
        if clock.done.count("endless") < 10:
            shares.take("ann", endless)

    shares.take("ann", endless)
    shares.take("bob", partial(clock.work, "bob"))
    async with asyncio.timeout(10):
        while len(clock.done) < 11:  # noqa: ASYNC110  # each is a pass
            await asyncio.sleep(0)
    assert clock.done.index("bob") <= 2


async def test_work_that_is_dropped_or_fails_stops_no_other(clock: Clock, budgets: TimeBudgets, shares: Shares) -> None:
    def fail() -> None:
        raise ValueError("bad")

    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: clock.done.append(str(context["exception"]))
    )
    budgets.charge("ann", 0.101)
    turns = [shares.take("ann", partial(clock.work, str(number), 0.0)) for number in range(3)]
    shares.take("ann", fail)
    shares.take("ann", partial(clock.work, "last", 0.0))
    for turn in turns:
        assert turn is not None
        shares.drop(turn)
        shares.drop(turn)
    clock.now += 1.0
    async with asyncio.timeout(10):
        while len(clock.done) < 2:  # noqa: ASYNC110  # each is a pass
            await asyncio.sleep(0.001)
    assert clock.done == ["bad", "last"]

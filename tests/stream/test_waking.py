"""Clients that get messages have turns, so that nobody waits for all of them: by time, and by caller."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from vivienne.stream.frame import Frame
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard
from vivienne.stream.waking import OF_ONE_CALLER, ROW, SECONDS_PER_PASS, WOKEN_AT_ONCE, Waking

if TYPE_CHECKING:
    from vivienne.stream.mailbox import Mailbox
    from vivienne.wire.messages import AssetData
    from vivienne.wire.state import AssetState

SECONDS = 5.0
NOTHING = cast("AssetState", {"bar": None})


class Clock:
    """Time that passes when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Reader:
    """A client whose writer takes some time to send a row of messages."""

    def __init__(self, whose: str, seconds: float, clock: Clock) -> None:
        self.whose = whose
        self.waits = False
        self.times = 0
        self._seconds = seconds
        self._clock = clock

    def wake(self) -> int:
        """Send a row, after what else there is to do."""
        asyncio.get_running_loop().call_soon(self._send)
        return ROW

    def _send(self) -> None:
        self.times += 1
        self._clock.now += self._seconds


@pytest.mark.parametrize("seconds", [SECONDS_PER_PASS / 8, SECONDS_PER_PASS, 20 * SECONDS_PER_PASS])
async def test_what_a_pass_sends_takes_so_long_and_no_longer(seconds: float) -> None:
    """However many wait, and however long their messages take."""
    clock = Clock()
    waking, readers = Waking(clock), [Reader("a", seconds, clock) for _ in range(500)]
    waking.wake(readers)
    passes = []
    while not all(reader.times for reader in readers):
        before = clock.now
        await asyncio.sleep(0)
        passes.append(clock.now - before)
    # The first ones tell how long it takes. After them a pass is over with the message that exceeds its time.
    assert max(passes[2:]) <= 1.01 * (SECONDS_PER_PASS + seconds)
    assert len(passes) < 2 * 500 * max(1.0, seconds / SECONDS_PER_PASS)


async def test_callers_have_turns_so_who_has_a_thousand_websockets_delays_its_own() -> None:
    clock, order = Clock(), []

    class Noted(Reader):
        def _send(self) -> None:
            order.append(self.whose)

    waking = Waking(clock)
    waking.wake([Noted("many", 0.0, clock) for _ in range(1_000)])
    waking.wake([Noted("one", 0.0, clock)])
    async with asyncio.timeout(SECONDS):
        while "one" not in order:  # noqa: ASYNC110  # each is a pass
            await asyncio.sleep(0)
    assert order.index("one") <= OF_ONE_CALLER


async def test_a_client_that_fails_keeps_nobody_else_from_its_turn() -> None:
    clock, loop = Clock(), asyncio.get_running_loop()
    failures: list[Any] = []
    loop.set_exception_handler(lambda _loop, context: failures.append(context["exception"]))

    class Failing(Reader):
        def wake(self) -> int:
            raise ValueError("it is closed")

    waking, readers = Waking(clock), [Reader(whose, 0.0, clock) for whose in "aabbcc"]
    first = Failing("0", 0.0, clock)
    waking.wake_again(first)
    waking.wake_again(readers[0])
    waking.wake_all(
        {whose: [Failing(whose, 0.0, clock), *(each for each in readers if each.whose == whose)] for whose in "abc"}
    )
    awake = asyncio.Event()
    waking.when_awake(awake.set)
    await asyncio.wait_for(awake.wait(), SECONDS)
    async with asyncio.timeout(SECONDS):
        while not all(reader.times for reader in readers):  # noqa: ASYNC110  # each is a pass
            await asyncio.sleep(0)
    assert [str(each) for each in failures] == ["it is closed"] * 4
    assert not waking.is_waking


async def test_states_of_many_assets_cost_nothing_until_a_client_has_its_turn() -> None:
    hub = Hub()
    board, mailboxes = StateBoard(hub), [hub.join() for _ in range(20 * WOKEN_AT_ONCE)]
    for number in range(100):
        board.publish(f"A{number}", data=NOTHING, config={}, config_version=0)
    had, most = 0, 0
    async with asyncio.timeout(SECONDS):
        while had < len(mailboxes):
            await asyncio.sleep(0)
            now = sum(mailbox.unsent() == 100 for mailbox in mailboxes)
            most, had = max(most, now - had), now
    assert most <= 2 * WOKEN_AT_ONCE


async def test_what_comes_while_clients_are_woken_reaches_each_once() -> None:
    """Whoever had its turn already, waits for it, or has just come and was shown the latest."""
    hub = Hub()
    latest: dict[str, Frame] = {}
    seen: dict[Mailbox, list[Any]] = {}

    def broadcast(asset: str, seq: int) -> None:
        latest[asset] = Frame(cast("AssetData", {"asset": asset, "seq": seq}))
        hub.broadcast(asset, latest[asset])

    def join() -> asyncio.Task[None]:
        mailbox = hub.join()
        for asset, frame in latest.items():
            mailbox.offer(asset, frame)
        seen[mailbox] = []
        return asyncio.create_task(read(mailbox, seen[mailbox]))

    clients = [join() for _ in range(3 * WOKEN_AT_ONCE)]
    await asyncio.sleep(0)
    for seq in range(1, 4):
        for asset in ("BTC", "ETH"):
            broadcast(asset, seq)
            clients.append(join())
            await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    for states in seen.values():
        assert_once([state["seq"] for state in states if state["asset"] == "BTC"])
        assert_once([state["seq"] for state in states if state["asset"] == "ETH"])


async def read(mailbox: Mailbox, states: list[Any]) -> None:
    """Take whatever comes."""
    while True:
        states.append(json.loads(await mailbox.take()))


def assert_once(numbers: list[int]) -> None:
    """The last number has come, and none twice or too late."""
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 3

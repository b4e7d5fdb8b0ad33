"""Many clients with subscriptions of many kinds, who come, fall behind and go on: each ends with the newest states."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import TYPE_CHECKING, Any, cast

import pytest

from merging import Follower, exact
from vivienne.stream.broadcasts import Broadcasts
from vivienne.stream.frame import Frame
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.stream.mailbox import Outlet
    from vivienne.wire.messages import AssetData
    from vivienne.wire.state import AssetState

SECONDS = 20.0
ASSETS = tuple(f"N{number}" for number in range(10))
COMMON = (None, ASSETS[:1], ASSETS[:3])


class Client:
    """Somebody who watches some assets, and takes messages while free to."""

    inflates = False

    def __init__(self, hub: Hub, assets: tuple[str, ...] | None, *, changes: bool = False) -> None:
        self.assets = ASSETS if assets is None else assets
        self.follower = Follower()
        self.is_free = True
        self.mailbox = hub.join(whose=str(id(self)))
        self.mailbox.watch(assets, changes=changes)
        self.mailbox.goes_to(cast("Outlet", self))

    def write(self, data: bytes) -> None:
        """Hear what comes."""
        for text in texts(data):
            self.follower.hear(json.loads(text))

    def frees(self) -> None:
        """Go on after a time in which nothing could be sent."""
        self.is_free = True
        self.mailbox.go_on()


def texts(data: bytes) -> Iterator[bytes]:
    """The payloads of WebSocket frames from a server."""
    while data:
        length, begin = data[1], 2
        if length >= 126:
            begin = 4 if length == 126 else 10
            length = int.from_bytes(data[2:begin], "big")
        yield data[begin : begin + length]
        data = data[begin + length :]


def test_a_row_that_was_made_is_given_however_many_others_are_dropped_for_it() -> None:
    """Two clients have the same subscription, and one of them got a state less than the other."""
    broadcasts = Broadcasts()
    for number, asset in enumerate(["BTC", "ETH", "BTC"]):
        broadcasts.add(asset, whole(asset, number))
    subscriptions = [broadcasts.subscriptions.of(frozenset(("BTC", f"N{number}"))) for number in range(200)]

    rows = [broadcasts.make_row(each, after) for each in subscriptions for after in (1, 2, 1)]

    assert {len(list(texts(row.data))) for row in rows if row is not None} == {1}
    assert None not in rows


@pytest.mark.parametrize("seed", range(8))
async def test_whoever_comes_when_and_is_slow_when_has_the_newest_state_in_the_end(seed: int) -> None:
    crowd = Crowd(seed)
    for _ in range(1_500):
        if not crowd.step():
            await asyncio.sleep(0)
    newest = await crowd.settled()

    async with asyncio.timeout(SECONDS):
        while any(not has(client, newest) for client in crowd.clients):  # noqa: ASYNC110  # each is a pass
            await asyncio.sleep(0)


class Crowd:
    """A board whose clients come and go, as a seed says."""

    def __init__(self, seed: int) -> None:
        self.clients: list[Client] = []
        self._random = Random(seed)  # noqa: S311  # for tests
        self._hub = Hub()
        self._board = StateBoard(self._hub)

    def step(self) -> bool:
        """Do something; False if it is time to let others have their turn."""
        random, chance = self._random, self._random.random()
        if chance < 0.15:
            self._come()
        elif chance < 0.5:
            self._publish(random.choice(ASSETS))
        elif chance < 0.6 and self.clients:
            random.choice(self.clients).is_free = False
        elif chance < 0.7 and self.clients:
            random.choice(self.clients).frees()
        else:
            return False
        return True

    async def settled(self) -> dict[str, str]:
        """The last state of each asset, after which everybody is free."""
        for asset in ASSETS:
            self._publish(asset)
            await self._board.handed_over(asset)
        for client in self.clients:
            client.frees()
        return {asset: exact(self._board.latest(asset)) for asset in ASSETS}

    def _publish(self, asset: str) -> None:
        data = {"bar": None, "price": self._random.choice([1, 2.5]), "explanation": "x" * 1_500}
        self._board.publish(asset, data=cast("AssetState", data), config={}, config_version=0)

    def _come(self) -> None:
        random = self._random
        kind = random.choice([*COMMON, tuple(random.sample(ASSETS, random.randint(1, 8)))])
        client = Client(self._hub, kind, changes=random.random() < 0.5)
        self._board.show(client.mailbox, kind)
        client.mailbox.go_on()
        self.clients.append(client)


def has(client: Client, newest: dict[str, str]) -> bool:
    """Whether a client has exactly the newest states of what it watches."""
    states: dict[str, Any] = client.follower.states
    return {asset: exact(state) for asset, state in states.items()} == {each: newest[each] for each in client.assets}


def whole(asset: str, seq: int) -> Frame:
    return Frame(cast("AssetData", {"type": "asset_data", "asset": asset, "seq": seq}))

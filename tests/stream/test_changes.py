"""Changes instead of states: whatever a client misses, it has exactly the state of the server after each message."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from merging import Follower, exact
from vivienne.stream.frame import MOST_EARLIER
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from vivienne.stream.mailbox import Mailbox
    from vivienne.wire.messages import AssetData
    from vivienne.wire.state import AssetState

SECONDS = 5.0
ASSETS = ("BTC", "ETH")
EXPLANATION = {"signals": [{"id": "rsi", "reading": None}], "size_cap": None, "summary": "x" * 1_000}
CONFIG = {"settings": {"a": 1}, "filters": {"description": "y" * 1_000}}

FIELDS = st.fixed_dictionaries(
    {
        "bar": st.sampled_from([None, {"open": 1.0, "support": None}, {"open": 2.0}]),
        "price": st.sampled_from([None, 1, 1.0, 2.5]),
        "pause": st.sampled_from([None, {"config_id": "p", "reason": None}, {"config_id": "q"}]),
        "blocked_by": st.sampled_from([[], ["trend"], ["trend", "levels"]]),
        "explanation": st.sampled_from([None, EXPLANATION, {**EXPLANATION, "size_cap": 3}]),
    },
    optional={"earlier_versions_do_not_say": st.sampled_from([True, 1, {"a": {"b": None}}])},
)
PUBLISH = st.tuples(st.just("publish"), st.sampled_from(ASSETS), FIELDS)
TAKE = st.tuples(st.just("take"), st.integers(1, 4))
WATCH = st.tuples(st.just("watch"), st.sampled_from([None, ["BTC"], ["ETH", "BTC"]]))
STALL = st.tuples(st.just("stall"), st.integers(1, 2 * MOST_EARLIER))
STEPS = st.lists(PUBLISH | PUBLISH | TAKE | TAKE | WATCH | STALL, max_size=40)


class Served:
    """A board and one client of it that asked for changes."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.board = StateBoard(self.hub)
        self.mailbox = self.hub.join()
        self.follower = Follower()
        self.watched: list[str] | None = None
        self.watch(None)

    def watch(self, assets: list[str] | None) -> None:
        """Subscribe, as the endpoint does."""
        self.watched = assets
        self.mailbox.watch(assets, changes=True)
        self.board.show(self.mailbox, assets)

    async def publish(self, asset: str, fields: dict[str, Any], config: Any = None) -> None:
        """Publish a state, and let it be numbered."""
        data = cast("AssetState", fields)
        self.board.publish(asset, data=data, config=config or CONFIG, config_version=1)
        await self.board.handed_over(asset)

    async def take(self, most: int) -> None:
        """Let the client take so many messages, if there are so many, and compare what it has with the board."""
        for _ in range(most):
            if not await unsent(self.mailbox):
                return
            state = self.follower.hear(json.loads(await asyncio.wait_for(self.mailbox.take(), SECONDS)))
            assert state is not None
            assert exact(self.board.latest(state["asset"])) == exact(state)

    async def check_all(self) -> None:
        """Let the client take everything; then it has what it watches."""
        await self.take(100)
        for asset in self.watched or ASSETS:
            if (state := self.board.latest(asset)) is not None:
                assert exact(state) == exact(self.follower.states[asset])


async def unsent(mailbox: Mailbox) -> int:
    for _ in range(5):
        await asyncio.sleep(0)
    mailbox.wake()
    return mailbox.unsent()


@given(steps=STEPS)
def test_after_any_states_and_losses_the_client_has_the_state_of_the_server(steps: list[Any]) -> None:
    async def follow() -> None:
        served = Served()
        for step in steps:
            match step:
                case "publish", asset, fields:
                    await served.publish(asset, fields)
                case "take", most:
                    await served.take(most)
                case "watch", assets:
                    served.watch(assets)
                case "stall", states:
                    for number in range(states):
                        await served.publish("BTC", {"bar": None, "price": float(number)})
        await served.check_all()

    asyncio.run(follow())


def price(value: float) -> dict[str, Any]:
    return {"bar": None, "price": value, "explanation": EXPLANATION}


async def test_the_first_state_comes_whole_and_a_price_alone_after_it() -> None:
    served = Served()
    await served.publish("BTC", price(1.0))
    await served.take(1)
    await served.publish("BTC", price(2.0))
    await unsent(served.mailbox)
    changed = json.loads(await asyncio.wait_for(served.mailbox.take(), SECONDS))

    timestamp = changed["patch"].pop("timestamp", None)
    assert {
        "type": "asset_changed", "asset": "BTC", "seq": 2, "base_seq": 1,
        "patch": {"seq": 2, "agents": {"VivienneAgent": {"data": {"price": 2.0}}}},
    } == changed  # fmt: skip
    latest = served.board.latest("BTC")
    assert latest is not None
    assert timestamp in (None, latest["timestamp"])  # both may have been made in one millisecond


async def test_a_client_some_states_behind_gets_one_change_from_the_state_that_it_has() -> None:
    served = Served()
    await served.publish("BTC", price(0.0))
    await served.take(1)
    for number in range(MOST_EARLIER):
        await served.publish("BTC", price(number + 1.0))
    await served.check_all()
    assert (1, 1) == (served.follower.wholes, served.follower.changes)
    assert served.follower.states["BTC"]["seq"] == MOST_EARLIER + 1


async def test_a_client_further_behind_gets_the_whole_state() -> None:
    served = Served()
    await served.publish("BTC", price(0.0))
    await served.take(1)
    for number in range(MOST_EARLIER + 1):
        await served.publish("BTC", price(number + 1.0))
    await served.check_all()
    assert (2, 0) == (served.follower.wholes, served.follower.changes)


async def test_what_becomes_null_is_sent_in_a_whole_state() -> None:
    served = Served()
    await served.publish("BTC", {**price(1.0), "bar": {"open": 1.0}})
    await served.take(1)
    await served.publish("BTC", price(1.0))
    await served.check_all()
    assert (2, 0) == (served.follower.wholes, served.follower.changes)


async def test_a_change_that_would_be_longer_than_the_state_is_sent_whole() -> None:
    served = Served()
    many = {f"name of a field {number}": 1 for number in range(300)}
    await served.publish("BTC", price(1.0), {"settings": many})
    await served.take(1)
    await served.publish("BTC", price(1.0), {"settings": {}})  # every field would be named, as null
    await served.check_all()
    assert (2, 0) == (served.follower.wholes, served.follower.changes)


async def test_to_subscribe_again_brings_whole_states() -> None:
    served = Served()
    await served.publish("BTC", price(1.0))
    await served.take(1)
    served.watch(None)
    await served.check_all()
    assert (2, 0) == (served.follower.wholes, served.follower.changes)


async def test_clients_that_have_the_same_state_are_sent_the_same_text() -> None:
    """It is encoded once, however many they are."""
    served = Served()
    others = [served.hub.join() for _ in range(3)]
    for each in others:
        each.watch(None, changes=True)
    taken: list[str] = []
    for value in (1.0, 2.0):
        await served.publish("BTC", price(value))
        for each in others:
            await unsent(each)
        taken = [await asyncio.wait_for(each.take(), SECONDS) for each in others]
    assert "asset_changed" == json.loads(taken[0])["type"]
    assert all(text is taken[0] for text in taken)


async def test_a_client_that_asks_for_nothing_is_sent_every_state_whole_and_as_it_was_encoded_before() -> None:
    served = Served()
    plain = served.hub.join()
    for value in (1.0, 2.0):
        await served.publish("BTC", price(value))
        await unsent(plain)
        state = cast("AssetData", served.board.latest("BTC"))
        assert encode(state) == await asyncio.wait_for(plain.take(), SECONDS)

"""States that agents elsewhere publish, as clients of this process see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivienne.changes.pause.state import PauseInForce
from vivienne.cluster.state_relay import StateRelay
from vivienne.stream.hub import Hub

if TYPE_CHECKING:
    from vivienne.wire.messages import AssetData

FIRST, SECOND = "0001-first", "0002-second"
PAUSE = PauseInForce("c-1", "BTC", 3, "2026-01-31T08:00:00.000Z", "ana", None, "rest", "wrong prices")


def state(seq: int, level: str = "bang", asset: str = "BTC") -> AssetData:
    data: Any = {"clarity_level": level, "position_size": 0.5, "status": "live", "status_reason": None, "price": seq}
    data |= {"data_age": 1.5, "pause": None}
    return {
        "type": "asset_data",
        "asset": asset,
        "timestamp": "2026-01-31T08:00:00.000Z",
        "seq": seq,
        "config_version": 7,
        "agents": {"VivienneAgent": {"data": data, "config": {}}},
    }


class Watching:
    """A client that keeps up."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.now = 1_000.0
        self.pauses: dict[str, PauseInForce] = {}
        self.relay = StateRelay(self.hub, self.pauses.get, clock=lambda: self.now)
        self._mailbox = self.hub.join()

    def sent(self) -> AssetData | None:
        """The state that was sent since the last look."""
        frames = self._mailbox.take_frames()
        return frames["BTC"].message if frames else None


def shown(message: AssetData | None) -> dict[str, Any]:
    assert message is not None
    found: Any = message["agents"]["VivienneAgent"]["data"]
    return {"seq": message["seq"], **{name: found[name] for name in ("clarity_level", "position_size", "status")}}


async def test_a_state_goes_on_as_it_came() -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    assert {**state(41), "seq": 1} == watching.sent()


async def test_what_got_lost_on_the_way_shows_in_seq() -> None:
    watching = Watching()
    seen = []
    for seq in (41, 42, 45):
        watching.relay.receive(state(seq), FIRST)
        seen.append(shown(watching.sent())["seq"])
    assert [1, 2, 5] == seen


async def test_a_state_that_comes_twice_or_late_is_left_out() -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    watching.sent()
    for seq in (41, 40):
        watching.relay.receive(state(seq), FIRST)
        assert watching.sent() is None


async def test_a_replacement_goes_on_where_the_other_stopped() -> None:
    watching = Watching()
    watching.relay.receive(state(4_000), FIRST)
    watching.relay.receive(state(1), SECOND)
    assert 2 == shown(watching.sent())["seq"]


async def test_an_agent_that_was_replaced_is_not_heard_any_more() -> None:
    watching = Watching()
    watching.relay.receive(state(4_000), FIRST)
    watching.relay.receive(state(1), SECOND)
    watching.sent()
    watching.relay.receive(state(4_001), FIRST)
    assert watching.sent() is None


async def test_an_agent_that_was_replaced_is_heard_again_when_its_replacement_is_gone() -> None:
    watching = Watching()
    watching.relay.receive(state(1), SECOND)
    watching.relay.mark_stale("BTC", "gone")
    watching.relay.receive(state(4_001), FIRST)
    assert {"seq": 3, "clarity_level": "bang", "position_size": 0.5, "status": "live"} == shown(watching.sent())


async def test_a_stale_state_is_idle_with_size_0_and_says_why() -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    watching.relay.mark_stale("BTC", "its agent is gone")
    message = watching.sent()
    assert {"seq": 2, "clarity_level": "idle", "position_size": 0.0, "status": "stale"} == shown(message)
    assert message is not None
    found = message["agents"]["VivienneAgent"]["data"]
    assert ("its agent is gone", 41) == (found["status_reason"], found["price"])


async def test_a_stale_state_says_how_old_its_data_is_meanwhile() -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    watching.now += 3.25
    watching.relay.mark_stale("BTC", "its agent is gone")
    message = watching.sent()
    assert message is not None
    assert message["agents"]["VivienneAgent"]["data"]["data_age"] == 4.8


@pytest.mark.parametrize("is_stale", [False, True])
async def test_a_paused_asset_goes_out_with_the_pause_that_this_process_knows(is_stale: bool) -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    if is_stale:
        watching.relay.mark_stale("BTC", "its agent is gone")
    watching.pauses["BTC"] = PAUSE
    watching.relay.show_again(["BTC"])
    message = watching.sent()
    assert message is not None
    found = message["agents"]["VivienneAgent"]["data"]
    assert ("paused", "idle", 0.0) == (found["status"], found["clarity_level"], found["position_size"])
    assert PAUSE.entry() == found["pause"]
    assert is_stale == ("its agent is gone" in str(found["status_reason"]))

    del watching.pauses["BTC"]
    watching.relay.show_again(["BTC"])
    message = watching.sent()
    assert message is not None
    assert message["agents"]["VivienneAgent"]["data"]["pause"] is None


@pytest.mark.parametrize("again", ["revive", "pause"])
async def test_a_state_that_is_shown_again_is_no_younger(again: str) -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    first = watching.sent()
    watching.now += 60.0
    if again == "revive":
        watching.relay.mark_stale("BTC", "its agent is gone")
        watching.relay.revive("BTC")
    else:
        watching.relay.show_again(["BTC"])
    message = watching.sent()
    assert message is not None
    assert first is not None
    assert message["agents"]["VivienneAgent"]["data"]["data_age"] == 61.5
    assert message["timestamp"] > first["timestamp"]


async def test_a_state_that_was_kept_is_as_old_as_it_is() -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST, waited=3_600.0)
    message = watching.sent()
    assert message is not None
    assert message["agents"]["VivienneAgent"]["data"]["data_age"] == 3601.5


async def test_it_is_said_once() -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    watching.relay.mark_stale("BTC", "its agent is gone")
    watching.sent()
    watching.relay.mark_stale("BTC", "its agent is gone")
    assert watching.sent() is None


async def test_a_stale_state_comes_as_often_as_that_of_an_agent_that_is_there() -> None:
    """Else a client that watches no other asset takes its connection for a broken one."""
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    watching.relay.mark_stale("BTC", "its agent is gone")
    watching.sent()
    for seconds, is_sent in ((9.9, False), (0.1, True), (9.9, False), (0.1, True)):
        watching.now += seconds
        watching.relay.mark_stale("BTC", "its agent is gone")
        sent = watching.sent()
        assert (sent is not None) == is_sent
    assert "stale" == shown(sent)["status"]


async def test_an_agent_that_is_there_after_all_has_its_last_state_shown_again() -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    watching.relay.mark_stale("BTC", "its agent is gone")
    watching.relay.revive("BTC")
    assert {"seq": 3, "clarity_level": "bang", "position_size": 0.5, "status": "live"} == shown(watching.sent())


async def test_a_new_client_gets_the_latest() -> None:
    watching = Watching()
    watching.relay.receive(state(41), FIRST)
    watching.relay.receive(state(1, asset="ETH"), FIRST)
    mailbox = watching.hub.join()
    watching.relay.show(mailbox, ["BTC", "DOGE"])
    assert {"BTC"} == mailbox.take_frames().keys()


events = st.one_of(
    st.tuples(st.just("state"), st.sampled_from([FIRST, SECOND]), st.integers(1, 30)),
    st.tuples(st.just("stale"), st.just(""), st.just(0)),
    st.tuples(st.just("revive"), st.just(""), st.just(0)),
)


@given(st.lists(events, max_size=40))
async def test_numbers_only_ever_grow(happens: list[tuple[str, str, int]]) -> None:
    watching = Watching()
    last = 0
    for kind, agent, seq in happens:
        if kind == "state":
            watching.relay.receive(state(seq), agent)
        elif kind == "stale":
            watching.relay.mark_stale("BTC", "gone")
        elif watching.relay.stale("BTC") is not None:
            watching.relay.revive("BTC")
        if (message := watching.sent()) is not None:
            assert message["seq"] > last
            last = message["seq"]

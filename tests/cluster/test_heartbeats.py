"""Heartbeats, which whoever may publish on their channel can forge: they make nothing live and silence nobody."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from redis_running import STATE
from vivienne.cluster.agents import MOST_UNPROVEN, Agents
from vivienne.cluster.agreement import MOST_TOLD, Agreement
from vivienne.cluster.clocks import Clocks
from vivienne.cluster.gateway import Gateway
from vivienne.cluster.heartbeats import AGENTS, read_heartbeat
from vivienne.cluster.published import MOST_STATE_BYTES, is_state
from vivienne.cluster.questions import Asking, read_question
from vivienne.cluster.remote_market import RemoteMarket
from vivienne.cluster.shards import Shard
from vivienne.cluster.state_relay import StateRelay
from vivienne.cluster.succession import Succession
from vivienne.redis.client import Client
from vivienne.slices import whole
from vivienne.stream.hub import Hub
from vivienne.times import now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis_running import RunningRedis
    from vivienne.cluster.heartbeats import Heartbeat

ASSETS = ("BTC", "ETH")
AGENT, SUCCESSOR = "0001-first", "0002-second"


def beat(agent: str = AGENT, *assets: str, **more: Any) -> Heartbeat:
    plain: Any = {"agent": agent, "shard": "1/1", "feed": "simulated", "timeframe": "15m", "troubles": {}}
    plain |= {"assets": list(assets or ASSETS), **more}
    found: Heartbeat = plain
    return found


def state(seq: int, agent: str = AGENT, asset: str = "BTC", status: str = "live", age: float = 1.0) -> dict[str, Any]:
    data = {"clarity_level": "bang", "position_size": 0.5, "status": status, "data_age": age, "data_age_limit": 180.0}
    data |= {"feed": "simulated", "timeframe": "15m"}
    agents = {"VivienneAgent": {"data": data, "config": {}}}
    plain = {"type": "asset_data", "asset": asset, "timestamp": "2026-01-31T08:00:00.000Z", "config_version": 1}
    return {**plain, "seq": seq, "agents": agents, "published_by": agent}


def test_an_agent_with_another_time_is_named_and_one_that_was_held_up_for_a_moment_is_not() -> None:
    here = now()
    clocks = Clocks(lambda: here)

    def said(*seconds: float) -> str:
        for each in seconds:
            clocks.take(beat(time=int((here + timedelta(seconds=each)).timestamp() * 1_000)))
        return " ".join(clocks.reasons([beat()]).values())

    assert said(0.0, -0.1, -8.0, -7.5, -7.0, -6.5) == ""
    assert "its clock is 59.9 s behind that of this process" in said(*[-60.0] * 4, -59.9)
    assert "its clock is 3600.0 s ahead of that of this process" in said(*[3_600.0] * 5)
    assert said(0.01) == ""
    clocks.forget(AGENT)
    clocks.take(beat())
    assert clocks.reasons([beat()]) == {}, "an agent of an earlier version says no time"


class Showing:
    """A gateway, its clock, and what a client of it gets."""

    def __init__(self) -> None:
        self.now = 1_000.0
        hub = Hub()
        self.relay = StateRelay(hub, clock=lambda: self.now)
        self.agents = Agents(ASSETS, self.relay.agent_of, lambda: self.now)
        self.market = RemoteMarket(ASSETS, self.agents, Asking(), self.relay.stale, self.relay.said)
        self.gateway = Gateway(ASSETS, self.agents, self.relay, Asking())
        self._mailbox = hub.join()
        self._shown: dict[str, dict[str, Any]] = {}

    def take(self, *messages: Any, waited: float = 0.0) -> None:
        for message in messages:
            raw = json.dumps(message).encode()
            if "asset" in message:
                self.gateway.take(STATE + message["asset"], raw, waited)
            else:
                self.gateway.take_heartbeat(raw, waited)

    def after(self, seconds: float, *messages: Any) -> dict[str, str]:
        """The status of each asset after a time in which these messages went on to come."""
        until = self.now + seconds
        while self.now < until:
            self.now += 1.0
            self.take(*messages)
            whole(self.gateway.looking())
        for asset, frame in self._mailbox.take_frames().items():
            self._shown[asset] = {**frame.message["agents"]["VivienneAgent"]["data"]}
        return {asset: data["status"] for asset, data in self._shown.items()}

    def reason(self) -> str:
        return str(self._shown["BTC"]["status_reason"])


async def test_a_state_is_stale_when_no_newer_one_comes_whatever_heartbeats_say() -> None:
    showing = Showing()
    showing.take(state(1), beat())
    assert {"BTC": "live"} == showing.after(20, beat())

    assert {"BTC": "stale"} == showing.after(10, beat())
    assert "has published no state for" in showing.reason()
    assert "has published no state for" in whole(showing.market.troubles())["BTC"]
    showing.take(state(2))
    assert {"BTC": "live"} == showing.after(1, beat())


async def test_what_waited_while_this_process_stood_still_makes_nothing_live() -> None:
    showing = Showing()
    showing.take(state(1), beat())
    assert {"BTC": "live"} == showing.after(1)
    showing.now += 20.0
    for number in range(3):
        showing.take(beat(), state(2 + number), waited=19.0 - number)
        assert {"BTC": "stale"} == showing.after(0)
    assert {"BTC": "stale"} == showing.after(1)
    showing.take(beat())
    assert {"BTC": "stale"} == showing.after(0), "its states are as old as before"
    showing.take(state(5))
    assert {"BTC": "live"} == showing.after(0)


async def test_an_agent_is_known_by_its_share_also_when_it_is_gone() -> None:
    showing = Showing()
    showing.take(state(1), beat(shard="1/2"))
    assert "1/2" == showing.agents.name_of("BTC")
    showing.after(90)
    assert f"1/2 ({AGENT})" == showing.agents.name_of("BTC")
    assert showing.agents.name_of("ETH") is None


async def test_a_state_is_stale_when_its_data_is_too_old_even_if_its_agent_says_nothing() -> None:
    showing = Showing()
    showing.take(state(1, age=175.0), beat())
    assert {"BTC": "live"} == showing.after(7, beat())
    assert {"BTC": "stale"} == showing.after(3, beat())


@pytest.mark.parametrize("status", ["ended", "stale"])
async def test_what_decides_nothing_keeps_its_own_reason(status: str) -> None:
    showing = Showing()
    showing.take(state(1, status=status), beat())
    assert {"BTC": status} == showing.after(60, beat())
    assert "BTC" not in whole(showing.market.troubles())


async def test_whoever_only_sends_heartbeats_decides_nothing() -> None:
    showing = Showing()
    showing.take(state(1), beat(), beat("9999-forged", troubles={"BTC": "x"}, feed="forged"))

    assert [AGENT] == [each["agent"] for each in showing.agents.there()]
    assert AGENT == (showing.agents.of("BTC") or {"agent": None})["agent"]
    assert showing.agents.of("ETH") is None
    assert "BTC" not in whole(showing.market.troubles())
    showing.take(state(1, SUCCESSOR), beat(SUCCESSOR))
    assert SUCCESSOR == (showing.agents.of("BTC") or {"agent": None})["agent"]


@pytest.mark.parametrize("channel", [AGENTS, STATE + "ETH", "vivienne:gateway:x"])
async def test_a_state_counts_on_the_channel_of_its_asset_only(channel: str) -> None:
    showing = Showing()
    showing.take(state(1), beat())
    showing.gateway.take(channel, json.dumps(state(2, "9999-forged", status="warming_up")).encode())
    showing.gateway.take(STATE + "BTC", json.dumps(beat("9999-forged")).encode())

    assert {"BTC": "live"} == showing.after(1, beat())
    assert [AGENT] == [each["agent"] for each in showing.agents.all()]


async def test_heartbeats_in_the_name_of_an_agent_name_no_other_feed_than_its_states() -> None:
    showing = Showing()
    showing.take(state(1), beat(), beat(feed="forged", timeframe="1h"))
    listed = json.loads(await showing.market.overview(0))
    assert (listed["feed"], listed["timeframe"]) == ("simulated", "15m")


async def test_after_a_forged_state_with_the_highest_number_those_of_the_agent_are_shown_again() -> None:
    showing = Showing()
    showing.take(state(7), beat(), state(2**53 - 1, status="ended"))
    assert {"BTC": "ended"} == showing.after(1, beat())
    showing.take(state(8), state(9))
    assert {"BTC": "live"} == showing.after(1, beat())
    showing.take(state(9, status="ended"), state(3, status="ended"))
    assert {"BTC": "live"} == showing.after(1, beat()), "one that came twice or late is none"


async def test_a_state_counts_once_a_heartbeat_has_said_that_its_agent_decides_the_asset() -> None:
    showing = Showing()
    showing.take(state(1), beat())
    for number in range(2_000):
        showing.take(state(1, f"9999-{number:05}", status="ended"))
    assert len(showing.agents._heard) < 300
    assert {"BTC": "live"} == showing.after(1, beat())
    assert AGENT == showing.relay.agent_of("BTC")

    showing.take(state(1, SUCCESSOR, status="warming_up"))
    assert {"BTC": "live"} == showing.after(1, beat())
    showing.take(beat(SUCCESSOR))
    assert {"BTC": "warming_up"} == showing.after(1), "the one that came before is shown then"


@pytest.mark.parametrize(
    "odd",
    [
        {"junk": "x" * MOST_STATE_BYTES},
        {"junk": json.loads("[" * 60 + "]" * 60)},
        {"trouble": "abc"},
        {"trouble": {"id": "x"}},
        {"pause": {"config_id": "x"}},
    ],
    ids=["too long", "too deep", "trouble", "trouble without words", "pause without version"],
)
async def test_a_state_that_is_none_is_left_out(odd: dict[str, Any]) -> None:
    showing = Showing()
    showing.take(state(1), beat())
    forged = state(2, status="warming_up")
    data = forged["agents"]["VivienneAgent"]["data"]
    forged["agents"]["VivienneAgent"]["data"] = {**data, **odd}
    showing.take(forged)
    assert {"BTC": "live"} == showing.after(1, beat())


async def test_names_without_end_do_not_fill_the_memory_nor_push_out_those_who_publish() -> None:
    showing = Showing()
    showing.take(state(1), beat())
    showing.take(*(beat(f"9999-{number}") for number in range(2 * MOST_UNPROVEN)))

    assert MOST_UNPROVEN + 1 >= len(showing.agents.all())
    assert [AGENT] == [each["agent"] for each in showing.agents.there()]


async def test_what_no_agent_needs_is_not_kept() -> None:
    showing = Showing()
    names = [f"A{number}" for number in range(10_000)]
    showing.take(
        beat(
            "9999-forged",
            *names,
            troubles={"BTC": "x" * 10_000, **dict.fromkeys(names, "y")},
            settings={"--seed": "x" * 999, **dict.fromkeys(names[:99], "y")},
        )
    )

    (kept,) = showing.agents.all()
    assert len(json.dumps(kept)) < 1_000


@pytest.mark.parametrize(
    ("beats", "said"),
    [
        ([beat()], {}),
        ([beat(), beat(SUCCESSOR)], {}),
        ([beat(AGENT, "BTC", "DOGE")], {"decides BTC, DOGE, and with the assets of this process it would be BTC, ETH"}),
        ([beat(), beat(SUCCESSOR, timeframe="5m")], {"its timeframe is 5m, that of the agent 1/1 is 15m"}),
        ([beat(), beat(SUCCESSOR, feed="replay")], {"its feed is replay, that of the agent 1/1 is simulated"}),
        (
            [beat(settings={"--max-position-size": "100"}), beat(SUCCESSOR, settings={"--max-position-size": "10"})],
            {"it has --max-position-size '10', and the agent 1/1 '100': start all with the same"},
        ),
        (
            [beat(), beat(SUCCESSOR, settings={"--max-position-size": "10"})],
            {},
        ),  # the other one is of an earlier version
        ([beat(shard="x")], {"its shard 'x' is not valid"}),
        ([beat(shard="1/9999")], {"its shard '1/9999' is not valid"}),
        ([beat(), beat(SUCCESSOR, shard="1/2")], {"it is one of 2 agents, and the agent 1/1 one of 1"}),
    ],
)
async def test_an_agent_that_was_started_with_other_settings_is_noticed(beats: list[Heartbeat], said: set[str]) -> None:
    found = whole(Agreement(ASSETS).disagreements(beats))

    assert len(said) == len(found)
    for words in said:
        assert any(words in reason for reason in found.values())


async def test_whoever_asks_an_agent_does_not_choose_what_it_publishes_on() -> None:
    asked = {"kind": "closes", "count": 1, "id": "q-1"}
    for channel in ("vivienne:control", "vivienne:state:BTC", "vivienne:agents", "vivienne:pauses", ""):
        assert read_question(json.dumps({**asked, "answer_to": channel}).encode()) is None
    assert read_question(json.dumps({**asked, "answer_to": Asking().channel}).encode())


@pytest.mark.parametrize("field", ["agent", "shard", "feed", "timeframe"])
async def test_a_heartbeat_with_a_long_name_is_none(field: str) -> None:
    known = json.dumps(beat()).encode()
    assert read_heartbeat(known) == beat()
    assert read_heartbeat(json.dumps({**beat(), field: "x" * 101}).encode()) is None


# Succession, as the agent that was there first sees it


class Earlier:
    """An agent, its clock and its Redis."""

    def __init__(self, redis: RunningRedis) -> None:
        self.now = 1_000.0
        self.succession = Succession(AGENT, ASSETS, lambda: self.now)
        self._redis = redis
        self.client = Client(redis.url)

    async def hears(self, name: str, *assets: str, seconds: float = 1.0) -> bool:
        """Tell whether it is replaced after a heartbeat."""
        self.now += seconds
        await self.succession.take(beat(name, *assets), self.client)
        self.succession.tell()
        return self.succession.is_replaced()

    def keep(self, seq: int, agent: str) -> None:
        """An agent publishes a state."""
        self._redis.client.set(STATE + "BTC", json.dumps(state(seq, agent), separators=(",", ":")))


@pytest.fixture
async def earlier(redis: RunningRedis) -> AsyncIterator[Earlier]:
    found = Earlier(redis)
    found.keep(1, AGENT)
    yield found
    await found.client.disconnect()


async def test_a_later_agent_counts_once_it_publishes_states(earlier: Earlier) -> None:
    assert not await earlier.hears(SUCCESSOR)
    earlier.keep(1, SUCCESSOR)
    assert await earlier.hears(SUCCESSOR)


async def test_heartbeats_of_a_name_that_publishes_nothing_silence_nobody(earlier: Earlier) -> None:
    for _ in range(3):
        assert not await earlier.hears("9999-forged")
    assert earlier.succession.trouble() is None


async def test_an_agent_publishes_again_when_its_successor_is_gone_and_says_so(
    earlier: Earlier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    earlier.keep(1, SUCCESSOR)
    assert await earlier.hears(SUCCESSOR)
    assert "this one stops publishing" in caplog.text

    assert not await earlier.hears(AGENT, seconds=4.0)
    assert "0002-second does not publish any more; this one publishes again" in caplog.text


async def test_forged_heartbeats_do_not_keep_a_successor_alive_that_is_gone(earlier: Earlier) -> None:
    earlier.keep(1, SUCCESSOR)
    replaced = [await earlier.hears(SUCCESSOR) for _ in range(30)]

    assert (True, False) == (replaced[10], replaced[-1])


async def test_an_agent_of_another_share_is_no_successor(earlier: Earlier) -> None:
    earlier.keep(1, SUCCESSOR)
    assert not await earlier.hears(SUCCESSOR, "SOL")


@pytest.mark.parametrize(
    "pause", [{}, {"config_id": 5, "version": 1}, {"config_id": "x", "version": "1"}, "paused", []]
)
async def test_a_state_with_a_pause_of_another_shape_is_none(pause: Any) -> None:
    said = state(1)
    assert is_state(said)
    said["agents"]["VivienneAgent"]["data"]["pause"] = {"config_id": "x", "version": None}
    assert is_state(said)
    said["agents"]["VivienneAgent"]["data"]["pause"] = pause
    assert not is_state(said)


def test_agents_that_somebody_invents_are_compared_with_those_that_publish_and_soon_no_more() -> None:
    invented = [beat(f"0000-{number:03}", shard=f"{number + 1}/256", assets=["BTC"]) for number in range(256)]
    found = whole(Agreement(ASSETS).disagreements([*invented, beat(assets=list(ASSETS))], {AGENT}))
    assert len(found) == MOST_TOLD
    assert not any(AGENT in name for name in found)
    assert all("it is one of 256 agents" in reason for reason in found.values())


def test_the_shares_of_agents_are_worked_out_once_and_an_asset_after_the_other() -> None:
    """They take a second of thousands of assets and eight agents, and anybody may look at `/ready`."""
    assets = [f"A{number}" for number in range(100)]
    beats = [beat(f"agent-{n}", shard=f"{n}/8", assets=list(Shard(n, 8).share(assets))) for n in range(1, 9)]
    agreement = Agreement(assets)
    steps = [sum(1 for _ in agreement.disagreements(beats)) for _ in range(2)]
    assert steps[0] >= len(assets)
    assert steps[1] <= 2 * len(beats)
    assert {} == whole(agreement.disagreements(beats))

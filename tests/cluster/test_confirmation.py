"""A pause is confirmed by a state of an agent that is there, with that pause, and by no other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from vivienne.changes.requests import ChangeRequest, SwitchRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.cluster.agents import Agents
from vivienne.cluster.confirmation import Confirmations
from vivienne.cluster.lagging import Lagging
from vivienne.cluster.remote_market import AGENT_LOST
from vivienne.cluster.state_relay import StateRelay
from vivienne.slices import whole
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from vivienne.wire.answers import Switched
    from vivienne.wire.pause import PauseEntry

ASSETS = ("BTC", "ETH")
AGENT = "0001-agent"


class Gateway:
    """What a gateway knows of one agent; its clock is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.now, self._seq = 1_000.0, 0
        self.service = ConfigService(SqliteRevisionStore(folder / "v.db"), ASSETS)
        self.agents = Agents(ASSETS, lambda _: AGENT, lambda: self.now)
        self.relay = StateRelay(Hub(), clock=lambda: self.now)
        self.confirmations = Confirmations(self.service, self.relay, self.agents)
        self.lagging = Lagging(self.service, self.relay, self.agents, lambda: self.now)

    def say(self, status: str, pause: PauseEntry | None, asset: str = "BTC", version: int = 1) -> None:
        """The agent publishes a state."""
        self._seq += 1
        data = {"status": status, "pause": pause, "data_age": 1.0, "data_age_limit": 180.0}
        state: Any = {
            "type": "asset_data", "asset": asset, "timestamp": "2026-01-31T08:00:00.000Z", "config_version": version,
            "seq": self._seq, "agents": {"VivienneAgent": {"data": data, "config": {}}},
        }  # fmt: skip
        self.relay.receive(state, AGENT)
        self.beat()

    def beat(self) -> None:
        beat: Any = {"agent": AGENT, "shard": "1/1", "feed": "simulated", "timeframe": "15m", "troubles": {}}
        beat["assets"] = list(ASSETS)
        self.agents.take(beat)

    async def switch(self, switch: Any, asset: str | None = "BTC") -> PauseEntry:
        answer = await self.service.switch(SwitchRequest(switch, channel="test", asset=asset))
        return cast("PauseEntry", answer["pause"])

    async def pause_all(self, monkeypatch: pytest.MonkeyPatch) -> Switched:
        """Pause everything; who confirms it may take as long as a test does."""
        monkeypatch.setattr("vivienne.cluster.confirmation.CONFIRM_SECONDS", 60.0)
        return await self.service.switch(SwitchRequest("pause", channel="test", asset=None))

    @property
    def missing(self) -> dict[str, str]:
        return whole(self.confirmations.find_missing(["BTC"]))


async def test_a_pause_is_confirmed_by_a_state_with_it_and_not_by_one_of_before(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    first = await gateway.switch("pause")
    gateway.say("live", None)
    assert "not paused" in gateway.missing["BTC"]
    gateway.say("paused", first)
    assert gateway.missing == {}

    await gateway.switch("resume")
    second = await gateway.switch("pause")
    assert "by an earlier pause" in gateway.missing["BTC"]
    gateway.say("paused", first)  # it was on its way
    assert "by an earlier pause" in gateway.missing["BTC"]
    gateway.say("paused", second)
    assert gateway.missing == {}

    # One that this process has not read yet; the pause of all assets; one of an earlier version, which shows none.
    gateway.say("paused", {**second, "config_id": "newer", "version": (second["version"] or 0) + 5})
    assert gateway.missing == {}
    await gateway.switch("pause", None)
    gateway.say("paused", second)
    assert gateway.missing == {}
    gateway.say("paused", None)
    assert gateway.missing == {}
    await gateway.service.close()


async def test_the_last_state_is_seen_even_if_it_comes_right_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paused assets of a quiet market publish nothing after it."""
    gateway = Gateway(tmp_path)
    answer = await gateway.pause_all(monkeypatch)
    confirming = asyncio.create_task(gateway.confirmations.confirm(answer))
    for asset in ASSETS:
        await asyncio.sleep(0)
        gateway.say("paused", answer["pause"], asset)
        await asyncio.sleep(0)
    async with asyncio.timeout(30):
        assert (await confirming)["status"] == "success"
    await gateway.service.close()


async def test_others_have_their_turn_while_it_is_looked_who_has_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.slices.SLICE_SECONDS", 0.0)
    gateway, looked, seen = Gateway(tmp_path), [0], set[int]()
    answer = await gateway.pause_all(monkeypatch)
    many = [f"A{number}" for number in range(300)]
    said = gateway.relay.said

    def counted(_asset: str) -> Any:
        looked[0] += 1
        return said("BTC")

    monkeypatch.setattr(gateway.relay, "said", counted)
    monkeypatch.setattr(gateway.relay, "agent_of", lambda _asset: AGENT)
    gateway.say("paused", answer["pause"])
    confirming = asyncio.create_task(gateway.confirmations.confirm({**answer, "assets": many}))
    while not confirming.done():
        seen.add(looked[0])
        await asyncio.sleep(0)
    done = await confirming
    assert (done["status"], [each["assets"] for each in done["agents"]]) == ("success", [many])
    assert seen == {*range(len(many) + 1)}
    await gateway.service.close()


async def test_a_state_that_comes_while_others_are_looked_at_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.slices.SLICE_SECONDS", 0.0)
    gateway = Gateway(tmp_path)
    answer = await gateway.pause_all(monkeypatch)
    gateway.say("live", None, "BTC")
    gateway.say("live", None, "ETH")
    said, looked = gateway.relay.said, list[str]()

    def state(asset: str) -> Any:
        """Right after the last look at the first asset, both have stopped."""
        found = said(asset)
        looked.append(asset)
        if looked == ["BTC", "ETH"]:
            for each in ASSETS:
                gateway.say("paused", answer["pause"], each)
        return found

    monkeypatch.setattr(gateway.relay, "said", state)
    async with asyncio.timeout(30):
        assert (await gateway.confirmations.confirm(answer))["status"] == "success"
    await gateway.service.close()


async def test_the_state_of_an_agent_that_is_gone_confirms_nothing(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    gateway.say("paused", await gateway.switch("pause"))
    assert gateway.missing == {}
    gateway.now += 5
    assert gateway.missing == {"BTC": AGENT_LOST}
    gateway.beat()
    assert gateway.missing == {}
    await gateway.service.close()


async def test_an_agent_that_does_not_follow_a_change_is_named_until_it_does(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)

    async def change(bang: float) -> None:
        update = Update({"bang_threshold": bang}, partial=True)
        await gateway.service.change(ChangeRequest(update, channel="test", asset="BTC"))

    await change(85)
    gateway.say("live", None, version=1)
    gateway.now += 100
    gateway.beat()
    assert whole(gateway.lagging.reasons()) == {}
    for bang in (81, 82):
        request = ChangeRequest(Update({"bang_threshold": bang}, partial=True), channel="test", asset="ETH")
        await gateway.service.change(request)
    await change(86)  # it follows versions that were not of BTC
    assert whole(gateway.lagging.reasons()) == {}
    for _ in range(4):  # changes without end do not hide it
        gateway.now += 2
        await change(gateway.now / 12)
        gateway.beat()
    told = {f"1/1 ({AGENT})": "it decides BTC with version 1, and 8 is in force"}
    assert whole(gateway.lagging.reasons()) == told
    gateway.say("live", None, version=8)
    assert whole(gateway.lagging.reasons()) == {}
    await gateway.service.close()

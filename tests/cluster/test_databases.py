"""Agents that follow another database than a gateway, as after a failover from which both servers went on."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any

from revisions import filled, revision
from vivienne.changes.service import ConfigService
from vivienne.cluster.agents import Agents
from vivienne.cluster.databases import FOLLOW_SECONDS, Databases
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

import pytest

AGENT = "0001-agent"


class Gateway:
    """What a gateway with versions 1 to 5 knows of one agent; its clock is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_000.0
        with closing(SqliteRevisionStore(folder / "v.db")) as store:
            filled(store, *(revision(number) for number in range(1, 5)))
        self.store = SqliteRevisionStore(folder / "v.db")
        self.service = ConfigService(self.store, ("BTC",))
        self.agents = Agents(("BTC",), lambda _: AGENT, lambda: self.now)
        self.databases = Databases(self.service, self.agents, lambda: self.now)

    async def follow(self, number: int) -> None:
        filled(self.store, revision(number))
        await self.service.catch_up()

    async def said(self, version: int | None, name: str | None = None) -> str:
        """What is found once the agent has said what it follows."""
        beat: Any = {"agent": AGENT, "shard": "1/2", "feed": "simulated", "timeframe": "15m", "troubles": {}}
        beat["assets"] = ["BTC"]
        if version is not None:
            beat["newest"] = {"version": version, "config_id": name}
        self.agents.take(beat)
        await self.databases.look()
        return self.databases.reasons().get(f"1/2 ({AGENT})", "")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    made = Gateway(tmp_path)
    yield made
    await made.service.close()


async def test_an_agent_with_another_revision_of_the_same_number_is_named_at_once(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert await gateway.said(4, "id-4") == ""
    for version in (4, 2):  # the newest one, and one that was read before the start
        found = await gateway.said(version, "of-another")
        assert f"version {version} is of-another in its database and id-{version} in this one" in found
        assert "See --db" in found
    await gateway.follow(5)
    assert "id-4 in this one" in await gateway.said(4, "of-another")
    assert await gateway.said(5, "id-5") == ""
    assert [f"Agent 1/2 ({AGENT})" in line for line in caplog.messages if "different configurations" in line] == [
        True
    ] * 2


async def test_one_that_is_ahead_or_behind_has_time_to_be_followed(gateway: Gateway) -> None:
    for said, reached in ((7, 5), (3, 6)):
        name = f"id-{said}"
        assert await gateway.said(said, name) == ""
        gateway.now += FOLLOW_SECONDS + 1
        assert f"the newest version of its database is {said} (id-{said}), and of this one {reached - 1}" in (
            await gateway.said(said, name)
        )
        await gateway.follow(reached)
        assert await gateway.said(reached, f"id-{reached}") == ""


async def test_changes_without_end_make_nobody_differ(gateway: Gateway) -> None:
    for number in range(5, 25):
        await gateway.follow(number)
        gateway.now += 2.0
        assert await gateway.said(number - 1, f"id-{number - 1}") == ""


async def test_an_agent_of_an_earlier_version_and_an_empty_database_are_told_apart(gateway: Gateway) -> None:
    for version, expected in ((None, ""), (0, "newest version of its database is 0 (empty)")):
        await gateway.said(version)
        gateway.now += FOLLOW_SECONDS + 1
        assert expected in (found := await gateway.said(version))
        assert bool(expected) == bool(found)

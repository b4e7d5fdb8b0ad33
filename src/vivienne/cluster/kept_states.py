"""States of all agents as Redis keeps them, for an agent: it follows no states of others, and reads those it needs.

An agent that applies a pause finds out by them who has stopped, as a gateway does by the states that it hears.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, cast

from vivienne.cluster.agents import FORGET_SECONDS, Agents
from vivienne.cluster.heartbeats import LONGEST_NAME
from vivienne.cluster.published import load
from vivienne.cluster.state_relay import UNPUBLISHED
from vivienne.redis.client import Client
from vivienne.wire.messages import AGENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis.asyncio import Redis

    from vivienne.cluster.published import Kept
    from vivienne.wire.state import AssetState

UNREAD = "its state could not be read from Redis"
"""The reason why a state is not known: the connection is gone, or Redis hangs."""
REPLACED = "the state that Redis keeps is of an agent that was replaced"
FULL = "Redis is full, so it keeps no new state of it"
_REST, _LONGEST_REST = 3, 0.5
"""Rest after the reading of states, as a multiple of its time, and in seconds: there may be thousands."""


class _Read(NamedTuple):
    """A state as it was read.

    Attributes:
        agent: that published it; None if none has.
        said: its status and its pause; None if it does not count.
        lack: the reason for that.
    """

    agent: str | None
    said: AssetState | None
    lack: str


_NOTHING = _Read(None, None, UNPUBLISHED)


class KeptStates:
    """Reads states from Redis while somebody waits for them, once for all who do.

    Args:
        assets: of this process.
        clock: seconds of a monotonic clock; by default that of the event loop.

    Attributes:
        agents: those that are alive; takes heartbeats.
    """

    def __init__(self, assets: Iterable[str], clock: Callable[[], float] | None = None) -> None:
        self.agents = Agents(assets, self.agent_of, clock)
        self._read: dict[str, _Read] = {}
        self._asked: set[str] = set()
        self._is_asked = asyncio.Event()
        self._following: asyncio.Event | None = None

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        clock = asyncio.get_running_loop().time
        ready()
        while True:
            await self._is_asked.wait()
            began = clock()
            await self.read(redis)
            await asyncio.sleep(min(_REST * (clock() - began), _LONGEST_REST))

    async def watch(self) -> None:
        """Forget agents that are gone, until cancelled."""
        while True:
            await asyncio.sleep(FORGET_SECONDS / 4)
            self.agents.forget()

    async def look(self, assets: Iterable[str]) -> None:
        """See `vivienne.cluster.confirmation.PublishedStates`. A state of before counts no more if none is read."""
        chosen = [*assets]
        try:
            await self.following(chosen).wait()
        except asyncio.CancelledError:
            self._forget(chosen)
            raise

    def following(self, assets: Iterable[str]) -> asyncio.Event:
        """Set once these have been read, which begins after this call, or could not be."""
        self._asked.update(assets)
        self._is_asked.set()
        self._following = self._following or asyncio.Event()
        return self._following

    def said(self, asset: str) -> AssetState | None:
        """See `vivienne.cluster.confirmation.PublishedStates`; it has its status and its pause only."""
        return self._of(asset).said

    def lack(self, asset: str) -> str:
        """See `vivienne.cluster.confirmation.PublishedStates`."""
        return self._of(asset).lack

    def agent_of(self, asset: str) -> str | None:
        """See `vivienne.cluster.confirmation.PublishedStates`."""
        return self._of(asset).agent

    async def read(self, redis: Redis) -> None:
        """Read what was asked for until now."""
        asked, read = self._asked, self._following
        self._asked, self._following = set(), None
        self._is_asked.clear()
        try:
            left = {*asked}
            async for kept in load(redis, asked):
                asset = kept.state["asset"]
                left.remove(asset)
                self._read[asset] = self._taken(asset, kept, is_full=isinstance(redis, Client) and bool(redis.full))
            self._read |= dict.fromkeys(left, _NOTHING)
        except BaseException:
            self._forget(asked)
            raise
        finally:
            if read is not None:
                read.set()

    def _taken(self, asset: str, kept: Kept, *, is_full: bool) -> _Read:
        """What a state that was read says."""
        agents, before = self.agents, self.agent_of(asset)
        if not 0 < len(kept.agent) <= LONGEST_NAME:
            return _NOTHING
        if agents.is_there(kept.agent) and not agents.decides(kept.agent, asset):
            return _NOTHING
        if before is not None and kept.agent < before and agents.is_there(before):
            return _Read(before, None, REPLACED)  # it has not noticed yet
        data = kept.state["agents"][AGENT]["data"]
        if is_full and data["status"] != "paused":
            return _Read(kept.agent, None, FULL)
        said = {"status": data["status"], "pause": data.get("pause")}
        return _Read(kept.agent, cast("AssetState", said), "")

    def _of(self, asset: str) -> _Read:
        return self._read.get(asset, _NOTHING)

    def _forget(self, assets: Iterable[str]) -> None:
        """Leave only who published these, because what they are now is not known."""
        for asset in assets:
            self._read[asset] = _Read(self.agent_of(asset), None, UNREAD)

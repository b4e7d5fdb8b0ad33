"""Succession of agents: one that was replaced publishes nothing.

A successor counts once it publishes states. A program that may only send heartbeats silences nobody.
"""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import aclosing
from typing import TYPE_CHECKING

from vivienne.cluster.heartbeats import AGENTS, HEARTBEAT_SECONDS, SILENT_SECONDS, Heartbeat, read_heartbeat
from vivienne.cluster.state_relay import SILENT_STATES_SECONDS
from vivienne.redis.backlog import Backlog
from vivienne.redis.listening import heard
from vivienne.redis.publishing import PUBLISHED_BY, STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis.asyncio import Redis

    from vivienne.cluster.agents import Agents

_log = logging.getLogger(__name__)

MOST_LOOKED_AT = 8
"""States that are looked at to find out who publishes them; an agent publishes all of its assets, or none."""
_SIGNED = re.compile(rf'"{PUBLISHED_BY}":"([^"]*)"\}}$'.encode())


class Succession:
    """Finds out if a later started agent publishes the same assets: this one was replaced, and publishes nothing.

    Args:
        agent: name of this one.
        assets: those it decides.
        clock: seconds of a monotonic clock; by default that of the event loop.
        agents: takes every heartbeat too, if given.
    """

    def __init__(
        self,
        agent: str,
        assets: Iterable[str],
        clock: Callable[[], float] | None = None,
        agents: Agents | None = None,
    ) -> None:
        self._agent = agent
        self._agents = agents
        self._assets = frozenset(assets)
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._successor: str | None = None
        self._heard = self._published = self._looked = float("-inf")
        self._seen: dict[str, bytes] = {}
        self._was_replaced = False

    def trouble(self) -> str | None:
        """The agent that replaced this one, in words; None while there is none."""
        now = self._clock()
        if now - self._heard > SILENT_SECONDS or now - self._published > SILENT_STATES_SECONDS:
            return None
        return f"the agent {self._successor} started later and decides the same assets"

    def is_replaced(self) -> bool:
        """True if another agent publishes the states of these assets."""
        return self.trouble() is not None

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        backlog = Backlog(asyncio.get_running_loop().time)
        async with aclosing(heard(redis, ready, AGENTS, backlog)) as beats:
            async for raw in beats:
                beat = None if raw is None else read_heartbeat(raw)
                if beat is not None:
                    if self._agents is not None:
                        self._agents.take(beat, backlog.waited)
                    await self.take(beat, redis)
                self.tell()  # its own heartbeats come twice a second

    async def take(self, beat: Heartbeat, redis: Redis) -> None:
        """Take a heartbeat. That of a later agent with the same assets is a reason to look who publishes them."""
        if beat["agent"] == self._successor:
            self._heard = self._clock()
        shared = sorted(self._assets.intersection(beat["assets"]))[:MOST_LOOKED_AT]
        if beat["agent"] <= self._agent or not shared or self._clock() - self._looked < HEARTBEAT_SECONDS / 2:
            return
        self._looked = self._clock()
        kept = await redis.mget([STATE + asset for asset in shared])
        for asset, state in zip(shared, kept, strict=True):
            if isinstance(state, bytes) and self._seen.get(asset) != state:
                self._seen[asset] = state
                self._take_state(state)

    def tell(self) -> None:
        """Log that this agent was replaced, or is not any more."""
        is_replaced = self.is_replaced()
        if is_replaced and not self._was_replaced:
            _log.error(
                "The agent %s started later and decides the same assets; this one stops publishing", self._successor
            )
        elif self._was_replaced and not is_replaced:
            _log.warning("The agent %s does not publish any more; this one publishes again", self._successor)
        self._was_replaced = is_replaced

    def _take_state(self, state: bytes) -> None:
        """Take a state that was not there before."""
        signed = _SIGNED.search(state[-200:])
        agent = "" if signed is None else signed[1].decode(errors="replace")
        if agent > self._agent:
            self._successor = agent
            self._heard = self._published = self._clock()

"""Succession of agents: one that was replaced publishes nothing."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

from vivienne.cluster.heartbeats import AGENTS, SILENT_SECONDS, Heartbeat, read_heartbeat
from vivienne.redis.listening import heard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis.asyncio import Redis

_log = logging.getLogger(__name__)


class Succession:
    """Listens for a later started agent with the same assets: this one was replaced, and publishes nothing.

    Args:
        agent: name of this one.
        assets: those it decides.
    """

    def __init__(self, agent: str, assets: Iterable[str]) -> None:
        self._agent = agent
        self._assets = frozenset(assets)
        self._successor: str | None = None
        self._heard = float("-inf")

    def trouble(self) -> str | None:
        """The agent that replaced this one, in words; None while there is none."""
        if self._successor is None or asyncio.get_running_loop().time() - self._heard > SILENT_SECONDS:
            return None
        return f"the agent {self._successor} started later and decides the same assets"

    def is_replaced(self) -> bool:
        """True if another agent publishes the states of these assets."""
        return self.trouble() is not None

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        async with aclosing(heard(redis, ready, AGENTS)) as beats:
            async for raw in beats:
                beat = None if raw is None else read_heartbeat(raw)
                if beat is not None:
                    self._take(beat)

    def _take(self, beat: Heartbeat) -> None:
        if beat["agent"] <= self._agent or self._assets.isdisjoint(beat["assets"]):
            return
        if self.trouble() is None:
            _log.error(
                "The agent %s started later and decides the same assets; this one stops publishing",
                beat["agent"],
            )
        self._successor, self._heard = beat["agent"], asyncio.get_running_loop().time()

"""A gateway among several: it shows what all agents publish, and says so when one of them is gone."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import orjson

from vivienne.config.channels.redis.listening import heard
from vivienne.redis.heartbeats import AGENTS, SILENT_SECONDS
from vivienne.stream.redis import PUBLISHED_BY, STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis.asyncio import Redis

    from vivienne.redis.agents import Agents
    from vivienne.redis.questions import Asking
    from vivienne.stream.relay import StateRelay

WATCH_SECONDS = 0.25
"""Between two looks at who has fallen silent."""


class Gateway:
    """Listens to agents.

    Args:
        assets: whose states to show.
        agents: takes signs of life.
        relay: takes states.
        asking: takes answers.
    """

    def __init__(self, assets: Iterable[str], agents: Agents, relay: StateRelay, asking: Asking) -> None:
        self._assets = tuple(assets)
        self._agents = agents
        self._relay = relay
        self._asking = asking

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        listening = asyncio.Event()
        channels = [AGENTS, self._asking.channel, *(STATE + asset for asset in self._assets)]
        try:
            async with aclosing(heard(redis, listening.set, *channels)) as messages:
                async for raw in messages:
                    if listening.is_set():
                        # Now nothing newer can be missed.
                        listening.clear()
                        await self._fill(redis)
                        self._asking.connected(redis)
                        ready()
                    if raw is not None:
                        self._take(orjson.loads(raw))
        finally:
            self._asking.disconnected()

    async def watch(self) -> None:
        """Mark the assets of agents that have fallen silent, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            self._agents.forget()
            for asset in self._assets:
                self._look_after(asset)

    async def _fill(self, redis: Redis) -> None:
        """The latest state of each asset; it may be old, and its agent gone."""
        for raw in await redis.mget([STATE + asset for asset in self._assets]):
            if raw is not None:
                state = orjson.loads(raw)
                self._relay.receive(state, state.pop(PUBLISHED_BY, ""))
                self._look_after(state["asset"])

    def _take(self, message: dict[str, Any]) -> None:
        """A state, an answer or a sign of life."""
        if message.get("type") == "asset_data":
            agent = message.pop(PUBLISHED_BY, "")
            self._agents.hear(agent)
            self._relay.receive(message, agent)  # type: ignore[arg-type]  # its type says that it is one
        elif "answer" in message:
            self._asking.settle(message)  # type: ignore[arg-type]  # nothing else has the field
        else:
            self._agents.take(message)  # type: ignore[arg-type]  # what is left

    def _look_after(self, asset: str) -> None:
        agent = self._relay.agent_of(asset)
        if agent is None:
            return
        is_there = self._agents.is_there(agent)
        if self._relay.is_stale(asset) and is_there:
            self._relay.revive(asset)
        elif not is_there:
            self._relay.mark_stale(asset, f"nothing has been heard from its agent for {SILENT_SECONDS:g} s")

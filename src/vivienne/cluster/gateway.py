"""A gateway among several: it shows what all agents publish, and says so when one of them is gone."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from datetime import datetime
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

import orjson

from vivienne.cluster.heartbeats import AGENTS, SILENT_SECONDS, read_heartbeat
from vivienne.redis.listening import heard
from vivienne.redis.publishing import PUBLISHED_BY, STATE
from vivienne.times import now
from vivienne.wire.messages import AGENT
from vivienne.wire.state import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis.asyncio import Redis

    from vivienne.cluster.agents import Agents
    from vivienne.cluster.heartbeats import Heartbeat
    from vivienne.cluster.questions import Asking
    from vivienne.cluster.state_relay import StateRelay

_log = logging.getLogger(__name__)

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
        self._were_there: dict[str, Heartbeat] = {}

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
                        self._take(raw)
        finally:
            self._asking.disconnected()

    async def watch(self) -> None:
        """Mark the assets of agents that have fallen silent, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            self._agents.forget()
            self._say_who_comes_and_goes()
            for asset in self._assets:
                self._look_after(asset)

    def _say_who_comes_and_goes(self) -> None:
        there = {beat["agent"]: beat for beat in self._agents.there()}
        for agent in self._were_there.keys() - there.keys():
            gone = self._were_there[agent]
            _log.warning("Agent %s (%s) has gone", gone["shard"], ", ".join(gone["assets"]))
        for agent in there.keys() - self._were_there.keys():
            _log.info("Agent %s is there: %s", there[agent]["shard"], ", ".join(there[agent]["assets"]))
        self._were_there = there

    async def _fill(self, redis: Redis) -> None:
        """The latest state of each asset; it may be old, and its agent gone."""
        for raw in await redis.mget([STATE + asset for asset in self._assets]):
            state = None if raw is None else _read(raw)
            if state is not None and self._receive(state, was_kept=True) is not None:
                self._look_after(state["asset"])

    def _take(self, raw: bytes) -> None:
        """A state, an answer or a sign of life; what is none of them is not for a gateway."""
        message = _read(raw)
        if message is None:
            return
        if "answer" in message:
            self._asking.settle(message)  # type: ignore[arg-type]  # nothing else has the field
        elif (agent := self._receive(message)) is not None:
            self._agents.hear(agent)
        elif (beat := read_heartbeat(raw)) is not None:
            self._agents.take(beat)

    def _receive(self, message: dict[str, Any], *, was_kept: bool = False) -> str | None:
        """Pass a state on; gives whose it is, None where the message is no state of an asset that is known here.

        Args:
            message: as it was published.
            was_kept: it may have been so a while ago; how long is what the clocks of two machines say.
        """
        if message.get("asset") not in self._assets or not _is_state(message):
            return None
        agent = str(message.pop(PUBLISHED_BY, ""))
        waited = _since(message.get("timestamp")) if was_kept else 0.0
        self._relay.receive(message, agent, waited)  # type: ignore[arg-type]  # it has what is looked at here
        return agent

    def _look_after(self, asset: str) -> None:
        agent = self._relay.agent_of(asset)
        if agent is None:
            return
        is_there = self._agents.is_there(agent)
        if self._relay.is_stale(asset) and is_there:
            self._relay.revive(asset)
        elif not is_there:
            self._relay.mark_stale(asset, f"nothing has been heard from its agent for {SILENT_SECONDS:g} s")


def _read(raw: bytes | str) -> dict[str, Any] | None:
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, dict) else None


def _is_state(message: dict[str, Any]) -> bool:
    """Whether a message has what is looked at here and by whoever shows it; the rest is between agent and client."""
    agents = message.get("agents")
    decided = agents.get(AGENT) if isinstance(agents, dict) else None
    data = decided.get("data") if isinstance(decided, dict) else None
    return (
        message.get("type") == "asset_data"
        and all(isinstance(message.get(name), int) for name in ("seq", "config_version"))
        and isinstance(data, dict)
        and data.get("status") in get_args(Status)
        and all(isinstance(data.get(name), (int, float, NoneType)) for name in ("data_age", "data_age_limit"))
    )


def _since(timestamp: object) -> float:
    """Seconds since a time on the wire; 0 where it is none, or is to come."""
    try:
        return max(0.0, (now() - datetime.fromisoformat(str(timestamp))).total_seconds())
    except (TypeError, ValueError):  # no time, or none of a zone
        return 0.0

"""Reception of a gateway: it shows the states of all agents, and marks those of silent agents as stale."""

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
"""Time between two checks for silent agents."""


class Gateway:
    """Listens to agents.

    Args:
        assets: to show.
        agents: takes heartbeats.
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
                        # From now on no newer message can be missed.
                        listening.clear()
                        await self._fill(redis)
                        self._asking.connected(redis)
                        ready()
                    if raw is not None:
                        self._take(raw)
        finally:
            self._asking.disconnected()

    async def watch(self) -> None:
        """Mark the assets of silent agents as stale, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            self._agents.forget()
            self._log_arrivals_and_losses()
            for asset in self._assets:
                self._look_after(asset)

    def _log_arrivals_and_losses(self) -> None:
        there = {beat["agent"]: beat for beat in self._agents.there()}
        for agent in self._were_there.keys() - there.keys():
            gone = self._were_there[agent]
            _log.warning(
                "Agent %s (%s) does not respond; its assets are stale", gone["shard"], ", ".join(gone["assets"])
            )
        for agent in there.keys() - self._were_there.keys():
            _log.info("Agent %s is alive: %s", there[agent]["shard"], ", ".join(there[agent]["assets"]))
        self._were_there = there

    async def _fill(self, redis: Redis) -> None:
        """Load the latest state of each asset; it may be old, and its agent dead."""
        for raw in await redis.mget([STATE + asset for asset in self._assets]):
            state = None if raw is None else _read(raw)
            if state is not None and self._receive(state, was_kept=True) is not None:
                self._look_after(state["asset"])

    def _take(self, raw: bytes) -> None:
        """Take a state, an answer or a heartbeat; ignore any other message."""
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
        """Pass a state on; return its agent, or None if the message is not a state of a known asset.

        Args:
            message: as published.
            was_kept: it may be old; its age is measured by the clocks of two machines.
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
            self._relay.mark_stale(asset, f"its agent has not responded for {SILENT_SECONDS:g} s")


def _read(raw: bytes | str) -> dict[str, Any] | None:
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, dict) else None


def _is_state(message: dict[str, Any]) -> bool:
    """True if a message has the fields that are used here; the others are between agent and client."""
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
    """Seconds since a time on the wire; 0 if it is not valid, or in the future."""
    try:
        return max(0.0, (now() - datetime.fromisoformat(str(timestamp))).total_seconds())
    except (TypeError, ValueError):  # not a time, or without a zone
        return 0.0

"""Reception of a gateway: it shows the states of all agents, and marks those of silent agents as stale."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from datetime import datetime
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

import orjson

from vivienne.cluster.heartbeats import AGENTS, HEARTBEAT_SECONDS, LONGEST_NAME, read_heartbeat
from vivienne.cluster.remote_market import AGENT_LOST
from vivienne.redis.listening import heard, heard_on
from vivienne.redis.publishing import PUBLISHED_BY, STATE
from vivienne.times import now
from vivienne.wire.messages import AGENT
from vivienne.wire.numbers import HIGHEST
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
MOST_STATE_BYTES = 256 * 1024
"""Longest state. One of an agent has about 10 kB. All of it goes to every client."""
_MOST_LEVELS = 32
"""Nesting of objects and lists; a state has about ten levels."""
SETTLE_SECONDS = 3 * HEARTBEAT_SECONDS
"""Time in which the agent of a kept state must be heard from; after it the state is shown as stale."""


class _Kept:
    """A state that waits until its agent is heard from.

    Args:
        state: the message, whose agent is removed from it.
        waited: seconds since it was published, by the clocks of two machines.
        loaded: the time of the event loop when it came.
    """

    def __init__(self, state: dict[str, Any], waited: float, loaded: float) -> None:
        self.agent = str(state.pop(PUBLISHED_BY, ""))
        self.state = state
        self.waited = waited
        self.loaded = loaded


class GatewayHeartbeats:
    """Listens to the heartbeats of agents, on a subscription of their own: a flood of them keeps no state waiting.

    Args:
        gateway: takes them.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        async with aclosing(heard(redis, ready, AGENTS)) as beats:
            async for raw in beats:
                if raw is not None:
                    self._gateway.take_heartbeat(raw)


class Gateway:
    """Listens to the states and answers of agents; `GatewayHeartbeats` to their heartbeats.

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
        # By agent, states that were kept by Redis, until the agent is heard from.
        self._kept: dict[str, list[_Kept]] = {}
        # By asset, the last state of an agent that has not said yet that it decides it.
        self._early: dict[str, _Kept] = {}
        self._all_shown: Callable[[], None] = lambda: None

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        listening, loop = asyncio.Event(), asyncio.get_running_loop()
        self._all_shown = ready
        settling: asyncio.TimerHandle | None = None
        channels = [self._asking.channel, *(STATE + asset for asset in self._assets)]
        try:
            async with aclosing(heard_on(redis, listening.set, *channels)) as messages:
                async for message in messages:
                    if listening.is_set():
                        # From now on no newer message can be missed.
                        listening.clear()
                        await self._fill(redis)
                        self._asking.connected(redis)
                        settling = loop.call_later(SETTLE_SECONDS, self._show_kept)
                        self._settle(*(agent for agent in self._kept if self._agents.is_there(agent)))
                    if message is not None:
                        self.take(*message)
        finally:
            if settling is not None:
                settling.cancel()
            self._asking.disconnected()

    async def watch(self) -> None:
        """Mark the assets of silent agents as stale, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            self.look()

    def look(self) -> None:
        """Mark assets whose agent is silent or publishes no states as stale, and show others as they were."""
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
        """Load the latest state of each asset; it may be old, and its agent dead.

        It is shown once its agent is heard from, which is at the next heartbeat, or as stale if that does not come.
        """
        loaded, self._kept = asyncio.get_running_loop().time(), {}
        for raw in await redis.mget([STATE + asset for asset in self._assets]):
            state = None if raw is None or len(raw) > MOST_STATE_BYTES else _read(raw)
            if state is not None and state.get("asset") in self._assets and _is_state(state):
                kept = _Kept(state, _since(state.get("timestamp")), loaded)
                self._kept.setdefault(kept.agent, []).append(kept)

    def _settle(self, *agents: str) -> None:
        """Show the kept states of agents that were heard from; say so when all are shown."""
        for agent in agents:
            for kept in self._kept.pop(agent, ()):
                self._show(kept, None)
        if not self._kept:
            self._all_shown()

    def _show_kept(self) -> None:
        """Show all kept states that are left as stale, because their agents are silent."""
        silent, self._kept = self._kept, {}
        for kept in (each for states in silent.values() for each in states):
            self._show(kept, AGENT_LOST)
        self._all_shown()

    def _show(self, kept: _Kept, lost: str | None) -> None:
        waited = kept.waited + asyncio.get_running_loop().time() - kept.loaded
        self._relay.receive(kept.state, kept.agent, waited, lost)  # type: ignore[arg-type]  # it was looked at

    def take_heartbeat(self, raw: bytes) -> None:
        """Take a heartbeat; ignore any other message."""
        if (beat := read_heartbeat(raw)) is not None:
            agent = beat["agent"]
            self._agents.take(beat)
            for asset, early in list(self._early.items()):
                if early.agent == agent and self._agents.decides(agent, asset):
                    del self._early[asset]
                    self._show(early, None)
            if agent in self._kept:
                self._settle(agent)

    def take(self, channel: str, raw: bytes) -> None:
        """Take a state or an answer, each on its own channel only; ignore any other message."""
        is_answer = channel == self._asking.channel
        may_be_one = self._asking.awaits(raw) if is_answer else len(raw) <= MOST_STATE_BYTES
        if not may_be_one or (message := _read(raw)) is None:
            return
        if is_answer:
            self._asking.settle(message)  # type: ignore[arg-type]  # it begins as one
        elif channel == f"{STATE}{message.get('asset')}" and (agent := self._receive(message)) is not None:
            self._agents.hear(agent)
            if agent in self._kept:
                self._settle(agent)

    def _receive(self, message: dict[str, Any]) -> str | None:
        """Pass a state on, and return its agent. None if it is not a state, or its agent does not decide the asset."""
        if message.get("asset") not in self._assets or not _is_state(message):
            return None
        came = _Kept(message, 0.0, asyncio.get_running_loop().time())
        if len(came.agent) > LONGEST_NAME:
            return None
        if not self._agents.decides(came.agent, message["asset"]):
            # The next heartbeat of an agent says so. A program that may publish states only cannot invent an agent.
            self._early[message["asset"]] = came
            return None
        self._show(came, None)
        return came.agent

    def _look_after(self, asset: str) -> None:
        agent = self._relay.agent_of(asset)
        if agent is None:
            return
        reason = self._relay.overdue(asset) if self._agents.is_there(agent) else AGENT_LOST
        if reason is not None:
            self._relay.mark_stale(asset, reason)
        elif self._relay.stale(asset) is not None:
            self._relay.revive(asset)


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
        and all(_is_number(message.get(name)) for name in ("seq", "config_version"))
        and isinstance(data, dict)
        and data.get("status") in get_args(Status)
        and _is_pause(data.get("pause"))
        and _is_trouble(data.get("trouble"))
        and not _is_deep(message)
        and all(isinstance(data.get(name), (int, float, NoneType)) for name in ("data_age", "data_age_limit"))
    )


def _is_pause(value: object) -> bool:
    if not isinstance(value, dict):
        return value is None
    version = value.get("version", -1)
    return isinstance(value.get("config_id"), str) and (version is None or _is_number(version))


def _is_trouble(value: object) -> bool:
    return value is None or (isinstance(value, dict) and isinstance(value.get("message"), str))


def _is_deep(message: dict[str, Any]) -> bool:
    """True if it is nested deeper than any state: then encoding it may fail."""
    level: list[Any] = [message]
    for _ in range(_MOST_LEVELS):
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
        level = [inner for inner in level if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= HIGHEST


def _since(timestamp: object) -> float:
    """Seconds since a time on the wire; 0 if it is not valid, or in the future."""
    try:
        return max(0.0, (now() - datetime.fromisoformat(str(timestamp))).total_seconds())
    except (TypeError, ValueError):  # not a time, or without a zone
        return 0.0

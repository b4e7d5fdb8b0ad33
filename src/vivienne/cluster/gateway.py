"""Reception of a gateway: it shows the states of all agents, and marks those of silent agents as stale."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeGuard

from vivienne.cluster.heartbeats import AGENTS, HEARTBEAT_SECONDS, LONGEST_NAME, read_heartbeat
from vivienne.cluster.published import MOST_STATE_BYTES, Kept, is_state, load, read
from vivienne.cluster.remote_market import AGENT_LOST
from vivienne.cluster.state_changes import StateChanges, batch_of
from vivienne.redis.backlog import Backlog
from vivienne.redis.listening import heard, heard_on
from vivienne.redis.publishing import PUBLISHED_BY, STATE, STATES_CHANGED
from vivienne.slices import slices_of_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis.asyncio import Redis

    from vivienne.cluster.agents import Agents
    from vivienne.cluster.heartbeats import Heartbeat
    from vivienne.cluster.questions import Asking
    from vivienne.cluster.state_changes import Batch
    from vivienne.cluster.state_relay import StateRelay
    from vivienne.slices import Pieces

_log = logging.getLogger(__name__)

WATCH_SECONDS = 0.25
"""Time between two checks for silent agents."""
SETTLE_SECONDS = 3 * HEARTBEAT_SECONDS
"""Time in which the agent of a kept state must be heard from; after it the state is shown as stale."""
_READ_AGAIN_SECONDS = 0.05
"""Shortest time between two readings of states to which changes did not fit: anybody may publish such changes."""


class GatewayHeartbeats:
    """Listens to the heartbeats of agents, on a subscription of their own: a flood of them keeps no state waiting.

    Args:
        gateway: takes them.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        backlog = Backlog(asyncio.get_running_loop().time)
        async with aclosing(heard(redis, ready, AGENTS, backlog)) as beats:
            async for raw in beats:
                if raw is not None:
                    self._gateway.take_heartbeat(raw, backlog.waited)


class Gateway:
    """Listens to the states and answers of agents; `GatewayHeartbeats` to their heartbeats.

    Agents publish what changed in their states. Where a change does not fit the last state, because something was lost
    or forged, the whole state is read from Redis.

    Args:
        assets: to show.
        agents: takes heartbeats.
        relay: takes states.
        asking: takes answers.

    Attributes:
        earlier: assets that agents of earlier versions decide, which publish whole states only.
        earlier_changed: is set when these are others.
        followed_whole: assets whose whole states are listened to, so that changes of them are left out.
    """

    def __init__(self, assets: Iterable[str], agents: Agents, relay: StateRelay, asking: Asking) -> None:
        self._assets = tuple(dict.fromkeys(assets))
        self._shown = frozenset(self._assets)
        self._agents = agents
        self._relay = relay
        self._asking = asking
        self._were_there: dict[str, Heartbeat] = {}
        # By agent, states that were kept by Redis, until the agent is heard from.
        self._kept: dict[str, list[Kept]] = {}
        # By asset, the last state of an agent that has not said yet that it decides it.
        self._early: dict[str, Kept] = {}
        self._all_shown: Callable[[], None] = lambda: None
        self._changes = StateChanges(relay.last)
        self._missed: set[str] = set()
        """Assets to whose last state a change did not fit."""
        self._read_again_at = 0.0
        self.earlier: frozenset[str] = frozenset()
        self.earlier_changed = asyncio.Event()
        self.followed_whole: frozenset[str] = frozenset()

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        listening, loop = asyncio.Event(), asyncio.get_running_loop()
        channels = self._asking.channel, STATES_CHANGED
        self._all_shown, backlog = ready, Backlog(loop.time)
        settling: asyncio.TimerHandle | None = None
        try:
            async with aclosing(heard_on(redis, listening.set, *channels, backlog=backlog)) as messages:
                async for message in messages:
                    if listening.is_set():
                        # From now on no newer message can be missed.
                        listening.clear()
                        await self._fill(redis)
                        self._asking.connected(redis)
                        settling = loop.call_later(SETTLE_SECONDS, self._show_kept)
                        self._settle(*(agent for agent in self._kept if self._agents.is_there(agent)))
                    if message is not None:
                        self.take(*message, backlog.waited)
                    if self._missed and loop.time() >= self._read_again_at:
                        await self.read_again(redis, self._missed)
        finally:
            if settling is not None:
                settling.cancel()
            self._asking.disconnected()

    async def watch(self) -> None:
        """Mark the assets of silent agents as stale, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await slices_of_loop(gives_way=False).done(self.looking())

    def looking(self) -> Pieces[None]:
        """Mark assets whose agent is silent or publishes no states as stale, and show others as they were.

        It looks at one asset after the other.
        """
        self._agents.forget()
        self._note_earlier()
        self._log_arrivals_and_losses()
        for asset in self._assets:
            self._look_after(asset)
            yield

    def _note_earlier(self) -> None:
        if (earlier := self._agents.of_earlier()) != self.earlier:
            self.earlier = earlier
            self.earlier_changed.set()

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
        self._kept = {}
        for kept in [each async for each in load(redis, self._assets)]:
            self._kept.setdefault(kept.agent, []).append(kept)

    async def read_again(self, redis: Redis, assets: Iterable[str]) -> None:
        """Show the latest states of these assets as Redis keeps them, in place of what changes made of them."""
        chosen = [*assets]
        self._missed.clear()
        for kept in [each async for each in load(redis, chosen)]:
            self._changes.is_whole(kept.state["asset"])
            if self._agents.decides(kept.agent, kept.state["asset"]):
                self._show(kept, None, is_read_again=True)
        self._read_again_at = asyncio.get_running_loop().time() + _READ_AGAIN_SECONDS

    def _settle(self, *agents: str) -> None:
        """Show the kept states of agents that were heard from; say so when all are shown."""
        for agent in agents:
            for kept in self._kept.pop(agent, ()):
                self._show(kept, self._lost(agent))
        if not self._kept:
            self._all_shown()

    def _show_kept(self) -> None:
        """Show all kept states that are left as stale, because their agents are silent."""
        silent, self._kept = self._kept, {}
        for kept in (each for states in silent.values() for each in states):
            self._show(kept, AGENT_LOST)
        self._all_shown()

    def _show(self, kept: Kept, lost: str | None, *, is_read_again: bool = False) -> None:
        waited = kept.waited + asyncio.get_running_loop().time() - kept.loaded
        state: Any = kept.state  # it was looked at
        self._relay.receive(state, kept.agent, waited, lost, is_read_again=is_read_again)

    def take_heartbeat(self, raw: bytes, waited: float = 0.0) -> None:
        """Take a heartbeat that was sent so many seconds ago; ignore any other message."""
        if (beat := read_heartbeat(raw)) is not None:
            agent = beat["agent"]
            self._agents.take(beat, waited)
            self._note_earlier()
            for asset, early in list(self._early.items()):
                if early.agent == agent and self._agents.decides(agent, asset):
                    del self._early[asset]
                    self._show(early, self._lost(agent))
            if agent in self._kept:
                self._settle(agent)

    def take(self, channel: str, raw: bytes, waited: float = 0.0) -> None:
        """Take changes, a state or an answer, each on its own channel only; ignore any other message.

        Args:
            channel: on which it was heard.
            raw: the message.
            waited: seconds since it was published.
        """
        if channel == self._asking.channel:
            if self._asking.awaits(raw) and (message := read(raw)) is not None:
                self._asking.settle(message)  # type: ignore[arg-type]  # it begins as one
        elif channel == STATES_CHANGED:
            if (batch := batch_of(raw)) is not None:
                self._take_changes(batch, waited)
        else:
            message = read(raw) if len(raw) <= MOST_STATE_BYTES else None
            if message is not None and channel == f"{STATE}{message.get('asset')}":
                self._take_state(message, waited)

    def _take_changes(self, batch: Batch, waited: float) -> None:
        for entry in batch.entries:
            asset = entry.get("asset")
            if not self._is_shown(asset) or asset in self.followed_whole:
                continue
            if entry.get("type") == "asset_changed":
                self._take_change(batch.agent, asset, entry, waited)
            else:
                self._take_state({**entry, PUBLISHED_BY: batch.agent}, waited)

    def _take_change(self, agent: str, asset: str, change: dict[str, Any], waited: float) -> None:
        """Pass on what a change makes of the last state, if its agent decides the asset."""
        if not self._agents.decides(agent, asset) or not self._relay.hears(asset, agent):
            return
        state: Any = self._changes.applied(agent, change)
        if state is None:
            self._missed.add(asset)
            return
        self._agents.hear(agent, waited)
        self._relay.receive(state, agent, waited, self._lost(agent))

    def _lost(self, agent: str) -> str | None:
        """The reason why states of an agent are stale; None if it is there."""
        return None if self._agents.is_there(agent) else AGENT_LOST

    def _take_state(self, message: dict[str, Any], waited: float) -> None:
        if (agent := self._receive(message, waited)) is not None:
            self._changes.is_whole(message["asset"])
            if agent in self._kept:
                self._settle(agent)

    def _receive(self, message: dict[str, Any], waited: float) -> str | None:
        """Pass a state on, and return its agent. None if it is not a state, or its agent does not decide the asset."""
        if not self._is_shown(message.get("asset")) or not is_state(message):
            return None
        came = Kept(message, waited, asyncio.get_running_loop().time())
        if len(came.agent) > LONGEST_NAME:
            return None
        if not self._agents.decides(came.agent, message["asset"]):
            # The next heartbeat of an agent says so. A program that may publish states only cannot invent an agent.
            self._early[message["asset"]] = came
            return None
        self._agents.hear(came.agent, waited)
        self._show(came, self._lost(came.agent))
        return came.agent

    def _is_shown(self, asset: object) -> TypeGuard[str]:
        return isinstance(asset, str) and asset in self._shown

    def _look_after(self, asset: str) -> None:
        agent = self._relay.agent_of(asset)
        if agent is None:
            return
        reason = self._relay.overdue(asset) if self._agents.is_there(agent) else AGENT_LOST
        if reason is not None:
            self._relay.mark_stale(asset, reason)
        elif self._relay.stale(asset) is not None:
            self._relay.revive(asset)

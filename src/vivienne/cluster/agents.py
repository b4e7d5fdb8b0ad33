"""The agents that are alive. An agent counts once it publishes states; a heartbeat alone proves nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vivienne.cluster.clocks import Clocks
from vivienne.cluster.heartbeats import ALIKE, SILENT_SECONDS
from vivienne.errors import AgentUnavailable
from vivienne.metrics.registry import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vivienne.cluster.heartbeats import Heartbeat

FORGET_SECONDS = 60.0
"""Silence after which an agent is removed; it will not return under its name."""
_LONGEST_SETTING = 100
LONGEST_REASON = 500
"""Letters of a reason of an agent that are kept."""
MOST_UNPROVEN = 256
"""Agents that are kept though they publish no state; beyond it those that were silent for longest are removed."""


class Agents:
    """The agents, with the time each was last heard from.

    Args:
        assets: of this process.
        publisher_of: the agent whose states of an asset are shown, if there is one.
        clock: seconds of a monotonic clock; by default that of the event loop.
    """

    def __init__(
        self,
        assets: Iterable[str],
        publisher_of: Callable[[str], str | None],
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._assets = tuple(assets)
        self._publisher_of = publisher_of
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._beats: dict[str, Heartbeat] = {}
        self._decided_by: dict[str, frozenset[str]] = {}
        """By agent, the assets of this process that it says it decides."""
        # The one that was heard last stands last.
        self._heard: dict[str, float] = {}
        self.clocks = Clocks()
        """Of the agents."""

    def take(self, beat: Heartbeat, waited: float = 0.0) -> None:
        """Take a heartbeat that was sent so many seconds ago."""
        self._beats[beat["agent"]] = self._cut(beat)
        self._decided_by[beat["agent"]] = frozenset(self._assets).intersection(beat["assets"])
        if not waited:
            self.clocks.take(beat)
        self.hear(beat["agent"], waited)

    def _cut(self, beat: Heartbeat) -> Heartbeat:
        """What this process has a use for: anybody who may publish could send more, under any number of names."""
        troubles = {
            asset: beat["troubles"][asset][:LONGEST_REASON] for asset in self._assets if asset in beat["troubles"]
        }
        settings = {flag: text[:_LONGEST_SETTING] for flag, text in beat.get("settings", {}).items() if flag in ALIKE}
        assets = beat["assets"][: len(self._assets) + 1]
        return {**beat, "assets": assets, "troubles": troubles, "settings": settings}

    def hear(self, agent: str, waited: float = 0.0) -> None:
        """Note a message of an agent, which shows that it was alive so many seconds ago."""
        at = self._clock() - waited
        self._heard[agent] = max(at, self._heard.pop(agent, at))
        if len(self._heard) > MOST_UNPROVEN:
            self._remove_unproven()

    def decides(self, agent: str, asset: str) -> bool:
        """True if an agent has said in a heartbeat that it decides an asset."""
        return asset in self._decided_by.get(agent, ())

    def of_earlier(self) -> frozenset[str]:
        """The assets of this process that agents of earlier versions decide, which publish whole states only."""
        earlier = (agent for agent, beat in self._beats.items() if not beat.get("changes") and self.is_there(agent))
        return frozenset[str]().union(*(self._decided_by[agent] for agent in earlier))

    def is_there(self, agent: str | None) -> bool:
        """True if an agent was heard from within `SILENT_SECONDS`."""
        at = self._heard.get(agent) if agent is not None else None
        return at is not None and self._clock() - at <= SILENT_SECONDS

    def there(self) -> list[Heartbeat]:
        """The last heartbeats of the agents that are alive and publish states, the latest started first."""
        publishers = sorted(self._publishers(), reverse=True)
        return [self._beats[agent] for agent in publishers if agent in self._beats and self.is_there(agent)]

    def samples(self) -> Iterator[Sample | None]:
        """The number of those, and of assets without one, for the metrics."""
        yield Sample("vivienne_agents", (), len(self.there()))
        without = 0
        for asset in self._assets:
            without += self.of(asset) is None
            yield None
        yield Sample("vivienne_assets_without_agent", (), without)

    def of(self, asset: str) -> Heartbeat | None:
        """The last heartbeat of the agent that decides an asset; None if it is not alive."""
        agent = self._publisher_of(asset)
        return self._beats.get(agent) if agent is not None and self.is_there(agent) else None

    def needed(self, asset: str) -> Heartbeat:
        """The last heartbeat of the agent that decides an asset.

        Raises:
            AgentUnavailable: it is not alive.
        """
        beat = self.of(asset)
        if beat is None:
            raise AgentUnavailable(f"The agent of {asset} has not responded for {SILENT_SECONDS:g} s")
        return beat

    def name_of(self, asset: str) -> str | None:
        """The agent that decides an asset, by its share; for one that is gone, its own name is added."""
        agent = self._publisher_of(asset)
        if agent is None or agent not in self._beats:
            return agent
        shard = self._beats[agent]["shard"]
        return shard if self.is_there(agent) else f"{shard} ({agent})"

    def all(self) -> list[Heartbeat]:
        """The last heartbeats of all that seem to be alive, whether they publish states or not."""
        return [beat for agent, beat in sorted(self._beats.items()) if self.is_there(agent)]

    def forget(self) -> None:
        """Remove agents that were silent for `FORGET_SECONDS`, and have a successor."""
        publishers = self._publishers()
        for agent, at in list(self._heard.items()):
            if self._clock() - at > FORGET_SECONDS and agent not in publishers:
                self._remove(agent)

    def _publishers(self) -> set[str]:
        return {agent for asset in self._assets if (agent := self._publisher_of(asset)) is not None}

    def _remove_unproven(self) -> None:
        publishers = self._publishers()
        unproven = [agent for agent in self._heard if agent not in publishers]
        for agent in unproven[: max(0, len(unproven) - MOST_UNPROVEN)]:
            self._remove(agent)

    def _remove(self, agent: str) -> None:
        self._heard.pop(agent, None)
        self._beats.pop(agent, None)
        self._decided_by.pop(agent, None)
        self.clocks.forget(agent)

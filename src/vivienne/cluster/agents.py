"""The agents that are alive, by their heartbeats."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vivienne.cluster.heartbeats import SILENT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.cluster.heartbeats import Heartbeat

FORGET_SECONDS = 60.0
"""Silence after which an agent is removed; it will not return under its name."""


class Agents:
    """The agents, with the time each was last heard from.

    Args:
        clock: seconds of a monotonic clock; by default that of the event loop.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._beats: dict[str, Heartbeat] = {}
        self._heard: dict[str, float] = {}

    def take(self, beat: Heartbeat) -> None:
        """Take a heartbeat."""
        self._beats[beat["agent"]] = beat
        self.hear(beat["agent"])

    def hear(self, agent: str) -> None:
        """Note a message of an agent, which shows that it is alive."""
        self._heard[agent] = self._clock()

    def is_there(self, agent: str | None) -> bool:
        """True if an agent was heard from within `SILENT_SECONDS`."""
        at = self._heard.get(agent) if agent is not None else None
        return at is not None and self._clock() - at <= SILENT_SECONDS

    def there(self) -> list[Heartbeat]:
        """The last heartbeats of the agents that are alive, the latest started first."""
        return [self._beats[agent] for agent in sorted(self._beats, reverse=True) if self.is_there(agent)]

    def of(self, asset: str) -> Heartbeat | None:
        """The agent that decides an asset: of several the latest started."""
        return next((beat for beat in self.there() if asset in beat["assets"]), None)

    def forget(self) -> None:
        """Remove agents that were silent for `FORGET_SECONDS`."""
        for agent, at in list(self._heard.items()):
            if self._clock() - at > FORGET_SECONDS:
                del self._heard[agent]
                self._beats.pop(agent, None)

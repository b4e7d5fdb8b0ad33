"""Which agents are there, as far as their signs of life tell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vivienne.cluster.heartbeats import SILENT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.cluster.heartbeats import Heartbeat

FORGET_SECONDS = 60.0
"""An agent that is gone for so long will not come back under its name."""


class Agents:
    """The agents that were heard from.

    Args:
        clock: seconds, never turned back; that of the event loop without it.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._beats: dict[str, Heartbeat] = {}
        self._heard: dict[str, float] = {}

    def take(self, beat: Heartbeat) -> None:
        """A sign of life came."""
        self._beats[beat["agent"]] = beat
        self.hear(beat["agent"])

    def hear(self, agent: str) -> None:
        """Anything came from an agent, which shows that it is there."""
        self._heard[agent] = self._clock()

    def is_there(self, agent: str | None) -> bool:
        """Whether an agent was heard from lately."""
        at = self._heard.get(agent) if agent is not None else None
        return at is not None and self._clock() - at <= SILENT_SECONDS

    def there(self) -> list[Heartbeat]:
        """The last signs of life of the agents that are there, those that began last first."""
        return [self._beats[agent] for agent in sorted(self._beats, reverse=True) if self.is_there(agent)]

    def of(self, asset: str) -> Heartbeat | None:
        """The agent that decides an asset: of several the one that began last."""
        return next((beat for beat in self.there() if asset in beat["assets"]), None)

    def forget(self) -> None:
        """Leave out those that are gone for good."""
        for agent, at in list(self._heard.items()):
            if self._clock() - at > FORGET_SECONDS:
                del self._heard[agent]
                self._beats.pop(agent, None)

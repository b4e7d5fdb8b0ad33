"""Agents that decide with an older configuration than the one in force here."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from vivienne.cluster.agreement import MOST_TOLD

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.changes.service import ConfigService
    from vivienne.cluster.agents import Agents
    from vivienne.cluster.state_relay import StateRelay
    from vivienne.slices import Pieces
    from vivienne.store.revision import AppliedRevision

FOLLOW_SECONDS = 5.0
"""Time for an agent to follow a change, and to publish a state with it. It takes half a second."""


class Lagging:
    """Compares the versions in the states of agents with those in force here.

    Args:
        service: the configuration in force.
        states: of all agents.
        agents: those that are alive.
        clock: seconds of a monotonic clock.
    """

    def __init__(
        self, service: ConfigService, states: StateRelay, agents: Agents, clock: Callable[[], float] = monotonic
    ) -> None:
        self._service = service
        self._states = states
        self._agents = agents
        self._clock = clock
        self._begin = clock()
        self._since: dict[str, float] = {}
        self._versions = {asset: service.version(asset) for asset in service.assets}
        """As of the last change."""
        service.listen(self._changed)

    def _changed(self, change: AppliedRevision) -> None:
        now = self._clock()
        for asset in change.assets:
            # From the first change on that an agent did not follow: others may come without end.
            if not self._is_behind(asset):
                self._since[asset] = now
            self._versions[asset] = self._service.version(asset)

    def _is_behind(self, asset: str) -> bool:
        said = self._states.said_version(asset)
        return said is not None and said < self._versions[asset]

    def reasons(self) -> Pieces[dict[str, str]]:
        """By agent, the first asset that it decides with an older version, in words; one asset after the other."""
        found: dict[str, str] = {}
        now = self._clock()
        for asset in self._service.assets:
            yield
            if now - self._since.get(asset, self._begin) <= FOLLOW_SECONDS or not self._is_behind(asset):
                continue
            agent = self._states.agent_of(asset)
            if agent is None or not self._agents.is_there(agent) or len(found) >= MOST_TOLD:
                continue
            said, version = self._states.said_version(asset), self._versions[asset]
            told = f"it decides {asset} with version {said}, and {version} is in force"
            found.setdefault(f"{self._agents.name_of(asset)} ({agent})", told)
        return found

"""Agents that follow another database than this process: after a failover both may go on, each with changes of its own.

Every revision was made on top of the one before it, so the newest that an agent follows stands for all of them: if this
process has another one of that number, the two databases have parted, however alike their numbers are.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from vivienne.cluster.agreement import MOST_TOLD
from vivienne.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.changes.service import ConfigService
    from vivienne.cluster.agents import Agents
    from vivienne.cluster.heartbeats import Heartbeat, Newest
    from vivienne.store.revision import AppliedRevision

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Seconds between two looks at what agents say."""
FOLLOW_SECONDS = 5.0
"""Time for the agent or this process to follow the other one. It takes half a second."""
_MOST_KNOWN = 1_000
"""Revisions whose names are remembered; others are looked up."""
_WAY_OUT = (
    "they use different databases, or one does not follow its own. See --db of both, and restart the wrong one; "
    "another installation needs a Redis of its own"
)


class _Behind(NamedTuple):
    """The version that one of the two has to reach, and since when."""

    version: int
    since: float


class Databases:
    """Compares the newest revision that each agent follows with those of this process.

    Args:
        service: has the revisions of this process.
        agents: those that are alive; earlier versions do not say what they follow, and are not compared.
        clock: seconds of a monotonic clock.
    """

    def __init__(self, service: ConfigService, agents: Agents, clock: Callable[[], float] = monotonic) -> None:
        self._service = service
        self._agents = agents
        self._clock = clock
        self._known: OrderedDict[int, str | None] = OrderedDict()
        self._behind: dict[str, _Behind] = {}
        self._reasons: dict[str, str] = {}
        service.listen(self._changed)

    def reasons(self) -> dict[str, str]:
        """By agent, in what it differs, in words; as of the last look."""
        return dict(list(self._reasons.items())[:MOST_TOLD])

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Compare once, and log what is new."""
        found: dict[str, str] = {}
        beats = self._agents.there()
        self._behind = {beat["agent"]: self._behind[beat["agent"]] for beat in beats if beat["agent"] in self._behind}
        for beat in beats:
            reason = await self._reason(beat)
            if reason is not None:
                found[f"{beat['shard']} ({beat['agent']})"] = reason
        for agent in found.keys() - self._reasons.keys():
            _log.error("Agent %s and this process have different configurations in force: %s", agent, found[agent])
        for agent in self._reasons.keys() - found.keys():
            _log.info("Agent %s and this process have no different configurations in force any more", agent)
        self._reasons = found

    async def _reason(self, beat: Heartbeat) -> str | None:
        said = beat.get("newest")
        if said is None:
            return None
        name, number = said["config_id"], said["version"]
        try:
            own = await self._name_of(number)
        except StoreUnavailable:  # `/ready` says so; a difference that was found before still counts
            return self._reasons.get(f"{beat['shard']} ({beat['agent']})")
        newest = self._service.newest
        if 0 < number <= newest[0] and own != name:
            return f"version {number} is {name} in its database and {own or 'not there'} in this one: {_WAY_OUT}"
        return self._late(beat["agent"], said, newest)

    def _late(self, agent: str, said: Newest, newest: tuple[int, str | None]) -> str | None:
        """The reason of one that is behind, or ahead, for longer than following takes."""
        number, own = said["version"], newest[0]
        if number == own:
            self._behind.pop(agent, None)
            return None
        behind = self._behind.get(agent)
        if behind is None or min(number, own) >= behind.version:
            # From the first version on that was not followed: others may come without end.
            self._behind[agent] = _Behind(max(number, own), self._clock())
            return None
        if self._clock() - behind.since <= FOLLOW_SECONDS:
            return None
        return (
            f"the newest version of its database is {number} ({said['config_id'] or 'empty'}), and of this one {own} "
            f"({newest[1] or 'empty'}): {_WAY_OUT}"
        )

    async def _name_of(self, version: int) -> str | None:
        newest, name = self._service.newest
        if version == newest:
            return name
        if version > newest or version == 0:
            return None
        if version not in self._known:
            self._remember(version, await self._service.name_of(version))
        return self._known[version]

    def _changed(self, change: AppliedRevision) -> None:
        self._remember(change.revision.version, change.revision.config_id)

    def _remember(self, version: int, name: str | None) -> None:
        self._known[version] = name
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

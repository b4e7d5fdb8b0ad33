"""Confirmation of pauses: an agent has stopped when the state it publishes says so, and not before."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from vivienne.cluster.remote_market import AGENT_LOST
from vivienne.config.layers import GLOBAL
from vivienne.metrics.registry import Sample
from vivienne.slices import slices_of_loop

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from vivienne.changes.pause.state import PauseInForce
    from vivienne.changes.service import ConfigService
    from vivienne.cluster.agents import Agents
    from vivienne.slices import Pieces
    from vivienne.wire.answers import AgentConfirmation, Switched
    from vivienne.wire.pause import PauseEntry
    from vivienne.wire.state import AssetState

CONFIRM_SECONDS = 2.0
"""Longest time that the answer to a pause waits for the agents. They take some milliseconds."""

FIRST_DELAY, LONGEST_DELAY = 0.001, 0.1
"""Seconds between two looks at the states."""


class PublishedStates(Protocol):
    """The states of all agents as this process knows them: a gateway hears them, an agent reads those that it needs."""

    async def look(self, assets: Iterable[str]) -> None:
        """Have the states of these assets as they are now, or later ones."""

    def following(self, assets: Iterable[str]) -> asyncio.Event:
        """Set once there may be a state of these assets that was not known at this call."""

    def said(self, asset: str) -> AssetState | None:
        """The state of an asset as its agent published it last; None if there is none."""

    def lack(self, asset: str) -> str:
        """The reason why there is none."""

    def agent_of(self, asset: str) -> str | None:
        """The agent that published it."""


class Confirmations:
    """Tells which agents have stopped the paused assets.

    Args:
        service: knows what is paused.
        states: of all agents.
        agents: those that are alive.
    """

    def __init__(self, service: ConfigService, states: PublishedStates, agents: Agents) -> None:
        self._service = service
        self._states = states
        self._agents = agents

    def find_missing(self, assets: Iterable[str] | None = None) -> Pieces[dict[str, str]]:
        """By paused asset of these, or of all, the reason why it is not known that its agent has stopped it.

        It looks at one asset after the other: there may be thousands of them.
        """
        found: dict[str, str] = {}
        for asset in self._service.assets if assets is None else assets:
            pause = self._service.pauses().of(asset)
            if pause is not None and (reason := self._reason(asset, pause)) is not None:
                found[asset] = reason
            yield
        return found

    def samples(self) -> Generator[Sample | None]:
        """The number of paused assets that are not confirmed, for the metrics."""
        missing = yield from self.find_missing()
        yield Sample("vivienne_pauses_unconfirmed", (), len(missing))

    def trouble(self) -> Pieces[dict[str, str]]:
        """By agent, the paused assets that it has not stopped, in words; looks at one asset after the other."""
        missing = yield from self.find_missing()
        agents = yield from self._by_agent(missing)
        return {
            f"agent {each['agent'] or 'unknown'}": f"{', '.join(each['assets'])}: {each['reason']}"
            for each in agents
            if not each["confirmed"]
        }

    async def confirm(self, answer: Switched) -> Switched:
        """Add to the answer to a pause which agents have stopped; wait for them no longer than `CONFIRM_SECONDS`."""
        left: Iterable[str] = answer["assets"]
        delay, slices = FIRST_DELAY, slices_of_loop(gives_way=False)
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._states.look(left)
                while True:
                    # No state may come unseen while this looks at others: it may be the last.
                    following = self._states.following(left)
                    left = await slices.done(self.find_missing(left))
                    if not left:
                        break
                    await following.wait()
                    await asyncio.sleep(delay)  # states of other assets come without end, and there may be thousands
                    delay = min(2 * delay, LONGEST_DELAY)
        missing = await slices.done(self.find_missing(left))
        agents = await slices.done(self._by_agent(dict.fromkeys(answer["assets"]) | missing))
        answer = {**answer, "agents": agents}
        if missing:
            who = "; ".join(
                f"agent {each['agent'] or 'unknown'} ({', '.join(each['assets'])}: {each['reason']})"
                for each in agents
                if not each["confirmed"]
            )
            answer["message"] += f". Not confirmed by {who}"
            if answer["status"] == "success":
                answer["status"] = "not_confirmed_yet"
        return answer

    def _reason(self, asset: str, pause: PauseInForce) -> str | None:
        said = self._states.said(asset)
        if said is None:
            return self._states.lack(asset)
        if not self._agents.is_there(self._states.agent_of(asset)):
            return AGENT_LOST
        if said["status"] != "paused":
            return "the state that it published last is not paused"
        if not self._is_of_now(asset, pause, said.get("pause")):
            return "the state that it published last is paused by an earlier pause"
        return None

    def _is_of_now(self, asset: str, pause: PauseInForce, said: PauseEntry | None) -> bool:
        """Tell whether a pause that an agent shows is in force, or newer than what is; one that was resumed is not.

        An agent shows one of several that bear on an asset; those of an earlier version show none.
        """
        pauses = self._service.pauses()
        if said is None or pauses.knows(said["config_id"], asset) or pauses.knows(said["config_id"], GLOBAL):
            return True
        return said["version"] is not None and pause.version is not None and said["version"] > pause.version

    def _by_agent(self, reasons: Mapping[str, str | None]) -> Pieces[list[AgentConfirmation]]:
        """Assets by their agent and the reason, one after the other."""
        found: dict[tuple[str | None, str | None], AgentConfirmation] = {}
        for asset, reason in reasons.items():
            name = self._agents.name_of(asset)
            entry = found.setdefault(
                (name, reason), {"agent": name, "assets": [], "confirmed": reason is None, "reason": reason}
            )
            entry["assets"].append(asset)
            yield
        return list(found.values())

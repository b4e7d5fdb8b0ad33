"""The latest state of each asset as agents elsewhere publish it, numbered for the clients of this process.

Agents number their states each from 1; a client must see one sequence that goes on when an agent is replaced, and in it
a gap for every state that got lost on the way here. So the numbers are made anew: by as much as the agent's own moved,
and by one for the first state of another agent.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.stream.hub import Frame, Hub, Mailbox
from vivienne.stream.samples import state_samples
from vivienne.times import now, written
from vivienne.wire.decision import undecided
from vivienne.wire.messages import AGENT, AssetData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vivienne.changes.pause.state import PauseInForce
    from vivienne.wire.state import ReasonId, Status


SHORT = 0.05
"""Seconds that the age of data, which is told to a tenth, need not know of."""


@dataclass(slots=True)
class _Relayed:
    """One asset.

    Attributes:
        said: what its agent said last.
        frame: what went out last.
        stale: why it cannot be relied on, if so.
        came: when it was said, in seconds of a clock.
    """

    agent: str
    said: AssetData
    seq: int
    frame: Frame
    stale: str | None
    came: float


class StateRelay:
    """Passes states of other processes on; says so when they cannot be relied on any more.

    What is paused goes out as paused, whatever its agent says: it may not have heard of it yet.

    Args:
        hub: whom to tell.
        pause_of: the pause of an asset; None while it is not paused.
        clock: seconds, never turned back.
    """

    def __init__(
        self,
        hub: Hub,
        pause_of: Callable[[str], PauseInForce | None] = lambda _asset: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._hub = hub
        self._pause_of = pause_of
        self._clock = clock
        self._assets: dict[str, _Relayed] = {}
        hub.metrics.source(lambda: state_samples(relayed.frame for relayed in self._assets.values()))

    def show(self, mailbox: Mailbox, assets: Iterable[str] | None = None) -> None:
        """See `vivienne.stream.state.LatestStates`."""
        for asset in self._assets if assets is None else assets:
            if asset in self._assets:
                mailbox.offer(asset, self._assets[asset].frame)

    def agent_of(self, asset: str) -> str | None:
        """Whose states are passed on."""
        return self._assets[asset].agent if asset in self._assets else None

    def is_stale(self, asset: str) -> bool:
        """Whether what is shown was marked by `mark_stale`."""
        return asset in self._assets and self._assets[asset].stale is not None

    def receive(self, state: AssetData, agent: str, waited: float = 0.0) -> None:
        """Pass a state on, unless it is an older one.

        Args:
            state: as the agent published it.
            agent: which one; names of agents that began later sort later.
            waited: seconds since then, where it did not come at once.
        """
        asset = state["asset"]
        relayed = self._assets.get(asset)
        moved = 1
        if relayed is not None and relayed.agent == agent:
            moved = state["seq"] - relayed.said["seq"]
        elif relayed is not None and agent < relayed.agent and relayed.stale is None:
            return  # it was replaced, and has not noticed yet
        if moved < 1:
            return
        self._pass_on(asset, agent, state, state, moved, came=self._clock() - waited)

    def mark_stale(self, asset: str, reason: str) -> None:
        """Show the last state without its decision: idle, with size 0, and the reason."""
        relayed = self._assets.get(asset)
        if relayed is None or relayed.stale is not None:
            return
        self._pass_again(asset, relayed, stale=reason)

    def revive(self, asset: str) -> None:
        """Show the last state as it was: its agent is there after all, and nothing newer has come."""
        self._pass_again(asset, self._assets[asset])

    def show_again(self, assets: Iterable[str]) -> None:
        """These may be paused now, or may not be so any more."""
        for asset in assets:
            relayed = self._assets.get(asset)
            if relayed is not None:
                self._pass_again(asset, relayed, stale=relayed.stale)

    def _pass_again(self, asset: str, relayed: _Relayed, *, stale: str | None = None) -> None:
        shown = relayed.said if stale is None else _without_decision(relayed.said, "stale", "agent_lost", stale)
        self._pass_on(asset, relayed.agent, relayed.said, shown, 1, came=relayed.came, stale=stale)

    def _pass_on(
        self,
        asset: str,
        agent: str,
        said: AssetData,
        shown: AssetData,
        moved: int,
        *,
        came: float,
        stale: str | None = None,
    ) -> None:
        before = self._assets.get(asset)
        if (pause := self._pause_of(asset)) is not None:
            shown = _paused(shown, pause)
        shown = _aged(shown, self._clock() - came)
        shown["seq"] = seq = moved if before is None else before.seq + moved
        frame = Frame(shown)
        self._assets[asset] = _Relayed(agent, said, seq, frame, stale, came)
        self._hub.broadcast(asset, frame)


def _aged(state: AssetData, seconds: float) -> AssetData:
    """A state as it is so many seconds later: of this moment, and its data as old as it is by now."""
    if seconds < SHORT:
        return {**state}
    decided = state["agents"][AGENT]
    data = {**decided["data"]}
    if isinstance(age := data.get("data_age"), (int, float)):
        data["data_age"] = round(age + seconds, 1)
    return {**state, "timestamp": written(now()), "agents": {AGENT: {**decided, "data": data}}}  # type: ignore[typeddict-item]  # it has the fields it had


def _paused(state: AssetData, pause: PauseInForce) -> AssetData:
    said = state["agents"][AGENT]["data"]
    if said["status"] == "paused":
        return state
    trouble = said["status_reason"] if said["status"] == "stale" else None
    return _without_decision(state, "paused", "paused", pause.sentence(trouble), pause)


def _without_decision(
    state: AssetData, status: Status, reason_id: ReasonId, reason: str, pause: PauseInForce | None = None
) -> AssetData:
    decided = state["agents"][AGENT]
    data = {
        **decided["data"],
        **undecided(),
        "status": status,
        "status_reason": reason,
        "status_reason_id": reason_id,
        "pause": None if pause is None else pause.entry(),
        "bar": None,
    }
    return {**state, "timestamp": written(now()), "agents": {AGENT: {**decided, "data": data}}}  # type: ignore[typeddict-item]  # undecided() has the fields of the decision

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
from vivienne.stream.messages import AGENT, AssetData, undecided
from vivienne.stream.samples import state_samples
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(slots=True)
class _Relayed:
    """One asset: what its agent said last and when it came (in seconds of a clock), and what went out last."""

    agent: str
    said: AssetData
    seq: int
    frame: Frame
    is_stale: bool
    came: float


class StateRelay:
    """Passes states of other processes on; says so when they cannot be relied on any more.

    Args:
        hub: whom to tell.
        clock: seconds, never turned back.
    """

    def __init__(self, hub: Hub, clock: Callable[[], float] = monotonic) -> None:
        self._hub = hub
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
        return asset in self._assets and self._assets[asset].is_stale

    def receive(self, state: AssetData, agent: str) -> None:
        """Pass a state on, unless it is an older one.

        Args:
            state: as the agent published it.
            agent: which one; names of agents that began later sort later.
        """
        asset = state["asset"]
        relayed = self._assets.get(asset)
        moved = 1
        if relayed is not None and relayed.agent == agent:
            moved = state["seq"] - relayed.said["seq"]
        elif relayed is not None and agent < relayed.agent and not relayed.is_stale:
            return  # it was replaced, and has not noticed yet
        if moved < 1:
            return
        self._pass_on(asset, agent, state, {**state}, moved, is_stale=False)

    def mark_stale(self, asset: str, reason: str) -> None:
        """Show the last state without its decision: idle, with size 0, and the reason."""
        relayed = self._assets.get(asset)
        if relayed is None or relayed.is_stale:
            return
        shown = _stale(relayed.said, reason, self._clock() - relayed.came)
        self._pass_on(asset, relayed.agent, relayed.said, shown, 1, is_stale=True)

    def revive(self, asset: str) -> None:
        """Show the last state as it was: its agent is there after all, and nothing newer has come."""
        relayed = self._assets[asset]
        self._pass_on(asset, relayed.agent, relayed.said, {**relayed.said}, 1, is_stale=False)

    def _pass_on(
        self, asset: str, agent: str, said: AssetData, shown: AssetData, moved: int, *, is_stale: bool
    ) -> None:
        before = self._assets.get(asset)
        shown["seq"] = seq = moved if before is None else before.seq + moved
        frame = Frame(shown)
        came = before.came if before is not None and before.said is said else self._clock()
        self._assets[asset] = _Relayed(agent, said, seq, frame, is_stale, came)
        self._hub.broadcast(asset, frame)


def _stale(state: AssetData, reason: str, seconds: float) -> AssetData:
    """A state without its decision, so many seconds after it came."""
    decided = state["agents"][AGENT]
    data = {**decided["data"], **undecided(), "status": "stale", "status_reason": reason}
    if isinstance(age := data.get("data_age"), (int, float)):
        data["data_age"] = round(age + seconds, 1)
    return {**state, "timestamp": written(now()), "agents": {AGENT: {**decided, "data": data}}}  # type: ignore[typeddict-item]  # undecided() has the fields of the decision

"""The latest state of each asset, as published by agents in other processes and numbered for the clients of this one.

Each agent numbers its states from 1; a client must see one sequence that continues when an agent is replaced, with a
gap for every state that was lost on the way. So states are renumbered: by as much as the number of the agent rose, and
by one for the first state of another agent.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vivienne.cluster.heartbeats import SILENT_SECONDS
from vivienne.live.market import AGEING_SECONDS
from vivienne.stream.frame import Earlier, Frame
from vivienne.stream.samples import state_samples
from vivienne.times import elapsed, now, written
from vivienne.wire.decision import undecided
from vivienne.wire.messages import AGENT, AssetData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vivienne.changes.pause.state import PauseInForce
    from vivienne.stream.hub import Hub
    from vivienne.stream.mailbox import Mailbox
    from vivienne.wire.state import AssetState, TroubleEntry


SHORT = 0.05
"""Seconds below which the age of data, which has one decimal, is not corrected."""

SILENT_STATES_SECONDS = 2.5 * AGEING_SECONDS
"""Time without a state after which an asset is stale. Its agent publishes one at least every `AGEING_SECONDS`."""


UNPUBLISHED = "no agent has published it"
"""The reason where an asset has no state."""
_MOST_MISSED = 1_000_000
"""States that count as missed at most, whatever number an agent gives."""


@dataclass(slots=True)
class _Relayed:
    """One asset.

    Attributes:
        said: the last state of its agent.
        frame: the last one sent to clients.
        earlier: those sent before it.
        stale: the reason why it is stale, if it is.
        came: time of `said`, in seconds of the clock.
        sent_at: time of `frame`, likewise.
    """

    agent: str
    said: AssetData
    seq: int
    frame: Frame
    earlier: Earlier
    stale: str | None
    came: float
    sent_at: float


class StateRelay:
    """Passes states of other processes on, and marks those that are stale.

    A paused asset goes out as paused even if its agent does not know of the pause yet.

    Args:
        hub: fans states out to clients.
        pause_of: the pause of an asset; None while it is not paused.
        clock: in seconds, never turned back; one that goes on while the machine sleeps.
    """

    def __init__(
        self,
        hub: Hub,
        pause_of: Callable[[str], PauseInForce | None] = lambda _asset: None,
        clock: Callable[[], float] = elapsed,
    ) -> None:
        self._hub = hub
        self._pause_of = pause_of
        self._clock = clock
        self._assets: dict[str, _Relayed] = {}
        self._behind: dict[str, int] = {}
        """By asset, the number of the last state that was older than the one before it."""
        self._awaited: asyncio.Event | None = None
        hub.metrics.long_source(lambda: state_samples(self._assets, self._frame_of))

    def show(self, mailbox: Mailbox, assets: Iterable[str] | None = None) -> None:
        """See `vivienne.stream.state.LatestStates`."""
        for asset in self._assets if assets is None else assets:
            if asset in self._assets:
                mailbox.offer(asset, self._assets[asset].frame)

    def latest(self, asset: str) -> AssetData | None:
        """See `vivienne.stream.state.LatestStates`."""
        relayed = self._assets.get(asset)
        return None if relayed is None else relayed.frame.message

    def _frame_of(self, asset: str) -> Frame | None:
        relayed = self._assets.get(asset)
        return None if relayed is None else relayed.frame

    def agent_of(self, asset: str) -> str | None:
        """The agent whose states of this asset are passed on."""
        return self._assets[asset].agent if asset in self._assets else None

    def last(self, asset: str, agent: str) -> AssetData | None:
        """The last state of an asset as this agent published it; None if another one, or nobody, published the last."""
        relayed = self._assets.get(asset)
        return relayed.said if relayed is not None and relayed.agent == agent else None

    def hears(self, asset: str, agent: str) -> bool:
        """Tell whether states of this agent are passed on. One that was replaced, and has not noticed yet, is not."""
        relayed = self._assets.get(asset)
        return relayed is None or agent >= relayed.agent or relayed.stale is not None

    def said(self, asset: str) -> AssetState | None:
        """The state of an asset as its agent published it last; None if there is none."""
        return self._assets[asset].said["agents"][AGENT]["data"] if asset in self._assets else None

    def lack(self, _asset: str) -> str:
        """See `vivienne.cluster.confirmation.PublishedStates`."""
        return UNPUBLISHED

    def said_version(self, asset: str) -> int | None:
        """The version of the configuration in the last state of an asset; None if there is none."""
        return self._assets[asset].said["config_version"] if asset in self._assets else None

    async def look(self, assets: Iterable[str]) -> None:
        """See `vivienne.cluster.confirmation.PublishedStates`: all are heard as they come."""

    def following(self, _assets: Iterable[str] = ()) -> asyncio.Event:
        """Set once a state, of any asset, is received after this call."""
        self._awaited = self._awaited or asyncio.Event()
        return self._awaited

    def stale(self, asset: str) -> str | None:
        """The reason for which the state was marked by `mark_stale`, if it is."""
        return self._assets[asset].stale if asset in self._assets else None

    def overdue(self, asset: str) -> str | None:
        """The reason why the last state is too old to be relied on, whatever heartbeats say; None if it is not."""
        relayed = self._assets.get(asset)
        if relayed is None:
            return None
        waited, data = self._clock() - relayed.came, relayed.said["agents"][AGENT]["data"]
        if data["status"] in ("ended", "stale"):  # nothing newer will come, or its agent says why it is not relied on
            return None
        age, limit = data.get("data_age"), data.get("data_age_limit")
        is_too_old = age is not None and limit is not None and age + waited > limit + SILENT_SECONDS
        if waited > SILENT_STATES_SECONDS or (is_too_old and waited > SILENT_SECONDS):
            return f"its agent has published no state for {waited:.0f} s"
        return None

    def receive(
        self,
        state: AssetData,
        agent: str,
        waited: float = 0.0,
        lost: str | None = None,
        *,
        is_read_again: bool = False,
    ) -> None:
        """Pass a state on, unless it is older than the last one.

        Args:
            state: as the agent published it.
            agent: its name; names of later started agents sort later.
            waited: seconds since it was published.
            lost: the reason why it is stale, if it is.
            is_read_again: it is what Redis keeps, and was read because changes did not fit the last one. That one was
                forged then, if it is not older.
        """
        asset = state["asset"]
        relayed = self._assets.get(asset)
        if not self.hears(asset, agent):
            return
        moved = 1
        if relayed is not None and relayed.agent == agent:
            moved = self._moved(asset, state["seq"] - relayed.said["seq"], state["seq"])
            if moved < 1 and is_read_again and state != relayed.said:
                moved = 1
        if moved < 1:
            return
        shown = state if lost is None else _lost(state, lost)
        self._pass_on(asset, agent, state, shown, moved, came=self._clock() - waited, stale=lost)
        if self._awaited is not None:
            self._awaited.set()
            self._awaited = None

    def _moved(self, asset: str, by: int, seq: int) -> int:
        """The number of states since the last one; 0 for an older one.

        If two older ones follow each other, they are what the agent publishes now. The last one was forged then, with a
        higher number than any that the agent has reached.
        """
        before = self._behind.pop(asset, None)
        if by > 0:
            return min(_MOST_MISSED, by)
        self._behind[asset] = seq
        return 1 if before is not None and seq > before else 0

    def mark_stale(self, asset: str, reason: str) -> None:
        """Show the last state without its decision: idle, with size 0, and the reason.

        It is sent as often as an agent that is there sends one, or clients would take the connection for a broken one.
        """
        relayed = self._assets.get(asset)
        if relayed is None:
            return
        if relayed.stale is None or self._clock() - relayed.sent_at >= AGEING_SECONDS:
            self._pass_again(asset, relayed, stale=relayed.stale or reason)

    def revive(self, asset: str) -> None:
        """Show the last state as it was: its agent is alive after all, and has published nothing newer."""
        self._pass_again(asset, self._assets[asset])

    def show_again(self, assets: Iterable[str]) -> None:
        """Send the states of these assets again, because they may have been paused or resumed."""
        for asset in assets:
            relayed = self._assets.get(asset)
            if relayed is not None:
                self._pass_again(asset, relayed, stale=relayed.stale)

    def _pass_again(self, asset: str, relayed: _Relayed, *, stale: str | None = None) -> None:
        shown = relayed.said if stale is None else _lost(relayed.said, stale)
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
        sent_at = self._clock()
        shown = _aged(shown, sent_at - came)
        shown["seq"] = seq = moved if before is None else before.seq + moved
        earlier = Earlier() if before is None else before.earlier
        frame = Frame(shown, earlier, most_earlier=self._hub.most_earlier)
        self._assets[asset] = _Relayed(agent, said, seq, frame, earlier, stale, came, sent_at)
        self._hub.broadcast(asset, frame)


def _aged(state: AssetData, seconds: float) -> AssetData:
    """A state as it is so many seconds later, with the time and the age of data of this moment."""
    if seconds < SHORT:
        return {**state}
    decided = state["agents"][AGENT]
    data = {**decided["data"]}
    if isinstance(age := data.get("data_age"), (int, float)):
        data["data_age"] = round(age + seconds, 1)
    return {**state, "timestamp": written(now()), "agents": {AGENT: {**decided, "data": data}}}  # type: ignore[typeddict-item]  # it has the fields it had


def _lost(state: AssetData, reason: str) -> AssetData:
    """A state without its decision, because its agent cannot be relied on."""
    trouble: TroubleEntry = {"id": "agent_lost", "message": reason}
    return _without_decision(
        state, {"status": "stale", "status_reason": trouble["message"], "status_reason_id": trouble["id"],
                "trouble": trouble, "pause": None, "feed_status": None, "feed_status_reason": None, "data_delay": None},
    )  # fmt: skip


def _paused(state: AssetData, pause: PauseInForce) -> AssetData:
    """A state without its decision, because of a pause that its agent may not have heard of yet."""
    said = state["agents"][AGENT]["data"]
    if said["status"] == "paused":
        return _named(state, pause)
    trouble = said.get("trouble")  # agents of an older version do not say it
    reason = pause.sentence(None if trouble is None else trouble["message"])
    return _without_decision(
        state, {"status": "paused", "status_reason": reason, "status_reason_id": "paused", "pause": pause.entry()}
    )


def _named(state: AssetData, pause: PauseInForce) -> AssetData:
    """A paused state. Its agent may have heard of the pause only, and then does not know who asked for it."""
    decided = state["agents"][AGENT]
    said, known = decided["data"], pause.entry()
    there = said.get("pause")
    if there is None or there["config_id"] != pause.config_id or there == known:
        return state
    trouble = said.get("trouble")
    reason = pause.sentence(None if trouble is None else trouble["message"])
    data = {**said, "status_reason": reason, "pause": known}
    return {**state, "agents": {AGENT: {**decided, "data": data}}}  # type: ignore[typeddict-item]  # it has its fields


def _without_decision(state: AssetData, fields: dict[str, Any]) -> AssetData:
    decided = state["agents"][AGENT]
    data = {**decided["data"], **undecided(), "bar": None, **fields}
    return {**state, "timestamp": written(now()), "agents": {AGENT: {**decided, "data": data}}}  # type: ignore[typeddict-item]  # it has the fields of a state

"""The market as a gateway sees it: decided by agents in other processes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import orjson

from vivienne.changes.turns import MOST_WAITING, Turns
from vivienne.cluster.heartbeats import SILENT_SECONDS
from vivienne.errors import AgentUnavailable
from vivienne.live.overviews import Overviews, encoded
from vivienne.wire.chart import UNLISTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vivienne.agent.schema import Configuration
    from vivienne.cluster.agents import Agents
    from vivienne.cluster.heartbeats import Heartbeat
    from vivienne.cluster.questions import Asking, Question
    from vivienne.slices import Pieces
    from vivienne.wire.chart import AssetCloses, Chart
    from vivienne.wire.preview import Comparison
    from vivienne.wire.state import AssetState


AGENT_LOST = f"its agent has not responded for {SILENT_SECONDS:g} s"
"""The reason why an asset is stale whose agent is silent."""


class RemoteMarket:
    """See `vivienne.live.view.MarketView`.

    Args:
        assets: all of them.
        agents: knows which are alive.
        asking: asks them.
        stale: the reason why the last state of an asset cannot be relied on, if so.
        said: the last state of an asset, if there is one.
    """

    is_local = False

    def __init__(
        self,
        assets: Iterable[str],
        agents: Agents,
        asking: Asking,
        stale: Callable[[str], str | None],
        said: Callable[[str], AssetState | None] = lambda _asset: None,
    ) -> None:
        self.assets = tuple(assets)
        self._stale = stale
        self._said = said
        self._agents = agents
        self._asking = asking
        # To read an answer of thousands of closes takes as long as to make it.
        self._overviews = Overviews(Turns(most_waiting=MOST_WAITING).turn, self._listed, len(self.assets))

    async def overview(self, closes: int, *, whose: str = "") -> bytes:
        """See `MarketView`; an asset whose agent does not answer has no closes."""
        return await self._overviews.one(closes, whose)

    async def _listed(self, closes: int, whose: str) -> bytes:
        there = self._agents.there()
        if not there:
            raise AgentUnavailable(f"No agent has responded for {SILENT_SECONDS:g} s")
        known: dict[str, AssetCloses] = {}
        for entries in await asyncio.gather(*(self._closes(beat["agent"], closes, whose) for beat in there)):
            for entry in entries:
                known.setdefault(entry["asset"], entry)
        first = next((asset for asset in self.assets if self._said(asset) is not None), self.assets[0])
        feed, timeframe = self._told(first, "feed", there[0]), self._told(first, "timeframe", there[0])
        return await encoded(feed, timeframe, self._encoded(known))

    def _encoded(self, known: dict[str, AssetCloses]) -> Pieces[list[bytes]]:
        entries: list[bytes] = []
        for asset in self.assets:
            entries.append(orjson.dumps(known.get(asset) or {"asset": asset, **UNLISTED, "closes": []}))
            yield
        return entries

    async def chart(self, asset: str, limit: int, *, before: int | None = None, whose: str = "") -> Chart:
        """See `MarketView`."""
        agent = self._agents.needed(asset)["agent"]
        question: Question = {"kind": "chart", "asset": asset, "count": limit}
        if before is not None:
            question["before"] = before
        found: Chart = await self._asking.ask(agent, question, whose)
        return found

    async def compare(
        self, asset: str, candidate: Configuration, rows: int, *, whose: str = ""
    ) -> tuple[str, Comparison]:
        """See `MarketView`."""
        beat = self._agents.needed(asset)
        document = candidate.model_dump(exclude_none=True)
        found: Comparison = await self._asking.ask(
            beat["agent"], {"kind": "compare", "asset": asset, "count": rows, "candidate": document}, whose
        )
        return self._told(asset, "timeframe", beat), found

    def troubles(self) -> Pieces[dict[str, str]]:
        """See `MarketView`."""
        troubles: dict[str, str] = {}
        for asset in self.assets:
            beat = self._agents.of(asset)
            if beat is None:
                troubles[asset] = AGENT_LOST
            elif (stale := self._stale(asset)) is not None:
                troubles[asset] = stale
            elif asset in beat["troubles"]:
                troubles[asset] = beat["troubles"][asset]
            yield
        return troubles

    def _told(self, asset: str, name: Literal["feed", "timeframe"], beat: Heartbeat) -> str:
        """What the states of an asset say, because heartbeats may come from others; that of a heartbeat before that."""
        said = self._said(asset)
        return beat[name] if said is None else str(said.get(name, beat[name]))

    async def _closes(self, agent: str, count: int, whose: str) -> list[AssetCloses]:
        try:
            found: list[AssetCloses] = await self._asking.ask(agent, {"kind": "closes", "count": count}, whose)
        except AgentUnavailable:
            return []  # assets of other agents are still shown, and /ready names the missing agent
        return found

"""The market as a gateway sees it: decided by agents in other processes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vivienne.cluster.heartbeats import SILENT_SECONDS
from vivienne.errors import AgentUnavailable
from vivienne.wire.chart import UNLISTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vivienne.agent.schema import Configuration
    from vivienne.cluster.agents import Agents
    from vivienne.cluster.questions import Asking, Question
    from vivienne.wire.chart import AssetCloses, AssetList, Chart
    from vivienne.wire.preview import Comparison


AGENT_LOST = f"its agent has not responded for {SILENT_SECONDS:g} s"
"""The reason why an asset is stale whose agent is silent."""


class RemoteMarket:
    """See `vivienne.live.view.MarketView`.

    Args:
        assets: all of them.
        agents: knows which are alive.
        asking: asks them.
        stale: the reason why the last state of an asset cannot be relied on, if so.
    """

    is_local = False

    def __init__(
        self, assets: Iterable[str], agents: Agents, asking: Asking, stale: Callable[[str], str | None]
    ) -> None:
        self.assets = tuple(assets)
        self._stale = stale
        self._agents = agents
        self._asking = asking

    async def overview(self, closes: int, *, whose: str = "") -> AssetList:
        """See `MarketView`; an asset whose agent does not answer has no closes."""
        there = self._agents.there()
        if not there:
            raise AgentUnavailable(f"No agent has responded for {SILENT_SECONDS:g} s")
        known: dict[str, AssetCloses] = {}
        for entries in await asyncio.gather(*(self._closes(beat["agent"], closes, whose) for beat in there)):
            for entry in entries:
                known.setdefault(entry["asset"], entry)
        return {
            "feed": there[0]["feed"],
            "timeframe": there[0]["timeframe"],
            "assets": [known.get(asset, {"asset": asset, **UNLISTED, "closes": []}) for asset in self.assets],
        }

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
        return beat["timeframe"], found

    def troubles(self) -> dict[str, str]:
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
        return troubles

    async def _closes(self, agent: str, count: int, whose: str) -> list[AssetCloses]:
        try:
            found: list[AssetCloses] = await self._asking.ask(agent, {"kind": "closes", "count": count}, whose)
        except AgentUnavailable:
            return []  # assets of other agents are still shown, and /ready names the missing agent
        return found

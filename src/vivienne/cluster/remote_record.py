"""The record as a gateway sees it: each agent has that of its assets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vivienne.cluster.record_questions import content_of, written_query
from vivienne.errors import AgentUnavailable
from vivienne.record.reading.query import PER_PAGE, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vivienne.cluster.agents import Agents
    from vivienne.cluster.questions import Asking
    from vivienne.cluster.record_questions import RecordQuestion
    from vivienne.record.reading.judged import Judged
    from vivienne.record.reading.judging_query import JudgingQuery
    from vivienne.record.reading.query import DecisionQuery
    from vivienne.wire.chart import ChartBar
    from vivienne.wire.record import DecisionPage, DecisionRecord, DecisionRow, ExportPiece, SignalPage


class RemoteRecord:
    """See `vivienne.record.reading.view.RecordView`.

    Args:
        assets: all of them.
        timeframe: of their bars.
        agents: knows which are alive.
        asking: asks them.
    """

    def __init__(self, assets: Iterable[str], timeframe: str, agents: Agents, asking: Asking) -> None:
        self._assets = tuple(assets)
        self._timeframe = timeframe
        self._agents = agents
        self._asking = asking

    async def decisions(self, asset: str, query: DecisionQuery, *, whose: str = "") -> DecisionPage:
        """See `RecordView`."""
        question: RecordQuestion = {"about": "decisions", "asset": asset, "query": written_query(query)}
        found: DecisionPage = await self._ask(self._agents.needed(asset)["agent"], question, whose)
        return found

    async def explained(self, asset: str, time: int, *, whose: str = "") -> DecisionRecord:
        """See `RecordView`."""
        question: RecordQuestion = {"about": "explained", "asset": asset, "time": time}
        found: DecisionRecord = await self._ask(self._agents.needed(asset)["agent"], question, whose)
        return found

    async def bars(self, asset: str, before: int, limit: int, *, whose: str = "") -> list[ChartBar]:
        """See `RecordView`."""
        question: RecordQuestion = {"about": "bars", "asset": asset, "time": before, "limit": limit}
        found: list[ChartBar] = await self._ask(self._agents.needed(asset)["agent"], question, whose)
        return found

    async def signals(self, query: DecisionQuery, *, whose: str = "") -> SignalPage:
        """See `RecordView`; an asset whose agent does not answer is named as unanswered."""
        shares, unanswered = self._shares(query.assets or self._assets)
        asked = [self._page(agent, replace(query, assets=tuple(share)), whose) for agent, share in shares.items()]
        pages: list[SignalPage] = []
        for agent, page in zip(shares, await asyncio.gather(*asked), strict=True):
            if page is None:
                unanswered += shares[agent]
            else:
                pages.append(page)
        decisions, following = merged(pages, query.limit or PER_PAGE)
        return {
            "timeframe": self._timeframe,
            "decisions": decisions,
            "next": None if following is None else following.written(),
            "unanswered": sorted(unanswered),
        }

    async def rows(self, query: DecisionQuery, *, whose: str = "") -> ExportPiece:
        """See `RecordView`; an export is whole, so each agent must answer."""
        shares, without = self._shares(query.assets or self._assets)
        for asset in without:
            self._agents.needed(asset)
        asked = [self._piece(agent, replace(query, assets=tuple(share)), whose) for agent, share in shares.items()]
        pieces = await asyncio.gather(*asked)
        ends = [piece["next"] for piece in pieces if piece["next"] is not None]
        rows = sorted((row for piece in pieces for row in piece["rows"]), key=lambda row: (row["time"], row["asset"]))
        if not ends:
            return {"rows": rows, "next": None}
        # What comes later is not known of all agents yet.
        end = min(ends)
        text = Place(end).written()
        return {"rows": [row for row in rows if row["time"] < text], "next": end}

    async def judged(self, query: JudgingQuery, *, whose: str = "") -> Judged:
        """See `RecordView`. The agents share a database, so any of them has the decisions of all."""
        agent = self._agents.needed((query.assets or self._assets)[0])["agent"]
        found: Judged = await self._ask(agent, {"about": "judged", "query": written_query(query)}, whose)
        return found

    async def _page(self, agent: str, query: DecisionQuery, whose: str) -> SignalPage | None:
        question: RecordQuestion = {"about": "signals", "query": written_query(query)}
        try:
            found: SignalPage = await self._ask(agent, question, whose)
        except AgentUnavailable:
            return None
        return found

    async def _piece(self, agent: str, query: DecisionQuery, whose: str) -> ExportPiece:
        found: ExportPiece = await self._ask(agent, {"about": "rows", "query": written_query(query)}, whose)
        return found

    async def _ask(self, agent: str, question: RecordQuestion, whose: str) -> Any:
        answer = await self._asking.ask(agent, {"kind": "record", "count": 0, "record": question}, whose)
        return content_of(agent, answer)

    def _shares(self, assets: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
        """The assets of each agent, and those without one."""
        shares: dict[str, list[str]] = {}
        without: list[str] = []
        for asset in assets:
            beat = self._agents.of(asset)
            if beat is None:
                without.append(asset)
            else:
                shares.setdefault(beat["agent"], []).append(asset)
        return shares, without


def merged(pages: Sequence[SignalPage], limit: int) -> tuple[list[DecisionRow], Place | None]:
    """The newest decisions of several pages, and the place behind which there are others.

    Each page is complete up to its `next`. The whole is complete up to the first of these places.
    """
    ends = [Place.read(page["next"]) for page in pages if page["next"] is not None]
    end = min(ends, key=lambda place: place.order, default=None)
    found = sorted(
        ((Place.read(f"{row['time']},{row['asset']}"), row) for page in pages for row in page["decisions"]),
        key=lambda each: each[0].order,
    )
    if end is not None:
        found = [each for each in found if each[0].order <= end.order]
    if len(found) > limit:
        return [row for _, row in found[:limit]], found[limit - 1][0]
    return [row for _, row in found], end

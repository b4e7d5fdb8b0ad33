"""What the market endpoints answer: assets, bars, and what a change would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from vivienne.changes.requests import Update
from vivienne.errors import InvalidConfiguration
from vivienne.server.configuration import Answer, change_request, read_configuration
from vivienne.wire.problem import problem_entry

if TYPE_CHECKING:
    from vivienne.changes.service import ConfigService
    from vivienne.live.preview import DecisionPreview
    from vivienne.live.view import MarketView

MOST_BARS = 1_000
Asset = Annotated[str, Path(description="In any case.")]
Bars = Annotated[int, Query(ge=1, le=MOST_BARS, description="At most so many.")]


def market_routes(service: ConfigService, market: MarketView, documented: dict[str, dict[str, Any]]) -> APIRouter:
    """The endpoints.

    Args:
        service: knows the assets, and what a change would come to.
        market: has their bars.
        documented: by name of an endpoint, what the OpenAPI document says beyond its signature.
    """
    routes = APIRouter(prefix="/phoenix/assets", tags=["market"], default_response_class=Answer)

    @routes.get("", **documented["assets"])
    async def assets(
        closes: Annotated[int, Query(ge=0, le=MOST_BARS, description="So many closes of each.")] = 48,
    ) -> Answer:
        """Every asset there is, with its last closes."""
        return Answer(await market.overview(closes))

    @routes.get("/{asset}/bars", **documented["bars"])
    async def bars(asset: Asset, limit: Bars = 200) -> Answer:
        """The last closed bars of an asset, with the indicators and decisions a chart draws; and the open one."""
        return Answer(await market.chart(service.asset(asset), limit))

    @routes.post("/{asset}/preview", **documented["preview"])
    async def preview(request: Request, asset: Asset, bars: Bars = 500) -> Answer:
        """What a partial update would have done on the last bars of an asset; nothing is changed."""
        watched = service.asset(asset)
        envelope, document = await read_configuration(request, None, None, "bars")
        try:
            update = change_request(request, envelope, Update(document, partial=True))
            configuration, outcome = await service.candidate(watched, update)
        except InvalidConfiguration as refused:
            return Answer({"valid": False, "errors": [problem_entry(problem) for problem in refused.problems]})
        timeframe, comparison = await market.compare(watched, configuration, bars)
        found: DecisionPreview = {
            "valid": True,
            "errors": [],
            "asset": watched,
            "timeframe": timeframe,
            "changed": outcome["changed"],
            **comparison,
        }
        return Answer(found)

    return routes

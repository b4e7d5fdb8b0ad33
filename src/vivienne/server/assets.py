"""Assets, their bars, and previews of changes: `/phoenix/assets`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Path, Query, Request

from vivienne.changes.requests import Update
from vivienne.errors import InvalidConfiguration
from vivienne.live.preview import MOST_DIFFERENT
from vivienne.live.view import MOST_BARS
from vivienne.server.decision_query import bar_time
from vivienne.server.documents import EXAMPLE, ConfigurationBody, body_of, documented
from vivienne.server.http import Answer, EncodedAnswer, caller_of, change_request, read_configuration
from vivienne.server.older_chart import older_chart
from vivienne.server.one_bar import one_bar
from vivienne.server.routes import Routes
from vivienne.wire.chart import AssetList, Chart
from vivienne.wire.preview import DecisionPreview
from vivienne.wire.problem import problem_entry
from vivienne.wire.record import BarRecord

if TYPE_CHECKING:
    from vivienne.changes.service import ConfigService
    from vivienne.live.view import MarketView
    from vivienne.record.reading.view import RecordView

Asset = Annotated[str, Path(description="In upper or lower case; a slash may be written as %2F.")]
Bars = Annotated[int, Query(ge=1, le=MOST_BARS, description="Largest number of bars.")]
Before = Annotated[
    str | None,
    Query(max_length=40, description="Only bars that open before this time: that of the oldest bar you have."),
]
Time = Annotated[str, Path(max_length=40, description="A time within the bar, such as 2026-01-06T14:00:00Z.")]
Examples = Annotated[
    int, Query(ge=0, le=MOST_DIFFERENT, description="Largest number of different bars that are listed, the newest.")
]


_CONFIGURATION = body_of(ConfigurationBody, EXAMPLE)
_PREVIEW_PROBLEMS = (400, 408, 412, 413, 415, 422, 429)


def asset_routes(service: ConfigService, market: MarketView, record: RecordView) -> Routes:
    """The endpoints.

    Args:
        service: knows the assets, and the configuration a change would lead to.
        market: has their bars.
        record: has the older ones.
    """
    routes = Routes(prefix="/phoenix/assets", tags=["market"], default_response_class=Answer)

    @routes.get("", **documented(AssetList, 422, 429))
    async def assets(
        request: Request,
        closes: Annotated[int, Query(ge=0, le=MOST_BARS, description="Number of closes of each asset.")] = 48,
    ) -> Answer:
        """Every asset, with its last closes: at most 100,000 of all assets together, of more than 100 fewer of each."""
        return EncodedAnswer(await market.overview(closes, whose=caller_of(request).key))

    @routes.get("/{asset:path}/bars", **documented(Chart, 422, 429, 503))
    async def bars(request: Request, asset: Asset, limit: Bars = 200, before: Before = None) -> Answer:
        """The last closed bars of an asset, with the indicators and decisions a chart draws; and the open one."""
        watched, whose = service.asset(asset), caller_of(request).key
        if before is None:
            return Answer(await market.chart(watched, limit, whose=whose))
        return Answer(await older_chart(market, record, watched, bar_time(before, "before"), limit, whose=whose))

    @routes.get("/{asset:path}/bars/{time}", **documented(BarRecord, 422, 429, 503))
    async def bar(request: Request, asset: Asset, time: Time) -> Answer:
        """What is known of one bar: the explanation of its decision, or why there is none and what the market did."""
        watched, whose = service.asset(asset), caller_of(request).key
        return Answer(await one_bar(market, record, watched, bar_time(time), whose=whose))

    @routes.post(
        "/{asset:path}/preview",
        **documented(DecisionPreview, *_PREVIEW_PROBLEMS, body=_CONFIGURATION),
    )
    async def preview(request: Request, asset: Asset, bars: Bars = 500, examples: Examples = MOST_DIFFERENT) -> Answer:
        """Preview a partial update: its decisions on the last bars of an asset. Nothing is changed."""
        watched = service.asset(asset)
        envelope, document = await read_configuration(request, None, None, "bars", "examples")
        try:
            update = change_request(request, envelope, Update(document, partial=True))
            configuration, outcome = await service.candidate(watched, update)
        except InvalidConfiguration as refused:
            errors = [problem_entry(problem) for problem in refused.problems]
            return Answer({"valid": False, "errors": errors, "warnings": []})
        timeframe, comparison = await market.compare(watched, configuration, bars, whose=caller_of(request).key)
        found: DecisionPreview = {
            "valid": True,
            "errors": [],
            "warnings": outcome["warnings"],
            "asset": watched,
            "timeframe": timeframe,
            "changed": outcome["changed"],
            **comparison,
            "different": comparison["different"][-examples:] if examples else [],
        }
        return Answer(found)

    return routes

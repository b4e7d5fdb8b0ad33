"""What came of recorded decisions: versions of an asset, the paper account, setups, and filters over time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request

from vivienne.record.judging.curves import MOST_POINTS
from vivienne.record.reading.judging_query import About, JudgingQuery
from vivienne.server.assets import Asset  # noqa: TC001  # FastAPI reads the annotation
from vivienne.server.decision_query import Assets, From, To, moment_of
from vivienne.server.decisions import unless_known
from vivienne.server.documents import documented
from vivienne.server.http import Answer, caller_of, check_query
from vivienne.wire.judged import VersionPage
from vivienne.wire.numbers import HIGHEST
from vivienne.wire.paper import PaperAccount
from vivienne.wire.setups import HeatMap, HeatUnit, Setups
from vivienne.wire.version_outcome import VersionOutcome

if TYPE_CHECKING:
    from starlette.responses import Response

    from vivienne.changes.service import ConfigService
    from vivienne.record.judging.costs import Costs
    from vivienne.record.reading.view import RecordView

_BasisPoints = Annotated[float | None, Query(ge=0, le=1_000, description="In basis points; that of the settings.")]
_Version = Annotated[int, Path(ge=0, le=HIGHEST, description="A version of the configuration.")]
_PROBLEMS = (400, 409, 422, 429, 503)
_COSTS, _SPAN = ("fee", "slippage"), ("from", "to")


def judging_routes(service: ConfigService, record: RecordView, costs: Costs) -> APIRouter:
    """The endpoints.

    Args:
        service: knows the assets.
        record: has the decisions.
        costs: of a trade, where a request names none.
    """
    routes = APIRouter(prefix="/phoenix", tags=["record"], default_response_class=Answer)

    async def answer(request: Request, query: JudgingQuery) -> Response:
        return unless_known(request, await record.judged(query, whose=caller_of(request).key))

    def query_of(about: About, begin: From, to: To, assets: Assets, **more: float | None) -> JudgingQuery:
        fee, slippage = more.get("fee"), more.get("slippage")
        return JudgingQuery(
            about=about,
            # Those that are not decided any more are only in an export of the command line.
            assets=tuple(map(service.asset, assets)) or service.assets,
            begin=moment_of("from", begin),
            end=moment_of("to", to),
            fee=costs.fee if fee is None else fee,
            slippage=costs.slippage if slippage is None else slippage,
        )

    @routes.get("/assets/{asset:path}/versions", **documented(VersionPage, 404, *_PROBLEMS, has_etag=True))
    async def versions(
        request: Request,
        asset: Asset,
        limit: Annotated[int, Query(ge=1, le=1_000, description="Largest number of versions.")] = 50,
        before: Annotated[int | None, Query(ge=0, le=HIGHEST, description="Only versions below: `next`.")] = None,
    ) -> Response:
        """Versions of the configuration that decided an asset, newest first, and on which bars."""
        check_query(request, "limit", "before")
        watched = (service.asset(asset),)
        return await answer(request, JudgingQuery(about="versions", assets=watched, before=before, limit=limit))

    @routes.get("/assets/{asset:path}/versions/{version}", **documented(VersionOutcome, 404, *_PROBLEMS, has_etag=True))
    async def version(
        request: Request,
        asset: Asset,
        version: _Version,
        fee: _BasisPoints = None,
        slippage: _BasisPoints = None,
        points: Annotated[int, Query(ge=0, le=MOST_POINTS, description="Most points of the curves.")] = MOST_POINTS,
    ) -> Response:
        """What came of a version for an asset, beside what the one before would have done on the same bars."""
        check_query(request, *_COSTS, "points")
        query = JudgingQuery(
            about="version",
            assets=(service.asset(asset),),
            version=version,
            points=points,
            fee=costs.fee if fee is None else fee,
            slippage=costs.slippage if slippage is None else slippage,
        )
        return await answer(request, query)

    @routes.get("/account", **documented(PaperAccount, *_PROBLEMS, has_etag=True))
    async def account(  # parameters of the query
        request: Request,
        begin: From = None,
        to: To = None,
        assets: Assets = (),
        fee: _BasisPoints = None,
        slippage: _BasisPoints = None,
    ) -> Response:
        """The paper account that follows the decisions on all assets, or on some. It is a simulation."""
        check_query(request, *_SPAN, *_COSTS, several=("asset",))
        return await answer(request, query_of("account", begin, to, assets, fee=fee, slippage=slippage))

    @routes.get("/setups", **documented(Setups, *_PROBLEMS, has_etag=True))
    async def setups(request: Request, begin: From = None, to: To = None, assets: Assets = ()) -> Response:
        """What came of entries, by level, side, asset and hour, and of those that filters held back."""
        check_query(request, *_SPAN, several=("asset",))
        return await answer(request, query_of("setups", begin, to, assets))

    @routes.get("/filters", **documented(HeatMap, *_PROBLEMS, has_etag=True))
    async def filters(
        request: Request,
        begin: From = None,
        to: To = None,
        assets: Assets = (),
        unit: Annotated[HeatUnit, Query(description="Length of the spans of time.")] = "day",
    ) -> Response:
        """How much each filter blocked, over time."""
        check_query(request, *_SPAN, "unit", several=("asset",))
        return await answer(request, replace(query_of("filters", begin, to, assets), unit=unit))

    return routes

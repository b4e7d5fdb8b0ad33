"""What came of recorded decisions: versions of an asset, the paper account, setups, and filters over time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import Path, Query, Request

from vivienne.record.judging.curves import MOST_POINTS
from vivienne.record.reading.judging_query import About, JudgingQuery
from vivienne.server.assets import Asset  # noqa: TC001  # FastAPI reads the annotation
from vivienne.server.decision_query import Assets, From, To, moment_of
from vivienne.server.decisions import unless_known
from vivienne.server.documents import documented
from vivienne.server.http import Answer, caller_of, check_query
from vivienne.server.routes import Routes
from vivienne.wire.change_outcome import ChangeOutcome
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
_Points = Annotated[int, Query(ge=0, le=MOST_POINTS, description="Most points of the curves.")]
_PROBLEMS = (400, 409, 422, 429, 503)
_COSTS, _SPAN = ("fee", "slippage"), ("from", "to")


def judging_routes(service: ConfigService, record: RecordView, costs: Costs) -> Routes:
    """The endpoints.

    Args:
        service: knows the assets.
        record: has the decisions.
        costs: of a trade, where a request names none.
    """
    routes = Routes(prefix="/phoenix", tags=["record"], default_response_class=Answer)
    judging = _Judging(service, record, costs)
    _add_versions(routes, judging)
    _add_spans(routes, judging)
    return routes


class _Judging:
    """What the endpoints share."""

    def __init__(self, service: ConfigService, record: RecordView, costs: Costs) -> None:
        self.service = service
        self._record = record
        self._costs = costs

    async def answer(self, request: Request, query: JudgingQuery) -> Response:
        """The answer to a query, unless the client has it already."""
        return unless_known(request, await self._record.judged(query, whose=caller_of(request).key))

    def with_costs(self, query: JudgingQuery, fee: float | None, slippage: float | None) -> JudgingQuery:
        """A query with the costs of a request, or those of the settings."""
        usual = self._costs
        return replace(
            query,
            fee=usual.fee if fee is None else fee,
            slippage=usual.slippage if slippage is None else slippage,
        )

    def of_span(self, about: About, begin: From, to: To, assets: Assets) -> JudgingQuery:
        """A query of some bars."""
        # Those that are not decided any more are only in an export of the command line.
        watched = tuple(map(self.service.asset, assets)) or self.service.assets
        return JudgingQuery(about=about, assets=watched, begin=moment_of("from", begin), end=moment_of("to", to))


def _add_versions(routes: Routes, judging: _Judging) -> None:
    """Add the endpoints of the versions that decided an asset."""

    @routes.get("/assets/{asset:path}/versions", **documented(VersionPage, 404, *_PROBLEMS, has_etag=True))
    async def versions(
        request: Request,
        asset: Asset,
        limit: Annotated[int, Query(ge=1, le=1_000, description="Largest number of versions.")] = 50,
        before: Annotated[int | None, Query(ge=0, le=HIGHEST, description="Only versions below: `next`.")] = None,
    ) -> Response:
        """Versions of the configuration that decided an asset, newest first, and on which bars."""
        check_query(request, "limit", "before")
        watched = (judging.service.asset(asset),)
        return await judging.answer(request, JudgingQuery(about="versions", assets=watched, before=before, limit=limit))

    @routes.get("/assets/{asset:path}/versions/{version}", **documented(VersionOutcome, 404, *_PROBLEMS, has_etag=True))
    async def version(
        request: Request,
        asset: Asset,
        version: _Version,
        fee: _BasisPoints = None,
        slippage: _BasisPoints = None,
        points: _Points = MOST_POINTS,
    ) -> Response:
        """What came of a version for an asset, beside what the one before would have done on the same bars."""
        check_query(request, *_COSTS, "points")
        query = JudgingQuery(
            about="version",
            assets=(judging.service.asset(asset),),
            version=version,
            points=points,
        )
        return await judging.answer(request, judging.with_costs(query, fee, slippage))

    @routes.get("/versions/{version}", **documented(ChangeOutcome, *_PROBLEMS, has_etag=True))
    async def change(
        request: Request,
        version: _Version,
        assets: Assets = (),
        fee: _BasisPoints = None,
        slippage: _BasisPoints = None,
        points: _Points = MOST_POINTS,
    ) -> Response:
        """What came of a version for all assets or some, as one equity, beside what the ones before would have done."""
        check_query(request, *_COSTS, "points", several=("asset",))
        watched = tuple(map(judging.service.asset, assets)) or judging.service.assets
        query = JudgingQuery(about="change", assets=watched, version=version, points=points)
        return await judging.answer(request, judging.with_costs(query, fee, slippage))


def _add_spans(routes: Routes, judging: _Judging) -> None:
    """Add the endpoints that judge some assets from one time to another."""

    @routes.get("/account", **documented(PaperAccount, *_PROBLEMS, has_etag=True))
    async def account(
        request: Request,
        begin: From = None,
        to: To = None,
        assets: Assets = (),
        fee: _BasisPoints = None,
        slippage: _BasisPoints = None,
    ) -> Response:
        """The paper account that follows the decisions on all assets, or on some. It is a simulation."""
        check_query(request, *_SPAN, *_COSTS, several=("asset",))
        query = judging.of_span("account", begin, to, assets)
        return await judging.answer(request, judging.with_costs(query, fee, slippage))

    @routes.get("/setups", **documented(Setups, *_PROBLEMS, has_etag=True))
    async def setups(request: Request, begin: From = None, to: To = None, assets: Assets = ()) -> Response:
        """What came of entries, by level, side, asset and hour, and of those that filters held back."""
        check_query(request, *_SPAN, several=("asset",))
        return await judging.answer(request, judging.of_span("setups", begin, to, assets))

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
        return await judging.answer(request, replace(judging.of_span("filters", begin, to, assets), unit=unit))

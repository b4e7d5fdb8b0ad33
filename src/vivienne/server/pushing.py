"""Market data that other programs push: `/phoenix/market`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, Protocol

from fastapi import Request  # noqa: TC002  # FastAPI reads the annotation
from pydantic import Field, with_config
from typing_extensions import TypedDict

from vivienne.changes.turns import MOST_WAITING, Turns
from vivienne.errors import NotPushed
from vivienne.live.pushed import pushed
from vivienne.market.feeds.pushed.rows import KINDS, MOST_NAMES, MOST_ROWS, MOST_VALUES, rows_of
from vivienne.market.timeframe import Timeframe
from vivienne.server.documents import Problem, body_of, documented, problems
from vivienne.server.http import Answer, caller_of, check_query, read_body
from vivienne.server.problems import problem
from vivienne.server.routes import Routes
from vivienne.server.schemas import NOTHING_ELSE, Schema, reference
from vivienne.wire.problem import ProblemEntry  # noqa: TC001  # a schema is made of it
from vivienne.wire.pushed import Pushed, PushedPosition

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from starlette.responses import Response

    from vivienne.access.access import Access
    from vivienne.access.caller import Caller
    from vivienne.market.feeds.pushed.feed import PushedFeed
    from vivienne.market.feeds.pushed.rows import Kind

PREFIX = "/phoenix/market"
NOT_PUSHED = "Market data is pushed only to a server that was started with --feed push"

_Time = Annotated[int | str, Field(description="ms since 1970, or ISO 8601 with its zone.")]
_Price = Annotated[float | str, Field(description="Above 0; a decimal text is read too.")]
_Amount = Annotated[float | str, Field(description="From 0; a decimal text is read too.")]
_Asset = Annotated[str, Field(description="Of all rows that name none.")]
_Clock = Annotated[
    int | str, Field(description="Everything before this time was pushed of `asset`: minutes before it are closed.")
]
_IsHistory = Annotated[
    bool | None,
    Field(description="Whether rows before the first decision are history. Without it their age and pace tell."),
]


@with_config(NOTHING_ELSE)
class CandleRow(TypedDict):
    """A candle. What is left out or null is unknown. `time` and `count` are other names of `open_time` and `trades`.

    A candle without `closed` closes by a later one. One with a `timeframe` is history.
    """

    asset: NotRequired[str]
    open_time: NotRequired[_Time]
    time: NotRequired[_Time]
    open: _Price
    high: _Price
    low: _Price
    close: _Price
    volume: _Amount
    quote_volume: NotRequired[_Amount | None]
    trades: NotRequired[_Amount | None]
    count: NotRequired[_Amount | None]
    taker_buy_volume: NotRequired[_Amount | None]
    closed: NotRequired[bool | None]
    timeframe: NotRequired[Timeframe | None]


@with_config(NOTHING_ELSE)
class TradeRow(TypedDict):
    """A trade. `side` is who took; null where it is not known."""

    asset: NotRequired[str]
    id: int | str
    time: _Time
    price: _Price
    amount: _Amount
    side: NotRequired[Literal["buy", "sell"] | None]


class _PushBody(TypedDict):
    asset: NotRequired[_Asset]
    clock: NotRequired[_Clock]
    history: NotRequired[_IsHistory]


@with_config(NOTHING_ELSE)
class CandlesBody(_PushBody):
    """Candles, in any order."""

    candles: NotRequired[Annotated[list[CandleRow], Field(max_length=MOST_ROWS)]]


@with_config(NOTHING_ELSE)
class PushedTradesBody(_PushBody):
    """Trades, in any order."""

    trades: NotRequired[Annotated[list[TradeRow], Field(max_length=MOST_ROWS)]]


class PushProblem(Problem):
    """Rows that are wrong. The others were taken: the counts are those of `Pushed`."""

    accepted: NotRequired[int]
    doubled: NotRequired[int]
    late: NotRequired[int]
    refused: NotRequired[int]
    late_rows: NotRequired[list[ProblemEntry]]
    assets: NotRequired[dict[str, PushedPosition]]


class Pushes(Protocol):
    """Takes what is pushed."""

    async def push(self, kind: Kind, body: Mapping[str, Any], caller: Caller) -> Pushed:
        """Take a push of a caller, and tell what became of its rows.

        Raises:
            Forbidden: its token was revoked before its turn came.
            ChangeRefused: it is not a push, or cannot be taken now; nothing of it was taken.
            AgentUnavailable: the agent of an asset does not answer; the same push may be sent again.
            NotPushed: the market has another feed.
        """


class LocalPushes:
    """Pushes to the market of this process.

    Args:
        feed: takes them.
    """

    def __init__(self, feed: PushedFeed) -> None:
        self._feed = feed
        self._turns = Turns(most_waiting=MOST_WAITING)

    async def push(self, kind: Kind, body: Mapping[str, Any], caller: Caller) -> Pushed:
        """See `Pushes`. The callers take turns."""
        async with self._turns.turn(caller.key):
            caller.check()
            return await pushed(self._feed, kind, body)


_CANDLE = {"open_time": 1767268800000, "open": 87.5, "high": 88.0, "low": 87.1, "close": 87.9, "volume": 12.5}
_EXAMPLES: dict[Kind, dict[str, Any]] = {
    "candles": {"candles": [{"asset": "BTC", **_CANDLE, "trades": 140, "closed": True}]},
    "trades": {
        "trades": [{"asset": "BTC", "id": 1, "time": 1767268800123, "price": 87.5, "amount": 0.2, "side": "buy"}]
    },
}
_BODIES: dict[Kind, type] = {"candles": CandlesBody, "trades": PushedTradesBody}
_PROBLEMS = (400, 408, 409, 413, 415, 422, 429, 503)


def push_routes(pushes: Pushes | None, access: Access | None) -> Routes:
    """The endpoints.

    Args:
        pushes: takes what is pushed; None for a market with another feed.
        access: counts the rows of each caller; None for no limit.
    """
    routes = Routes(prefix=PREFIX, tags=["market"], default_response_class=Answer)
    for kind in KINDS:
        about = documented(Pushed, *_PROBLEMS, body=body_of(_BODIES[kind], _EXAMPLES[kind]))
        about["responses"] |= _responses()
        routes.add_api_route(f"/{kind}", _endpoint(kind, pushes, access), methods=["POST"], name=kind, **about)
    return routes


def _responses() -> dict[int | str, Schema]:
    """What refusals mean here."""
    content = {"application/problem+json": {"schema": reference(PushProblem)}}
    return {
        409: {**problems(409)[409], "description": NOT_PUSHED + "."},
        422: {"description": "Rows are wrong. All others were taken.", "content": content},
        429: {**problems(429)[429], "description": "The market, or the limit of rows, has no room for it. "
              "Nothing was taken; Retry-After says when to retry."},
    }  # fmt: skip


def _endpoint(
    kind: Kind, pushes: Pushes | None, access: Access | None
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def push(request: Request) -> Response:
        check_query(request)
        body = await read_body(request, most_names=MOST_NAMES, most_values=MOST_VALUES)
        if pushes is None:
            raise NotPushed(NOT_PUSHED)
        rows = rows_of(kind, body)
        if access is not None:
            access.count_rows(caller_of(request), max(1, len(rows)))
        return _answer(await pushes.push(kind, body, caller_of(request)), len(rows))

    push.__doc__ = (
        f"Push {kind}. Each row counts once, however often it is pushed; rows that are wrong are named, and all others "
        "are taken."
    )
    return push


def _answer(found: Pushed, rows: int) -> Response:
    if not found["refused"]:
        return Answer(found)
    counts = {name: value for name, value in found.items() if name not in ("status", "errors")}
    detail = f"{found['refused']:,} of {rows:,} rows were refused, and the others were taken: " + "; ".join(
        each["message"] for each in found["errors"]
    )
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "Rows are not valid", detail, code="invalid_rows", errors=found["errors"],
        more=counts,
    )  # fmt: skip

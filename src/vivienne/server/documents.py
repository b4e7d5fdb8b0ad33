"""Documents of the endpoints: the bodies they take, the problems they answer, and how a route declares them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from vivienne.channels.envelope import LONGEST_TEXT
from vivienne.server.schemas import NOTHING_ELSE, Schema, reference
from vivienne.wire.numbers import HIGHEST
from vivienne.wire.pause import KnownPauseEntry
from vivienne.wire.problem import ProblemEntry


class Problem(TypedDict):
    """An error, as RFC 9457 has it; `errors` lists everything that is wrong.

    `trace_id` is that of the header `X-Request-ID`; records of the log have it too.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemEntry]
    trace_id: NotRequired[str]


def _text(name: str) -> Any:
    """A text of the envelope, with its greatest length."""
    return Field(min_length=1, max_length=LONGEST_TEXT[name])


AssetText = Annotated[str, _text("asset_symbol")] | None


class Origin(TypedDict):
    """Fields that may go with any change."""

    request_id: NotRequired[Annotated[str, _text("request_id")]]
    author: NotRequired[Annotated[str, _text("author")]]
    reason: NotRequired[Annotated[str, _text("reason")]]
    expected_version: NotRequired[Annotated[int, Field(ge=0, le=HIGHEST)]]


@with_config(NOTHING_ELSE)
class ConditionOfChange(Origin):
    """Fields that may go with a change: author, reason, and the version it is based on."""


class ConfigurationBody(Origin):
    """A configuration, nested or by flat names (see `schema`), with the fields of the change beside it."""

    asset_symbol: NotRequired[AssetText]
    description: NotRequired[str]
    settings: NotRequired[dict[str, Any]]
    filters: NotRequired[dict[str, Any]]
    signal_weights: NotRequired[dict[str, Any]]
    signals: NotRequired[dict[str, Any]]
    indicators: NotRequired[dict[str, Any]]


@with_config(NOTHING_ELSE)
class ResetBody(Origin):
    """Values to inherit again: those at `paths`, or all."""

    asset_symbol: NotRequired[AssetText]
    paths: NotRequired[Annotated[list[str], Field(min_length=1)]]
    all: NotRequired[Literal[True]]


@with_config(NOTHING_ELSE)
class SeveralBody(Origin):
    """Values for several assets: `config`, laid over what each of them sets, or those that `copy_from` sets itself."""

    assets: Annotated[list[Annotated[str, _text("asset_symbol")]], Field(min_length=1)]
    config: NotRequired[dict[str, Any]]
    copy_from: NotRequired[Annotated[str, _text("asset_symbol")]]
    validate_only: NotRequired[bool]


@with_config(NOTHING_ELSE)
class SwitchBody(Origin):
    """The asset to pause or resume - all, without `asset_symbol` -, with author and reason."""

    asset_symbol: NotRequired[AssetText]


@with_config(NOTHING_ELSE)
class ResumptionBody(SwitchBody):
    """The asset to resume, or all, and the pause that it ends: as it was told, or null if none is known."""

    pause: NotRequired[KnownPauseEntry | None]


_PROBLEMS = {
    400: "The message cannot be read, or has an unknown field.",
    401: "A token is needed, and the request has none, or one that is unknown or revoked.",
    403: "The role of the token does not allow this.",
    404: "There is no such configuration, alert rule or delivery.",
    408: "The body did not arrive in time.",
    409: "The request_id stands for another change.",
    412: "The configuration has changed since the version in If-Match or expected_version, or somebody paused since.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    429: "A limit is reached; Retry-After says when to retry.",
    422: "A value, a name, a rule between values, or the asset is wrong. All errors are listed.",
    503: "The store does not answer, or did not store the change.",
}
CHANGE_PROBLEMS = (400, 408, 409, 412, 413, 415, 422, 429, 503)
"""Statuses of the problems that any change may be answered with."""
EXAMPLE: Schema = {
    "asset_symbol": "BTC",
    "settings": {"state_threshold_bang": 85},
    "reason": "fewer, better entries",
}
"""Of a `ConfigurationBody`."""
_ETAG: Schema = {"ETag": {"schema": {"type": "string"}, "description": "The version, quoted."}}


def documented(
    answer: type,
    *statuses: int,
    status: HTTPStatus = HTTPStatus.OK,
    body: Schema | None = None,
    has_etag: bool = False,
    links: Schema | None = None,
    accepted: str | None = None,
) -> dict[str, Any]:
    """Keyword arguments of a route, for the OpenAPI document.

    Args:
        answer: type of the answer, which the endpoint writes itself.
        statuses: of the problems it may answer, besides those of access.
        status: of the answer.
        body: made by `body_of`.
        has_etag: whether the answer has an ETag.
        links: of the answer.
        accepted: when it is answered 202 instead; None for never.
    """
    good: Schema = {}
    if has_etag:
        good["headers"] = _ETAG
    if links is not None:
        good["links"] = links
    found: dict[str, Any] = {
        "response_model": answer,
        "response_description": status.phrase,
        "responses": problems(*statuses),
        "status_code": status.value,
    }
    if good:
        found["responses"][status.value] = good
    if accepted is not None:
        found["responses"][202] = {**good, "model": answer, "description": accepted}
    if body is not None:
        found["openapi_extra"] = {"requestBody": body}
    return found


def problems(*statuses: int) -> dict[int | str, Schema]:
    """Responses of an endpoint that are problems: those of access, and these."""
    content = {"application/problem+json": {"schema": reference(Problem)}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in (401, 403, *statuses)}


def body_of(kind: type, example: Schema, *, required: bool = True) -> Schema:
    """The body of a request, which the endpoint reads itself."""
    return {"required": required, "content": {"application/json": {"schema": reference(kind), "example": example}}}

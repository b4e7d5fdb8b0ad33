"""What the OpenAPI document says beyond the signatures, and the AsyncAPI document of the WebSockets."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from vivienne import __version__
from vivienne.channels.envelope import HIGHEST_VERSION, LONGEST_TEXT
from vivienne.live.chart import AssetList, Chart
from vivienne.live.preview import DecisionPreview
from vivienne.server.configuration import PREFIX
from vivienne.server.schemas import NOTHING_ELSE, Schema, reference, schemas
from vivienne.server.tokens import NewToken, Ticket, TokenBody, TokenList, WhoAsks
from vivienne.wire.answers import Acknowledgement, ConfigurationPage, HistoryPage, InForce, Pauses, Switched, Verdict
from vivienne.wire.messages import (
    CONTROL_IN,
    CONTROL_OUT,
    LOGS_OUT,
    STATE_IN,
    STATE_OUT,
    AssetData,
    ConfigChanged,
)
from vivienne.wire.problem import ProblemEntry
from vivienne.wire.token_entry import TokenEntry

SECURITY_SCHEMES: dict[str, Schema] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token, `viv_...`, where the server demands one: `vivienne token create NAME --role ROLE`.",
    }
}
"""What gets one in."""


class Problem(TypedDict):
    """An error, as RFC 9457 has it; `errors` lists everything that is wrong."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemEntry]


def _text(name: str) -> Any:
    """A text of the envelope, no longer than it may be."""
    return Field(min_length=1, max_length=LONGEST_TEXT[name])


AssetText = Annotated[str, _text("asset_symbol")] | None


class _Origin(TypedDict):
    request_id: NotRequired[Annotated[str, _text("request_id")]]
    author: NotRequired[Annotated[str, _text("author")]]
    reason: NotRequired[Annotated[str, _text("reason")]]
    expected_version: NotRequired[Annotated[int, Field(ge=0, le=HIGHEST_VERSION)]]


@with_config(NOTHING_ELSE)
class ConditionOfChange(_Origin):
    """What may go with a change: whose, why, on top of which version."""


class ConfigurationBody(_Origin):
    """A configuration, nested or by flat names (see `schema`), with what goes with the change beside it."""

    asset_symbol: NotRequired[AssetText]
    description: NotRequired[str]
    settings: NotRequired[dict[str, Any]]
    filters: NotRequired[dict[str, Any]]
    signal_weights: NotRequired[dict[str, Any]]
    signals: NotRequired[dict[str, Any]]
    indicators: NotRequired[dict[str, Any]]


@with_config(NOTHING_ELSE)
class ResetBody(_Origin):
    """What to inherit again: the values at `paths`, or all."""

    asset_symbol: NotRequired[AssetText]
    paths: NotRequired[Annotated[list[str], Field(min_length=1)]]
    all: NotRequired[Literal[True]]


@with_config(NOTHING_ELSE)
class SwitchBody(_Origin):
    """Whom to pause or resume - all, without `asset_symbol` -, by whom and why."""

    asset_symbol: NotRequired[AssetText]


KINDS = (
    Acknowledgement, AssetList, Chart, ConditionOfChange, ConfigurationBody, ConfigurationPage, DecisionPreview,
    HistoryPage, InForce, NewToken, Pauses, Problem, ResetBody, SwitchBody, Switched, Ticket, TokenBody, TokenEntry,
    TokenList, Verdict, WhoAsks,
)  # fmt: skip

_PROBLEMS = {
    400: "The message cannot be read, or has a field nobody knows.",
    401: "A token is needed, and none came, or one that is not known or was revoked.",
    403: "The token has a role that may not do this.",
    404: "There is no such configuration.",
    408: "The body did not arrive in time.",
    409: "The request_id stands for another change.",
    412: "The configuration moved on since the version in If-Match or expected_version.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    429: "More was asked for than may be; Retry-After says when to try again.",
    422: "A value, a name, a rule between values, or the asset is wrong. All errors are listed.",
    503: "The store does not answer, or did not take the change.",
}
_CHANGE_PROBLEMS = (400, 408, 409, 412, 413, 415, 422, 429, 503)


def _problems(*statuses: int) -> dict[int | str, Schema]:
    """What may be answered instead; that the caller may not ask, always."""
    content = {"application/problem+json": {"schema": reference(Problem)}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in (401, 403, *statuses)}


def _answer(
    schema: Schema, status: HTTPStatus = HTTPStatus.OK, *, etag: bool = False, media: str = "application/json"
) -> dict[int | str, Schema]:
    answer: Schema = {"description": status.phrase, "content": {media: {"schema": schema}}}
    if etag:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "The version, quoted."}}
    return {status.value: answer}


def _body(kind: type, example: Schema, *, required: bool = True) -> Schema:
    content = {"application/json": {"schema": reference(kind), "example": example}}
    return {"requestBody": {"required": required, "content": content}}


_AIMED = f"#/paths/{PREFIX.replace('/', '~1')}~1{{config_id}}"
_LINKS: Schema = {
    name: {
        "operationRef": _AIMED + place,
        "parameters": {"config_id": "$response.body#/config_id"},
        "description": what,
    }
    for name, place, what in (
        ("activate", "~1activate/post", "Roll back to this one later."),
        ("delete", "/delete", "Delete it; the one before is in force again."),
    )
}
"""What can be done with a configuration that was made."""


def _not_stored_yet(answer: Schema) -> Schema:
    return {**answer, "description": "In force in this process; the store did not take it yet, and is tried again."}


def endpoint_documents() -> dict[str, Schema]:
    """By name of an endpoint, the keyword arguments of its route."""
    made = {**_answer(reference(Acknowledgement), etag=True), **_problems(*_CHANGE_PROBLEMS)}
    made[HTTPStatus.OK]["links"] = _LINKS
    example = {"asset_symbol": "BTC", "settings": {"state_threshold_bang": 85}, "reason": "fewer, better entries"}
    configuration = _body(ConfigurationBody, example)
    aimed = _body(ConditionOfChange, {"reason": "the old thresholds were better"}, required=False)
    paths = {"asset_symbol": "BTC", "paths": ["settings.state_threshold_bang"]}
    switched = {**_answer(reference(Switched), etag=True), **_problems(*_CHANGE_PROBLEMS)}
    switch = _body(SwitchBody, {"reason": "the exchange reports wrong prices"}, required=False)
    schema = _answer({"type": "object"}, media="application/schema+json")
    documents: dict[str, Schema] = {
        "update": {"responses": made, "openapi_extra": configuration},
        "partial_update": {"responses": made, "openapi_extra": configuration},
        "reset": {"responses": made, "openapi_extra": _body(ResetBody, paths)},
        "validate": {
            "responses": {**_answer(reference(Verdict)), **_problems(400, 408, 412, 413, 415, 422)},
            "openapi_extra": configuration,
        },
        "pause": {"responses": {**switched, 202: _not_stored_yet(switched[200])}, "openapi_extra": switch},
        "resume": {"responses": switched, "openapi_extra": switch},
        "pauses": {"responses": _answer(reference(Pauses)) | _problems(400)},
        "active": {"responses": {**_answer(reference(InForce), etag=True), **_problems(400, 422)}},
        "all": {"responses": {**_answer(reference(ConfigurationPage)), **_problems(400, 422, 503)}},
        "history": {"responses": {**_answer(reference(HistoryPage)), **_problems(400, 422, 503)}},
        "schema": {"responses": {**schema, **_problems()}},
        "assets": {"responses": {**_answer(reference(AssetList)), **_problems(422)}},
        "bars": {"responses": {**_answer(reference(Chart)), **_problems(422)}},
        "preview": {
            "responses": {**_answer(reference(DecisionPreview)), **_problems(400, 408, 412, 413, 415, 422)},
            "openapi_extra": configuration,
        },
        "activate": {"responses": {**made, **_problems(404)}, "openapi_extra": aimed},
        "delete": {"responses": {**made, **_problems(404)}, "openapi_extra": aimed},
    }
    return documents | _access_documents()


def _access_documents() -> dict[str, Schema]:
    """The same for who gets in."""
    new_token: Schema = {
        "status_code": 201,
        "responses": {
            **_answer(reference(NewToken), HTTPStatus.CREATED),
            **_problems(400, 408, 409, 413, 415, 422, 503),
        },
        "openapi_extra": _body(TokenBody, {"name": "ann", "role": "tuner"}),
    }
    found: dict[str, Schema] = {
        "caller": {"responses": {**_answer(reference(WhoAsks)), **_problems()}},
        "ticket": {"responses": {**_answer(reference(Ticket)), **_problems(429)}},
        "tokens": {"responses": {**_answer(reference(TokenList)), **_problems(503)}},
        "new_token": new_token,
        "revoke": {"responses": {**_answer(reference(TokenEntry)), **_problems(404, 422, 503)}},
    }
    return found


def components() -> dict[str, Schema]:
    """Schemas the OpenAPI document refers to."""
    return schemas(KINDS)


def asyncapi() -> Schema:
    """The AsyncAPI (3.0) document of `/ws/state`, `/ws/logs` and the channels in Redis."""
    kinds = (*STATE_OUT, *STATE_IN, *LOGS_OUT, ConfigChanged)
    messages = {kind.__name__: {"payload": reference(kind), "summary": kind.__doc__} for kind in kinds}

    def channel(address: str, kinds: tuple[type, ...], description: str) -> Schema:
        refer = {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in kinds}
        return {"address": address, "description": description, "messages": refer}

    def operation(action: str, name: str, kinds: tuple[type, ...]) -> Schema:
        refer = [{"$ref": f"#/channels/{name}/messages/{kind.__name__}"} for kind in kinds]
        return {"action": action, "channel": {"$ref": f"#/channels/{name}"}, "messages": refer}

    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Vivienne", "version": __version__},
        "channels": {
            "state": channel("/ws/state", (*STATE_OUT, *STATE_IN), "States of assets, and changes of configuration."),
            "logs": channel("/ws/logs", LOGS_OUT, "Log records; `?level=` narrows them."),
            "redisControl": channel("vivienne:control", CONTROL_IN, "With Redis: changes, by pub/sub or as a stream."),
            "redisResults": channel("vivienne:control:results", CONTROL_OUT, "With Redis: what came of them."),
            "redisState": {
                **channel("vivienne:state:{asset}", (AssetData,), "With Redis: states; the key has the latest."),
                "parameters": {"asset": {"description": "Name of the asset, as in BTC."}},
            },
            "redisChanges": channel("vivienne:config", (ConfigChanged,), "With Redis: changes that came into force."),
        },
        "operations": {
            "sendState": operation("send", "state", STATE_OUT),
            "receiveChange": operation("receive", "state", STATE_IN),
            "sendLog": operation("send", "logs", LOGS_OUT),
            "receiveControl": operation("receive", "redisControl", CONTROL_IN),
            "publishResult": operation("send", "redisResults", CONTROL_OUT),
            "publishState": operation("send", "redisState", (AssetData,)),
            "publishChange": operation("send", "redisChanges", (ConfigChanged,)),
        },
        "components": {"messages": messages, "schemas": schemas(kinds)},
    }

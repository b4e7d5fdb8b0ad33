"""What the OpenAPI document says beyond the signatures: bodies, answers and problems, with examples."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from vivienne.config.schema import json_schema

_PROBLEMS = {
    400: "The message cannot be read, or has a field nobody knows.",
    404: "There is no such configuration.",
    409: "The request_id stands for another change.",
    412: "The configuration moved on since the version in If-Match or expected_version.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    422: "A value, a name, a rule between values, or the asset is wrong. All errors are listed.",
    503: "The store does not take the change; nothing was changed.",
}
_ENVELOPE: dict[str, Any] = {
    "asset_symbol": {"type": "string", "description": "For whom; left out, for all assets."},
    "request_id": {"type": "string", "maxLength": 128, "description": "A repetition is not made again."},
    "author": {"type": "string", "maxLength": 100},
    "reason": {"type": "string", "maxLength": 1000},
    "expected_version": {"type": "integer", "minimum": 0, "description": "Refuse unless this is in force."},
}
_PATHS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_CHANGED = {
    "type": "array",
    "items": {"type": "object", "properties": {"path": {"type": "string"}, "old": {}, "new": {}}, "required": ["path"]},
}
_NULLABLE_TEXT = {"type": ["string", "null"]}
_REVISION = {
    "type": "object",
    "properties": {
        "config_id": {"type": "string"},
        "version": {"type": "integer"},
        "asset_symbol": _NULLABLE_TEXT,
        "is_active": {"type": "boolean"},
        "action": {"enum": ["update", "partial_update", "reset", "activate", "delete"]},
        "target": _NULLABLE_TEXT,
        "created_at": {"type": "string", "format": "date-time"},
        "author": {"type": "string"},
        "channel": {"type": "string"},
        "reason": _NULLABLE_TEXT,
        "request_id": _NULLABLE_TEXT,
        "changed": _CHANGED,
        "config": {"type": "object", "description": "What the layer sets itself."},
    },
}
_OUTCOME = {
    "status": {"type": "string"},
    "message": {"type": "string"},
    "version": {"type": "integer"},
    "asset_symbol": _NULLABLE_TEXT,
    "changed": _CHANGED,
    "assets": {"type": "array", "items": {"type": "string"}, "description": "Whose configuration is different now."},
    "config": {"$ref": "#/components/schemas/Configuration"},
}
_CHANGE_ANSWER = {
    "type": "object",
    "properties": {
        **_OUTCOME,
        "config_id": {"type": "string"},
        "previous_version": {"type": "integer"},
    },
    "required": [*_OUTCOME, "config_id", "previous_version"],
}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    reference = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _PROBLEMS[status], "content": reference} for status in statuses}


def _answer(schema: dict[str, Any], *, etag: bool = False, media: str = "application/json") -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus.OK.phrase, "content": {media: {"schema": schema}}}
    if etag:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "The version, quoted."}}
    return answer


def _body(schema: dict[str, Any], example: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": required, "content": content}}


def _configuration_body(example: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "allOf": [{"type": "object", "properties": _ENVELOPE}],
        "type": "object",
        "description": "A configuration, nested or by flat names, with the fields around it. See `schema`.",
    }
    return _body(schema, example)


def _page(name: str) -> dict[str, Any]:
    items = {"type": "array", "items": _REVISION}
    return {"type": "object", "properties": {name: items, "next": {"type": ["integer", "null"]}}}


def endpoint_documents() -> dict[str, dict[str, Any]]:
    """By name of an endpoint, the keyword arguments of its route."""
    change = {200: _answer(_CHANGE_ANSWER, etag=True)}
    update_problems = _problems(400, 409, 412, 413, 415, 422, 503)
    aimed = _body({"type": "object", "properties": {k: v for k, v in _ENVELOPE.items() if k != "asset_symbol"}},
                  {"reason": "the old thresholds were better"}, required=False)  # fmt: skip
    reset_schema = {"type": "object", "properties": {**_ENVELOPE, "paths": _PATHS, "all": {"const": True}}}
    example = {"asset_symbol": "BTC", "settings": {"state_threshold_bang": 85}, "reason": "fewer, better entries"}
    verdict = {
        "type": "object",
        "properties": {
            "valid": {"type": "boolean"},
            "errors": {"type": "array", "items": {"type": "object"}},
            **_OUTCOME,
        },
    }
    in_force = {
        "type": "object",
        "properties": {
            "config_id": _NULLABLE_TEXT,
            "version": {"type": "integer"},
            "asset_symbol": _NULLABLE_TEXT,
            "config": {"$ref": "#/components/schemas/Configuration"},
            "sources": {"type": "object", "additionalProperties": {"enum": ["default", "global", "asset"]}},
        },
    }
    return {
        "update": {"responses": {**change, **update_problems}, "openapi_extra": _configuration_body(example)},
        "partial_update": {"responses": {**change, **update_problems}, "openapi_extra": _configuration_body(example)},
        "reset": {
            "responses": {**change, **update_problems},
            "openapi_extra": _body(reset_schema, {"asset_symbol": "BTC", "paths": ["settings.state_threshold_bang"]}),
        },
        "validate": {
            "responses": {200: _answer(verdict), **_problems(400, 412, 413, 415, 422)},
            "openapi_extra": _configuration_body(example),
        },
        "active": {"responses": {200: _answer(in_force, etag=True), **_problems(422)}},
        "all": {"responses": {200: _answer(_page("configurations")), **_problems(422, 503)}},
        "history": {"responses": {200: _answer(_page("history")), **_problems(422, 503)}},
        "schema": {"responses": {200: _answer({"type": "object"}, media="application/schema+json")}},
        "activate": {
            "responses": {**change, **update_problems, **_problems(404)},
            "openapi_extra": aimed,
        },
        "delete": {
            "responses": {**change, **update_problems, **_problems(404)},
            "openapi_extra": aimed,
        },
    }


def components() -> dict[str, Any]:
    """Schemas the document refers to."""
    configuration = json_schema()
    definitions = configuration.pop("$defs")
    configuration.pop("$schema")
    configuration.pop("$id")
    problem = {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "path": {"type": "string"},
                        "message": {"type": "string"},
                        "asset": {"type": "string"},
                    },
                },
            },
        },
        "required": ["type", "title", "status", "detail", "code", "errors"],
    }
    return {
        name: _relocated(schema)
        for name, schema in {"Problem": problem, "Configuration": configuration, **definitions}.items()
    }


def _relocated(node: Any) -> Any:
    """The same, with references to definitions pointing to the components."""
    if isinstance(node, dict):
        return {
            name: value.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _relocated(value)
            for name, value in node.items()
        }
    return [_relocated(item) for item in node] if isinstance(node, list) else node

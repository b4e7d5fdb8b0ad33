"""JSON Schemas of everything on the wire, derived from its types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter

from vivienne.config.tunables import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

Schema = dict[str, Any]
NOTHING_ELSE = ConfigDict(extra="forbid")
"""For bodies that refuse unknown names."""

_PREFIX = "#/components/schemas/"


def reference(kind: type) -> Schema:
    """A reference to the schema of a type."""
    return {"$ref": _PREFIX + kind.__name__}


def schemas(kinds: Iterable[type]) -> dict[str, Schema]:
    """Schemas of types and their parts, and of a configuration, by name."""
    inputs: list[tuple[type, Any, TypeAdapter[Any]]] = [(kind, "serialization", TypeAdapter(kind)) for kind in kinds]
    _, document = TypeAdapter.json_schemas(inputs, ref_template=_PREFIX + "{model}")
    configuration = json_schema()
    definitions = configuration.pop("$defs")
    for name in ("$schema", "$id"):
        configuration.pop(name)
    found = {**document["$defs"], "Configuration": configuration, **definitions}
    return {name: _relocated(schema) for name, schema in found.items()}


def _relocated(node: Any) -> Any:
    """The same, with references to definitions pointing to the components, and marked documents to theirs."""
    if isinstance(node, list):
        return [_relocated(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "x-schema" in node:
        return {"$ref": _PREFIX + node["x-schema"]}
    return {
        name: value.replace("#/$defs/", _PREFIX) if name == "$ref" else _relocated(value)
        for name, value in node.items()
    }

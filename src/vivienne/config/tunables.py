"""Derived from the schema: every tunable with all there is to know, sections, defaults, the JSON Schema."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import orjson

from vivienne.agent.schema import RULES, Configuration
from vivienne.agent.tunable import LONGEST_DESCRIPTION, Section

Kind = Literal["number", "integer", "boolean"]


@dataclass(frozen=True, slots=True)
class Tunable:
    """Everything there is to know about one value.

    Attributes:
        path: in dots, as in the document.
        kind: what JSON type it has.
        bounds: lowest and highest allowed value, both allowed; None for booleans.
        flat_name: what flat messages call it.
        hint: a sentence for those who mistook the unit.
    """

    path: str
    title: str
    description: str
    kind: Kind
    default: float | bool
    unit: str
    bounds: tuple[float, float] | None
    step: float | None
    flat_name: str
    hint: str | None


_KINDS: dict[object, Kind] = {float: "number", int: "integer", bool: "boolean"}


def _walk(model: type[Section], prefix: str) -> list[Tunable]:
    found: list[Tunable] = []
    for name, field in model.model_fields.items():
        path, annotation = prefix + name, field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            found += _walk(annotation, path + ".")
        elif name != "description":
            extra: dict[str, Any] = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            limits = {type(limit).__name__: limit for limit in field.metadata}
            bounds = (limits["Ge"].ge, limits["Le"].le) if "Ge" in limits else None
            found.append(
                Tunable(
                    path=path,
                    title=field.title or name,
                    description=field.description or "",
                    kind=_KINDS[annotation],
                    default=field.default,
                    unit=extra.get("unit", ""),
                    bounds=bounds,
                    step=extra.get("step"),
                    flat_name=extra.get("flat_name", name),
                    hint=extra.get("hint"),
                )
            )
    return found


TUNABLES: dict[str, Tunable] = {tunable.path: tunable for tunable in _walk(Configuration, "")}
"""Every tunable by its path, in the order of the document."""


def _sections(model: type[Section], prefix: str) -> dict[str, type[Section]]:
    found = {prefix: model}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found |= _sections(field.annotation, f"{prefix}.{name}".lstrip("."))
    return found


SECTIONS: dict[str, type[Section]] = _sections(Configuration, "")
"""Every group by its path; the whole is the empty path."""

DEFAULTS: dict[str, Any] = Configuration().model_dump(exclude_none=True)
"""The document everything inherits from in the end."""


@cache
def schema_document() -> bytes:
    """The JSON Schema of a configuration document as it is sent. Made once, because that takes some 30 ms."""
    return orjson.dumps(json_schema())


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a configuration document.

    Beyond the standard it carries for every tunable ``unit``, ``step`` and ``flat_name``, and under ``x-rules``
    what must hold between values.
    """
    schema = Configuration.model_json_schema()
    for tunable in TUNABLES.values():
        section, _, name = tunable.path.rpartition(".")
        title = SECTIONS[section].__name__
        schema["$defs"][title]["properties"][name].setdefault("flat_name", tunable.flat_name)
    for part in (schema, *schema["$defs"].values()):
        # A note is a text or absent, never null: null is refused everywhere.
        note = part["properties"]["description"]
        note.pop("anyOf", None)
        note |= {"type": "string", "maxLength": LONGEST_DESCRIPTION}
        if note.get("default", "") is None:
            del note["default"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://vivienne.invalid/configuration.schema.json",
        **schema,
        "x-rules": [rule.as_document() for rule in RULES],
    }

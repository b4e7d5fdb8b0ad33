"""Strict JSON: what Python accepts beyond it (NaN, 1e999, duplicate names, deep nesting) is refused with a reason."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import orjson

from vivienne.access.limits import MessageLimits
from vivienne.errors import Malformed, TooLarge

USUAL = MessageLimits()
MOST_NAMES = 500
"""In objects, over all levels; a whole configuration has about 60."""
MOST_VALUES = 10_000
"""In objects and lists, over all levels."""


def read_object(
    raw: bytes, limits: MessageLimits = USUAL, *, most_names: int = MOST_NAMES, most_values: int = MOST_VALUES
) -> dict[str, Any]:
    """Read a JSON object.

    Args:
        raw: as received.
        limits: of the message.
        most_names: in objects, over all levels.
        most_values: in objects and lists, over all levels.

    Raises:
        TooLarge: longer than a message may be.
        Malformed: not JSON, not an object, nested too deep, or with a name twice.
    """
    if len(raw) > limits.bytes:
        raise too_large(len(raw), limits)
    if raw.count(b"{") + raw.count(b"[") > most_values:  # thousands of empty lists take longer than anything else
        raise Malformed(f"The message has more than {most_values:,} objects and lists, or is nested far too deep")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"This is not JSON: {_reason(raw, error)}") from error
    if not isinstance(document, dict):
        raise Malformed(f"A JSON object is needed, not {_kind(document)}")
    depth, names, values = _size(document, most_values)
    if values > most_values:
        raise Malformed(f"The message has more than {most_values:,} values")
    if depth > limits.nesting:
        raise Malformed(f"Objects and lists are nested deeper than {limits.nesting} levels")
    if names > most_names:
        raise Malformed(f"The message has {names:,} names; the limit is {most_names}")
    json.loads(raw, object_pairs_hook=_no_duplicates)
    return document


def too_large(length: int, limits: MessageLimits) -> TooLarge:
    """The error for a message of so many bytes."""
    return TooLarge(f"The message has {length:,} bytes; the limit is {limits.bytes:,}")


_NO_NUMBERS = (b"NaN", b"Infinity", b"-Infinity", b"nan", b"inf")


def _reason(raw: bytes, error: orjson.JSONDecodeError) -> str:
    """The error and its place; NaN and infinity get a message of their own."""
    # The position counts characters; up to the first that is not ASCII it is the position in the bytes as well.
    if raw[error.pos :].startswith(_NO_NUMBERS) or "infinity" in error.msg:
        return f"numbers must be finite: line {error.lineno} column {error.colno}"
    return f"{error.msg}: line {error.lineno} column {error.colno}"


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}.get(type(value), "a number")


def _size(value: object, most_values: int) -> tuple[int, int, int]:
    """The depth of nesting, the number of names and that of values, without recursion; of too many not all."""
    level, depth, names, values = [value], 0, 0, 0
    while containers := [inner for inner in level if isinstance(inner, (dict, list))]:
        depth += 1
        names += sum(len(inner) for inner in containers if isinstance(inner, dict))
        values += sum(map(len, containers))
        if values > most_values:
            break
        level = [inner for outer in containers for inner in _inner(outer)]
    return depth, names, values


def _inner(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = (name for name, _ in pairs)
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise Malformed(f"The name {twice!r} appears twice in one object", path=twice)
    return found

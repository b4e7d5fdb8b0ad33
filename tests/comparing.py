"""Compares what a server sends with the examples of a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def differences(example: Any, actual: Any, path: str = "$") -> Iterator[str]:
    """Where the structure of an answer is not that of its example; an empty object or list stands for any content."""
    if isinstance(example, dict):
        if not isinstance(actual, dict):
            yield f"{path}: an object in the example, {actual!r} in truth"
        elif example:
            yield from (f"{path}.{name}: only in the example" for name in example.keys() - actual.keys())
            yield from (f"{path}.{name}: not in the example" for name in actual.keys() - example.keys())
            for name in example.keys() & actual.keys():
                yield from differences(example[name], actual[name], f"{path}.{name}")
    elif isinstance(example, list):
        if not isinstance(actual, list):
            yield f"{path}: a list in the example, {actual!r} in truth"
        elif example:
            for number, item in enumerate(actual):
                yield from differences(example[0], item, f"{path}[{number}]")
    elif example is not None and actual is not None and _kind(example) != _kind(actual):
        yield f"{path}: {example!r} in the example, {actual!r} in truth"


def _kind(value: object) -> str:
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__

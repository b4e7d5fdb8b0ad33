"""Operations on configuration documents: merge, compare, take out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vivienne.wire.answers import ValueChange
    from vivienne.wire.document import Document


def merged(base: Document, over: Document) -> Document:
    """A new document: `base`, with what `over` says laid over it."""
    result = dict(base)
    for name, value in over.items():
        below = result.get(name)
        result[name] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def leaves(document: Document, prefix: str = "") -> dict[str, Any]:
    """Values by their path in dots."""
    found: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def without(document: Document, path: str) -> Document:
    """A new document that says nothing at `path`, which may name a section; emptied sections go with it."""
    name, _, rest = path.partition(".")
    result = dict(document)
    if rest and isinstance(result.get(name), dict):
        result[name] = without(result[name], rest)
    elif not rest:
        result.pop(name, None)
    if result.get(name) == {}:
        del result[name]
    return result


def differences(old: Document, new: Document) -> list[ValueChange]:
    """The differences between two documents: path, old and new value; a side without a value leaves its key out."""
    before, after = leaves(old), leaves(new)
    changes: list[ValueChange] = []
    for path in {**before, **after}:
        change: ValueChange = {"path": path}
        if path in before:
            change["old"] = before[path]
        if path in after:
            change["new"] = after[path]
        if change.get("old") != change.get("new") or ("old" in change) != ("new" in change):
            changes.append(change)
    return changes

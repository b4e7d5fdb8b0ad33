"""JSON Merge Patches (RFC 7396): what to change in an object so that it becomes another one.

A null in a patch removes a field. So no patch can set a field to null, nor put an object with a null in it where no
object was: such a change has none.
"""

from __future__ import annotations

from math import copysign, isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MISSING = object()


class _Unsayable(Exception):  # it never leaves this file
    """A field would have to become null."""


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any] | None:
    """The patch that makes `after` of `before`; None if there is none.

    Both are as they would be encoded as JSON. Parts that both share, as the same object, cost nothing.
    """
    try:
        return _patch(before, after)
    except _Unsayable:
        return None


def patched(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """What a patch makes of an object, which stays as it is. Both share the parts that the patch does not name."""
    made = {**target}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict):
            before = made.get(name)
            made[name] = patched(before if isinstance(before, dict) else {}, value)
        else:
            made[name] = value
    return made


def _patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for name, value in after.items():
        old = before.get(name, _MISSING)
        if old is value:
            continue
        if isinstance(old, dict) and isinstance(value, dict):
            if inner := _patch(old, value):
                patch[name] = inner
        elif not _is_alike(old, value):
            if _has_null(value):
                raise _Unsayable
            patch[name] = value
    if before.keys() != after.keys():
        patch.update((name, None) for name in before if name not in after)
    return patch


def _is_alike(one: object, other: object) -> bool:
    """Tell whether two values are the same in JSON. Python takes 1, 1.0 and True for equal, and 0.0 and -0.0."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_alike(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other and copysign(1.0, one) == copysign(1.0, other)
    return one == other


def _has_null(value: object) -> bool:
    """Tell whether a patch with this value would remove something. Lists are put in place as they are."""
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    return value is None or (isinstance(value, float) and not isfinite(value))  # JSON has null in place of NaN

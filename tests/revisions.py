"""Revisions for tests of stores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from vivienne.store.revision import Revision

if TYPE_CHECKING:
    from vivienne.store.base import RevisionStore
    from vivienne.wire.answers import Action

_Store = TypeVar("_Store", bound="RevisionStore")


def revision(version: int, layer: str = "global", action: Action = "update", **more: Any) -> Revision:
    """A revision named after its version."""
    plain = Revision(
        version=version,
        config_id=f"id-{version}",
        layer=layer,
        action=action,
        document={"settings": {"state_threshold_bang": 80 + version / 4}},
        changed=[],
        author="ann",
        channel="rest",
        created_at="2026-01-02T03:04:05.678Z",
    )
    return replace(plain, **more)


def filled(store: _Store, *revisions: Revision) -> _Store:
    """The store, with these revisions in it."""
    for each in revisions:
        store.append(each)
    return store


def versions(found: list[Revision]) -> list[int]:
    """Their versions, in order."""
    return [each.version for each in found]

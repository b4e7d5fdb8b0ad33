"""Undoing a change: every layer that it changed sets again what it set before."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from vivienne.changes.import_plan import plan_replacement
from vivienne.changes.planning import RECORDS
from vivienne.changes.requests import Replacement
from vivienne.config.layers import asset_of
from vivienne.errors import Problem, UnknownRevision, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vivienne.changes.import_plan import ReplacementPlan
    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.requests import UndoRequest
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Revision
    from vivienne.wire.document import Document

_CHUNK = 100
"""Revisions read at a time."""


class Former(NamedTuple):
    """The layers of a change before it.

    Attributes:
        documents: by layer, what it set.
        newer: configurations of these layers that came into force since.
    """

    documents: Mapping[str, Document]
    newer: tuple[Revision, ...]


def read_former(store: RevisionStore, config_id: str) -> Former:
    """Read what the layers of a change set before it.

    Args:
        store: where revisions live.
        config_id: of any configuration that the change made.

    Raises:
        UnknownRevision: there is no such configuration.
    """
    revision = store.by_config_id(config_id)
    if revision is None:
        raise UnknownRevision(f"Unknown config_id {config_id!r}; see `all` or `history`", path="config_id")
    if not revision.is_configuration:
        what = RECORDS[revision.action]
        raise UnknownRevision(f"{config_id!r} is a {what}, not a configuration", path="config_id")
    documents: dict[str, Document] = {}
    newer: list[Revision] = []
    for made in _together(store, revision):
        before = store.page(layers=[made.layer], limit=1, before=made.version, configurations_only=False)
        documents[made.layer] = before[0].document if before else {}
        newest = store.page(layers=[made.layer], limit=1, before=None, configurations_only=True)
        newer += [each for each in newest if each.config_id != made.config_id]
    return Former(documents, tuple(newer))


def _together(store: RevisionStore, revision: Revision) -> list[Revision]:
    """All revisions of the change that made one of them, in any order."""
    return [
        revision,
        *takewhile(lambda each: each.occasion == revision.occasion, _earlier(store, revision.version)),
        *takewhile(lambda each: each.occasion == revision.occasion, _later(store, revision.version)),
    ]


def _earlier(store: RevisionStore, version: int) -> Iterator[Revision]:
    while found := store.page(layers=None, limit=_CHUNK, before=version, configurations_only=False):
        yield from found
        version = found[-1].version


def _later(store: RevisionStore, version: int) -> Iterator[Revision]:
    while found := store.after(version, _CHUNK):
        yield from found
        version = found[-1].version


def plan_undo(in_force: LayersInForce, request: UndoRequest, former: Former) -> ReplacementPlan:
    """Work out what undoing a change would do.

    Raises:
        VersionConflict: a layer has changed since, or another version than the expected one bears on one of them.
        InvalidConfiguration: all problems with what was set before, each with its asset.
    """
    if former.newer:
        raise VersionConflict([_changed_since(revision) for revision in former.newer])
    in_force.expect(request.expected_version, max(former.documents, key=in_force.version_of))
    return plan_replacement(in_force.layers, Replacement(former.documents))


def _changed_since(revision: Revision) -> Problem:
    whom = asset_of(revision.layer) or "The layer under all assets"
    why = "" if revision.reason is None else f" ({revision.reason})"
    return Problem(
        "config_id",
        f"{whom} has changed since: version {revision.version} by {revision.author}, {revision.created_at}{why}. Undo "
        "that first, or roll back to an earlier version",
        asset=asset_of(revision.layer),
    )

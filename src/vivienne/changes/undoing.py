"""Undoing a change: every layer that it changed sets again what it set before."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from vivienne.changes.import_plan import plan_replacement
from vivienne.changes.planning import RECORDS
from vivienne.changes.requests import Replacement
from vivienne.config.flat import MOST_TOLD
from vivienne.config.layers import asset_of
from vivienne.errors import Problem, UnknownRevision, VersionConflict
from vivienne.slices import in_slices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vivienne.changes.import_plan import ReplacementPlan
    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.requests import UndoRequest
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Revision
    from vivienne.store.thread import StoreCalls
    from vivienne.wire.document import Document

_CHUNK = 100
"""Revisions read at a time."""
_LAYERS = 20
"""Layers that are looked up in one call of the store; a pause waits for a call that is under way."""


class UndoPlan(NamedTuple):
    """What undoing a change would do, and the layers that the change was made in."""

    plan: ReplacementPlan
    layers: Sequence[str]


class Former(NamedTuple):
    """A change, and its layers before it.

    Attributes:
        made: by layer, the config_id that it made.
        documents: by layer, what it set before.
    """

    made: Mapping[str, str]
    documents: Mapping[str, Document]


async def read_former(store: RevisionStore, calls: StoreCalls, config_id: str) -> Former:
    """Read what the layers of a change set before it. It is read a little at a time, so that others have their turn.

    Args:
        store: where revisions live.
        calls: in which way it is read.
        config_id: of any configuration that the change made.

    Raises:
        UnknownRevision: there is no such configuration.
        StoreUnavailable: it could not be read.
    """
    together = await calls.run(_made_together, store, config_id)
    documents: dict[str, Document] = {}
    for begin in range(0, len(together), _LAYERS):
        documents |= await calls.run(_before, store, together[begin : begin + _LAYERS])
    return Former({made.layer: made.config_id for made in together}, documents)


def _made_together(store: RevisionStore, config_id: str) -> list[Revision]:
    revision = store.by_config_id(config_id)
    if revision is None:
        raise UnknownRevision(f"Unknown config_id {config_id!r}; see `all` or `history`", path="config_id")
    if not revision.is_configuration:
        what = RECORDS[revision.action]
        raise UnknownRevision(f"{config_id!r} is a {what}, not a configuration", path="config_id")
    return _together(store, revision)


def _before(store: RevisionStore, together: Sequence[Revision]) -> dict[str, Document]:
    """By layer, what it set before a revision."""
    found: dict[str, Document] = {}
    for made in together:
        before = store.page(layers=[made.layer], limit=1, before=made.version, configurations_only=False)
        found[made.layer] = before[0].document if before else {}
    return found


def _read_newer(store: RevisionStore, former: Former, layers: Sequence[str]) -> list[Revision]:
    """Configurations of layers of a change that came into force since."""
    newer: list[Revision] = []
    for layer in layers:
        newest = store.page(layers=[layer], limit=1, before=None, configurations_only=True)
        newer += [each for each in newest if each.config_id != former.made[layer]]
    return newer


def _together(store: RevisionStore, revision: Revision) -> list[Revision]:
    """All configurations of the change that made one of them, in any order."""
    found = [
        revision,
        *takewhile(lambda each: each.occasion == revision.occasion, _earlier(store, revision.version)),
        *takewhile(lambda each: each.occasion == revision.occasion, _later(store, revision.version)),
    ]
    return [each for each in found if each.is_configuration]  # an import may have set alert rules too


def _earlier(store: RevisionStore, version: int) -> Iterator[Revision]:
    while found := store.page(layers=None, limit=_CHUNK, before=version, configurations_only=False):
        yield from found
        version = found[-1].version


def _later(store: RevisionStore, version: int) -> Iterator[Revision]:
    while found := store.after(version, _CHUNK):
        yield from found
        version = found[-1].version


class Undoing:
    """Plans to undo a change.

    Args:
        in_force: what it would change.
        store: where former revisions are looked up.
        calls: in which way.
        request: names the change.
    """

    def __init__(self, in_force: LayersInForce, store: RevisionStore, calls: StoreCalls, request: UndoRequest) -> None:
        self._in_force = in_force
        self._store = store
        self._calls = calls
        self._request = request
        self._former: Former | None = None

    async def plan(self) -> UndoPlan:
        """Work out what undoing the change would do. What was read of the past is kept, for it stays the same.

        Raises:
            UnknownRevision: there is no such change.
            VersionConflict: a layer has changed since, or another version than the expected one bears on one of them.
            InvalidConfiguration: all problems with what was set before, each with its asset.
            StoreUnavailable: former revisions could not be read.
        """
        if self._former is None:
            self._former = await read_former(self._store, self._calls, self._request.config_id)
        former = self._former
        made = former.made.items()
        others = [layer for layer, config_id in made if self._in_force.active_id(layer) not in (config_id, None)]
        newer = await self._calls.run(_read_newer, self._store, former, others[:MOST_TOLD]) if others else []
        if newer:
            raise VersionConflict([_changed_since(revision) for revision in newer])
        layers = list(former.documents)
        self._in_force.expect(self._request.expected_version, max(layers, key=self._in_force.version_of))
        return UndoPlan(await in_slices(plan_replacement(self._in_force.layers, Replacement(former.documents))), layers)


def _changed_since(revision: Revision) -> Problem:
    whom = asset_of(revision.layer) or "The layer under all assets"
    why = "" if revision.reason is None else f" ({revision.reason})"
    return Problem(
        "config_id",
        f"{whom} has changed since: version {revision.version} by {revision.author}, {revision.created_at}{why}. Undo "
        "that first, or roll back to an earlier version",
        asset=asset_of(revision.layer),
    )

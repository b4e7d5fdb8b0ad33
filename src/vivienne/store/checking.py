"""Checks that everything in a database can be read and belongs together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from vivienne.errors import StoreUnavailable
from vivienne.store.copying import alerts_in_batches, in_batches
from vivienne.wire.answers import Action

if TYPE_CHECKING:
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Revision

MOST_PROBLEMS = 20
"""Problems that are listed; a damaged file has thousands."""


@dataclass(slots=True)
class Checked:
    """The result of a check.

    Attributes:
        version: the newest one that was read.
        problems: what is wrong, in words; empty if nothing is.
        notes: what was not checked, and why.
    """

    revisions: int = 0
    version: int = 0
    tokens: int = 0
    alerts: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        """Add a problem, unless there are many already."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def check(store: RevisionStore) -> Checked:
    """Read everything in a store. It may be in use."""
    found = Checked()
    try:
        found.notes += store.check_pages(found.add)
        names: set[str] = set()
        newest: dict[str, int] = {}
        for batch in in_batches(store):
            for revision in batch:
                _check(revision, found, names)
                newest[revision.layer] = revision.version
        _check_index(store, found, newest)
        found.tokens = len(store.tokens())
        _check_alerts(store, found)
    except StoreUnavailable as error:
        found.add(f"after version {found.version}: {error}")
    return found


def _check_alerts(store: RevisionStore, found: Checked) -> None:
    """Check that alerts can be read and that every delivery belongs to one."""
    for batch in alerts_in_batches(store.alerts):
        found.alerts += len(batch)
    for problem in store.alerts.problems():
        found.add(problem)


def _check_index(store: RevisionStore, found: Checked, newest: dict[str, int]) -> None:
    """Check that what is in force is found by its index, too; a server may have added to it by now."""
    heads = {head.layer: head.version for head in store.heads()}
    for layer, version in newest.items():
        if heads.get(layer, 0) < version:
            found.add(f"the index of layers is damaged: version {version} of {layer} is not in it")


def _check(revision: Revision, found: Checked, names: set[str]) -> None:
    """Check one revision against those before it."""
    if revision.version != found.version + 1:
        found.add(f"the versions {found.version + 1} to {revision.version - 1} are missing")
    if revision.action not in get_args(Action):
        found.add(f"version {revision.version} has the unknown action {revision.action!r}")
    document: object = revision.document  # whatever the file says
    if not isinstance(document, dict):
        found.add(f"version {revision.version} has no configuration")
    if revision.target is not None and revision.target not in names:
        found.add(f"version {revision.version} refers to {revision.target}, which is not before it")
    names.add(revision.config_id)
    found.revisions, found.version = found.revisions + 1, revision.version

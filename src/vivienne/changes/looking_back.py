"""Pages of former revisions, newest first: all of them, or those that match a filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from vivienne.changes.editing import PATHS
from vivienne.config.flat import FLAT_NAMES, nearest, quoted
from vivienne.config.layers import alert_of
from vivienne.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.changes.page_reads import PageReads
    from vivienne.store.base import Outline, RevisionStore
    from vivienne.store.revision import Revision

PAGE_BYTES = 1024 * 1024
"""Bytes of the configurations and changed values in a page of revisions."""
MOST_EXAMINED = 2_000
"""Revisions that one request with a filter looks through; where it ends, the next page goes on."""
_CHUNK = 250
"""Revisions that are looked through at a time."""


class _Listed(TypedDict):
    layers: Sequence[str] | None
    before: int | None
    configurations_only: bool


@dataclass(frozen=True, slots=True)
class RevisionFilter:
    """Which revisions are wanted; what is None excludes nothing.

    Attributes:
        since: not before this moment, as `vivienne.times.written` has it.
        until: before this moment.
        field: changed the value at this path, under its flat name, or below this section.
        author: has this in its author, in any case.
        reason: has this in its reason, in any case.
        channel: came in this way.
    """

    since: str | None = None
    until: str | None = None
    field: str | None = None
    author: str | None = None
    reason: str | None = None
    channel: str | None = None

    def __post_init__(self) -> None:
        """Refuse a field that does not exist.

        Raises:
            Malformed: it does not.
        """
        if self.field is not None and self.path not in PATHS:
            known = nearest(self.field, [*PATHS, *FLAT_NAMES])
            raise Malformed(f"Unknown field {quoted(self.field)}; the nearest known one is {known!r}", path="field")

    @property
    def path(self) -> str | None:
        """The path of the field."""
        return None if self.field is None else FLAT_NAMES.get(self.field, self.field)

    def wants(self, outline: Outline) -> bool:
        """Tell whether a revision is wanted."""
        return (
            (self.since is None or outline.created_at >= self.since)
            and (self.until is None or outline.created_at < self.until)
            and (self.channel is None or outline.channel == self.channel)
            and _has(outline.author, self.author)
            and _has(outline.reason, self.reason)
            and (self.path is None or _has_changed(outline, self.path))
        )


EVERYTHING = RevisionFilter()


@dataclass(frozen=True, slots=True)
class Page:
    """Revisions, newest first; `following` is where the next page begins, None after the last."""

    revisions: list[Revision]
    following: int | None


class LookingBack:
    """Reads pages of revisions.

    Args:
        store: where they live.
        pages: reads there for callers.
    """

    def __init__(self, store: RevisionStore, pages: PageReads) -> None:
        self._store = store
        self._pages = pages

    async def page(
        self,
        layers: Sequence[str] | None,
        limit: int,
        before: int | None,
        wanted: RevisionFilter = EVERYTHING,
        *,
        configurations_only: bool = False,
        whose: str = "",
    ) -> Page:
        """A page of revisions.

        Args:
            layers: only of these; None for all.
            limit: at most so many.
            before: only versions below it.
            wanted: only these. With a filter, at most `MOST_EXAMINED` are looked through, so a page may be empty and
                have a following one.
            configurations_only: leave out deleted configurations, and revisions that are not configurations.
            whose: key of the caller; the callers take turns.

        Raises:
            TooManyRequests: the caller waits for too many pages already.
        """
        listed: _Listed = {"layers": layers, "before": before, "configurations_only": configurations_only}
        if wanted == EVERYTHING:
            return await self._pages.read(whose, self._read, listed, limit)
        return await self._pages.read(whose, self._find, listed, limit, wanted)

    def _read(self, listed: _Listed, limit: int, among: Sequence[int] | None = None) -> Page:
        fitting = self._store.fitting(**listed, limit=limit, most_bytes=PAGE_BYTES, among=among)
        found = self._store.page(**listed, limit=fitting + 1, among=among)
        shown = found[:fitting]
        return Page(shown, shown[-1].version if len(found) > fitting else None)

    def _find(self, listed: _Listed, limit: int, wanted: RevisionFilter) -> Page:
        versions: list[int] = []
        layers, before = listed["layers"], listed["before"]
        for _ in range(MOST_EXAMINED // _CHUNK):
            outlines = self._store.outlines(layers=layers, before=before, limit=_CHUNK)
            versions += [outline.version for outline in outlines if wanted.wants(outline)]
            if len(outlines) < _CHUNK:
                before = None
                break
            before = outlines[-1].version
            if len(versions) > limit:
                break
        if not versions:
            return Page([], before)
        page = self._read(listed, limit, versions)
        return page if page.following is not None else Page(page.revisions, before)


def _has(text: str | None, part: str | None) -> bool:
    return part is None or part.casefold() in (text or "").casefold()


def _has_changed(outline: Outline, path: str) -> bool:
    """Tell whether a revision changed this value of a configuration. Fields of alert rules have such names too."""
    return alert_of(outline.layer) is None and any(_is_at(each["path"], path) for each in outline.changed)


def _is_at(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}.")

"""Compares recorded configurations with those in the database of revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vivienne.config.layers import Layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vivienne.record.reader import RecordReader
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Revision
    from vivienne.wire.document import Document
    from vivienne.wire.record import ComparedConfigurations

_AT_ONCE = 500


class Version(NamedTuple):
    """A version of the configuration, as it was in force for an asset."""

    asset: str
    version: int


def compare_configurations(
    store: RevisionStore, reader: RecordReader, recorded: Mapping[Version, int]
) -> ComparedConfigurations:
    """Compare each recorded configuration with that of its version in the database, where that has it.

    Args:
        store: the database of revisions.
        reader: of the record.
        recorded: by version, the id of the configuration in the record.
    """
    wanted: dict[int, list[Version]] = {}
    for each in recorded:
        wanted.setdefault(each.version, []).append(each)
    documents: dict[str, Document] = {}
    different: list[Version] = []
    compared = newest = 0
    if 0 in wanted:
        compared += len(wanted[0])
        different += _different(reader, wanted[0], documents, recorded)
    for revision in _revisions(store):
        newest = revision.version
        if not revision.is_alert:
            documents[revision.layer] = revision.document
        if newest in wanted:
            compared += len(wanted[newest])
            different += _different(reader, wanted[newest], documents, recorded)
    return {
        "compared": compared,
        "different": [{"asset": asset, "version": version} for asset, version in different],
        "unknown": len(recorded) - compared,
    }


def _revisions(store: RevisionStore) -> Iterator[Revision]:
    version = 0
    while some := store.after(version, _AT_ONCE):
        yield from some
        version = some[-1].version


def _different(
    reader: RecordReader, wanted: list[Version], documents: Mapping[str, Document], recorded: Mapping[Version, int]
) -> Iterator[Version]:
    for each in wanted:
        try:
            document = reader.configuration(recorded[each])
        except LookupError:
            continue  # its decisions are missing, and counted
        if Layers.load((each.asset,), dict(documents)).effective(each.asset) != document:
            yield each

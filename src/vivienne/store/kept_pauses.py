"""Pauses that are in force in a database that a backup replaces. Nobody resumed them, so they stay in force."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from vivienne.errors import StoreUnavailable
from vivienne.store.revision import Revision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vivienne.store.base import RevisionStore

_COLUMNS = ("version", "config_id", "layer", "action", "author", "channel", "created_at", "reason")
"""Those that a pause needs, which databases of every version have."""
_SWITCHES = """
SELECT version, config_id, layer, action, author, channel, created_at, reason, MAX(version)
FROM revisions WHERE action IN ('pause', 'resume') GROUP BY layer
"""


def pauses_in(db: Path) -> list[Revision]:
    """The pauses in force in a file that no process uses, also in one that a later version wrote.

    Raises:
        StoreUnavailable: they cannot be read.
    """
    try:
        with closing(sqlite3.connect(db)) as connection:
            rows = connection.execute(_SWITCHES).fetchall()
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the pauses in force in {db} cannot be read: {error}") from error
    found = [dict(zip(_COLUMNS, row, strict=False)) for row in rows]
    return [Revision(**each, document={}, changed=[]) for each in found if each["action"] == "pause"]


def keep(pauses: Sequence[Revision], store: RevisionStore) -> list[Revision]:
    """Store pauses that are not in force in a store, unless they ended there; give those.

    Only the order of a database tells that a pause ended: the store has it, and a resumption after it. Times do not,
    for a clock may have been wrong.
    """
    there = {each.layer: each for each in store.switches()}
    documents = {each.layer: each.document for each in store.heads()}
    newest = max((each.version for each in store.heads()), default=0)
    kept: list[Revision] = []
    for pause in pauses:
        switch = there.get(pause.layer)
        known = store.by_config_id(pause.config_id)
        if switch is not None and (switch.action == "pause" or (known is not None and switch.version > known.version)):
            continue
        kept.append(
            replace(
                pause,
                version=newest + 1 + len(kept),
                config_id=str(uuid4()) if known is not None else pause.config_id,
                document=documents.get(pause.layer, {}),
            )
        )
    if kept:
        store.append(*kept)
    return kept

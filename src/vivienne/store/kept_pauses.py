"""Pauses after a backup has replaced a database: those of the database, and those of the backup, which are told anew.

Nobody resumed the former, so they stay in force. Receivers of alerts may have heard since that the latter ended.
"""

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
    kept: list[Revision] = []
    for pause in pauses:
        switch = there.get(pause.layer)
        known = store.by_config_id(pause.config_id)
        if switch is not None and (switch.action == "pause" or (known is not None and switch.version > known.version)):
            continue
        kept.append(pause if known is None else _anew(pause))
    return _append(kept, store)


def repeat(store: RevisionStore) -> list[Revision]:
    """Store the pauses in force in a store once more, so that the next process tells of them; give those."""
    return _append([_anew(each) for each in store.switches() if each.action == "pause"], store)


def _anew(pause: Revision) -> Revision:
    """The same pause as another entry, which no request names."""
    return replace(
        pause,
        config_id=str(uuid4()),
        changed=[],
        request_id=None,
        request_digest=None,
        requester=None,
        answer=None,
        trace_id=None,
    )


def _append(pauses: Sequence[Revision], store: RevisionStore) -> list[Revision]:
    """Store pauses as the next versions."""
    heads = store.heads()
    documents = {each.layer: each.document for each in heads}
    begin = max((each.version for each in heads), default=0) + 1
    stored = [
        replace(pause, version=version, document=documents.get(pause.layer, {}))
        for version, pause in enumerate(pauses, begin)
    ]
    if stored:
        store.append(*stored)
    return stored

"""Configurations and sets of blocks, each kept once and named by a number."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from vivienne.record.rows import written_blocks
from vivienne.record.tables import UNUSED, blocks, configurations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from vivienne.agent.decision import Block
    from vivienne.record.database import RecordDatabase
    from vivienne.wire.document import Document

_MOST_KNOWN = 4_000
"""Numbers that are remembered of each kind. Others are looked up."""


class Interning:
    """The numbers of values in one record; they are added as they come.

    Forget it after a transaction that failed: what it added is not there.

    Args:
        database: the record.
    """

    def __init__(self, database: RecordDatabase) -> None:
        self._database = database
        self._blocks: dict[tuple[Block, ...], int] = {}
        self._documents: dict[int, tuple[Document, int]] = {}
        """By the identity of the document, which is kept so that no other one gets the same."""

    def confirm(self, connection: Connection, documents: Iterable[Document]) -> None:
        """Forget the numbers of configurations that have gone since, or are about to; before others are written."""
        known = {key: self._documents[key][1] for key in {id(each) for each in documents} & self._documents.keys()}
        if not known:
            return
        is_there = configurations.c.id.in_(set(known.values())), ~configurations.c.digest.startswith(UNUSED)
        there = {*connection.execute(select(configurations.c.id).where(*is_there)).scalars()}
        for key, number in known.items():
            if number not in there:
                del self._documents[key]

    def blocks(self, connection: Connection, found: tuple[Block, ...]) -> int:
        """The number of a set of scenarios that block."""
        known = self._blocks.get(found)
        if known is None:
            _make_room(self._blocks)
            known = self._blocks[found] = self._number(connection, blocks, "text", text=written_blocks(found))
        return known

    def configuration(self, connection: Connection, document: Document) -> int:
        """The number of an effective configuration."""
        known = self._documents.get(id(document))
        if known is None:
            _make_room(self._documents)
            text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
            digest = digest_of(text)
            number = self._number(connection, configurations, "digest", digest=digest, document=zlib.compress(text))
            known = self._documents[id(document)] = document, number
        return known[1]

    def _number(self, connection: Connection, table: Table, key: str, **row: Any) -> int:
        query = select(table.c.id).where(table.c[key] == row[key])
        found = connection.execute(query).scalar_one_or_none()
        if found is None:
            # Another process may be adding the same.
            connection.execute(self._database.insert(table).values(**row).on_conflict_do_nothing())
            found = connection.execute(query).scalar_one()
        return int(found)


def digest_of(text: bytes) -> str:
    """The digest of a configuration, as JSON with sorted keys."""
    return hashlib.sha256(text).hexdigest()


def _make_room(known: dict[Any, Any]) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()

"""Opens the store a setting names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from vivienne.store.address import PostgresUrl
    from vivienne.store.base import RevisionStore


def open_store(db: Path | PostgresUrl, *, beside: bool = False) -> RevisionStore:
    """Open a SQLite file, which is made where there is none, or a PostgreSQL database.

    Args:
        db: which.
        beside: only for its tokens, so that it does not matter who uses it.

    Raises:
        StoreUnusable: it cannot be opened.
    """
    if isinstance(db, Path):
        return SqliteRevisionStore(db, beside=beside)
    from vivienne.store.postgres import PostgresRevisionStore  # noqa: PLC0415  # its driver is an extra

    return PostgresRevisionStore(db)

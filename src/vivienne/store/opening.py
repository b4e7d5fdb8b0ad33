"""Opens the store a setting names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from vivienne.store.address import PostgresUrl
    from vivienne.store.base import Opening, RevisionStore


def open_store(db: Path | PostgresUrl, how: Opening = "alone") -> RevisionStore:
    """Open a SQLite file, which is made where there is none, or a PostgreSQL database.

    Args:
        db: which.
        how: what for.

    Raises:
        StoreUnusable: it cannot be opened.
    """
    if isinstance(db, Path):
        return SqliteRevisionStore(db, how)
    from vivienne.store.postgres import PostgresRevisionStore  # noqa: PLC0415  # its driver is an extra

    return PostgresRevisionStore(db, how)

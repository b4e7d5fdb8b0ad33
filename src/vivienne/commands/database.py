"""Access of commands to a database."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vivienne.changes.service import ConfigService
from vivienne.config.layers import asset_of
from vivienne.errors import SettingsError
from vivienne.outbox.secrets import Vault, key_beside
from vivienne.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from vivienne.store.address import PostgresUrl
    from vivienne.store.base import Opening, RevisionStore


def is_missing(db: Path | PostgresUrl) -> bool:
    """True for a SQLite file that does not exist; a PostgreSQL database can only be checked by opening it."""
    return isinstance(db, Path) and not db.exists()


def existing(db: Path | PostgresUrl, otherwise: str = "") -> Path | PostgresUrl:
    """The database itself, if it exists.

    Args:
        db: to be opened.
        otherwise: what else the user can do, for the error.

    Raises:
        SettingsError: the file does not exist.
    """
    if is_missing(db):
        raise SettingsError(f"There is no database {db}; name another one with --db{otherwise}")
    return db


@contextmanager
def opened(db: Path | PostgresUrl, how: Opening) -> Iterator[RevisionStore]:
    """The store, open until the end of the block.

    Args:
        db: to be opened; a SQLite file that does not exist is created, unless it is only read.
        how: what for.

    Raises:
        StoreUnusable: it cannot be opened.
    """
    store = open_store(db, how)
    try:
        yield store
    finally:
        store.close()


@asynccontextmanager
async def service_over(db: Path | PostgresUrl, *assets: str) -> AsyncIterator[ConfigService]:
    """A service for these assets and for every asset that has a layer.

    Raises:
        StoreUnusable: the database cannot be opened.
    """
    store = open_store(db, "as it is")
    layers = {asset for head in store.heads() if (asset := asset_of(head.layer)) is not None}
    service = ConfigService(store, sorted(layers.union(assets)), seal=Vault(key_beside(db)).seal)
    try:
        yield service
    finally:
        await service.close()

"""Where the record of a configuration is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivienne.store.address import PostgresUrl


def beside(configuration: Path | PostgresUrl) -> Path | PostgresUrl:
    """The record of a configuration's database: a file beside its file, or the same PostgreSQL database."""
    if isinstance(configuration, Path):
        return configuration.with_name(f"{configuration.stem}-record.db")
    return configuration

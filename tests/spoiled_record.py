"""A record with changes and restarts, which tests may spoil."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from verified import record_with_changes_and_restarts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The database, and the number of decisions beside it."""
    db = tmp_path_factory.mktemp("verified") / "v.db"
    return db, asyncio.run(record_with_changes_and_restarts(db))


@pytest.fixture
def db(whole: tuple[Path, int], tmp_path: Path) -> Path:
    """A copy to spoil."""
    for path in whole[0].parent.glob("v*.db"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path / "v.db"

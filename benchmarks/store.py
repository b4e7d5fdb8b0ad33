"""Opening a store of many revisions, and appending, by SQLite and by PostgreSQL."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import Figure, percentile
from postgres_server import PostgresServer
from vivienne.config.tunables import DEFAULTS
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.revision import Revision
from vivienne.store.sql import as_row
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.tables import revisions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vivienne.store.sql import SqlRevisionStore

_REVISIONS = 100_000
_LAYERS = ("global", *(f"A{number}" for number in range(50)))
_BATCH = 5_000
_APPENDS = 500
_WANTED_S = 2.0


def measure() -> list[Figure]:
    """Measure both engines."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        figures = _measure("SQLite", lambda: SqliteRevisionStore(Path(folder) / "bench.db"))
    server = PostgresServer()
    try:
        server.start()
        url = PostgresUrl.read(server.database())
        assert url is not None
        return figures + _measure("PostgreSQL", lambda: PostgresRevisionStore(url))
    finally:
        server.remove()


def _measure(engine: str, opened: Callable[[], SqlRevisionStore]) -> list[Figure]:
    store = opened()
    for rows in batches(_REVISIONS):
        with store._transaction() as connection:  # noqa: SLF001  # one by one it would take minutes
            connection.execute(revisions.insert(), rows)
    store.close()
    begin = time.perf_counter()
    store = opened()
    store.heads()
    store.active_ids()
    seconds = time.perf_counter() - begin
    appends = []
    for version in range(_REVISIONS + 1, _REVISIONS + _APPENDS + 1):
        revision = _revision(version)
        begin = time.perf_counter()
        store.append(revision)
        appends.append(1e3 * (time.perf_counter() - begin))
    store.close()
    typical = f"p50 {percentile(appends, 50):.1f} ms, p99 {percentile(appends, 99):.1f} ms"
    return [
        Figure(
            f"{engine}: open, what is in force, {_REVISIONS:,} revisions",
            f"{seconds:.2f} s",
            f"<= {_WANTED_S:g} s",
            seconds <= _WANTED_S,
        ),
        Figure(f"{engine}: append, on disk", typical),
    ]


def batches(count: int) -> Iterator[list[dict[str, Any]]]:
    """Rows of so many revisions, some thousands at a time."""
    for first in range(1, count + 1, _BATCH):
        yield [as_row(_revision(version)) for version in range(first, min(first + _BATCH, count + 1))]


def _revision(version: int) -> Revision:
    """A configuration, or at each fifth version the deletion of the one before."""
    deletes = version % 5 == 0
    return Revision(
        version=version,
        config_id=f"id-{version}",
        layer=_LAYERS[(version - deletes) % len(_LAYERS)],
        action="delete" if deletes else "update",
        document=DEFAULTS,
        changed=[],
        author="bench",
        channel="rest",
        created_at="2026-01-02T03:04:05.678Z",
        target=f"id-{version - 1}" if deletes else None,
    )

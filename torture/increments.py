"""Sixteen writers increment one value, each on top of what it read: the sum is exact."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from increments import NO_LIMIT, increment
from measuring import Figure
from postgres_server import PostgresServer
from redis_running import RunningRedis
from running import RunningServer
from several import Several
from torture.progress import Progress

if TYPE_CHECKING:
    from increments import Increments

_FLAGS = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500", *NO_LIMIT)


def measure(*, increments: int = 10_000, writers: int = 16, several: bool = True) -> list[Figure]:
    """Let them write to one process.

    Args:
        increments: of all writers together.
        writers: how many.
        several: let them write to two gateways over one PostgreSQL database too.
    """
    progress = Progress("increments, one process", increments)
    with tempfile.TemporaryDirectory() as folder, RunningServer(*_FLAGS, db=Path(folder) / "increments.db") as server:
        alone = increment([server], writers, increments, progress.at)
    figures = _figures(f"{writers} writers, one process: sum", alone, increments)
    if several:
        shared = _over_two_gateways(writers, increments)
        figures += _figures(f"{writers} writers, two gateways: sum", shared, increments)
    return figures


def _over_two_gateways(writers: int, increments: int) -> Increments:
    progress = Progress("increments, two gateways", increments)
    postgres = PostgresServer()
    try:
        postgres.start()
        with RunningRedis() as redis, Several(postgres.database(), redis, everywhere=NO_LIMIT) as servers:
            return increment(servers.gateways, writers, increments, progress.at)
    finally:
        postgres.remove()


def _figures(name: str, found: Increments, wanted: int) -> list[Figure]:
    return [
        Figure(
            name,
            f"{found.sum:,g} in {found.revisions:,} revisions",
            f"{wanted:,} in {wanted:,}",
            found.sum == wanted == found.revisions,
        ),
        Figure("  conflicts, time", f"{found.conflicts:,}, {found.seconds:.0f} s"),
    ]

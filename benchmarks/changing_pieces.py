"""A change for all of thousands of assets in this process: the longest piece of work between two passes of the loop.

    python benchmarks/changing_pieces.py ASSETS CHANGES

Prints `[longest, each]` of every change as JSON: milliseconds of its longest piece, and microseconds for each asset. It
is processor time, which other programs on the machine do not make longer. It runs with the interpreter of any checkout.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from many_assets import names_of
from vivienne.changes.requests import ChangeRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.live.market import Market
from vivienne.market.feeds.simulated import SimulatedFeed
from vivienne.market.timeframe import Timeframe
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import Iterator

_SWITCH_SECONDS = 0.0001
"""That of the server."""
_THRESHOLDS = (10_000, 10, 20)
"""Those of the server for garbage."""
_SHORT_SECONDS = 0.0002
"""Pieces that are shorter are not counted: a pass in which nothing is done is one."""
_SETTLE_SECONDS, _END_SECONDS = 1.0, 0.05
_GARBAGE = "vivienne.roles.garbage"


async def pieces(count: int, changes: int) -> list[tuple[float, float]]:
    """Milliseconds of the longest piece of each change, and its microseconds for each asset."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        names = tuple(names_of(count).split(","))
        service = ConfigService(SqliteRevisionStore(Path(folder) / "bench.db"), names)
        feed = SimulatedFeed(names, seed=1, speed=1.0, timeframe_minutes=1)
        board = StateBoard(Hub(service.metrics))
        market = Market(feed, service, board, timeframe=Timeframe.M1, window=1_500, price_interval=0.1)
        sys.setswitchinterval(_SWITCH_SECONDS)
        with _garbage_as_in_a_server():
            await asyncio.sleep(_SETTLE_SECONDS)
            found = [await _pieces_of(service, number) for number in range(changes)]
        await service.close()
        assert market.assets == names
    return found


@contextmanager
def _garbage_as_in_a_server() -> Iterator[None]:
    """Collect garbage as the server does; earlier versions left it to Python."""
    gc.set_threshold(*_THRESHOLDS)
    gc.freeze()
    collecting = asyncio.create_task(import_module(_GARBAGE).collect_garbage()) if find_spec(_GARBAGE) else None
    try:
        yield
    finally:
        if collecting is not None:
            collecting.cancel()
        gc.unfreeze()


async def _pieces_of(service: ConfigService, number: int) -> tuple[float, float]:
    found: list[float] = []

    async def passes() -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            if now - before > _SHORT_SECONDS:
                found.append((now - before) * 1000)
            before = now

    watching = asyncio.create_task(passes())
    await asyncio.sleep(0.1)
    found.clear()
    await service.change(ChangeRequest(Update({"bang_threshold": 85 + number}, partial=True), channel="bench"))
    await asyncio.sleep(_END_SECONDS)  # the last piece is noticed in the pass after it
    watching.cancel()
    return max(found, default=0.0), sum(found) * 1000 / len(service.assets)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(pieces(int(sys.argv[1]), int(sys.argv[2])))))

"""A replay at full speed of 28 days of one-minute candles at 15m: reading, resampling, deciding, publishing."""

from __future__ import annotations

import asyncio
import csv
import gzip
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path

from measuring import Figure, spread
from vivienne.changes.service import ConfigService
from vivienne.live.market import Market
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.feeds.simulated import simulated_minutes
from vivienne.market.files import read_market_file
from vivienne.market.timeframe import Timeframe
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

_MINUTES = 40_320
_ROUNDS = 3
_WANTED_S = 2.0


def measure() -> list[Figure]:
    """Measure the whole, and reading the file alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "minutes.csv.gz"
        _write(path)
        whole = [asyncio.run(_replay(path, Path(folder) / f"{number}.db")) for number in range(_ROUNDS)]
        reading = []
        for _ in range(_ROUNDS):
            begin = time.perf_counter()
            for _item in read_market_file(path):
                pass
            reading.append(time.perf_counter() - begin)
    typical = statistics.median(whole)
    return [
        Figure(
            f"replay of {_MINUTES:,} minutes at 15m", spread(whole, "s"), f"<= {_WANTED_S:g} s", typical <= _WANTED_S
        ),
        Figure("reading the file alone", spread(reading, "s")),
    ]


def _write(path: Path) -> None:
    """The simulated market in the archive's columns."""
    with gzip.open(path, "wt", newline="") as text:
        writer = csv.writer(text)
        for candle in islice(simulated_minutes("BTC", 1), _MINUTES):
            open_time, opened, high, low, close, volume, quote_volume, count, taker = candle
            writer.writerow(
                [open_time, opened, high, low, close, volume, open_time + 59_999, quote_volume, int(count), taker, 0, 0]
            )


async def _replay(path: Path, db: Path) -> float:
    begin = time.perf_counter()
    service = ConfigService(SqliteRevisionStore(db), ["BTC"])
    market = Market(
        ReplayFeed({"BTC": [path]}, None), service, StateBoard(Hub()), timeframe=Timeframe.M15, window=1_000,
        price_interval=0.1,
    )  # fmt: skip
    running = asyncio.create_task(market.run())
    while not market.ended():  # noqa: ASYNC110  # the market has no event for an outsider
        await asyncio.sleep(0.002)
    seconds = time.perf_counter() - begin
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await service.close()
    return seconds

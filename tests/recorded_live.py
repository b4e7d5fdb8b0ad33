"""Decisions on minutes of a random walk, and records of them."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from making import MIDNIGHT, minutes
from vivienne.agent.evaluate import evaluate
from vivienne.agent.schema import Configuration
from vivienne.live.asset import LiveAsset
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars
from vivienne.metrics.registry import Metrics
from vivienne.record.database import open_record
from vivienne.record.reader import RecordReader
from vivienne.record.recorder import Recorder, Recording
from vivienne.record.sessions import Process, RunKey
from vivienne.record.writing import Markets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from vivienne.changes.service import ConfigService
    from vivienne.live.asset import DecisionMade
    from vivienne.market.types import Candle
    from vivienne.store.address import PostgresUrl

MINUTE = Timeframe.M1
RUN = RunKey("push", "push", None, is_real=True)
MARKETS = Markets(MINUTE, {})
SECONDS = 30.0


def asset_of(service: ConfigService, asset: str = "BTC", window: int = 2_500) -> LiveAsset:
    """An asset whose bars are minutes."""
    return LiveAsset(asset, feed="push", timeframe=MINUTE, window=window, active=lambda: service.active(asset))


def decided(asset: LiveAsset, candles: Iterable[Candle]) -> list[DecisionMade]:
    """The decisions on minutes."""
    made: list[DecisionMade] = []
    for candle in candles:
        if asset.take(candle, "pushed"):
            made += asset.decide_closed()
    return made


def walk(first: int, count: int) -> list[Candle]:
    """Minutes of one and the same walk."""
    return _walk()[first : first + count]


@cache
def _walk() -> list[Candle]:
    return minutes(3_000, seed=3)


def recorder(
    where: Path | PostgresUrl,
    *,
    run: RunKey = RUN,
    name: str = "one",
    started_at: int = MIDNIGHT,
    is_silent: Callable[[], bool] = lambda: False,
    keep: timedelta = timedelta(days=365),
    market: Markets = MARKETS,
) -> Recorder:
    """The record of a process that decides minutes."""
    process = Process(name, "1.2.3", require_full_history=False, started_at=started_at)
    return Recorder(Recording(where, run, process, market, keep), Metrics(), is_silent)


async def recorded(to: Recorder, made: Iterable[DecisionMade]) -> None:
    """Record decisions, and end."""
    for each in made:
        to.take(each)
    running = asyncio.create_task(to.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@contextmanager
def reading(where: Path | PostgresUrl) -> Iterator[RecordReader]:
    """A record, to be read."""
    reader = RecordReader(open_record(where, "to read"))
    try:
        yield reader
    finally:
        reader.close()


def decided_anew(of: RecordReader, run_id: int) -> int:
    """Decide every recorded bar again from what is recorded, and compare. The number of decisions."""
    count = 0
    for series in of.series(run_id):
        for segment in series.segments:
            rows = of.segment(segment, 0, 4_000_000_000_000)
            for place, row in enumerate(rows):
                if row.made is None:
                    continue
                made, used = row.made, rows[place + 1 - row.made.used : place + 1]
                config = Configuration.model_validate(of.configuration(made.configuration_id))
                bars = Bars.from_candles([each.bar for each in used])
                again = evaluate(bars, config, 1, cap=made.cap, is_cut=not made.decision.is_whole).decision()
                assert repr(again) == repr(made.decision), (series.asset, row.bar.open_time)
                count += 1
    return count

"""Decisions are kept as they were made, in memory that is there from the start."""

from __future__ import annotations

import gc
import math
import random
import sys
from typing import TYPE_CHECKING, get_args

from making import minutes
from vivienne.agent.decision import Clarity, Decision
from vivienne.agent.evaluate import BLOCKS
from vivienne.changes.service import ConfigService
from vivienne.live.asset import LiveAsset
from vivienne.live.entries import Readings
from vivienne.live.made import Made, MadeDecisions
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.times import iso
from vivienne.wire.explanation import LevelsStatus, Side, Trend, VolatilityStatus

if TYPE_CHECKING:
    from pathlib import Path

RNG = random.Random(7)  # noqa: S311


def made(open_time: int) -> Made:
    def value() -> float:
        return RNG.choice([RNG.uniform(-1e9, 1e9), RNG.random() / 3, math.nan, -0.0, 1e-300])

    decision = Decision(
        open_time=open_time, ready=True, history=RNG.randrange(1, 1_001), is_whole=RNG.random() < 0.5,
        level=RNG.choice([*Clarity]), raw_level=RNG.choice([*Clarity]), side=RNG.choice(get_args(Side)),
        confidence=value(), size=value(), wanted=value(), blocks=tuple(b for b in BLOCKS if RNG.random() < 0.4),
        trend=RNG.choice(get_args(Trend)), volatility=RNG.choice(get_args(VolatilityStatus)),
        levels=RNG.choice(get_args(LevelsStatus)), support=value(), resistance=value(),
    )  # fmt: skip
    return Made(decision, RNG.randrange(2**40), RNG.random() < 0.5, Readings(value(), value(), value()))


def test_decisions_come_back_to_the_last_bit_and_the_oldest_are_dropped() -> None:
    kept, all_made = MadeDecisions(10), [made(time) for time in range(0, 35 * MINUTE_MS, MINUTE_MS)]
    for number, each in enumerate(all_made, 1):
        kept.add(each)
        times = [one.decision.open_time for one in all_made[:number]]
        expected = [None] * (number - 10) + all_made[max(0, number - 10) : number]
        assert repr(kept.at(times)) == repr(expected)  # which tells NaN and -0.0, and the types
        assert [repr(kept.at([time])[0]) for time in times[-12:]] == [*map(repr, expected[-12:])]
        assert len(kept) == min(number, 10)


def test_a_bar_that_is_decided_once_more_has_the_newer_decision() -> None:
    kept = MadeDecisions(3)
    for time in (1, 2, 3):
        kept.add(made(time))
    kept.add(newer := made(2))
    assert repr(kept.at([2])) == repr([newer])
    assert len(kept) == 3


async def test_an_asset_that_decides_takes_no_more_memory_while_its_window_fills(tmp_path: Path) -> None:
    service = ConfigService(SqliteRevisionStore(tmp_path / "vivienne.db"), ["BTC"])
    asset = LiveAsset("BTC", feed="x", timeframe=Timeframe.M1, window=2_500, active=lambda: service.active("BTC"))
    candles = minutes(700)
    asset.load(Bars.from_candles(candles[:300]))

    def decide(first: int, end: int) -> int:
        for candle in candles[first:end]:
            asset.take(candle)
            asset.decide()
        iso.cache_clear()  # it keeps the texts of so many times, which others may have asked for
        gc.collect()
        return sys.getallocatedblocks()

    before = decide(300, 500)
    assert decide(500, 700) - before < 2 * 200, "objects are kept for each bar"  # 10 and more if they were
    await service.close()

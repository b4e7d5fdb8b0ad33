"""Pushed data, in random batches, doubled and reordered, gives the bars and decisions of the same data in files."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Self

import pytest

from making import MIDNIGHT, candles_in, minutes
from sizes import FULL, rounds
from vivienne.changes.service import ConfigService
from vivienne.errors import TooManyRequests
from vivienne.live.market import Market
from vivienne.market.feeds.pushed.feed import PushedFeed
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Candle
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from vivienne.live.asset import DecisionMade
    from vivienne.market.feeds.base import Feed, History

WINDOW = 2_500
SECONDS = 300.0
COLUMNS = ("open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume")
Row = dict[str, Any]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    made = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    yield made
    await made.close()


class Replayed(ReplayFeed):
    """Remembers where its history ended."""

    end = 0

    def history(self, asset: str, *, least: int, most: int) -> History:
        found = super().history(asset, least=least, most=most)
        self.end = int(found.minutes.open_time[-1]) + MINUTE_MS
        return found


class Running:
    """A market, and the decisions that are made in it."""

    def __init__(self, feed: Feed, service: ConfigService, timeframe: Timeframe) -> None:
        self.market = Market(feed, service, StateBoard(Hub()), timeframe=timeframe, window=WINDOW, price_interval=0.01)
        self.made: list[DecisionMade] = []
        self.market.listen(self.made.append)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.market.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def replayed(service: ConfigService, path: Path, timeframe: Timeframe) -> tuple[list[DecisionMade], int]:
    """The decisions on files, and where their history ends."""
    feed = Replayed({"BTC": [path]}, None, timeframe=timeframe)
    async with asyncio.timeout(SECONDS), Running(feed, service, timeframe) as running:
        while not running.market.ended():  # noqa: ASYNC110  # the end of a replay has no event
            await asyncio.sleep(0.01)
    return running.made, feed.end


async def pushed(
    service: ConfigService, batches: Sequence[tuple[str, list[Row], bool]], timeframe: Timeframe, count: int
) -> list[DecisionMade]:
    """The decisions on pushed rows."""
    feed = PushedFeed(("BTC",), timeframe=timeframe, bars=WINDOW)
    async with asyncio.timeout(SECONDS), Running(feed, service, timeframe) as running:
        for kind, rows, is_history in batches:
            body = {"asset": "BTC", kind: rows, "history": is_history}
            while True:
                try:
                    taken = await feed.push(kind, body)  # type: ignore[arg-type]
                    break
                except TooManyRequests:
                    await feed.taken()
            assert (0, 0) == (taken.rows.refused, taken.rows.late), taken
            await asyncio.sleep(0)
        while len(running.made) < count:  # noqa: ASYNC110  # decisions have no event
            await asyncio.sleep(0.01)
    return running.made


def batched(kind: str, rows: list[Row], time: str, end: int, seed: int) -> list[tuple[str, list[Row], bool]]:
    """Rows in batches of any size, some of them twice, in any order within a minute."""
    rng = random.Random(seed)  # noqa: S311
    disturbed = sorted(rows, key=lambda row: (row[time] // MINUTE_MS, rng.random()))
    batches: list[tuple[str, list[Row], bool]] = []
    place = 0
    while place < len(disturbed):
        is_history = disturbed[place][time] < end
        batch = disturbed[place : place + rng.choice((1, 2, 7, 60, 400))]
        batch = [row for row in batch if (row[time] < end) == is_history]
        place += len(batch)
        # Some are pushed again: those of this minute, which is open, and older ones, which are closed.
        again = rng.sample(disturbed[max(0, place - 300) : place], rng.choice((0, 1, 20)) if place > 20 else 0)
        again = [row for row in again if (row[time] < end) == is_history]
        rng.shuffle(batch)
        batches.append((kind, [*batch, *again], is_history))
    return batches


def compared(made: list[DecisionMade]) -> list[Any]:
    """All fields of decisions but the source of bars, in a form in which what is unknown equals itself."""
    return [
        repr((each.asset, {**each.bar, "source": None}, each.decision, each.status, each.active.version))
        for each in made
    ]


def row_of(candle: Candle) -> Row:
    return {**dict(zip(COLUMNS, candle, strict=True)), "closed": True}


def candle_file(path: Path, candles: Sequence[Candle]) -> Path:
    lines = [",".join(map(str, candle)) for candle in candles]
    names = "open_time,open,high,low,close,volume,quote_volume,trade_count,taker_buy_volume"
    path.write_text(names + "\n" + "\n".join(lines) + "\n")
    return path


@pytest.mark.sized
async def test_pushed_candles_decide_as_those_of_files(
    service: ConfigService, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if FULL:
        candles = candles_in(request.getfixturevalue("marketdata") / "klines" / "BTCUSDT-1m-2025-02.csv.gz")
        del candles[-1]  # it ends a day, so the replay would take it as closed
    else:
        candles = minutes(3_000)
    del candles[1_500:1_507], candles[2_000:2_090]  # a gap that is filled, and one that is not
    path = candle_file(tmp_path / "c.csv", candles)
    expected, end = await replayed(service, path, Timeframe.M5)
    rows = [row_of(candle) for candle in candles[:-1]]  # the last candle of a file may be open
    for seed in range(rounds(5)):
        found = await pushed(service, batched("candles", rows, "open_time", end, seed), Timeframe.M5, len(expected))
        assert len(expected) > 100
        assert compared(found) == compared(expected)


async def test_candles_that_are_corrected_before_their_bar_closes_decide_as_right_ones(
    service: ConfigService, tmp_path: Path
) -> None:
    candles = minutes(1_500)
    del candles[1_300:1_303]
    expected, end = await replayed(service, candle_file(tmp_path / "c.csv", candles), Timeframe.M5)
    batches: list[tuple[str, list[Row], bool]] = []
    for row in map(row_of, candles[:-1]):
        is_history = row["open_time"] < end
        if not is_history and row["open_time"] // MINUTE_MS % 5 < 4:
            batches.append(("candles", [{**row, "high": row["high"] * 2, "volume": 1.0}], False))
        batches.append(("candles", [row], is_history))
    found = await pushed(service, batches, Timeframe.M5, len(expected))
    assert len(expected) > 50
    assert compared(found) == compared(expected)


@pytest.mark.sized
async def test_pushed_trades_decide_as_those_of_files(service: ConfigService, tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311
    trades: list[Row] = []
    time, price = MIDNIGHT, 100.0
    while time < MIDNIGHT + (8_000 if FULL else 900) * MINUTE_MS:
        time += round(rng.expovariate(1 / 15_000))
        price *= 1 + rng.gauss(0, 0.0005)
        trades.append(
            {
                "id": len(trades) + 1,
                "time": time,
                "price": price,
                "amount": rng.expovariate(1),
                "side": rng.choice(("buy", "sell")),
            }
        )
    path = tmp_path / "t.csv"
    lines = [",".join(str(value) for value in trade.values()) for trade in trades]
    path.write_text("id,time,price,quantity,side\n" + "\n".join(lines) + "\n")
    expected, end = await replayed(service, path, Timeframe.M1)

    for seed in range(rounds(5)):
        found = await pushed(service, batched("trades", trades, "time", end, seed), Timeframe.M1, len(expected))
        assert len(expected) > 100
        assert compared(found) == compared(expected)
